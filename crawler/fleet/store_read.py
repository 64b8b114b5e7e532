"""How is a partition read back: by the worker that takes it over, and by whoever wants to know how its URLs ended?

In slices, so that neither a reply nor what is held in memory grows with the partition; what a number takes of memory is
said where it is more than nothing.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.fleet.codec import Later, damaged, unpacked_host, unpacked_later, unpacked_robots
from crawler.fleet.codec_ends import End, ended_numbers, unpacked_ends, unpacked_numbers
from crawler.fleet.codec_urls import UrlBlock, unpacked_urls
from crawler.fleet.link import Call
from crawler.fleet.models import FinishedAt, Posted
from crawler.models import Finished, HostKey, HostState, Request, RobotsFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link

    #: a URL as it was admitted, how it ended, and where its records are; None for both while it is pending
    Row = tuple[Request, Finished | None, FinishedAt | None]

_BLOCKS, _MOST_BLOCKS = 32, 2048  # read at once: of at most 512 URLs each, but there may be few in each
_FEW_BYTES, _MANY_BYTES = 1 << 17, 1 << 20
_FIELDS: Final = 1000
_PLACES: Final = 1 << 10  # ends in one block, at most, for `_Places`
_BLOCKS_KEPT: Final = 64


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a partition beside its URLs, as its holder needs it at the start."""

    ended: bytearray  #: by number, from 0 (which no URL has): 1 where the URL has ended
    later: dict[int, Later]  #: by number
    hosts: list[HostState]
    robots: list[RobotsFile]


