"""What does a person see of the traps that were stopped?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.traps.verdict import Verdict

_MAX_TRAPS = 10
_MAX_PATTERN, _MAX_EXAMPLE = 100, 100


def traps_told(traps: Sequence[Verdict]) -> str:
    """Each trap with its evidence, without a last newline; empty if there are none."""
    if not traps:
        return ""
    lines = [f"Traps stopped: {len(traps):,} (traps.allow lets through what is none: docs/traps.md)"]
    for trap in traps[:_MAX_TRAPS]:
        lines += _told(trap)
    if len(traps) > _MAX_TRAPS:
        lines.append(f"  {counted(len(traps) - _MAX_TRAPS, 'other')} in summary.json")
    return "\n".join(lines)


def _told(trap: Verdict) -> Iterator[str]:
    yield f"  {trap.kind} {printable(trap.pattern, _MAX_PATTERN)}: {counted(trap.excluded, 'URL')} excluded"
    yield f"    {trap.evidence}"
    if trap.examples:
        yield f"    such as {printable(trap.examples[-1], _MAX_EXAMPLE)}"
