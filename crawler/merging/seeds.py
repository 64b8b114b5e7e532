"""What was the seed list of a crawl that several workers read in turn? Each row once, as a resumed crawl reads it on.

Each worker that read the list has it in its own spool, from the beginning. A row that stands in one, and again in the
spool of whoever went on, is one row; what two lists have in common is one row, too.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import msgspec

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.outcomes import seed_line
from crawler.seedlist import Place, SeedList
from crawler.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.merging.segments import Segment
    from crawler.seedlist import SeedTally
    from crawler.seeds import Seed
    from crawler.spool import Known


def merge_spools(segments: Sequence[Segment], to: Path) -> bytes:
    """Write one spool of all; what checkpoints store of it: all of it is admitted.

    Raises:
        CrawlerError: One cannot be read, or the new one not written.
    """
    spool = Spool(to)
    spool.open(0)
    part = to.with_name(f"{to.name}.part")
    for segment in segments:
        own = CrawlDirectory(segment.path).seed_spool
        if not (length := Spool(own).good()):
            continue
        _copy(own, part, length)
        _add(spool, Spool(part))
    part.unlink(missing_ok=True)
    spool.close()
    length = to.stat().st_size
    return msgspec.json.encode(Place(length, length))


async def write_seeds(spool: Path, place: bytes, frontier: Frontier, sink: Sink) -> SeedTally:
    """Write seeds.jsonl to `sink`, open and empty: how each seed of a spool ended.

    Raises:
        CrawlerError: The spool cannot be read.
        ExportError: The file cannot be written.
    """
    seeds = SeedList((), lambda *_: iter(()), spool)
    seeds.restore(place)
    try:
        return await seeds.write(frontier, sink, seed_line, fsync=True)
    finally:
        seeds.close()


def _add(spool: Spool, other: Spool) -> None:
    before = spool.known()
    for name, known in other.known().items():
        item = _called(name, before)
        spool.add(item, known.file, spool.unlike(_rows(other, known), before.get(item)), lambda _: None)


def _called(name: str, before: Mapping[str, Known]) -> str:
    """What an item is called in the new spool: the same file may lie elsewhere on another machine."""
    if name in before:
        return name
    return next((other for other in before if other.rpartition("/")[2] == name.rpartition("/")[2]), name)


def _rows(spool: Spool, known: Known) -> Iterator[Seed]:
    for start, end in known.parts:
        position = start
        while position < end:
            seeds, position = spool.batch(position, end)
            yield from seeds


def _copy(path: Path, to: Path, length: int) -> None:
    """The beginning of a file, which may be torn after that."""
    try:
        shutil.copyfile(path, to)
        os.truncate(to, length)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be copied: {error.strerror}") from error
