"""Which links of a page need not be told again? Those that are in the frontier for good.

Most links of a page were on pages before it. The pool tells each worker, with a batch that goes to it anyway, the
fingerprints of links that the frontier has been given, and the worker leaves those out of what it reports.

Why that loses nothing. To a frontier, a link whose fingerprint it was given before is nothing at all, whatever its
priority, kind, context or parent (`Frontier.discover`): leaving it out changes no state in memory. What a crash leaves
is the same, too. A link A is confirmed only once `discover` has returned for it, so it is in what the next commit
stores. A page B is parsed without A only by a worker that was told of A before, so the end of B enters the batch of
results later than A entered the frontier. A checkpoint takes the batch first and what was discovered after that: one
that holds the end of B holds A or comes after one that did. If none is reached, neither is stored, B is fetched
again, and the crawl that goes on tells its workers anew, from nothing. Links that a worker has merely reported are
never left out: their page may fail yet, or its result be dropped. Nor are those refused by scope or depth, which are
no links here; they are judged, and counted, on each page.

All are forgotten together when there are too many, by the workers with the next batch. A worker that takes the place
of a dead one begins with nothing, and is told all.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import Link, Page

MAX_KNOWN = 70_000
"""Some 5 MB in each process."""
MAX_TOLD = 4_096
"""With one batch: 32 KiB."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a worker learns with a batch."""

    #: another than before: what was told until now is to be forgotten
    generation: int = 0
    #: unsigned, 8 bytes each, in this machine's order
    fingerprints: bytes = b""


class Confirmed:
    """The pool's side: fingerprints that are in the frontier, in the order they were confirmed.

    Args:
        most: How many to remember.
    """

    def __init__(self, most: int = MAX_KNOWN) -> None:
        self._most = most
        self._generation = 0
        self._known: set[int] = set()
        self._listed = array("Q")

    def add(self, links: Iterable[Link]) -> None:
        """The frontier has been given these."""
        known, listed = self._known, self._listed
        for link in links:
            fingerprint = link.fingerprint
            if fingerprint not in known:
                if len(known) >= self._most:
                    self._generation += 1
                    known.clear()
                    del listed[:]
                known.add(fingerprint)
                listed.append(fingerprint)

    def next(self, place: tuple[int, int]) -> tuple[Told, tuple[int, int]]:
        """What comes after `place`, up to which a worker was told, and the place to go on from: (0, 0) at first."""
        generation, start = place
        if generation != self._generation:
            start = 0
        part = self._listed[start : start + MAX_TOLD]
        return Told(self._generation, part.tobytes()), (self._generation, start + len(part))


class Known:
    """A worker's side."""

    def __init__(self) -> None:
        self._generation = 0
        self._fingerprints: set[int] = set()

    def learn(self, told: Told) -> None:
        """What came with a batch holds from now on."""
        if told.generation != self._generation:
            self._generation = told.generation
            self._fingerprints.clear()
        if told.fingerprints:
            self._fingerprints.update(memoryview(told.fingerprints).cast("Q"))

    def left(self, page: Page) -> Page:
        """`page` with those links only that may be new."""
        known = self._fingerprints
        if not known or not page.links:
            return page
        return replace(page, links=tuple([link for link in page.links if link.fingerprint not in known]))
