"""Which generations of a crawl are there, and which is in force?

``DIR`` is the generation in force: the last one that came to its end. ``DIR@1``, ``DIR@2``, … are older ones, and the
one that is being made, which takes its place only once it is whole. Each is a crawl directory like any other.

A generation is put in force by two renames: ``DIR`` becomes ``DIR@n``, ``DIR@n+1`` becomes ``DIR``. A mark in the new
one says that this has begun, so whoever comes after a death in between goes on with it (`Family.mend`). Taking an old
one away begins with another name for it, so that what is half gone is never taken for a crawl.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from crawler.claims import move_aside
from crawler.directory import CrawlDirectory, State, bring_down
from crawler.errors import ConfigError, CrawlerError, DamagedStoreError, FrontierError
from crawler.resume import CONFIG
from crawler.resume import GENERATION as GENERATION  # noqa: PLC0414 - exported from here too

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "generation.new"
"""A file in a generation that is whole, while it is put in force."""

GOING = ".removed"
"""Ends the name of a generation that is being taken away."""

NUMBERED = re.compile(r"(.+)@([1-9]\d{0,8})")
"""The name of a generation that is not in force."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A generation that is being made."""

    number: int  #: 2 or more
    base: Path  #: the directory of the one before, finished
    due: bool = False  #: whether only what is due is visited


class Told(msgspec.Struct, frozen=True):
    """What a store says of the generation that it is of."""

    number: int
    due: bool = False


class Family:
    """All generations of the crawl in a directory. Making the object touches nothing.

    Args:
        path: Of the one in force.
    """

    def __init__(self, path: Path) -> None:
        # "." and a link have no name that another directory could stand beside
        plain = path.name not in {"", "."} and ".." not in path.parts and not path.is_symlink()
        self.path = path if plain else path.resolve()

    def __getitem__(self, number: int) -> Path:
        """Where a generation lies that is not in force."""
        return self.path.with_name(f"{self.path.name}@{number}")

    def others(self) -> dict[int, Path]:
        """The directories beside the one in force that are called as its generations are, by number."""
        found = {}
        with suppress(OSError):
            for entry in self.path.parent.iterdir():
                named = NUMBERED.fullmatch(entry.name)
                if named and named[1] == self.path.name and entry.is_dir():
                    found[int(named[2])] = self.path.with_name(entry.name)
        return dict(sorted(found.items()))

    def number(self) -> int:
        """Of the generation in force.

        Raises:
            CrawlerError: Its store cannot be read.
        """
        return number_of(self.path)

    def being_made(self) -> Path | None:
        """Where the next generation is being made; None if it is not.

        Raises:
            CrawlerError: A store cannot be read.
        """
        others = self.others()
        if not others or not CrawlDirectory(self.path).store.exists():
            return None
        try:
            number = self.number() + 1
        except DamagedStoreError:  # which a repair may be about to mend: older ones have come to their ends
            number = max(others)
            if CrawlDirectory(self[number]).state() is not State.UNFINISHED:
                return None
        made = self[number]
        return made if made.is_dir() and _is_one(made, number) else None

    def half_published(self) -> Path | None:
        """The generation that was about to be put in force when that was cut short after the first rename."""
        if self.path.exists():
            return None
        marked = [path for path in self.others().values() if (path / MARK).exists()]
        return marked[-1] if marked else None

    def mend(self) -> bool:
        """Finish what a death has cut short: putting one in force, taking one away. Whether the former was due.

        Raises:
            CrawlerError: A directory cannot be renamed or removed.
        """
        made = self.half_published()
        if made is not None:
            _rename(made, self.path)
        with suppress(FileNotFoundError):
            (self.path / MARK).unlink()
        for path in self._going():
            _remove(path)
        return made is not None

    def publish(self, number: int) -> Path:
        """Put a generation in force that is whole, and whose base is in force or was a moment ago; where that is now.

        Raises:
            CrawlerError: Something cannot be renamed, or is in the way.
        """
        made, old = self[number], self[number - 1]
        if self.path.exists() and old.exists():
            raise CrawlerError(f"{old}: is in the way of generation {number - 1}; move it, then --refresh goes on")
        try:
            with (made / MARK).open("ab") as mark:
                mark.write(b"This generation is whole, and takes the place of the one before.\n")
            bring_down(made / MARK)
            bring_down(made)
        except OSError as error:
            raise CrawlerError(f"{made}: cannot be put in force: {error.strerror}") from error
        if self.path.exists():
            _rename(self.path, old)
        self.mend()
        return old

    def prune(self, keep: int | None) -> list[Path]:
        """Take away all older generations but so many, the oldest first, if they are crawls of these numbers; which.

        Raises:
            CrawlerError: One cannot be renamed or removed.
        """
        if keep is None:
            return []
        now = self.number()
        older = [(number, path) for number, path in self.others().items() if number < now and _is_one(path, number)]
        gone = [path for _, path in (older[:-keep] if keep else older)]
        for path in gone:
            going = path.with_name(path.name + GOING)
            _remove(going)  # of an earlier one of this number, half gone
            _rename(path, going)
            _remove(going)
        return gone

    def move_aside(self) -> Path:
        """Give all generations another name, together: ``DIR.TIME``, ``DIR.TIME@1``, …; that of the one in force.

        Raises:
            CrawlerError: One cannot be renamed.
        """
        return move_aside(self.path, also=lambda aside: self._move_others(Family(aside)))

    def _move_others(self, aside: Family) -> None:
        for number, path in self.others().items():
            if _is_one(path, number):
                _rename(path, aside[number])

    def _going(self) -> Iterator[Path]:
        with suppress(OSError):
            for entry in self.path.parent.iterdir():
                named = NUMBERED.fullmatch(entry.name.removesuffix(GOING))
                if entry.name.endswith(GOING) and named and named[1] == self.path.name and entry.is_dir():
                    yield entry