class StoreReader:
    """The reading half of `crawler.fleet.store.PartitionStore`."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def held(self, partition: int, urls: int) -> Held:
        """What is known of a partition that has `urls` URLs (`Lease.urls`), beside these."""
        keys = self._keys.of(partition)
        # most partitions are small: they are had with the first answers, which are asked for together
        first = [_page(keys.ends, "", _BLOCKS), *map(_scan, (keys.later, keys.hosts, keys.robots))]
        ends, later, hosts, robots = await self._link.calls(first)
        ended = bytearray(urls + 1)
        async for entries in self._stream(keys.ends, first=ends):
            for _, field, data in entries:
                is_end = field == b"e"
                for number in ended_numbers(data, keys.ends) if is_end else unpacked_numbers(data, keys.ends):
                    if not 0 < number <= urls:
                        raise damaged(keys.ends, f"the end of URL {number} of {urls}")
                    ended[number] = is_end
        return Held(
            ended=ended,
            later={number: row async for number, row in self._later(partition, later)},
            hosts=[host async for host in self.hosts(partition, hosts)],
            robots=[verdict async for verdict in self._robots(partition, robots)],
        )

    async def blocks(self, partition: int, after: str = "") -> AsyncIterator[UrlBlock]:
        """All blocks of a partition's URLs, in order of their numbers, or those after one.

        Raises:
            FrontierError: A block cannot be read, or is missing.
        """
        key = self._keys.of(partition).urls
        number = None if after else 1
        async for entries in self._stream(key, after):
            for id_, _, data in entries:
                first = int(id_.partition("-")[2])
                block = unpacked_urls(data, id_, first, key)
                if number is not None and first != number:
                    raise damaged(key, f"block {id_} does not begin with URL {number}")
                number = first + len(block)
                yield block

    async def rows(self, partition: int, ids: Sequence[str]) -> dict[str, list[Request]]:
        """The requests of some blocks, by their ids, with their numbers as `id`.

        Raises:
            FrontierError: A block cannot be read, or is missing.
        """
        return {block.id: block.requests() for block in await self.some(partition, ids)}

    async def some(self, partition: int, ids: Sequence[str]) -> list[UrlBlock]:
        """Some blocks, by their ids.

        Raises:
            FrontierError: A block cannot be read, or is missing.
        """
        key = self._keys.of(partition).urls
        found = []
        for data, id_ in zip(await self._entries(key, ids), ids, strict=True):
            found.append(unpacked_urls(data, id_, int(id_.partition("-")[2]), key))
        return found

    async def inbox(self, partition: int, after: str = "") -> list[Posted]:
        """What others have found for a partition, in the order in which it came, some thousands of URLs at most.

        Args:
            partition: Whose.
            after: Id of the last block that is known. Ids are the server's time: after a failover they may go back, so
                that whoever has seen trouble begins anew.
        """
        key = self._keys.of(partition).inbox
        answer = await self._link.call(_page(key, after, _BLOCKS))
        posted = []
        for id_, _, data in _stream_entries(answer, key):
            posted.append(Posted(id=id_, requests=tuple(unpacked_urls(data, id_, 0, key).requests())))
        return posted

    async def hosts(self, partition: int, first: Any = None) -> AsyncIterator[HostState]:  # noqa: ANN401 - see `_hash`
        """What is stored of all hosts of a partition, in no order."""
        key = self._keys.of(partition).hosts
        async for name, data in self._hash(key, first):
            yield unpacked_host(HostKey(name), data, key)

    async def ledger(self, partition: int) -> AsyncIterator[list[Row]]:
        """All URLs of a partition in order of their numbers, a block at a time, each with how it ended.

        Takes eight bytes of memory for each that has ended. What is committed meanwhile may be missed.
        """
        keys = self._keys.of(partition)
        places = _Places(self, keys.ends)
        async for entries in self._stream(keys.ends):
            for id_, field, data in entries:
                if field == b"e":
                    places.put(id_, ended_numbers(data, keys.ends))
                else:
                    places.drop(unpacked_numbers(data, keys.ends))
        async for block in self.blocks(partition):
            ends = await places.of(block.numbers)
            rows: list[Row] = []
            for request, end in zip(block.requests(), ends, strict=True):
                rows.append((request, None, None) if end is None else (request, end.finished(request), end.where))
            yield rows

    async def _later(self, partition: int, first: Any = None) -> AsyncIterator[tuple[int, Later]]:  # noqa: ANN401
        key = self._keys.of(partition).later
        async for name, data in self._hash(key, first):
            yield _number(name, key), unpacked_later(data, key)

    async def _robots(self, partition: int, first: Any = None) -> AsyncIterator[RobotsFile]:  # noqa: ANN401
        key = self._keys.of(partition).robots
        async for name, data in self._hash(key, first):
            yield unpacked_robots(name, data, key)

    async def _stream(
        self,
        key: str,
        after: str = "",
        first: Any = None,  # noqa: ANN401 - what XRANGE answered
    ) -> AsyncIterator[list[tuple[str, bytes, bytes]]]:
        """Id, field and value of the entries of a stream, a slice at a time.

        Args:
            key: Of the stream.
            after: Id of the entry before the first that is wanted.
            first: The answer for the first slice, if it has been asked for.
        """
        count = _BLOCKS
        while True:
            answer = await self._link.call(_page(key, after, count)) if first is None else first
            first = None
            entries = _stream_entries(answer, key)
            if entries:
                yield entries
                after = entries[-1][0]
            if len(entries) < count:
                return
            size = sum(len(data) for _, _, data in entries)
            if size < _FEW_BYTES:
                count = min(count * 4, _MOST_BLOCKS)
            elif size > _MANY_BYTES:
                count = max(_BLOCKS, count // 2)

    async def _entries(self, key: str, ids: Sequence[str]) -> list[bytes]:
        """The values of entries of a stream, by their ids."""
        found: list[bytes] = []
        for start in range(0, len(ids), _BLOCKS):
            some = ids[start : start + _BLOCKS]
            answers = await self._link.calls([Call("XRANGE", (key,), (id_, id_)) for id_ in some])
            for id_, answer in zip(some, answers, strict=True):
                entries = _stream_entries(answer, key)
                if not entries:
                    raise damaged(key, f"block {id_} is missing")
                found.append(entries[0][2])
        return found

    async def _hash(self, key: str, answer: Any = None) -> AsyncIterator[tuple[str, bytes]]:  # noqa: ANN401
        """Fields and values of a hash, each once; the first answer may have been asked for."""
        seen: set[bytes] = set()
        while True:
            cursor, found = await self._link.call(_scan(key)) if answer is None else answer
            pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
            for name, data in pairs:
                if name not in seen:
                    seen.add(name)
                    yield _text(name, key), data
            if not int(cursor):
                return
            answer = await self._link.call(_scan(key, cursor))


class _Places:
    """Where in the stream of ends is that of a number? Blocks of late use are kept."""

    def __init__(self, reader: StoreReader, key: str) -> None:
        self._reader = reader
        self._key = key
        self._ids: list[str] = []
        self._places = array("Q")
        self._kept: OrderedDict[int, list[End]] = OrderedDict()

    def put(self, id_: str, numbers: list[int]) -> None:
        """Those that ended in a block."""
        if len(numbers) > _PLACES:
            raise damaged(self._key, f"block {id_} has {len(numbers)} ends")
        block = len(self._ids)
        self._ids.append(id_)
        for place, number in enumerate(numbers):
            if number >= len(self._places):
                self._places.extend([0] * (number + 1 - len(self._places)))
            self._places[number] = block * _PLACES + place + 1

    def drop(self, numbers: list[int]) -> None:
        """Those that are pending again."""
        for number in numbers:
            if number < len(self._places):
                self._places[number] = 0

    async def of(self, numbers: range) -> list[End | None]:
        """The ends of these numbers; None for those that are pending."""
        places = list(self._places[numbers.start : numbers.stop])
        places += [0] * (len(numbers) - len(places))
        blocks = await self._blocks(sorted({(place - 1) // _PLACES for place in places if place}))
        return [blocks[(place - 1) // _PLACES][(place - 1) % _PLACES] if place else None for place in places]

    async def _blocks(self, wanted: list[int]) -> dict[int, list[End]]:
        missing = [block for block in wanted if block not in self._kept]
        read = await self._reader._entries(self._key, [self._ids[block] for block in missing])  # noqa: SLF001
        for block, data in zip(missing, read, strict=True):
            self._kept[block] = unpacked_ends(data, self._key)
        found = {}
        for block in wanted:
            self._kept.move_to_end(block)
            found[block] = self._kept[block]
        while len(self._kept) > _BLOCKS_KEPT:
            self._kept.popitem(last=False)
        return found


def _page(key: str, after: str, count: int) -> Call:
    return Call("XRANGE", (key,), (f"({after}" if after else "-", "+", "COUNT", count))


def _scan(key: str, cursor: int | bytes = 0) -> Call:
    return Call("HSCAN", (key,), (cursor, "COUNT", _FIELDS))


def _number(name: str, key: str) -> int:
    if not (name.isascii() and name.isdigit()):
        raise damaged(key, f"the field {name[:50]!r} is no number")
    return int(name)


def _stream_entries(answer: Any, key: str) -> list[tuple[str, bytes, bytes]]:  # noqa: ANN401 - what XRANGE answers
    entries = []
    for id_, fields in answer or ():
        pairs = list(fields.items()) if isinstance(fields, dict) else [tuple(fields[:2])]
        if len(pairs) != 1 or len(pairs[0]) != 2:
            raise damaged(key, f"entry {id_!r} has {len(pairs)} fields")
        entries.append((id_.decode() if isinstance(id_, bytes) else id_, *pairs[0]))
    return entries


def _text(name: bytes, key: str) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise damaged(key, f"the field {name[:50]!r}") from error
