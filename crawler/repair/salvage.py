"""Which lines of an output file are good, and what does it take to have a file of these only?

Nothing, if all are; a cut, if what is not good comes after them; else a new version, a `crawler.renames.Draft`. The
file itself is never written to. Of a packed file the whole members before the first damaged one count.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import msgspec

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from crawler.renames import Draft, OutputFiles

T = TypeVar("T")


class Salvaged(NamedTuple):
    """What became of one file."""

    length: int  #: of the good part of the file, or of its draft
    kept: int  #: lines
    dropped: int  #: lines that are no record, or were judged not to belong there
    drafted: bool  #: whether a draft is to take its place
    damage: str | None  #: what kept it from being read further

    def __str__(self) -> str:
        return f"{self.damage or 'had lines that do not belong there'}: {self.kept:,} lines stay"

    def changed(self, committed: int) -> bool:
        """Whether it is not what was `committed`."""
        return self.drafted or self.length != committed


class Reading(Generic[T]):
    """One pass over the records of a file, as far as it can be read.

    Args:
        path: The file; it may be missing.
        kind: What each of its lines is.
        end: Where to stop, such as at the committed length.
    """

    def __init__(self, path: Path, kind: type[T], end: int | None = None) -> None:
        self._path = path
        self._lines = Lines(path, end=end)
        self._decoder = msgspec.json.Decoder(kind)
        self._handed_out = 0
        #: a byte at which the file may be cut, as late as possible, and how many lines come before it
        self.cut = (0, 0)
        self.missing = False
        #: what kept it from being read to its end
        self.damage: str | None = None

    async def blocks(self) -> AsyncGenerator[tuple[list[bytes], list[T | None]]]:
        """Lines, and their records: None for a line that is none.

        Raises:
            CrawlerError: The file cannot be read, which says nothing about what is in it.
        """
        blocks = self._lines.blocks()
        while True:
            try:
                part = await asyncio.to_thread(self._next, blocks)
            except CrawlerError as error:
                part = None
                self._stopped(error)
            if self._lines.position != self.cut[0]:
                self.cut = (self._lines.position, self._handed_out)
            if part is None:
                return
            yield part
            self._handed_out += len(part[0])

    @property
    def is_torn(self) -> bool:
        """Once all is read: whether something followed that is no whole line."""
        return self._lines.left_over

    async def records(self) -> AsyncGenerator[T]:
        """The records alone."""
        async for _, records in self.blocks():
            for record in records:
                if record is not None:
                    yield record

    def _stopped(self, error: CrawlerError) -> None:
        if isinstance(error.__cause__, FileNotFoundError):
            self.missing, self.damage = True, "is missing"
        elif isinstance(error.__cause__, OSError):
            raise error
        else:
            self.damage = f"is damaged: {str(error).removeprefix(f'{self._path}: ')}"

    def _next(self, blocks: Iterator[bytes]) -> tuple[list[bytes], list[T | None]] | None:
        block = next(blocks, None)
        if block is None:
            return None
        lines = block[:-1].split(b"\n")
        return lines, [self._decoded(line) for line in lines]

    def _decoded(self, line: bytes) -> T | None:
        try:
            return self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


async def salvage(
    files: OutputFiles,
    name: str,
    kind: type[T],
    judge: Callable[[Sequence[T | None]], Awaitable[Sequence[bool]]],
    end: int | None = None,
) -> Salvaged:
    """Find the good lines of one output file, and write a draft with them if that is needed.

    Args:
        files: Of the crawl.
        name: The sink.
        kind: What its lines are.
        judge: Which of some records belong in the file; what is None does not. Asked about each once, in order.
        end: The committed length; None to go on to the end.

    Raises:
        CrawlerError: The file cannot be read.
        ExportError: The draft cannot be written.
    """
    reading = Reading(files.paths[name], kind, end)
    draft: Draft | None = None
    kept = dropped = 0
    try:
        async for lines, records in reading.blocks():
            verdicts = await judge(records)
            good = [line for line, belongs in zip(lines, verdicts, strict=True) if belongs]
            if len(good) < len(lines) and draft is None:
                draft = await _begun(files, name, kept)
            if draft:
                await draft.append(good)
            kept += len(good)
            dropped += len(lines) - len(good)
        length, before = reading.cut
        if end is not None and length < end and not reading.damage:
            reading.damage = f"is not whole beyond byte {length:,} of {end:,}"
        if draft is None and (reading.missing or before != kept):
            draft = await _begun(files, name, kept)
        if draft:
            length = await draft.finish()
    except BaseException:
        if draft:
            await draft.discard()
        raise
    return Salvaged(length, kept, dropped, draft is not None, reading.damage)


async def _begun(files: OutputFiles, name: str, count: int) -> Draft:
    """A draft that has the first `count` lines of the file."""
    draft = files.draft(name)
    await draft.begin()
    blocks = Lines(files.paths[name]).blocks() if count else iter(())
    while count and (block := await asyncio.to_thread(next, blocks, None)):
        lines = block[:-1].split(b"\n", count)[:count]
        await draft.append(lines)
        count -= len(lines)
    return draft
