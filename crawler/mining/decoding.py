"""What do the lines of a part say, decoded many at a time? One that is no record is an error that says where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.mining.tasks import Part

T = TypeVar("T")

#: a line may be of other bytes than UTF-8, or nested deeper than anything of ours
NO_RECORD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decoded(part: Part, kind: type[T], called: str) -> Iterator[tuple[list[T], int]]:
    """The records of a part, some at a time, and how many bytes their lines have.

    Args:
        part: What is read.
        kind: What a line is decoded to.
        called: What a line is to be, for people.

    Raises:
        CrawlerError: It cannot be read, or a line of it is no record.
    """
    decoder = msgspec.json.Decoder(kind)
    lines = Lines(Path(part.path), start=part.start, end=part.end)
    for block in lines.blocks():
        try:
            records = decoder.decode_lines(block)
        except NO_RECORD:
            at = None if part.is_packed else lines.position
            raise _error(part, block, decoder, called, at) from None
        yield records, len(block)


def _error(part: Part, block: bytes, decoder: msgspec.json.Decoder[Any], called: str, at: int | None) -> CrawlerError:
    """What is wrong with the first line that is no record of a block, which begins at a byte if that is known."""
    told = ""
    for line in block[:-1].split(b"\n"):
        try:
            decoder.decode(line)
        except NO_RECORD as error:
            told = str(error)
            break
        at = None if at is None else at + len(line) + 1
    where = f"{part.of or part.path}: " + ("" if at is None else f"at byte {at:,}: ")
    return CrawlerError(f"{where}a line is no {called}: {told}")
