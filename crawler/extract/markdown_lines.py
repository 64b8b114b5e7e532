"""Where does each block of a Markdown document stand? Lines with the prefixes of the lists and quotes around them.

CommonMark 0.31, section 5. Blank lines part blocks, but not the items of a list.
"""

from __future__ import annotations

from typing import Final

MAX_DEPTH: Final = 16
"""Lists and quotes within one another that have a prefix; those deeper have none."""

_MAX_NUMBER: Final = 999_999_999


class List:
    """A list that is open.

    Args:
        depth: Of its element, for the walker.
        number: Of its next item; None if its items have none.
        sign: What follows the number, or stands for it.
    """

    __slots__ = ("base", "depth", "has_items", "has_term", "is_definitions", "number", "sign")

    def __init__(self, depth: int, number: int | None, sign: str, *, base: int, is_definitions: bool) -> None:
        self.depth = depth
        self.number = number
        self.sign = sign
        #: how many containers there are around it
        self.base = base
        self.is_definitions = is_definitions
        #: whether a term's item is open
        self.has_term = False
        self.has_items = False

    def marker(self) -> str:
        """That of the next item."""
        if self.number is None:
            return f"{self.sign} "
        number = self.number
        self.number = min(number + 1, _MAX_NUMBER)
        return f"{number}{self.sign} "


class _Container:
    """A quote, or an item of a list."""

    __slots__ = ("has_lines", "marker", "of", "rest")

    def __init__(self, marker: str, rest: str, of: List | None) -> None:
        #: before its first line
        self.marker = marker
        #: before all others
        self.rest = rest
        self.of = of
        self.has_lines = False


class Lines:
    """The lines so far, and what is open around the next."""

    __slots__ = ("_after_paragraph_in", "_containers", "_ended", "_lines", "_too_deep", "chars")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._containers: list[_Container] = []
        self._too_deep = 0
        #: how many containers were around the last block, if that was a paragraph
        self._after_paragraph_in = -1
        #: where the last list ended, and its sign
        self._ended = (-1, -1, "")
        self.chars = 0

    @property
    def depth(self) -> int:
        """How many containers are open."""
        return len(self._containers) + self._too_deep

    def open_list(self, depth: int, number: int | None, *, is_definitions: bool = False) -> List:
        """Begin a list, with another sign if it would go on with the one before."""
        signs = ("-", "*") if number is None else (".", ")")
        sign = signs[self._ended == (len(self._lines), self.depth, signs[0])]
        return List(depth, number, sign, base=self.depth, is_definitions=is_definitions)

    def close_list(self, ended: List) -> None:
        """End a list, all of whose items are closed."""
        if ended.has_items:
            self._ended = (len(self._lines), self.depth, ended.sign)

    def open(self, of: List | None = None) -> None:
        """Begin an item of a list, or without one a quote."""
        if len(self._containers) == MAX_DEPTH:
            self._too_deep += 1
            return
        marker = "> " if of is None else of.marker()
        self._containers.append(_Container(marker, "> " if of is None else " " * len(marker), of))

    def close(self) -> None:
        """End the innermost container."""
        if self._too_deep:
            self._too_deep -= 1
        else:
            self._containers.pop()

    @property
    def is_at_item_start(self) -> bool:
        """Whether the next block is the first in an item."""
        return bool(self._containers) and self._containers[-1].of is not None and not self._containers[-1].has_lines

    def add(self, block: list[str], *, is_paragraph: bool = False) -> None:
        """Add a block."""
        if not block:
            return
        fresh = next((at for at, one in enumerate(self._containers) if not one.has_lines), len(self._containers))
        if self._lines and not self._continues(fresh):
            self._append("".join([one.rest for one in self._containers[:fresh]]), "")
        for one in self._containers[fresh:]:
            one.has_lines = True
            if one.of:
                one.of.has_items = True
        old = [one.rest for one in self._containers[:fresh]]
        self._append("".join([*old, *(one.marker for one in self._containers[fresh:])]), block[0])
        rest = "".join([one.rest for one in self._containers])
        for line in block[1:]:
            self._append(rest, line)
        self._after_paragraph_in = len(self._containers) if is_paragraph else -1

    def text(self) -> str:
        """The document."""
        return "\n".join(self._lines)

    def _continues(self, fresh: int) -> bool:
        """Whether no blank line is needed before a block whose containers from `fresh` on are new."""
        if fresh == len(self._containers) or (of := self._containers[fresh].of) is None:
            return False
        if of.has_items:
            return self._after_paragraph_in != fresh  # words between two items would go on with the next one's number
        # A list may follow its item's own words at once, if it does not start at another number (section 5.2).
        is_within_item = fresh > 0 and self._containers[fresh - 1].of is not None
        begins_at_one = of.number is None or self._containers[fresh].marker.startswith("1" + of.sign)
        return is_within_item and begins_at_one and self._after_paragraph_in == fresh

    def _append(self, prefix: str, line: str) -> None:
        line = prefix + line if line else prefix.rstrip()
        self._lines.append(line)
        self.chars += len(line) + 1
