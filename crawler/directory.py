"""Where does everything of one crawl lie, and who may use it now?

`data/<name>/` holds a whole crawl. A directory is *unused*, *unfinished* (a crawl was begun in it and has not
ended) or *finished* (`summary.json` says how). One process at a time: the lock is a POSIX record lock, which
dies with its owner and is not inherited by children; the file it is on says nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from crawler.account import Summary as Summary  # noqa: PLC0414 - exported from here too
from crawler.errors import ConfigError, CrawlerError
from crawler.models import OUTCOMES
from crawler.sinks import BUILT_IN, FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class State(StrEnum):
    """What a crawl directory holds."""

    UNUSED = "unused"
    UNFINISHED = "unfinished"
    FINISHED = "finished"


SPELLINGS = ("", ".gz", ".zst")
"""What may follow the name of a file of records, by how it is compressed."""

MOST_OLDER_LOGS = 99
_BESIDE_STORE = ("-shm", "-wal")
"""What SQLite adds to the store's name for files of its own."""


class CrawlDirectory:
    """The files of one crawl by name. Creating the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: those whose files of lines are the crawl's own; `know` adds to them
        self.sinks: tuple[str, ...] = BUILT_IN
        self.store = path / "crawl.db"
        self.seeds = path / "seeds.jsonl"
        self.config = path / "crawl.yaml"
        self.log = path / "crawl.log"
        self.runs = path / "runs.jsonl"
        self.seed_spool = path / "seeds.spool"
        self.summary = path / "summary.json"
        self.in_flight = path / "in-flight"
        self.report = path / "report.html"
        self.lock_file = path / "crawl.lock"

    def know(self, sinks: Iterable[str]) -> None:
        """The crawl has these sinks, too."""
        self.sinks = tuple(dict.fromkeys((*self.sinks, *sinks)))

    def records(self, sink: str, spelling: str = "") -> Path:
        """The file of a sink; `spelling` is one of `SPELLINGS`."""
        return self.path / f"{sink}.jsonl{spelling}"

    def spellings(self, sink: str) -> list[Path]:
        """The files of a sink that exist; a crawl has one at most."""
        return [path for path in (self.records(sink, spelling) for spelling in SPELLINGS) if path.exists()]

    def files(self) -> list[Path]:
        """Those of its files and folders that a person may want to look at, as far as they exist."""
        records = [path for sink in self.sinks for path in self.spellings(sink)]
        others = (*self.folders(), self.report, self.seeds, self.summary, self.runs, self.store, self.config, self.log)
        return records + [file for file in (*others, *self.older_logs()) if file.exists()]

    def older_logs(self) -> list[Path]:
        """What a log that is full is called, the newest first; most do not exist."""
        return [self.log.with_name(f"{self.log.name}.{number}") for number in range(1, MOST_OLDER_LOGS + 1)]

    def state(self) -> State:
        """What the directory holds, judged by the presence of files that only a crawl writes."""
        if not (self.store.exists() or self.seed_spool.exists() or self.spellings(OUTCOMES)):
            return State.UNUSED
        return State.FINISHED if self.summary.exists() else State.UNFINISHED

    def owns(self, path: Path) -> bool:
        """Whether `path` is one of the crawl's own files."""
        own = [self.store, self.seeds, self.config, self.log, *self.older_logs(), self.runs, self.seed_spool]
        own += [self.summary, self.in_flight, self.lock_file, self.report]
        own += [self.records(sink, spelling) for sink in self.sinks for spelling in SPELLINGS]
        asked = path.resolve()
        return asked in {file.resolve() for file in own} or any(
            folder.resolve() in (asked, *asked.parents) for folder in self.folders()
        )

    def folders(self) -> list[Path]:
        """Where those of its sinks put files that make many."""
        return [self.path / sink for sink in self.sinks if sink in FOLDERS]

    def read_summary(self) -> Summary | None:
        """How the crawl in it ended; None if it has not.

        Raises:
            CrawlerError: summary.json is not one of ours.
        """
        try:
            return msgspec.json.decode(self.summary.read_bytes(), type=Summary)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CrawlerError(f"{self.summary}: cannot be read: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CrawlerError(f"{self.summary}: not the summary of a crawl: {error}") from error

    def write_config(self, text: str) -> None:
        """Keep the configuration in force; whole or not at all.

        Raises:
            CrawlerError: It cannot be written.
        """
        write_whole(self.config, text.encode())

    def write_summary(self, summary: Summary) -> None:
        """Mark the crawl finished; whole or not at all.

        Raises:
            CrawlerError: It cannot be written.
        """
        write_whole(self.summary, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")

    def keep_store_private(self) -> None:
        """Let nobody but its owner read the store, which holds the cookies of sessions.

        Raises:
            CrawlerError: It cannot be.
        """
        for suffix in ("", *_BESIDE_STORE):
            path = self.store.with_name(self.store.name + suffix)
            try:
                path.chmod(0o600)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise CrawlerError(f"{path}: holds cookies and cannot be kept private: {error.strerror}") from error

    def discard(self) -> None:
        """Remove what a crawl that never began has left of its own."""
        for folder in self.folders():  # which was not there before the crawl began
            shutil.rmtree(folder, ignore_errors=True)
        files = [path for sink in self.sinks for path in self.spellings(sink)] + [self.seed_spool, self.config]
        files += [self.store.with_name(self.store.name + suffix) for suffix in _BESIDE_STORE]
        for file in (*files, self.store):  # the store last: with it, what a death in between leaves can be resumed
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def reopen(self) -> None:
        """Mark the crawl unfinished again, and remove what only a finished one has.

        Raises:
            CrawlerError: Its mark cannot be removed.
        """
        for file in (self.summary, self.seeds, self.report):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise CrawlerError(f"{file}: cannot be removed: {error.strerror}") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Make the directory if need be, and hold it until exit or the process's death.

        Raises:
            CrawlerError: It is held already, by this or another process.
            ConfigError: It cannot be made.
        """
        held = self.path.resolve()
        if held in _held:
            raise CrawlerError(f"{self.path}: this process is crawling in this directory")
        is_new = not self.path.is_dir()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = self.lock_file.open("a")
        except OSError as error:
            what = "it is a file; name a folder" if self.path.is_file() else error.strerror
            raise ConfigError(f"{self.path}: cannot be used as a crawl directory: {what}") from error
        with file:
            if is_new:
                self._bring_name_down()
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                told = "another process is crawling in this directory; wait for its end, or name another"
                raise CrawlerError(f"{self.path}: {told}") from None
            _held.add(held)
            try:
                yield
            finally:
                _held.discard(held)

    @property
    def is_ours(self) -> bool:
        """Whether this process holds it."""
        return self.path.resolve() in _held

    def _bring_name_down(self) -> None:
        try:
            bring_down(self.path.parent)
        except OSError as error:
            raise CrawlerError(f"{self.path}: cannot be brought to the disk: {error.strerror}") from error


# POSIX locks are a process's, not a file object's: opening and closing the lock file a second time would drop the
# first one's lock. So what this process holds is noted here, as the kernel would if it could.
_held: set[Path] = set()


def bring_down(path: Path) -> None:
    """Bring a file's content, or the names in a folder, down to the disk: each by itself (fsync(2), Linux)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file; a crash leaves the old one or the new one.

    Raises:
        CrawlerError: It cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.write_bytes(content)
        bring_down(draft)
        draft.replace(path)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be written: {error.strerror}") from error
