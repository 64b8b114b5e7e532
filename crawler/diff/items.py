"""Which records of a scraping rule are new, gone or changed, of those that two crawls have of one page or one key?

Records are partners that share the rule's key (``unique``), else those that are equal, and of what is left over the
first with the first, the second with the second. So their order does not matter where it says nothing. Fields whose
names begin with ``_`` tell of the crawl, not of the page, and do not count.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.config import CrawlConfig

_NULL: Final = msgspec.Raw(b"null")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Rule(NamedTuple):
    """What is compared of the records that share a file."""

    name: str
    #: the fields of its key; empty: it has none
    key: tuple[str, ...] = ()
    #: the fields that both crawls take; None: any
    fields: frozenset[str] | None = None


class Pair(NamedTuple):
    """One record that is not as it was: new, gone, or another."""

    before: Item | None
    after: Item | None
    #: those that differ, in the order of the record
    fields: tuple[str, ...] = ()

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


class Item:
    """One record of a rule, as far as it counts."""

    __slots__ = ("content", "key", "parts", "url")

    def __init__(self, line: bytes, rule: Rule) -> None:
        """Read it.

        Raises:
            msgspec.DecodeError: It is not a record. UnicodeDecodeError likewise.
        """
        record = _decode(line)
        #: field -> its JSON; what is null is as good as not there
        self.parts = {
            name: bytes(raw)
            for name, raw in record.items()
            if name[:1] != "_" and raw != _NULL and (rule.fields is None or name in rule.fields)
        }
        self.content = frozenset(self.parts.items())
        key = tuple(bytes(record.get(name, _NULL)) for name in rule.key)
        #: empty if it has none of the key's fields
        self.key = key if any(part != b"null" for part in key) else ()
        self.url: str = msgspec.json.decode(record["_url"], type=str) if "_url" in record else ""

    def value(self) -> dict[str, Any]:
        """The fields that count, decoded."""
        return {name: msgspec.json.decode(part) for name, part in self.parts.items()}


def rules_of(before: CrawlConfig, after: CrawlConfig, hook: str | None) -> tuple[list[Rule], list[str]]:
    """Which rules can be compared, and lines on those that cannot.

    Args:
        before: The configuration of the older crawl.
        after: That of the newer one.
        hook: The name that both give to the records of ``extract.python``; None if they do not.
    """
    old = {rule.name: rule for rule in before.extract.rules if rule.fields}
    new = {rule.name: rule for rule in after.extract.rules if rule.fields}
    found, notes = [], []
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            notes.append(
                f"{name}: not compared, as only the crawl {'before' if name in old else 'after'} has the rule."
            )
            continue
        fields = frozenset(old[name].fields) & frozenset(new[name].fields)
        if others := sorted(frozenset(old[name].fields) ^ frozenset(new[name].fields)):
            notes.append(f"{name}: {', '.join(others)} not compared, as only one crawl's rule has it.")
        key = new[name].unique if new[name].unique == old[name].unique else ()
        found.append(Rule(name, key, fields))
    if hook is not None:
        found.append(Rule(hook))
    return found, notes


def matched(before: Sequence[Item], after: Sequence[Item]) -> list[Pair]:
    """The records that are not as they were, in the order of those after; what is gone comes last."""
    pairs: list[tuple[int, Pair]] = []
    groups: defaultdict[tuple[bytes, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((before, after)):
        for number, item in enumerate(items):
            groups[item.key][side].append(number)
    for old, new in groups.values():
        _cancel(before, after, old, new)
        for was, now in zip_longest(old, new):
            place = len(after) + was if now is None else now
            pairs.append((place, _pair(before, after, was, now)))
    return [pair for _, pair in sorted(pairs, key=_place)]


def _cancel(before: Sequence[Item], after: Sequence[Item], old: list[int], new: list[int]) -> None:
    """Take those out that have an equal partner."""
    waiting: defaultdict[frozenset[tuple[str, bytes]], list[int]] = defaultdict(list)
    for number in reversed(old):
        waiting[before[number].content].append(number)
    left = []
    for number in new:
        if partners := waiting.get(after[number].content):
            partners.pop()
        else:
            left.append(number)
    new[:] = left
    old[:] = sorted(number for numbers in waiting.values() for number in numbers)


def _pair(before: Sequence[Item], after: Sequence[Item], was: int | None, now: int | None) -> Pair:
    old = None if was is None else before[was]
    new = None if now is None else after[now]
    if old is None or new is None:
        return Pair(old, new)
    return Pair(old, new, tuple(differing(old, new)))


def differing(old: Item, new: Item) -> Iterator[str]:
    """The fields in which two records differ."""
    for name in dict.fromkeys((*new.parts, *old.parts)):
        if old.parts.get(name) != new.parts.get(name):
            yield name


def _place(pair: tuple[int, Pair]) -> int:
    return pair[0]


def read(lines: Iterable[bytes], rule: Rule) -> list[Item]:
    """The records of some lines. Errors as for `Item`."""
    return [Item(line, rule) for line in lines]