def number_of(path: Path) -> int:
    """Which generation the crawl in a directory is: 1 if it is no later one.

    Raises:
        CrawlerError: Its store cannot be read.
    """
    told = told_by(path)
    return told.number if told else 1


def told_by(path: Path) -> Told | None:
    """What the store in a directory says of its generation; None for a first one, and where there is no store.

    Raises:
        CrawlerError: It cannot be read.
    """
    from crawler.dataset.ledger import EmptyStoreError, KnownUrls  # noqa: PLC0415 - a first crawl has no use for it

    store = CrawlDirectory(path).store
    if not store.exists():
        return None
    try:
        with KnownUrls(store) as known:
            blob = known.blob(GENERATION)
    except EmptyStoreError:
        return None
    return told_in(blob)


def told_in(blob: bytes) -> Told | None:
    """What a blob says that a store has under `GENERATION`."""
    return msgspec.json.decode(blob, type=Told) if blob else None


def refuse_numbered(path: Path) -> None:
    """Refuse a directory that is called as an older generation is, or one that is being made.

    Raises:
        ConfigError: It is.
    """
    named = NUMBERED.fullmatch(path.resolve().name)
    if named:
        raise ConfigError(
            f"{path}: is generation {named[2]} of {named[1]}, going by its name; --refresh takes the directory of the "
            f"one in force: -d {path.with_name(named[1])}"
        )


def is_free(path: Path, number: int) -> bool:
    """Whether a generation can be begun, or gone on with, in a directory."""
    if not path.exists():
        return True
    if not path.is_dir():
        return False
    if CrawlDirectory(path).state() is State.UNUSED:
        return True
    try:
        told = told_by(path)
        return told.number == number if told else not _has_begun(path)
    except FrontierError:
        return True  # its store is lost or damaged: --repair makes it anew, and whoever opens it says so


def _is_one(path: Path, number: int) -> bool:
    """Whether a directory holds the generation of this number, which its store has to say."""
    try:
        if not CrawlDirectory(path).store.is_file():
            return False
        told = told_by(path)
        return told.number == number if told else number == 1 and _has_begun(path)
    except CrawlerError:
        return False  # it cannot be told whose it is: nothing of ours to take away


def _has_begun(path: Path) -> bool:
    """Whether the crawl in it ever came to its first checkpoint."""
    from crawler.dataset.ledger import EmptyStoreError, KnownUrls  # noqa: PLC0415

    try:
        with KnownUrls(CrawlDirectory(path).store) as known:
            return bool(known.blob(CONFIG))
    except EmptyStoreError:
        return False


def _rename(path: Path, to: Path) -> None:
    """Rename a directory, safe from a power cut."""
    try:
        path.rename(to)
        bring_down(to.parent)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be renamed to {to.name}: {error.strerror}") from error


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be removed: {error.strerror}") from error
