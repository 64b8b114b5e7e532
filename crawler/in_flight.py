"""Which URLs were in hand when the process died?

A page may kill the process that fetches and parses it: memory runs out, a library in C crashes. No handler runs then,
so what is in hand is noted beforehand, in a small file that is mapped into memory: a store of eight bytes when a
request begins, another when its end is in the batch, no system call for either. The kernel keeps the pages of the file
whichever signal ends the process. It does not when the machine goes down, and what is on the disk then may be of any
moment: a file of another boot is ignored.

Layout, in the machine's byte order: `_HEADER`; one mark for each request that may be in hand, the fingerprint of its
URL or 0; suspects, as pairs of fingerprint and count. At the opening after a death, each URL that was in hand has its
count raised: it is a *suspect*, to be taken alone (`alone`), until it has come to its end. The new file replaces the
old one in one step, so that no death counts twice. The file goes with a clean end, unless suspects are left.

Known weakness: on a file system that copies on write (btrfs, ZFS), a store may need space that a full disk has not,
and the kernel then ends the process (SIGBUS). That is one more death, and nothing is lost by it.
"""

from __future__ import annotations

import logging
import mmap
import secrets
import stat
import struct
import sys
from array import array
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from xxhash import xxh3_64_intdigest

from crawler.errors import CrawlerError
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from crawler.models import Request

log = logging.getLogger(__name__)

MOST_DEATHS = 3
"""A URL that was in hand at so many deaths is not asked for again."""

_HEADER = struct.Struct("=8sQQQ16sQ")
"""`_MAGIC`, how many marks and how many suspects there are, the key of the fingerprints, which boot the file is of, and
a checksum of all that."""
_MAGIC = b"inhand01"
_WORD = 8
_MOST_BYTES = 16 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Left(NamedTuple):
    """What a file says."""

    key: int
    #: fingerprints, in no order
    in_hand: frozenset[int]
    #: fingerprint -> deaths with it in hand, up to `MOST_DEATHS`
    suspects: Mapping[int, int]

    def after_death(self) -> dict[int, int]:
        """The suspects, now that the process has died with these in hand."""
        raised = {mark: min(self.suspects.get(mark, 0) + 1, MOST_DEATHS) for mark in self.in_hand}
        return {**self.suspects, **raised}


class InFlight:
    """The requests in hand, noted where they outlive the process once `keep` has been called.

    A context manager. Leaving it by an unexpected exception counts as a death: whatever page brought that about must
    not do so at every resume either.

    Args:
        requests: How many may be in hand at once.
        key: Of the fingerprints, secret, so that no page can forge a collision.
        suspects: As of `Left`.
    """

    def __init__(self, requests: int, *, key: int = 0, suspects: Mapping[int, int] | None = None) -> None:
        self._key = key
        #: fingerprint -> deaths with it in hand
        self.suspects = dict(suspects or {})
        self._capacity = requests
        self._marks, self._pairs = _words(requests), _words(0)
        self._places: dict[int, int] = {}  # fingerprint -> which of the pairs is its
        self._free = list(range(requests))
        self._slots: dict[int, int] = {}  # id of a request -> where its mark is
        self._path: Path | None = None
        self._map: mmap.mmap | None = None
        #: what a person may want to know, in plain lines
        self.news: Sequence[str] = ()
        #: called with each request that has ended, if anybody cares
        self.heard: Callable[[Request], None] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def begin(self, request: Request) -> None:
        """It is about to be fetched; the same object is to be given to `end`."""
        slot = self._free.pop()
        self._slots[id(request)] = slot
        self._marks[slot] = fingerprint(request.url, self._key)

    def end(self, request: Request) -> None:
        """What came of it is in the batch."""
        slot = self._slots.pop(id(request))
        self._marks[slot] = 0
        self._free.append(slot)
        if self.heard is not None:
            self.heard(request)

    def deaths(self, request: Request) -> int:
        """How often the process has died with its URL in hand; 0 for all that are no suspects."""
        return self.suspects.get(fingerprint(request.url, self._key), 0)

    def clear(self, request: Request) -> None:
        """Its URL is no suspect any more."""
        mark = fingerprint(request.url, self._key)
        if self.suspects.pop(mark, None) is not None and mark in self._places:
            self._pairs[2 * self._places.pop(mark)] = 0

    def clear_all(self) -> None:
        """Nothing is left to be suspected."""
        self.suspects.clear()
        self._places.clear()
        self._pairs[:] = _words(len(self._pairs))

    def keep(self, path: Path) -> None:
        """Note everything in a file from now on, in place of the one that lies there; nothing is in hand yet.

        Raises:
            OSError: It cannot be made; nothing has changed.
        """
        draft = path.with_name(f"{path.name}.new")
        try:
            with draft.open("w+b") as file:
                file.write(self._content())  # every byte: a store to one that has no place on the disk may be fatal
                file.flush()
                mapped = mmap.mmap(file.fileno(), 0)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        words = memoryview(mapped)[_HEADER.size :].cast("Q")
        self._marks, self._pairs = words[: self._capacity], words[self._capacity :]
        self._places = {mark: place for place, mark in enumerate(self.suspects)}
        self._path, self._map = path, mapped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._map is None or self._path is None:
            return
        is_clean = isinstance(error, CrawlerError) or not isinstance(error, Exception)
        if is_clean:
            self._marks[:] = _words(self._capacity)
        self._marks, self._pairs, self._places = _words(self._capacity), _words(0), {}
        mapped, self._map = self._map, None
        mapped.close()
        if is_clean and not self.suspects:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _content(self) -> bytes:
        pairs = array("Q", (word for pair in self.suspects.items() for word in pair))
        return (
            _header(self._capacity, len(self.suspects), self._key, _boot())
            + bytes(_WORD * self._capacity)
            + pairs.tobytes()
        )


