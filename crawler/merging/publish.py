"""How do the merged files take the place of those before, though a merge may be killed at any moment?

They are made in a folder of their own, ``merging.crawl-new``, and once all is on the disk that is renamed to
``merged.crawl-new``: from then on they are the files of the crawl. They are moved to their names one by one, the
summary last; whoever opens the crawl next goes on with that. So a crawl is never taken for a finished one while old
files and new ones stand side by side.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from crawler.directory import CrawlDirectory, State, bring_down
from crawler.errors import ConfigError, CrawlerError
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

MERGED: Final = "merged.json"
FORMAT: Final = 1
LEDGER, ATTEMPTS = "ledger", "attempts"
"""What decided which records count."""

_DRAFT, _READY = f"merging{DRAFT_SUFFIX}", f"merged{DRAFT_SUFFIX}"
_OLD = ".crawl-old"  # of a folder that makes room
_LAST = ("crawl.db", "summary.json")  # a crawl without its store is none, and one without its summary has not ended


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge came to: the content of merged.json."""

    format: int = FORMAT
    crawl: Annotated[str, Meta(description="which crawl it is: as in fleet.json")]
    at: Annotated[str, Meta(description="when it was merged: RFC 3339, UTC")]
    by: Annotated[str, Meta(description="what decided which records count: ledger; or attempts, where that was gone")]
    stamp: Annotated[str, Meta(description="of the ledger: another one, where something was stored since")] = ""
    state: Annotated[str, Meta(description="of the crawl: running, stopped or done; empty where nobody knows")] = ""
    workers: Annotated[list[int], Meta(description="numbers of the workers whose files were read")]
    records: Annotated[dict[str, int], Meta(description="sink -> records")]
    left_out: Annotated[int, Meta(description="ends of workers that others have made in their stead")] = 0
    lost: Annotated[int, Meta(description="ends whose records were not found: their URLs are pending")] = 0
    lost_examples: Annotated[list[str], Meta(description="some of these URLs")] = []
    damaged: Annotated[list[str], Meta(description="files of workers that could not be read to their end")] = []
    files: Annotated[list[str], Meta(description="what was made, in this directory")] = []
    runs_bytes: Annotated[int, Meta(description="length of runs.jsonl: another one, where it was crawled on")] = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing more can come of another merge."""
        return self.state == "done" and self.by == LEDGER and not self.lost


def read_merged(directory: Path) -> Merged | None:
    """What the last merge came to that ended in a directory; None if there was none.

    Raises:
        CrawlerError: It cannot be read.
    """
    return _read(directory / MERGED)


def refuse_others(directory: Path, crawl: str, by: str) -> None:
    """Refuse a directory in which something else lies than an earlier merge of this crawl, that is no better.

    Args:
        directory: Where to merge into.
        crawl: Which crawl.
        by: What decides which records count.

    Raises:
        ConfigError: It does; or the merged crawl was gone on with, which would be lost.
    """
    before = read_merged(directory)
    runs = CrawlDirectory(directory).runs
    if before is None:
        if CrawlDirectory(directory).state() is not State.UNUSED:
            raise ConfigError(f"{directory}: holds a crawl of its own; -d OUT merges into another directory")
    elif before.crawl != crawl:
        raise ConfigError(f"{directory}: holds another crawl ({before.crawl}); -d OUT merges into another directory")
    elif (runs.stat().st_size if runs.exists() else 0) != before.runs_bytes:
        raise ConfigError(
            f"{directory}: was crawled on since it was merged, and that would be lost; -d OUT merges into another "
            "directory"
        )
    elif before.by == LEDGER != by:
        raise ConfigError(f"{directory}: holds what was merged by the ledger; without that, -d OUT merges elsewhere")


class Publication:
    """The new files of a directory that is locked."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        #: where they are made
        self.folder = directory / _DRAFT

    def begin(self) -> None:
        """Finish what an earlier merge has begun, and make an empty folder.

        Raises:
            CrawlerError: It cannot be made.
        """
        complete(self._directory)
        try:
            self.folder.mkdir()
        except OSError as error:
            raise CrawlerError(f"{self.folder}: cannot be made: {error.strerror}") from error

    def publish(self, merged: Merged) -> Merged:
        """Put the files in their places; what is noted of the merge there.

        Raises:
            CrawlerError: They cannot be; nothing has changed, or whoever opens the crawl next goes on.
        """
        names = sorted(path.name for path in self.folder.iterdir())
        merged = msgspec.structs.replace(merged, files=names)
        note = self.folder / MERGED
        try:
            note.write_bytes(msgspec.json.format(msgspec.json.encode(merged), indent=2) + b"\n")
            for path in self.folder.iterdir():
                bring_down(path)
            bring_down(self.folder)
            self.folder.rename(self._directory / _READY)
            bring_down(self._directory)
        except OSError as error:
            raise CrawlerError(f"{self.folder}: cannot be put in place: {error.strerror}") from error
        complete(self._directory)
        return merged

    def discard(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def is_due(directory: Path) -> bool:
    """Whether a merge was killed that `complete` has to finish, or tidy up after."""
    return (directory / _READY).exists() or (directory / _DRAFT).exists()


def complete(directory: Path) -> None:
    """Finish a merge that has come to its end but for moving files, and forget one that has not. It may be done again.

    Raises:
        CrawlerError: A file cannot be moved.
    """
    ready = directory / _READY
    if (merged := _read(ready / MERGED)) is not None:
        try:
            _move(directory, ready, merged)
        except OSError as error:
            raise CrawlerError(f"{ready}: cannot be put in place: {error.filename}: {error.strerror}") from error
    for path in (ready, directory / _DRAFT):
        shutil.rmtree(path, ignore_errors=True)


def _move(directory: Path, ready: Path, merged: Merged) -> None:
    crawl = CrawlDirectory(directory)
    crawl.report.unlink(missing_ok=True)
    if crawl.summary.name not in merged.files or (ready / crawl.summary.name).exists():
        crawl.summary.unlink(missing_ok=True)  # of before: the new one is moved last
    before = read_merged(directory)
    for name in set(before.files if before else ()) - set(merged.files):
        _remove(directory / name)
    for name in sorted(merged.files, key=lambda name: (name in _LAST, _LAST.index(name) if name in _LAST else 0)):
        source, target = ready / name, directory / name
        if not source.exists():
            continue  # it was moved before
        if name == crawl.store.name:
            for side in ("-wal", "-shm"):  # of the store that it takes the place of
                target.with_name(name + side).unlink(missing_ok=True)
        if target.is_dir():
            old = directory / (name + _OLD)
            _remove(old)
            target.rename(old)
        source.replace(target)
    for name in merged.files:
        _remove(directory / (name + _OLD))
    (ready / MERGED).replace(directory / MERGED)
    bring_down(directory)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        return
    with suppress(FileNotFoundError):
        path.unlink()


def _read(path: Path) -> Merged | None:
    try:
        merged = msgspec.json.decode(path.read_bytes(), type=Merged)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CrawlerError(f"{path}: says nothing of a merge: {error}") from error
    if any("/" in name or name in ("", ".", "..") for name in merged.files):
        raise CrawlerError(f"{path}: says nothing of a merge: a name of a file leads elsewhere")
    if merged.format > FORMAT:
        raise CrawlerError(f"{path}: has format {merged.format}, and this version of crawler reads up to {FORMAT}")
    return merged
