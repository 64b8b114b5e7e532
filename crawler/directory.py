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
    #: outcome -> reason -> number of URLs
    reasons: dict[str, dict[str, int]]
    #: scope rule -> number of links it kept out
    refusals: dict[str, int]
    #: given, bad (no URL could be made of them), fetched
    seeds: dict[str, int]
    pages: int
    wire_bytes: int
    elapsed_s: float


class CrawlDirectory:
    """The files of one crawl by name. Creating the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages = path / "pages.jsonl"
        self.outcomes = path / "outcomes.jsonl"
        self.seeds = path / "seeds.jsonl"
        self.config = path / "crawl.yaml"
        self.log = path / "crawl.log"
        self.seed_spool = path / "seeds.spool"
        self.summary = path / "summary.json"
        self._lock = path / "crawl.lock"

    def state(self) -> State:
        """What the directory holds, judged by the presence of files that only a crawl writes."""
        if not self.outcomes.exists():
            return State.UNUSED
        return State.FINISHED if self.summary.exists() else State.UNFINISHED

    def owns(self, path: Path) -> bool:
        """Whether `path` is one of the crawl's own files."""
        own = (self.pages, self.outcomes, self.seeds, self.config, self.log, self.seed_spool, self.summary, self._lock)
        return path.resolve() in {file.resolve() for file in own}

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

    def write_config(self, text: str) -> None:
        """Keep the configuration in force.

        Raises:
            CrawlerError: It cannot be written.
        """
        try:
            self.config.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CrawlerError(f"{self.config}: cannot be written: {error.strerror}") from error

    def write_summary(self, summary: Summary) -> None:
        """Mark the crawl finished; whole or not at all.

        Raises:
            CrawlerError: It cannot be written.
        """
        draft = self.summary.with_suffix(".json.new")
        try:
            with draft.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.summary)
        except OSError as error:
            raise CrawlerError(f"{self.summary}: cannot be written: {error.strerror}") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Make the directory if need be, and hold it until exit or the process's death.

        Raises:
            ConfigError: It is held already, by this or another process, or cannot be made.
        """
        held = self.path.resolve()
        if held in _held:
            raise ConfigError(f"{self.path}: this process is crawling in this directory")
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
            _held.add(held)
            try:
                yield
            finally:
                _held.discard(held)


# POSIX locks are a process's, not a file object's: opening and closing the lock file a second time would drop the
# first one's lock. So what this process holds is noted here, as the kernel would if it could.
_held: set[Path] = set()


def move_aside(path: Path) -> Path:
    """Rename a file or folder to ``<name>.<time of its last change>``; its new path.

    Raises:
        CrawlerError: It cannot be renamed.
    """
    path = path.resolve()  # "." has no name of its own
    stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{path.name}.{stamp}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 1000))))
    aside = next((path.with_name(name) for name in names if not path.with_name(name).exists()), None)
    try:
        if aside is not None:
            return path.rename(aside)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be moved aside: {error.strerror}") from error
    raise CrawlerError(f"{path}: cannot be moved aside: {path.name}.{stamp} to …-999 are all taken")


@contextmanager
def claim(directory: CrawlDirectory, *, fresh: bool) -> Iterator[Path | None]:
    """Hold an unused directory for a new crawl; yields where an older crawl was moved, None if there was none.

    Args:
        directory: What to hold.
        fresh: Move a crawl that lies there aside, instead of refusing.

    Raises:
        ConfigError: The directory is in use, holds a crawl and `fresh` is false, or holds files that are no crawl's.
    """
    aside = None
    if directory.state() is not State.UNUSED:
        if not fresh:
            raise ConfigError(
                f"{directory.path}: holds {'a' if directory.state() is State.FINISHED else 'an un'}finished crawl; "
                "begin afresh (--fresh, or fresh=True in Python), which moves it aside, or name another directory"
            )
        with directory.lock():
            aside = move_aside(directory.path)
    with directory.lock():
        foreign = next((file for file in (directory.config, directory.pages, directory.seeds) if file.exists()), None)
        if foreign is not None:
            raise ConfigError(f"{foreign}: is not a crawl's and would be overwritten; name another directory")
        yield aside