def open_in_flight(path: Path, requests: int) -> InFlight:
    """Note what is in hand in the file at `path`, in which an earlier run that died has perhaps named suspects.

    Never an error: what cannot be used is ignored, and where no file can be made, the crawl goes on without. The log
    says so.

    Args:
        path: Of the file, in a directory that is the caller's to write to.
        requests: How many may be in hand at once.
    """
    left = _left(path)
    suspects = left.after_death() if left else {}
    in_flight = InFlight(requests, key=left.key if left else secrets.randbits(64), suspects=suspects)
    try:
        in_flight.keep(path)
    except (OSError, ValueError) as error:  # mmap has both
        log.warning(
            "what is in hand is not noted: a page that kills the crawl will not be found out",
            extra={"why": f"{path}: {error}"},
        )
        with suppress(OSError):  # no death is to be counted twice
            path.unlink(missing_ok=True)
    if left and left.in_hand:
        died_with = f"{len(left.in_hand):,} {'URL' if len(left.in_hand) == 1 else 'URLs'}"
        in_flight.news = (f"The last run died with {died_with} in hand: each of them is taken alone",)
        log.warning("the last run died", extra={"why": in_flight.news[0]})
    return in_flight


def read_left(content: bytes) -> Left:
    """What a file holds.

    Raises:
        ValueError: It is not one of ours, not whole, or of another boot of the machine; its text says which.
    """
    if len(content) < _HEADER.size or not content.startswith(_MAGIC):
        raise ValueError("not a file of what is in hand")
    _, requests, suspects, key, boot, _ = _HEADER.unpack_from(content)
    is_whole = len(content) == _HEADER.size + _WORD * (requests + 2 * suspects)
    if not is_whole or content[: _HEADER.size] != _header(requests, suspects, key, boot):
        raise ValueError("damaged")
    if boot != _boot():
        raise ValueError("from before the machine was started, when it was left as of any moment")
    words = memoryview(content)[_HEADER.size :].cast("Q")
    pairs = dict(zip(words[requests::2], words[requests + 1 :: 2], strict=True))
    pairs.pop(0, None)
    if not all(0 < deaths <= MOST_DEATHS for deaths in pairs.values()):
        raise ValueError("damaged")
    return Left(key, frozenset(words[:requests]) - {0}, pairs)


def _left(path: Path) -> Left | None:
    try:
        found = path.lstat()
        is_ours = stat.S_ISREG(found.st_mode) and found.st_size <= _MOST_BYTES
        return read_left(path.read_bytes() if is_ours else b"")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.info("what was in hand is not known", extra={"why": f"{path}: {error}"})
        return None


def _header(requests: int, suspects: int, key: int, boot: bytes) -> bytes:
    head = _HEADER.pack(_MAGIC, requests, suspects, key, boot, 0)
    return head[:-_WORD] + xxh3_64_intdigest(head).to_bytes(_WORD, sys.byteorder)


def _boot() -> bytes:
    """Which boot of the machine this is; all zero where it does not say (macOS): a file may then be older than it, and
    name some that are taken alone for nothing."""
    try:
        return bytes.fromhex(_BOOT_ID.read_text().replace("-", ""))[:16].ljust(16, b"\0")
    except (OSError, ValueError):
        return bytes(16)


def _words(count: int) -> memoryview[int]:
    return memoryview(array("Q", bytes(_WORD * count)))
