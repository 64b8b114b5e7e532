"""What has been admitted since the last commit, ready to be stored?"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.models import Kind, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[Any, ...]
"""A row of the table `url` but for its id: host, priority, depth, via, seed, url, and `extra` where there is one."""


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rare fields of a request, as the JSON object in `url.extra`."""

    kind: Kind = Kind.PAGE
    attempt: int = 1
    redirected_from: tuple[str, ...] = ()
    context: bytes = b""  #: base64 in JSON


class Draft:
    """URLs in the order of their ids, with the seeds and fingerprints they came with.

    Rows are encoded as they come, since encoding a second's worth of them at once would stall the loop.
    """

    def __init__(self, first: int) -> None:
        #: id of its first URL
        self.first = first
        #: pieces of a JSON array, each of one or more rows
        self.rows: list[bytes] = []
        self.fingerprints = array("Q")
        #: number, text and scope host
        self.seeds: list[tuple[int, str, str]] = []

    def append(self, rows: Sequence[Row], fingerprints: Sequence[int]) -> None:
        """Add the URLs of one page, or of one batch of seeds: at least one."""
        self.rows.append(msgspec.json.encode(rows)[1:-1])
        self.fingerprints.extend(fingerprints)


class SeedNumbers:
    """Seeds are stored once, with the scope host: one that comes again after it was forgotten, once more.

    Args:
        capacity: How many to remember.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._numbers: dict[tuple[str, str], int] = {}
        self.count = 0

    def number(self, request: Request, draft: Draft) -> int:
        """The number of a request's seed, which goes into `draft` if it is not known."""
        seed = request.seed, request.scope_host
        number = self._numbers.get(seed)
        if number is None:
            if len(self._numbers) >= self._capacity:
                self._numbers.clear()
            number = self.count = self._numbers[seed] = self.count + 1
            draft.seeds.append((number, _storable(request.seed), request.scope_host))
        return number


def extra_of(request: Request) -> Extra | None:
    """What of a request goes into `url.extra`, if anything."""
    extra = Extra(
        kind=request.kind,
        attempt=request.attempt,
        redirected_from=request.redirected_from,
        context=request.context,
    )
    return extra if extra != _PLAIN else None


def _storable(text: str) -> str:
    """What a person gave, as JSON and SQLite can carry it: NUL and what is no Unicode are replaced."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


_PLAIN = Extra()
