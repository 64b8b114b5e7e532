"""What do the pages of one family repeat, and what was found on such repeats?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.traps.shapes import choices
from crawler.traps.verdict import Counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import Request

MAX_CONTENTS, MAX_FAMILY_CONTENTS, MAX_FAMILY_LINKS = 8_192, 1_024, 8_192
"""Hashes of contents that are remembered of a site, and of a family; hashes of links that led out of a family."""
_MANY_CHOICES = 4  # pages to each value of a parameter, and more: else it is no choice but a number
_FEW_NEW_VALUES, _SMOOTHING = 0.05, 0.03
_MAX_PARAMETERS, _MAX_PARAMETERS_READ, _MAX_VALUES = 32, 8, 512


class Group:
    """Repeats and what was found on them, of one family or of the whole site."""

    __slots__ = (
        "contents",
        "counted",
        "has_numbers",
        "links",
        "most",
        "new_values",
        "noted",
        "pages",
        "values",
        "worn",
    )

    def __init__(self, most: int) -> None:
        self.most = most
        self.pages = 0
        self.counted = Counted()
        self.contents: dict[int, int] = {}
        self.links: set[int] = set()
        #: hash of a parameter's name -> hashes of its values
        self.values: dict[int, set[int]] = {}
        self.noted = 0
        #: a parameter had more values than are remembered before they could have come again
        self.has_numbers = False
        #: the share of pages, lately, of which a parameter had a value that none had before
        self.new_values = 1.0
        self.worn: set[int] = set()

    def seen(self, content: int) -> int:
        """How often `content` was there, this time included."""
        copies = self.contents.pop(content, 0) + 1
        if len(self.contents) >= self.most:
            del self.contents[next(iter(self.contents))]  # the one not seen for longest
        self.contents[content] = copies
        return copies

    def seen_either(self, one: int, other: int) -> tuple[int, int]:
        """Which of two hashes of one content was there more often, and how often."""
        copies = self.seen(one)
        if other == one or (more := self.seen(other)) <= copies:
            return one, copies
        return other, more

    def leads_on(self, leads: Iterable[int]) -> bool:
        """Whether a page has a link out of the family that no page of the family had before."""
        new = [fingerprint for fingerprint in leads if fingerprint not in self.links]
        if len(self.links) >= MAX_FAMILY_LINKS:
            self.links.clear()
        self.links.update(new)
        return bool(new)

    def choose(self, request: Request) -> None:
        """Note which values the parameters have."""
        is_new = False
        for name, value in choices(request.url)[:_MAX_PARAMETERS_READ]:
            key, told = xxh3_64_intdigest(name.encode()), xxh3_64_intdigest(value.encode())
            values = self.values.setdefault(key, set()) if len(self.values) < _MAX_PARAMETERS else set[int]()
            if told in values:
                continue
            is_new = True
            if len(values) < _MAX_VALUES:
                values.add(told)
                self.noted += 1
                self.has_numbers |= len(values) == _MAX_VALUES and self.pages < _MANY_CHOICES * _MAX_VALUES
        self.new_values += _SMOOTHING * (is_new - self.new_values)

    def __len__(self) -> int:
        """How much is remembered, in hashes."""
        return len(self.contents) + len(self.links) + len(self.worn) + self.noted + 8

    def forget(self) -> None:
        """Forget what links there were, and which values; how often the latter came is counted anew."""
        self.links.clear()
        self.values.clear()
        self.noted = self.pages = 0
        self.has_numbers, self.new_values = False, 1.0

    @property
    def are_choices(self) -> bool:
        """Whether the same values come again and again."""
        if self.has_numbers or self.new_values > _FEW_NEW_VALUES:
            return False  # five variants of each of many products, say
        return all(len(values) * _MANY_CHOICES <= self.pages for values in self.values.values())

    def found_on_repeat(self, request: Request, content: int, *, repeat: bool, fresh: bool) -> None:
        """Take in what a repeat has led to."""
        counted = self.counted
        counted.fresh += fresh
        if repeat:
            counted.repeats += 1
            self.worn.add(content)
            counted.contents = len(self.worn)
            counted.examples = [*counted.examples[-2:], request.url]
