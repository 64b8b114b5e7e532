"""How do the records that count get out of the files of many workers? Journal and files are read side by side.

Worker by worker, in the order of their ends, and byte for byte. The records of an end are taken if all of them are
there: what a crash or a lost disk has cut off counts as not found. What follows the last end that a journal tells of
belongs to none.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.dataset.lines import Lines
from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.journal import IS_CHECKPOINT, JOURNAL, CheckpointLine, JournalLine
from crawler.merging.pieces import Pieces
from crawler.sinks import FILES, WARC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.export.base import Sink
    from crawler.merging.segments import Segment
    from crawler.merging.wanted import Wanted

log = logging.getLogger(__name__)

_APPENDED_BYTES = 1 << 20  # at once: in a packed file a member of its own


class Last(NamedTuple):
    """What a worker's journal says that it had come to."""

    counters: dict[str, int]
    positions: dict[str, int]
    states: dict[str, bytes]


class Gathered(NamedTuple):
    """What was found in the files of the workers."""

    lines: Counter[str]  #: sink -> records that were taken
    left_out: int  #: ends that a worker has, and another has made in its stead
    #: worker -> numbers of the answers in its archive that do not count
    stale: dict[int, list[int]]
    last: dict[int, Last]  #: by worker
    damaged: list[str]  #: what could not be read to its end, and why


class _Out:
    """The file of one sink, which is written in large pieces."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pieces: list[bytes] = []
        self._size = 0

    async def append(self, piece: bytes) -> None:
        """Add whole lines, with their newlines."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _APPENDED_BYTES:
            await self.flush()

    async def flush(self) -> None:
        if self._pieces:
            await self._sink.append([b"".join(self._pieces)[:-1]])
            self._pieces, self._size = [], 0


class Gathering:
    """Takes the records that are wanted.

    Args:
        wanted: Which these are; told of each end that was found.
        sinks: Where they go: open, closed by their owner. Sinks of others are passed over.
        bodies: Told of lines of files.jsonl that are taken, and from which worker's directory.
    """

    def __init__(
        self, wanted: Wanted, sinks: Mapping[str, Sink], bodies: Callable[[Path, bytes], object] = lambda *_: None
    ) -> None:
        self._wanted = wanted
        self._outs = {name: _Out(sink) for name, sink in sinks.items()}
        self._bodies = bodies
        #: what came of it so far
        self.done = Gathered(Counter(), 0, {}, {}, [])

    async def run(self, segments: Sequence[Segment]) -> Gathered:
        """Go through the files of these workers.

        Raises:
            ExportError: What is taken cannot be written.
        """
        for segment in segments:
            await self._take(segment)
        for out in self._outs.values():
            await out.flush()
        return self.done

    async def _take(self, segment: Segment) -> None:
        worker, directory = segment.worker.id, CrawlDirectory(segment.path)
        files = {name: Pieces(next(iter(directory.spellings(name)), None)) for name in self._outs}
        last = Last({}, {}, {})
        ordinal = answers = 0
        for told in self._journal(directory):
            if isinstance(told, CheckpointLine):
                last = Last(told.counters, told.positions, last.states | told.states)
                continue
            counts = self._wanted.counts(worker, ordinal, told.url)
            pieces = [(name, _piece(files[name], name, size)) for name, size in told.sinks.items() if name in files]
            if counts and all(piece is not None for _, piece in pieces):
                for name, piece in pieces:
                    await self._append(segment.path, name, piece or b"")
                self._wanted.found(worker, ordinal)
            elif not counts:
                self.done = self.done._replace(left_out=self.done.left_out + 1)
                self.done.stale.setdefault(worker, []).extend(range(answers, answers + told.sinks.get(WARC, 0)))
            answers += told.sinks.get(WARC, 0)
            ordinal += 1
        self.done.last[worker] = last
        self.done.damaged.extend(
            f"{segment.path.name}/{name}: {file.damage}" for name, file in files.items() if file.damage is not None
        )

    async def _append(self, directory: Path, name: str, piece: bytes) -> None:
        await self._outs[name].append(piece)
        self.done.lines[name] += piece.count(b"\n")
        if name == FILES:
            self._bodies(directory, piece)

    def _journal(self, directory: CrawlDirectory) -> Iterator[JournalLine | CheckpointLine]:
        """The lines of a worker's journal, up to the first that is none."""
        path = next(iter(directory.spellings(JOURNAL)), None)
        if path is None:
            return  # it died before its first end
        try:
            yield from journal_lines(path)
        except CrawlerError as error:
            log.warning("a worker's journal cannot be read further", extra={"why": str(error)})
            self.done.damaged.append(f"{directory.path.name}/{path.name}: {error}")


def journal_lines(path: Path) -> Iterator[JournalLine | CheckpointLine]:
    """The lines of a journal.

    Raises:
        CrawlerError: It cannot be read, or has a line that is none of a journal's.
    """
    end, checkpoint = msgspec.json.Decoder(JournalLine).decode, msgspec.json.Decoder(CheckpointLine).decode
    number = 0
    try:
        for line in Lines(path):
            number += 1
            yield checkpoint(line) if line.startswith(IS_CHECKPOINT) else end(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CrawlerError(f"{path}: line {number:,} is none of a journal's: {error}") from error


def _piece(file: Pieces, name: str, size: int) -> bytes | None:
    return file.take_lines(size) if name == FILES else file.take(size)
