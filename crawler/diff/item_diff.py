"""Which records of a rule are in one of two crawls only, and which are in both and not the same?

Where the rule has a key (``unique``) a record is known by it, on whatever page it stands; of those of one crawl that
share it, the one `crawler export` keeps is compared. Other records are known by their page, and there as `items` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from xxhash import xxh3_128_hexdigest

from crawler.diff.excerpt import beginning, excerpts
from crawler.diff.held import naming
from crawler.diff.items import Item, Pair, Rule, matched
from crawler.diff.record import Counts, DiffRecord
from crawler.diff.sorting import Sorter, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.diff.side import Side

_LONGEST_KEY: Final = 500  # bytes; of what is longer a digest
_KEYED, _ON_PAGE = "k", "p"


def item_differences(before: Side, after: Side, rule: Rule, counts: Counts) -> Iterator[DiffRecord]:
    """Them by key, then by URL; all records are counted in `counts`.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    with Sorter() as old, Sorter() as new:
        for side, sorter in ((before, old), (after, new)):
            for number, line in enumerate(side.lines(rule.name), 1):
                with naming(side, rule.name, number):
                    sorter.add(_place(Item(line, rule)), line)
            sorter.release()
        for place, was, now in grouped(old, new):
            first, second = [Item(line, rule) for line in was], [Item(line, rule) for line in now]
            if place.startswith(_KEYED):
                counts.doubles += max(0, len(first) - 1) + max(0, len(second) - 1)
                first, second = _kept(first), _kept(second)
            counts.before += len(first)
            counts.after += len(second)
            if was == now:
                continue
            for pair in matched(first, second):
                record = _record(pair, rule)
                counts.count(record)
                yield record


def _place(item: Item) -> str:
    """What brings it together with its partner."""
    if not item.key:
        return _ON_PAGE + item.url
    key = b",".join(item.key)
    return _KEYED + (key.decode() if len(key) <= _LONGEST_KEY else xxh3_128_hexdigest(key))


def _kept(items: Sequence[Item]) -> list[Item]:
    """Of records that share a key the one that stands for them: with the smallest URL, of one page the first."""
    return [min(items, key=_url)] if items else []


def _url(item: Item) -> str:
    return item.url


def _record(pair: Pair, rule: Rule) -> DiffRecord:
    stands = pair.after or pair.before
    assert stands is not None  # noqa: S101 - a pair has one of both
    old, new = (item.value() if item is not None else None for item in (pair.before, pair.after))
    if old is not None and new is not None:
        shown = {name: excerpts(old.get(name), new.get(name)) for name in pair.fields}
        old, new = {name: both[0] for name, both in shown.items()}, {name: both[1] for name, both in shown.items()}
    else:
        old, new = _begun(old), _begun(new)
    return DiffRecord(
        what="item",
        change="added" if pair.before is None else "removed" if pair.after is None else "changed",
        url=stands.url,
        rule=rule.name,
        key=_key(stands, rule),
        fields=pair.fields,
        before=old,
        after=new,
    )


def _begun(value: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else {name: beginning(part) for name, part in value.items()}


def _key(item: Item, rule: Rule) -> dict[str, Any] | None:
    if not item.key:
        return None
    return {name: beginning(msgspec.json.decode(part)) for name, part in zip(rule.key, item.key, strict=True)}
