"""Which lines does the live view have, as far as there is room for them?

What matters least goes first as the terminal gets smaller: on 24 rows everything has its place, on 10 only the bar and
one line. No line reaches the last column, as terminals differ in what they do then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.live import figures
from crawler.live.hosts import tables
from crawler.live.styles import BAD, KEY, LABEL, NEW, PLAIN, labelled, text
from crawler.wording import meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.text import Text

    from crawler.live.look import Failure, Look

_SMALL_ROWS = 10
_MOST_FAILURES = 8
_SPACIOUS_ROWS = 30

_HELP = (
    ("p", "pause: start nothing more; what is in flight is finished, and saved"),
    ("r", "resume"),
    ("+ -", "more or fewer requests in flight, all hosts together"),
    ("q", "quit, as Ctrl-C does: what is in flight has 10 s to finish; --resume goes on"),
    ("Ctrl-C", "after that: do not wait"),
    ("Ctrl-Z", "back to the shell; fg returns"),
    ("", ""),
    ("now", "over the last 5 s; mean: over the whole crawl, earlier runs included"),
    ("queued", "known and not requested yet"),
    ("~ left", "at the pace of the last minute or the last seconds, the slower of them"),
    ("over", "it takes no less: more is being found"),
    ("+3", "that many in the last 10 s"),
    ("?", "back"),
)


def view(look: Look, columns: int, rows: int, *, ascii_only: bool = False) -> list[Text]:
    """The lines for a terminal of that size, which stay `columns` - 1 cells wide; an empty one first."""
    width = max(columns - 1, 1)
    bar = figures.bar(look, width, ascii_only=ascii_only)
    if rows <= _SMALL_ROWS:
        lines = [text(), bar, figures.short(look, width)][-max(rows - 1, 1) :]
    else:
        lines = _large(look, bar, width, rows)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _large(look: Look, bar: Text, width: int, rows: int) -> list[Text]:
    lines = [text(), bar, figures.pages(look, width), figures.requests(look, width)]
    foot = [_foot(look, width)]
    room = rows - 1 - len(lines) - len(foot)
    more: Sequence[Callable[[Look, int], Text]] = (figures.ends, figures.machine, figures.hosts)
    lines += [line(look, width) for line in more[: max(room, 0)]]
    room -= len(more)
    gap = [text()] if rows >= _SPACIOUS_ROWS else []
    if look.helps:
        return [*lines, *gap, *_help(look)[: max(room - 2 * len(gap), 0)], *gap, *foot]
    wanted = min(len(look.failures), _MOST_FAILURES)
    failures = [*_failures(look.failures, width, min(wanted, max(room // 4, 2 if room > 1 else room)))]
    hosts = tables(look, width, room - len(failures) - 3 * len(gap))
    for section in (hosts, failures):
        lines += [*gap, *section] if section else []
    return [*lines, *gap, *foot]


def _failures(failures: Sequence[Failure], width: int, most: int) -> Iterator[Text]:
    """Why URLs failed, the most frequent first; those that grow come before others that find no room."""
    chosen = sorted(failures, key=lambda failure: (not failure.grown, -failure.count))[: max(most, 0)]
    if not chosen:
        return
    names = min(max(len(failure.reason) for failure in chosen), 24)
    numbers = max(len(f"{failure.count:,}") for failure in chosen)
    for number, failure in enumerate(sorted(chosen, key=lambda failure: -failure.count)):
        grown = f"+{failure.grown:,}" if failure.grown else ""
        line = text(
            (f"{failure.reason:<{names}}  ", PLAIN),
            (f"{failure.count:>{numbers},}  ", BAD),
            (f"{grown:<6}  ", NEW),
            (meaning(failure.reason), LABEL),
        )
        yield labelled("" if number else "failed", line, width)


def _help(look: Look) -> list[Text]:
    most = f" (at most {look.most:,})" if look.most else ""
    return [text((f"{key:<8}", KEY), (told + (most if key == "+ -" else ""), PLAIN)) for key, told in _HELP]


def _foot(look: Look, width: int) -> Text:
    """What may be done, or what has just been done."""
    if look.notice:
        return text((look.notice, PLAIN))
    if look.stopping:
        return text(("Requests in flight have 10 s to finish. ", PLAIN), ("Ctrl-C", KEY), (" does not wait.", PLAIN))
    if not look.keys:
        return text(("Ctrl-C stops, and --resume goes on.", LABEL))
    paused = look.snapshot.paused
    keys = [("r", "resume") if paused else ("p", "pause"), ("+", "more"), ("-", "fewer"), ("q", "quit"), ("?", "help")]
    line = text()
    for key, does in keys:
        if line.cell_len + len(key) + len(does) + 3 > width:
            break
        line.append_text(text(("  " if line.cell_len else "", PLAIN), (key, KEY), (f" {does}", LABEL)))
    return line
