"""What has to be stored with the next commit?"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import FrontierError
from crawler.known import Known
from crawler.models import Kind, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crawler.models import Checkpoint, HostKey, HostState

#: of a `row`; above them there are 30 for the host
PRIORITY_BITS = 6
SOURCE_BITS = 27
HOST_SHIFT = PRIORITY_BITS + SOURCE_BITS

_DOCUMENT_BYTES = 512 << 10


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rare fields of a request, as the JSON object in `url.extra`."""

    kind: Kind = Kind.PAGE
    attempt: int = 1
    redirected_from: tuple[str, ...] = ()
    context: bytes = b""  #: base64 in JSON
    known: Known | None = None


class Draft:
    """URLs in the order of their ids, with what they came with.

    What a whole page has in common is a *source*: a depth, a `via`, and the number of a seed. URLs are encoded as they
    come, since encoding a second's worth of them at once would stall the loop: as members of a JSON object, since a
    name and a number is what SQLite reads four times as fast as a row of six values.
    """

    def __init__(self, first: int) -> None:
        #: id of its first URL
        self.first = first
        # members of a JSON object: a URL, and its `row`
        self._members: list[bytes] = []
        self.sources: list[tuple[int, int | str | None, int]] = []
        #: of those URLs that have some, by id
        self.extras: list[tuple[int, Extra]] = []
        self.fingerprints = array("Q")
        #: number, text and scope host
        self.seeds: list[tuple[int, str, str]] = []

    def source(self, depth: int, via: int | str | None, seed: int) -> int:
        """What URLs to come have in common; its number."""
        self.sources.append((depth, via, seed))
        return len(self.sources) - 1

    def append(self, rows: Mapping[str, int], fingerprints: Iterable[int]) -> None:
        """Add the URLs of one page, or of one batch of seeds: at least one. Each comes with its `row`."""
        self._members.append(msgspec.json.encode(rows)[1:-1])
        self.fingerprints.extend(fingerprints)

    def documents(self) -> Iterator[bytes]:
        """The URLs as JSON objects, large enough for few statements and small enough for short ones."""
        gathered: list[bytes] = []
        size = 0
        for member in self._members:
            gathered.append(member)
            size += len(member)
            if size >= _DOCUMENT_BYTES:
                yield b"{" + b",".join(gathered) + b"}"
                gathered, size = [], 0
        if gathered:
            yield b"{" + b",".join(gathered) + b"}"


def row(host: int, priority: int, source: int) -> int:
    """What the store has to know of a URL in one number, positive in 64 bits."""
    if priority >> PRIORITY_BITS:
        raise FrontierError(f"priority {priority} is not one of 0 to {(1 << PRIORITY_BITS) - 1}")
    return host << HOST_SHIFT | priority << SOURCE_BITS | source


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A checkpoint, with what the store has to know beside it."""

    checkpoint: Checkpoint
    #: URLs admitted before it
    draft: Draft
    #: hosts met for the first time, by number
    hosts: Mapping[int, HostKey]
    #: the checkpoint's hosts with their numbers
    states: Sequence[tuple[int, HostState]]
    #: until when each of its snoozed ones is
    due_ms: Sequence[int]
    #: whether to bring the queues of all URLs into chunks
    sweep: bool


class SeedNumbers:
    """Seeds are stored once, with the scope host: one that comes again after it was forgotten, once more.

    Args:
        capacity: How many to remember.
        count: How many are stored.
    """

    def __init__(self, capacity: int, count: int) -> None:
        self._capacity = capacity
        self._numbers: dict[tuple[str, str], int] = {}
        self._count = count

    def number(self, request: Request, draft: Draft) -> int:
        """The number of a request's seed, which goes into `draft` if it is not known."""
        seed = request.seed, request.scope_host
        number = self._numbers.get(seed)
        if number is None:
            if len(self._numbers) >= self._capacity:
                self._numbers.clear()
            number = self._count = self._numbers[seed] = self._count + 1
            draft.seeds.append((number, _storable(request.seed), request.scope_host))
        return number


def extra_of(request: Request) -> Extra | None:
    """What of a request goes into `url.extra`, if anything."""
    extra = Extra(
        kind=request.kind,
        attempt=request.attempt,
        redirected_from=request.redirected_from,
        context=request.context,
        known=request.known,
    )
    return extra if extra != _PLAIN else None


def _storable(text: str) -> str:
    """What a person gave, as JSON and SQLite can carry it: NUL and what is no Unicode are replaced."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


_PLAIN = Extra()
