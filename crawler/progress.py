"""What does a person see of a crawl while it runs, and at its end?

`ProgressLine` shows that it moves, `summary` accounts for every URL. Both read `Snapshot`s and nothing else. Text
that comes from pages is escaped before it reaches a terminal, which would obey its control characters.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TextIO

from crawler.models import REASONS, STOPPED, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.seedlist import SeedTally
    from crawler.stats import Snapshot

LIVE_INTERVAL_S = 0.2
PLAIN_INTERVAL_S = 10.0
DEFAULT_COLUMNS = 80

#: ECMA-48 "erase in page" to the end: what a longer line left, and what a terminal wraps when it gets narrower
_ERASE_BELOW = "\x1b[J"
_MAX_ROWS = 10  # of one table of the summary
_MAX_RULE = 48  # characters
_MAX_EXAMPLE = 100


class ProgressLine:
    """One line that says how the crawl is going: rewritten in place on a terminal, else a new one now and then.

    Args:
        stream: Where to; not closed here.
        clock: Decides when the next line is due.
        interval_s: Seconds between lines; None for what suits the stream.
    """

    def __init__(self, stream: TextIO, clock: Clock, *, interval_s: float | None = None) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self.interval_s = interval_s or (LIVE_INTERVAL_S if self._live else PLAIN_INTERVAL_S)
        self._due = clock.monotonic() + (0.0 if self._live else self.interval_s)
        self._shown = False  # whether a line stands on the terminal

    def show(self, snapshot: Snapshot) -> None:
        """Show the numbers, unless the last ones are more recent than the interval."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + self.interval_s
        parts = _progress_parts(snapshot)
        if self._live:
            self._stream.write(f"\r{_fitting(parts, _columns(self._stream) - 1)}{_ERASE_BELOW}")
            self._shown = True
        else:
            self._stream.write(_fitting(parts, None) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Wipe the live line, so that the next text begins on an empty one. Idempotent."""
        if self._shown:
            self._stream.write(f"\r{_ERASE_BELOW}")
            self._stream.flush()
            self._shown = False


def summary(
    snapshot: Snapshot,
    *,
    stopped_by: str | None,
    directory: Path,
    elapsed_s: float,
    seeds: SeedTally,
    files: Sequence[str] = (),
    pages: Path | None = None,
    resume: str = "",
) -> str:
    """The account of a run that is over, without a last newline.

    Every table's rows add up to the number beside its title.

    Args:
        snapshot: Taken after the last commit.
        stopped_by: What ended the run early: ``budget.pages``, ``stop``; None if nothing is left to fetch.
        directory: Where the crawl lies.
        elapsed_s: Of this run alone.
        seeds: How the seed list fared.
        files: Names of its files.
        pages: The file with the page records, where it is not ``pages.jsonl`` in `directory`.
        resume: The command that goes on with it; empty if none can.
    """
    tables = [
        _seeds(seeds),
        _Table("Admitted URLs", snapshot.admitted, _account(snapshot)),
        _reasons(snapshot, Outcome.FAILED, "Failed", "for other reasons"),
        _reasons(snapshot, Outcome.EXCLUDED, "Excluded", "for other reasons"),
        _reasons(snapshot, Outcome.REDIRECTED, "Redirected", "to a URL in scope"),
        _reasons(snapshot, Outcome.FETCHED, "Fetched", "with a page record"),
        _refusals(snapshot),
    ]
    shown = [table for table in tables if table.rows]
    labels = max(max(len(table.title), *(len(row.label) + 2 for row in table.rows)) for table in shown)
    digits = max(len(f"{table.total:,}") for table in shown)
    sections = [_headline(snapshot, stopped_by, elapsed_s, seeds)]
    sections += [table.text(labels, digits) for table in shown]
    sections.append(_files(snapshot, directory, files, pages))
    sections += _way_on(stopped_by, resume, seeds.unread)
    return "\n\n".join(sections)


def _way_on(stopped_by: str | None, resume: str, unread: Sequence[str]) -> Iterator[str]:
    if unread:
        yield f"Not read to its end, and not given again (with --resume): {printable(', '.join(unread), _MAX_EXAMPLE)}"
    if stopped_by and not resume:
        yield "What is written stays. The queue was in memory (frontier: memory): crawl anew with --fresh."
    elif stopped_by == STOPPED:
        yield f"Nothing is lost. Go on with:\n  {resume}"
    elif stopped_by:
        yield f"What is left is kept. Go on beyond the budget with:\n  {resume} --set {stopped_by}=null"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``2 min 03 s``, ``1 h 02 min``, ``3 d 04 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, below_size in ((86400, "d", "h", 3600), (3600, "h", "min", 60), (60, "min", "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below_size:02} {below}"
    return f"{whole} s"


def size(count: float) -> str:
    """``512 B``, ``1.5 KiB``, ``34.2 MiB``."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def printable(text: str, limit: int | None = None) -> str:
    """`text` with everything escaped that a terminal might obey or not show, cut to `limit` characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def meaning(reason: str) -> str:
    """What a reason stands for, in a few words; empty for a status nobody has registered."""
    if reason.startswith("http_"):
        try:
            return HTTPStatus(int(reason.removeprefix("http_"))).phrase
        except ValueError:
            return ""
    return REASONS.get(reason, "")


def _progress_parts(snapshot: Snapshot) -> list[str]:
    """What the line says, the most important first."""
    return [
        _counted(snapshot.pages, "page"),
        f"{snapshot.pages_per_s:,.1f}/s",
        f"{snapshot.waiting:,} queued" + (f" ({snapshot.retrying:,} to retry)" if snapshot.retrying else ""),
        f"{snapshot.in_flight:,} in flight",
        f"{snapshot.failed:,} failed",
        size(snapshot.wire_bytes),
        duration(snapshot.elapsed_s),
    ]


def _fitting(parts: Sequence[str], columns: int | None) -> str:
    """As many of `parts` as fit, all of them if `columns` is None."""
    line = parts[0]
    for part in parts[1:]:
        longer = f"{line}  {part}"
        if columns is not None and len(longer) > columns:
            break
        line = longer
    return line if columns is None else line[: max(columns, 0)]


def _columns(stream: TextIO) -> int:
    """Width of the terminal, which may change while we run."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except OSError:
        return DEFAULT_COLUMNS


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class _Row(NamedTuple):
    label: str
    number: int
    note: str = ""


class _Table(NamedTuple):
    title: str
    total: int
    rows: list[_Row]

    def text(self, labels: int, digits: int) -> str:
        """Rows under their title, in columns `labels` and `digits` wide."""
        rows = [f"  {label:<{labels - 2}}  {number:>{digits},}  {note}".rstrip() for label, number, note in self.rows]
        return "\n".join((f"{self.title:<{labels}}  {self.total:>{digits},}", *rows))


def _headline(snapshot: Snapshot, stopped_by: str | None, elapsed_s: float, seeds: SeedTally) -> str:
    """How the crawl ended and what it brought; after a resumed run, every number is of the whole crawl."""
    resumed = snapshot.elapsed_s > elapsed_s + 1  # the snapshot's clock starts a little after the caller's
    whole_s = snapshot.elapsed_s if resumed else elapsed_s
    per_s = snapshot.pages / whole_s if whole_s > 0 else 0.0
    this_run = f", {duration(elapsed_s)} of it in this run" if resumed else ""
    pages = f"{_counted(snapshot.pages, 'page')} in {duration(whole_s)} ({per_s:,.1f} a second)"
    answers = f"{size(snapshot.wire_bytes)} in {_counted(snapshot.attempts, 'answer')}{this_run}"
    return f"{_how(stopped_by, seeds)}: {pages}\n{answers}"


def _how(stopped_by: str | None, seeds: SeedTally) -> str:
    if stopped_by == STOPPED:
        return "Crawl interrupted"
    if stopped_by:
        return f"Crawl stopped by {stopped_by}"
    return "Crawl complete" if seeds.fetched else "No seed could be fetched"


def _seeds(seeds: SeedTally) -> _Table:
    """How the seed list fared; all fetched is not worth a table."""
    if seeds.fetched == seeds.given:
        return _Table("Seeds", seeds.given, [])
    example = f"such as {printable(seeds.bad_examples[0], _MAX_EXAMPLE)}" if seeds.bad_examples else ""
    rows = [_Row("fetched", seeds.fetched), *[_Row("bad", seeds.bad, example)] * bool(seeds.bad)]
    return _Table("Seeds", seeds.given, _with_rest(rows, seeds.given, "other"))


def _account(snapshot: Snapshot) -> list[_Row]:
    """The terms whose sum is `admitted`; of those that are zero only the two everybody looks for."""
    always = (Outcome.FETCHED, Outcome.FAILED)
    rows = [_Row(outcome, count) for outcome, count in snapshot.outcomes.items() if count or outcome in always]
    return rows + [_Row("pending", snapshot.queued, "not fetched yet")] * bool(snapshot.queued)


def _reasons(snapshot: Snapshot, outcome: Outcome, title: str, rest: str) -> _Table:
    """URLs of one outcome by reason. Without any reason there is nothing to tell: no rows."""
    rows = [_Row(reason, count, meaning(reason)) for (end, reason), count in snapshot.reasons.items() if end is outcome]
    return _Table(title, snapshot.outcomes[outcome], _with_rest(rows, snapshot.outcomes[outcome], rest))


def _refusals(snapshot: Snapshot) -> _Table:
    """Links that scope kept out, by rule."""
    total = sum(refusal.count for refusal in snapshot.refusals.values())
    rows = [
        _Row(
            printable(rule, _MAX_RULE),
            refusal.count,
            f"such as {printable(refusal.examples[0], _MAX_EXAMPLE)}" if refusal.examples else "",
        )
        for rule, refusal in snapshot.refusals.items()
    ]
    return _Table("Links kept out by scope", total, _with_rest(rows, total, "by other rules"))


def _with_rest(rows: list[_Row], total: int, rest: str) -> list[_Row]:
    """The first rows, and one called `rest` for what they lack of `total`."""
    shown = rows[:_MAX_ROWS]
    lacking = total - sum(row.number for row in shown)
    return [*shown, _Row(rest, lacking)] if shown and lacking else shown


_CONTENTS = {
    "pages.jsonl": "",  # its number of records
    "outcomes.jsonl": "how every other URL ended, and why",
    "links.jsonl": "which page links to which",
    "sitemaps.jsonl": "what each sitemap lists",
    "seeds.jsonl": "what became of each seed",
    "summary.json": "these numbers",
    "crawl.db": "every URL, for `crawler why` and SQL",
    "crawl.yaml": "the configuration that applied",
    "crawl.log": "what went on, by time",
}


def _files(snapshot: Snapshot, directory: Path, files: Sequence[str], pages: Path | None) -> str:
    contents = _CONTENTS | {"pages.jsonl": _counted(snapshot.pages, "page record")}
    rows = [(name, contents[name.removesuffix(".gz").removesuffix(".zst")]) for name in files]
    width = max((len(name) for name, _ in rows), default=0)
    lines = [] if pages is None else [f"{contents['pages.jsonl']} in {printable(str(pages))}"]
    lines.append(f"Files in {printable(str(directory))}")
    return "\n".join([*lines, *(f"  {name:<{width}}  {content}" for name, content in rows)])
