"""Which hosts are the busiest, which keep the crawl waiting, and why? A table, as wide and as high as there is room."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from crawler.live.styles import CONDITIONS, LABEL, PLAIN, text
from crawler.views import HostCondition, HostView
from crawler.wording import duration, printable, short_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from rich.text import Text

    from crawler.live.look import Look

MOST = 10
"""Hosts of each kind that are shown at the most."""

_BETWEEN = "  "
_LEAST_NAME = 14
_MOST_NAME = 40
_NARROW = 60
_LEAST_STATE = 14  # where it is narrow; else until when a host rests is said in full
_LEAST_WHY = 16
_DAY_S = 86_400
_RESTS = (HostCondition.BACKING_OFF, HostCondition.BREAKER_OPEN)


class _Column(NamedTuple):
    title: str
    #: what matters more has a lower one, and stays longer as the terminal gets narrower
    rank: int
    right: bool = True


_COLUMNS = (
    _Column("", 0, right=False),
    _Column("state", 1, right=False),
    _Column("in flight", 3),
    _Column("delay", 6),
    _Column("answers in", 4),
    _Column("requests", 2),
    _Column("why it waits", 5, right=False),
)
_NAME, _STATE, _WHY = 0, 1, 6


def state(host: HostView, age_s: float, wall: float) -> str:
    """What a host is doing, in words: ``pacing 0.4 s``, ``backing off until 14:03:12``.

    Args:
        age_s: How long ago it was looked at.
        wall: Now, in seconds since the epoch.
    """
    wait_s = max(0.0, host.wait_s - age_s)
    if host.condition in _RESTS and host.wait_s:
        until = time.localtime(wall + wait_s)
        return f"{host.condition} until {time.strftime('%H:%M:%S' if wait_s < _DAY_S else '%b %d %H:%M', until)}"
    return f"{host.condition} {duration(wait_s)}" if host.condition is HostCondition.PACING else str(host.condition)


def tables(look: Look, columns: int, rows: int) -> list[Text]:
    """At most `rows` lines: the busiest hosts and, apart from those, the slowest."""
    if rows < 2 or not look.hosts.busiest:
        return []
    busiest, slowest = _chosen(look, rows - 1)
    cells = [[column.title for column in _COLUMNS], *(_cells(host, look) for host in (*busiest, *slowest))]
    cells[0][_NAME] = "busiest hosts"
    widths = _widths(cells, columns)
    lines = [_row(cells[0], widths, LABEL)]
    lines += [_row(row, widths, PLAIN, host) for row, host in zip(cells[1:], busiest, strict=False)]
    if slowest:
        lines.append(text(("slowest hosts", LABEL)))
        lines += [_row(row, widths, PLAIN, host) for row, host in zip(cells[1 + len(busiest) :], slowest, strict=True)]
    return lines


def _chosen(look: Look, rows: int) -> tuple[Sequence[HostView], Sequence[HostView]]:
    """The hosts that are shown in so many lines, one of which says which are the slowest if there are any."""
    at_least = max(1, rows // 2)  # of the busiest, however many are slow
    busiest = look.hosts.busiest[: min(MOST, rows)]
    for number in range(len(busiest), -1, -1):
        shown = busiest[:number]
        known = {host.host_key for host in shown}
        slowest = [host for host in look.hosts.slowest if host.host_key not in known][:MOST]
        if not slowest or number + 1 + len(slowest) <= rows or number <= at_least:
            return shown, slowest[: max(rows - number - 1, 0)]
    return (), ()


def _cells(host: HostView, look: Look) -> list[str]:
    return [
        printable(host.host_key),
        state(host, look.hosts_age_s, look.wall),
        f"{host.in_flight:,} of {host.concurrency:,}",
        short_time(host.delay_s) if host.delay_s else "none",
        short_time(host.latency_s) if host.latency_s else "",
        f"{host.requests:,}",
        printable(host.why),
    ]


def _widths(cells: Sequence[Sequence[str]], columns: int) -> dict[int, int]:
    """How wide each column is that finds room, by its number, in their order."""
    natural = [max(cell_len(row[number]) for row in cells) for number in range(len(_COLUMNS))]
    natural[_NAME] = min(natural[_NAME], _MOST_NAME)
    least = list(natural)
    least[_NAME] = min(natural[_NAME], _LEAST_NAME)
    if columns < _NARROW:
        least[_STATE] = min(natural[_STATE], _LEAST_STATE)
    least[_WHY] = min(natural[_WHY], _LEAST_WHY)
    kept: dict[int, int] = {}
    room = columns
    for number in sorted(range(len(_COLUMNS)), key=lambda number: _COLUMNS[number].rank):
        if number == _WHY and not any(row[_WHY] for row in cells[1:]):
            continue
        wanted = least[number] + (len(_BETWEEN) if kept else 0)
        if wanted > room:
            break
        kept[number] = least[number]
        room -= wanted
    for number in (_STATE, _NAME, _WHY):  # what is left over goes to the states first
        if number in kept:
            more = min(natural[number] - kept[number], room)
            kept[number] += more
            room -= more
    return dict(sorted(kept.items())) or {_NAME: columns}


def _row(cells: Sequence[str], widths: dict[int, int], style: Style, host: HostView | None = None) -> Text:
    shown = {number: _cell(cells[number], width, _COLUMNS[number]) for number, width in widths.items()}
    if host is None or _STATE not in shown:
        return text((_BETWEEN.join(shown.values()).rstrip(), style))
    rest = _BETWEEN.join(cell for number, cell in shown.items() if number > _STATE)
    state_, after = shown[_STATE], f"{_BETWEEN}{rest}".rstrip()
    return text((shown[_NAME] + _BETWEEN, style), (state_, CONDITIONS[host.condition]), (after, style))


def _cell(cell: str, width: int, column: _Column) -> str:
    """As wide as its column, what is too long cut."""
    room = width - cell_len(cell)
    if column.right:
        return " " * room + cell
    return cell + " " * room if room >= 0 else set_cell_size(f"{set_cell_size(cell, max(width - 1, 0))}…", width)
