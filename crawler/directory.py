"""Where does everything of one crawl lie, and who may use it now?

`data/<name>/` holds a whole crawl. A directory is *unused*, *unfinished* (a crawl was begun in it and has not
ended) or *finished* (`summary.json` says how). One process at a time: the lock is a POSIX record lock, which
dies with its owner and is not inherited by children.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import ConfigError, CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class State(StrEnum):
    """What a crawl directory holds."""

    UNUSED = "unused"
    UNFINISHED = "unfinished"
    FINISHED = "finished"


class Summary(msgspec.Struct, kw_only=True, frozen=True):
    """How a crawl ended: the content of summary.json."""

    format: int = 1
    complete: bool
    stopped_by: str | None
    started_at: str  #: RFC 3339, UTC
    ended_at: str
    admitted: int
    pending: int
    outcomes: dict[str, int]
    #: ``failed: timeout`` -> number of URLs
    reasons: dict[str, int]
    #: scope rule -> number of links it kept out
    refusals: dict[str, int]


class CrawlDirectory:
    """The files of one crawl by name. Creating the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages = path / "pages.jsonl"
        self.outcomes = path / "outcomes.jsonl"
        self.seeds = path / "seeds.jsonl"
        self.config = path / "crawl.yaml"
        self.log = path / "crawl.log"
        self.stdin = path / "stdin.seeds"
        self.summary = path / "summary.json"
        self._lock = path / "crawl.lock"

    def state(self) -> State:
        """What the directory holds, judged by its files alone."""
        if self.read_summary():
            return State.FINISHED
        return State.UNFINISHED if self.config.exists() else State.UNUSED

    def read_summary(self) -> Summary | None:
        """How the crawl in it ended; None if it has not.

        Raises:
            CrawlerError: summary.json is not one of ours.
        """
        try:
            return msgspec.json.decode(self.summary.read_bytes(), type=Summary)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise CrawlerError(f"{self.summary}: not the summary of a crawl: {error}") from error

    def write_summary(self, summary: Summary) -> None:
        """Mark the crawl finished; whole or not at all."""
        draft = self.summary.with_suffix(".json.new")
        with draft.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.summary)

    def move_aside(self) -> Path | None:
        """Rename a used directory to ``<name>.<time of its last change>``; its new path, None if it was unused."""
        if self.state() is State.UNUSED:
            return None
        stamp = datetime.fromtimestamp(self.path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            aside = self.path.with_name(f"{self.path.name}.{stamp}{suffix}")
            if not aside.exists():
                self.path.rename(aside)
                return aside
        raise CrawlerError(f"{self.path}: no free name to move it aside, expected one of {self.path.name}.{stamp}-N")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Make the directory if need be, and hold it until exit or the process's death.

        Raises:
            ConfigError: Another process holds it, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = self._lock.open("a")
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be used as a crawl directory: {error.strerror}") from error
        with file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ConfigError(f"{self.path}: another process is crawling in this directory") from None
            yield


@contextmanager
def claim(directory: CrawlDirectory, *, fresh: bool) -> Iterator[Path | None]:
    """Hold an unused directory for a new crawl; yields where an older crawl was moved, None if there was none.

    Args:
        directory: What to hold.
        fresh: Move a crawl that lies there aside, instead of refusing.

    Raises:
        ConfigError: The directory is in use, or holds a crawl and `fresh` is false.
    """
    aside = None
    if fresh:
        with directory.lock():
            aside = directory.move_aside()
    with directory.lock():
        state = directory.state()
        if state is not State.UNUSED:
            raise ConfigError(
                f"{directory.path}: holds {'a finished' if state is State.FINISHED else 'an unfinished'} crawl; "
                "--fresh (fresh=True) moves it aside and starts anew, or name another directory"
            )
        yield aside
