"""How deep did the URLs lie that have ended? What lies deeper than `DEEPEST` is counted there."""

from __future__ import annotations

DEEPEST = 1_000


class Depths:
    """Counts URLs by depth."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}

    def page(self, depth: int, count: int = 1) -> None:
        """So many with a page record."""
        self._at(depth)[0] += count

    def other(self, depth: int) -> None:
        """One without."""
        self._at(depth)[1] += 1

    def _at(self, depth: int) -> list[int]:
        depth = min(depth, DEEPEST)
        found = self._counts.get(depth)
        if found is None:
            found = self._counts[depth] = [0, 0]
        return found

    def told(self) -> dict[int, tuple[int, int]]:
        """Depth -> pages, and others."""
        return {depth: (pages, others) for depth, (pages, others) in sorted(self._counts.items())}
