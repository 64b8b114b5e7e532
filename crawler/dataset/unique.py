"""Which of the records that share a key is kept? The one with the smallest URL; of one page's, the first.

So whatever the order in which a crawl met its pages, the same records are kept. One that has none of the key's fields
is no other's double.

In memory that hardly grows with the number of records: a bit for each. Keys are parted by their digests into files, of
which one at a time is looked at in memory.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import xxhash

from crawler.dataset.fields import BAD_LINES, fields_of
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

PARTS = 128
"""A ten million records are looked at 80,000 at a time."""
_NULL = b"null"
_decode_text = msgspec.json.Decoder(str | None).decode


class Kept(NamedTuple):
    """What `unique` found."""

    bits: bytearray  #: bit N % 8 of byte N // 8 says whether the Nth record is kept
    records: int
    dropped: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and bool(self.bits[number >> 3] & 1 << (number & 7))


def unique(lines: Iterable[bytes], key: Sequence[str], path: Path, among: Kept | None = None) -> Kept:
    """Which lines of a file are kept.

    Args:
        lines: All of it, in order, without their newlines.
        key: The fields that tell records apart; at least one.
        path: What the file is called in messages.
        among: The numbers of lines, from 0, that may be kept at all; None for all. Others drop none.

    Raises:
        CrawlerError: A line is not a record.
    """
    bits, records, dropped = bytearray(), 0, 0
    with ExitStack() as stack:
        parts = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(PARTS)]
        for records, line in enumerate(lines, 1):
            if records & 7 == 1:
                bits.append(0xFF)
            if among is not None and records - 1 not in among:
                bits[-1] &= ~(1 << (records - 1 & 7))
                continue
            try:
                digest, url = _place(line, key)
            except BAD_LINES as error:
                raise CrawlerError(f"{path}:{records}: not a record: {error}") from error
            if digest:
                parts[digest[0] % PARTS].write(b"%b %d %b\n" % (digest.hex().encode(), records - 1, url))
        for part in parts:
            for number in _doubles(part):
                bits[number >> 3] &= ~(1 << (number & 7))
                dropped += 1
    return Kept(bits, records, dropped)


def _place(line: bytes, key: Sequence[str]) -> tuple[bytes, bytes]:
    """The digest of a record's key, empty if it has none, and its URL in one word."""
    record = fields_of(line)
    values = [bytes(record[field]) if field in record else _NULL for field in key]
    if all(value == _NULL for value in values):
        return b"", b""
    place = record.get("_url", record.get("url"))  # pages and what else is not scraped have the latter
    url = (place is not None and _decode_text(place)) or ""
    # lengths part them, as values may hold whatever would stand between
    joined = b"".join(b"%d:%b" % (len(value), value) for value in values)
    return xxhash.xxh3_128_digest(joined), url.encode().replace(b"\n", b"%0A")


def _doubles(part: BinaryIO) -> Iterable[int]:
    """The numbers of records that are not kept, of those in one file."""
    best: dict[bytes, tuple[bytes, int]] = {}
    part.seek(0)
    for entry in part:
        digest, number, url = entry.rstrip(b"\n").split(b" ", 2)
        found = url, int(number)
        held = best.get(digest)
        if held is None:
            best[digest] = found
        else:
            best[digest] = min(held, found)
            yield max(held, found)[1]
