"""What does the ledger of a shared crawl say, at one moment? Copied once, and read from the copy as often as needed.

The ledger is where workers store what they know of every URL, and may be far away, grow while it is read, or go away.
So it is read once, into a file beside what is being made, packed; a merge goes by that.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from crawler.errors import CrawlerError, first_error
from crawler.fleet.models import FinishedAt
from crawler.models import Finished, HostState, Request, RobotsFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from io import BufferedReader, BufferedWriter
    from pathlib import Path
    from typing import Self

_ROWS_AT_ONCE = 500
_READ_AT_ONCE, _URLS_AT_ONCE = 16, 10_000  # partitions, and URLs of them all, that are held in memory
_LENGTH_BYTES = 4
_LEVEL = 1  # it is written and read once


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the whole crawl."""

    crawl: str  #: which one it is: `segments.Fleet.crawl`
    config: str  #: YAML, as it was begun
    state: str  #: ``running``, ``done``, ``stopped``; empty where the ledger is gone
    why: str = ""  #: what stopped it
    is_seeded: bool = False
    started_at: float = 0.0  #: by the server's clock, like `state_at`
    state_at: float = 0.0  #: since when it is in its state


class Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A URL that was admitted."""

    request: Request  #: of one that is snoozed with the attempt that is to come
    end: Finished | None = None  #: how it ended; None while it has not
    #: where the records of its end are; None where it is one of these records that tells of it
    where: FinishedAt | None = None
    due_at: float | None = None  #: wall time before which one that is snoozed is not tried again
    reason: str | None = None  #: why that is


class Hosts(msgspec.Struct, frozen=True, array_like=True):
    """What politeness has stored of some hosts."""

    hosts: tuple[HostState, ...]
    robots: tuple[RobotsFile, ...]


class Used(NamedTuple):
    """A partition in which something is stored."""

    partition: int
    urls: int  #: about as many as there are, or fewer


T = TypeVar("T", Row, Hosts)


class Ledger(Protocol):
    """What workers have stored in common, open. It is only read."""

    async def about(self) -> About:
        """What is true of all of it.

        Raises:
            FrontierError: It cannot be reached.
            ConfigError: It is gone, or of another format.
        """
        ...

    async def stamp(self) -> str:
        """What changes whenever something is stored in it."""
        ...

    async def used(self) -> Sequence[Used]:
        """The partitions in which something is stored, in order."""
        ...

    def rows(self, partition: int) -> AsyncIterator[Row]:
        """Each URL of a partition once, and those that lie in its inbox."""
        ...

    async def hosts(self, partition: int) -> Hosts:
        """What is known of the hosts of a partition."""
        ...


async def told(ledger: Ledger) -> AsyncIterator[Row | Hosts]:
    """All that a ledger says, partition by partition; small ones are read several at a time, as each takes some calls.

    Raises:
        CrawlerError: It cannot be read.
    """
    for some in _together(await ledger.used()):
        if len(some) == 1:
            async for row in ledger.rows(some[0]):
                yield row
            yield await ledger.hosts(some[0])
            continue
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_whole(ledger, partition)) for partition in some]
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        for task in tasks:
            rows, hosts = task.result()
            for row in rows:
                yield row
            yield hosts


async def _whole(ledger: Ledger, partition: int) -> tuple[list[Row], Hosts]:
    return [row async for row in ledger.rows(partition)], await ledger.hosts(partition)


def _together(used: Iterable[Used]) -> Iterator[list[int]]:
    some: list[int] = []
    size = 0
    for partition, urls in used:
        if some and (len(some) == _READ_AT_ONCE or size + urls > _URLS_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(partition)
        size += urls
    if some:
        yield some


class LedgerCopy(Generic[T]):
    """A copy of a part of the ledger in a file. A context manager: while it is written.

    Args:
        path: The file.
        kind: What it is a list of.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[list[T]] = msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]
        self._rows: list[T] = []
        self._file: BufferedWriter

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._flush()
        finally:
            self._file.close()

    def append(self, row: T) -> None:
        """Add one."""
        self._rows.append(row)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def blocks(self) -> Iterator[list[T]]:
        """All, some hundreds at a time, in the order in which they were added. It is closed.

        Raises:
            CrawlerError: It cannot be read, or somebody else has written to it.
        """
        try:
            with self._path.open("rb") as file:
                while data := _block(file):
                    yield self._decoder.decode(zstd.decompress(data))
        except (OSError, EOFError, zstd.ZstdError, msgspec.MsgspecError) as error:
            raise CrawlerError(f"{self._path}: the copy of the ledger cannot be read: {error}") from error

    def remove(self) -> None:
        """Take the file away."""
        self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._rows:
            return
        data = zstd.compress(self._encoder.encode(self._rows), _LEVEL)
        self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
        self._file.write(data)
        self._rows.clear()


def _block(file: BufferedReader) -> bytes:
    head = file.read(_LENGTH_BYTES)
    size = int.from_bytes(head, "big")
    data = file.read(size)
    if len(head) not in (0, _LENGTH_BYTES) or len(data) < size:
        raise EOFError("it ends early")
    return data
