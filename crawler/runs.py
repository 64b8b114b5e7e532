"""When was a crawl run, by which command, and how did each run end? The rows of runs.jsonl.

A row when a run begins and one when it ends; a run that was killed has no second one. Rows are appended whole; a last
line that a power cut has torn is taken away when the next run begins.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from crawler import __version__
from crawler.clock import rfc3339
from crawler.directory import bring_down
from crawler.errors import CrawlerError
from crawler.models import STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.clock import Clock

log = logging.getLogger(__name__)

COMPLETE, FAILED = "complete", "failed"
VERSION = f"crawler {__version__}, Python {sys.version.split()[0]}, {sys.platform}"


class Began(msgspec.Struct, frozen=True, kw_only=True, tag="began", tag_field="event"):
    """A run has opened its files, and is about to make its first request."""

    #: of this crawl, from 1 on
    run: int
    #: RFC 3339, UTC
    at: str
    #: as typed, word by word, secrets left out; empty for a run from Python
    command: tuple[str, ...] = ()
    #: of the program and what it runs on
    version: str = ""
    #: the process
    pid: int = 0


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended", tag_field="event"):
    """A run has come to its end."""

    #: of this crawl, from 1 on
    run: int
    #: RFC 3339, UTC
    at: str
    #: complete, the budget that stopped it (``budget.pages``), stop (by a person or a program), or failed
    ended: str


Row = Began | Ended
_decoder = msgspec.json.Decoder(Row)


class Noted:
    """The account of a run that goes on. `end` it; the first word on how it ended is the last."""

    def __init__(self, path: Path, run: int, clock: Clock, *, fsync: bool) -> None:
        self._path = path
        self._clock = clock
        self._fsync = fsync
        self._is_open = True
        #: its number
        self.run = run

    def end(self, how: str) -> None:
        """It has ended, as `Ended.ended` has it. An account that cannot be written changes nothing in that."""
        if not self._is_open:
            return
        self._is_open = False
        row = Ended(run=self.run, at=rfc3339(self._clock.wall()), ended=how)
        try:
            _append(self._path, row, fsync=self._fsync)
        except OSError as error:
            log.warning("the end of this run is not noted", extra={"why": str(error)})


@contextmanager
def noted(path: Path, clock: Clock, command: Sequence[str], *, fsync: bool) -> Iterator[Noted]:
    """Note that a run begins, and on exit that it ended, unless that has been noted by then.

    Raises:
        CrawlerError: It cannot be written.
    """
    begun = Began(
        run=next_run(path), at=rfc3339(clock.wall()), command=tuple(command), version=VERSION, pid=os.getpid()
    )
    try:
        _append(path, begun, fsync=fsync)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be written: {error.strerror}") from error
    account = Noted(path, begun.run, clock, fsync=fsync)
    try:
        yield account
    except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        account.end(STOPPED)
        raise
    except BaseException:
        account.end(FAILED)
        raise
    account.end(STOPPED)


def read_runs(path: Path) -> list[Row]:
    """All rows that can be read; none if there is no such file.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        try:
            rows.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # torn, or of another program
    return rows


def next_run(path: Path) -> int:
    """The number of the run that is about to begin; 1 where no account can be read."""
    try:
        return max((row.run for row in read_runs(path)), default=0) + 1
    except OSError:
        return 1


def _append(path: Path, row: Row, *, fsync: bool) -> None:
    """Add a line after the last whole one, and bring it to the disk with the file's name."""
    is_new = not path.exists()
    with path.open("ab+", buffering=0) as file:
        file.seek(0)
        content = file.read()
        if not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
        line = msgspec.json.encode(row) + b"\n"
        while line:
            line = line[file.write(line) :]
        if fsync:
            os.fsync(file.fileno())
    if fsync and is_new:
        bring_down(path.parent)
