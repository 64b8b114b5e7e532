"""How far is the crawl, and what do its numbers say? The bar, and a line for each kind of number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.eta import End
from crawler.live.styles import DONE, LEFT, STATE, STRONG, label_width, labelled, text
from crawler.models import Outcome
from crawler.progress import Part, fitting, queued, unchanged
from crawler.wording import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from crawler.live.look import Look

_MOST_BAR = 60  # cells
_LEAST_BAR = 8


class Goal(NamedTuple):
    """What the bar measures."""

    done: float
    total: float
    words: str

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def goal(look: Look) -> Goal:
    """The end that comes first as far as one can say: a budget, or that of all that is known."""
    snapshot, budget = look.snapshot, look.budget
    by = look.left.by if look.left else (End.PAGES if budget.pages else End.KNOWN)
    if by is End.PAGES and budget.pages:
        return Goal(snapshot.pages, budget.pages, f"{snapshot.pages:,} of {counted(budget.pages, 'page')}")
    if by is End.BYTES and budget.bytes:
        return Goal(snapshot.wire_bytes, budget.bytes, f"{size(snapshot.wire_bytes)} of {size(budget.bytes)}")
    if by is End.TIME and budget.time_s:
        words = f"{duration(snapshot.elapsed_s)} of {duration(budget.time_s)}"
        return Goal(snapshot.elapsed_s, budget.time_s, words)
    ended, sitemaps = snapshot.admitted - snapshot.queued, snapshot.reasons.get((Outcome.FETCHED, "sitemap"), 0)
    told = f", {counted(sitemaps, 'sitemap')} read" if sitemaps else ""
    return Goal(ended, snapshot.admitted, f"{ended:,} of {counted(snapshot.admitted, 'URL')} known{told}")


def time_left(look: Look) -> str:
    """How much longer, and what that goes by."""
    left = look.left
    if left is None:
        return ""
    if left.by is not End.KNOWN:
        return f"{left.words()} to {left.by}"
    return f"{left.words()}, more is found" if left.at_least else f"{left.words()}, an estimate"


def bar(look: Look, columns: int, *, ascii_only: bool) -> Text:
    """The line with the bar; what it measures and the time left as far as there is room."""
    measured = goal(look)
    state = " STOPPING " if look.stopping else " PAUSED " if look.snapshot.paused else ""
    parts = [Part(f"{int(100 * measured.share)} %", 0), Part(measured.words, 2)]
    if left := time_left(look):
        parts.append(Part(left, 1, look.left.words() if look.left else ""))
    room = columns - len(state) - (2 if state else 0)
    beside = room - _LEAST_BAR - 2
    said = fitting(parts, beside if beside >= len(parts[0].text) else room)
    cells = min(_MOST_BAR, room - len(said) - 2)
    line = text((state, STATE), ("  ", LEFT)) if state else text()
    if cells >= _LEAST_BAR:
        full = int(cells * measured.share)
        done, rest = ("#", ".") if ascii_only else ("━", "─")
        line.append_text(text((done * full, DONE), (rest * (cells - full), LEFT), ("  ", LEFT)))
    line.append_text(text((said, STRONG)))
    return line


def short(look: Look, columns: int) -> Text:
    """All numbers in one line, what matters most first."""
    snapshot = look.snapshot
    parts = [
        Part(counted(snapshot.pages, "page"), 0),
        *unchanged(snapshot, 4),
        Part(f"{snapshot.pages_per_s:,.1f}/s", 3),
        Part(queued(snapshot), 2),
        Part(f"{snapshot.in_flight:,} in flight", 4),
        Part(f"{snapshot.failed:,} failed", 5),
        Part(size(snapshot.wire_bytes), 7),
        Part(duration(snapshot.elapsed_s), 6),
    ]
    return text((fitting(parts, columns), STRONG))


def pages(look: Look, columns: int) -> Text:
    """What has come."""
    snapshot = look.snapshot
    parts = [
        Part(counted(snapshot.pages, "page"), 0),
        Part(f"{snapshot.pages_per_s:,.1f}/s now", 1, f"{snapshot.pages_per_s:,.1f}/s"),
        Part(f"{snapshot.mean_pages_per_s:,.1f}/s mean", 3),
        Part(size(snapshot.wire_bytes), 2),
        Part(duration(snapshot.elapsed_s), 4),
    ]
    return _line("so far", parts, columns)


def requests(look: Look, columns: int) -> Text:
    """What is under way, in the order that it goes."""
    snapshot = look.snapshot
    parts = [
        Part(queued(snapshot), 1),
        Part(f"{snapshot.in_flight:,} of {snapshot.concurrency:,} in flight", 0),
        Part(f"{snapshot.parsing:,} to parse", 3),
        Part(f"{snapshot.uncommitted:,} to commit", 4),
    ]
    return _line("requests", parts, columns)


def ends(look: Look, columns: int) -> Text:
    """How URLs have ended."""
    outcomes = look.snapshot.outcomes
    shown = [one for one in Outcome if outcomes.get(one) or one in (Outcome.FETCHED, Outcome.FAILED)]
    ranks = {Outcome.FAILED: 0, Outcome.FETCHED: 1, Outcome.UNCHANGED: 1}
    return _line("ended", [Part(f"{outcomes.get(one, 0):,} {one}", ranks.get(one, 2)) for one in shown], columns)


def machine(look: Look, columns: int) -> Text:
    """What it takes of the machine."""
    return _line("machine", [*_machine_parts(look)], columns)


def hosts(look: Look, columns: int) -> Text:
    """How many hosts do what."""
    found = sorted(look.hosts.conditions.items(), key=lambda item: -item[1])
    parts = [Part(f"{count:,} {condition}", rank) for rank, (condition, count) in enumerate(found)]
    return _line("hosts", parts or [Part("none yet", 0)], columns)


def _machine_parts(look: Look) -> Iterator[Part]:
    seen = look.machine
    if seen is None:
        yield Part("not looked at yet", 0)
        return
    if seen.parsers_busy is not None:
        yield Part(f"parsers {100 * seen.parsers_busy:.0f} % busy", 1)
    if seen.cores_busy is not None:
        yield Part(f"{seen.cores_busy:.1f} cores", 2)
    yield Part(f"{size(seen.memory_bytes)} memory", 0)


def _line(label: str, parts: list[Part], columns: int) -> Text:
    return labelled(label, fitting(parts, columns - label_width(columns)), columns)
