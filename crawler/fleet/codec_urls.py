"""How are URLs kept in Redis in a third of their length? In blocks, by column.

A block holds URLs of one partition, in the order of their numbers. The URLs themselves come first, one after another,
where zstd finds what they have in common; where they were found is written once for each run of URLs of one page; what
is seldom anything but usual (kind, attempt, what redirected here, context, what the generation before knew) only for
those where it is not. The host key is that of the URL, and fingerprints are computed anew when a block is read: that
takes 0.2 us, and eight bytes of Redis' memory for every URL would not be compressible.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.fleet.codec import damaged, packed, unpacked
from crawler.known import Known
from crawler.models import NORMAL_PRIORITY, Kind, Request
from crawler.url import HostKey, Url, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Origin(msgspec.Struct, frozen=True, array_like=True):
    """What all URLs have in common that one seed led to."""

    seed: str
    scope_host: str
    inside: bool


class _Odd(msgspec.Struct, frozen=True, array_like=True):
    """What one request has that most have not."""

    place: int
    kind: Kind
    attempt: int
    redirected_from: tuple[str, ...] = ()
    context: bytes = b""
    known: Known | None = None


class _Columns(msgspec.Struct, frozen=True, array_like=True):
    urls: list[str]
    origins: list[_Origin]
    #: of each run of URLs found on one page: how many, index of the origin, depth, and the page
    runs: list[tuple[int, int, int, str | None]]
    priorities: bytes  #: one each; empty where all are normal
    odd: list[_Odd]


_DECODER: Final = msgspec.msgpack.Decoder(_Columns)
_USUAL: Final = (Kind.PAGE, 1, (), b"", None)


def packed_urls(requests: Sequence[Request]) -> bytes:
    """A block. Left out are `id`, which follows from the block's place, and `watched`, which is never stored."""
    origins: dict[tuple[str, str, bool], int] = {}
    runs: list[tuple[int, int, int, str | None]] = []
    odd: list[_Odd] = []
    last: tuple[object, ...] = ()
    begun = 0  # where the last run begins
    run: tuple[int, int, str | None] = (0, 0, None)
    for place, request in enumerate(requests):
        source = (request.via, request.depth, request.seed, request.scope_host, request.inside)
        if source != last:
            if place:
                runs.append((place - begun, *run))
            last, begun = source, place
            origin = origins.setdefault((request.seed, request.scope_host, request.inside), len(origins))
            run = (origin, request.depth, request.via)
        rare = (request.kind, request.attempt, request.redirected_from, request.context, request.known)
        if rare != _USUAL:
            odd.append(_Odd(place, *rare))
    if requests:
        runs.append((len(requests) - begun, *run))
    priorities = bytes([request.priority for request in requests])
    if priorities.count(NORMAL_PRIORITY) == len(priorities):
        priorities = b""
    urls = [request.url for request in requests]
    return packed((urls, list(origins), runs, priorities, odd))


@dataclass(slots=True, eq=False)
class UrlBlock:
    """URLs that were admitted together, as read back; lists are as long as `urls` and in its order."""

    id: str  #: by which `PartitionStore.rows` finds it again
    first: int  #: number of the first of its URLs; the others follow
    urls: list[Url]
    _columns: _Columns

    def __len__(self) -> int:
        return len(self.urls)

    @property
    def numbers(self) -> range:
        """Of its URLs."""
        return range(self.first, self.first + len(self.urls))

    def host_keys(self) -> list[HostKey]:
        """Where each is asked for."""
        return [HostKey(url.split("/", 3)[2]) for url in self.urls]

    def priorities(self) -> bytes:
        """One byte each."""
        return self._columns.priorities or bytes((NORMAL_PRIORITY,)) * len(self.urls)

    def depths(self) -> list[int]:
        """Of each."""
        return [depth for count, _, depth, _ in self._columns.runs for _ in range(count)]

    def fingerprints(self, key: int) -> list[int]:
        """What the seen test of the crawl with this key remembers."""
        return list(map(fingerprint, self.urls, repeat(key)))

    def requests(self) -> list[Request]:
        """As they were admitted, with their numbers as `id`."""
        columns, made = self._columns, []
        priorities = self.priorities()
        place = 0
        for count, of, depth, via in columns.runs:
            origin = columns.origins[of]
            seed, scope_host, inside = origin.seed, origin.scope_host, origin.inside
            for url in self.urls[place : place + count]:
                made.append(
                    Request(
                        url=url,
                        host_key=HostKey(url.split("/", 3)[2]),
                        scope_host=scope_host,
                        depth=depth,
                        via=via,
                        seed=seed,
                        priority=priorities[place],
                        id=self.first + place,
                        inside=inside,
                    )
                )
                place += 1
        for odd in columns.odd:
            made[odd.place] = msgspec.structs.replace(
                made[odd.place],
                kind=odd.kind,
                attempt=odd.attempt,
                redirected_from=odd.redirected_from,
                context=odd.context,
                known=odd.known,
            )
        return made


def unpacked_urls(data: bytes, id_: str, first: int, key: str) -> UrlBlock:
    """The block that `packed_urls` made.

    Raises:
        FrontierError: `data` is no whole block; names `key`.
    """
    columns = unpacked(data, _DECODER, key)
    count = len(columns.urls)
    if not _agree(columns, count):
        raise damaged(key, f"the columns of block {id_} do not fit together")
    return UrlBlock(id_, first, columns.urls, columns)  # type: ignore[arg-type]  # canonical since they were admitted


def in_blocks(requests: Sequence[Request], most: int) -> Iterator[bytes]:
    """All of them, in blocks of at most `most`."""
    for start in range(0, len(requests), most):
        yield packed_urls(requests[start : start + most])


def _agree(columns: _Columns, count: int) -> bool:
    return (
        sum(run[0] for run in columns.runs) == count
        and all(0 <= run[1] < len(columns.origins) and run[0] > 0 for run in columns.runs)
        and len(columns.priorities) in (0, count)
        and all(0 <= odd.place < count for odd in columns.odd)
        and all(url.count("/") >= 3 for url in columns.urls)
    )
