"""What is taken from links.jsonl, by a worker, where a crawl has written one? As of the links of page records."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from crawler.errors import CrawlerError
from crawler.mining.decoding import NO_RECORD, decoded
from crawler.mining.linking import Link, Links
from crawler.mining.tasks import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.mining.tasks import Task


class _Line(msgspec.Struct, gc=False):
    """What is read of a line; see `crawler.extract.record.LinkLine`."""

    source: str
    target: str
    text: str
    rel: str | None


_decoder = msgspec.json.Decoder(_Line)


def read_links(task: Task) -> Answer:
    """Read a part of links.jsonl, in which the lines of a page are together.

    Raises:
        CrawlerError: It cannot be read, or a line of it is no record.
    """
    part = task.part
    pages = 0
    held: list[_Line] = []  # of the page whose lines may go on in the next block
    with Links(task) as links:
        for records, _ in decoded(part, _Line, "link"):
            lines = held + records
            last = lines[-1].source
            held = [line for line in lines if line.source == last]
            pages += _add(links, lines[: len(lines) - len(held)])
        pages += _add(links, held)
    if part.is_spooled:
        Path(part.path).unlink()
    return Answer(part=part.number, counts={"linking": pages, "links": links.count})


def source_of(line: bytes) -> bytes:
    """The page a line belongs to.

    Raises:
        CrawlerError: It is no record.
    """
    try:
        return _decoder.decode(line).source.encode()
    except NO_RECORD as error:
        raise CrawlerError(f"links.jsonl: a line is no link: {error}") from error


def _add(links: Links, lines: Sequence[_Line]) -> int:
    """Take in whole pages; how many there are."""
    groups = [(url, list(some)) for url, some in groupby(lines, attrgetter("source"))]
    if groups:
        urls = [url for url, _ in groups]
        sources = np.fromiter((xxh3_64_intdigest(url.encode()) for url in urls), np.uint64, len(urls))
        links.add(urls, sources, [[Link(line.target, line.text, line.rel) for line in some] for _, some in groups])
    return len(groups)
