"""How are the ends of URLs kept in Redis in a few bytes each? In blocks, by column.

Numbers, ordinals and times are written as differences; outcome, reason, status, attempt and whether there is a page
stand once for all ends that have them in common. Times are kept to the millisecond.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.fleet.codec import damaged, packed, unpacked
from crawler.fleet.models import FinishedAt
from crawler.models import Finished, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.models import Request

    #: number of the URL, how it ended, where its records are
    Ended = tuple[int, Finished, FinishedAt]


class _Alike(msgspec.Struct, frozen=True, array_like=True):
    """What many ends have in common."""

    outcome: Outcome
    reason: str | None
    status: int | None
    attempt: int
    has_page: bool
    worker: int


class _Columns(msgspec.Struct, frozen=True, array_like=True):
    alike: list[_Alike]
    kinds: list[int]  #: index into `alike`
    numbers: list[int]  #: differences, as are the next two
    ordinals: list[int]
    at_ms: list[int]
    #: these three are empty where all are None
    targets: list[str | None]
    etags: list[str | None]
    last_modified: list[str | None]


class End(msgspec.Struct, frozen=True, gc=False):
    """How the URL of a number ended, as stored: a `Finished` without its request."""

    number: int
    outcome: Outcome
    reason: str | None
    status: int | None
    attempt: int
    has_page: bool
    worker: int
    ordinal: int
    at: float
    target: str | None
    etag: str | None
    last_modified: str | None

    def finished(self, request: Request) -> Finished:
        """With the request, as it was admitted."""
        if request.attempt != self.attempt:
            request = msgspec.structs.replace(request, attempt=self.attempt)
        return Finished(
            request=request,
            outcome=self.outcome,
            reason=self.reason,
            status=self.status,
            target=self.target,
            at=self.at,
            has_page=self.has_page,
            etag=self.etag,
            last_modified=self.last_modified,
        )

    @property
    def where(self) -> FinishedAt:
        """Where its records are."""
        return FinishedAt(worker=self.worker, ordinal=self.ordinal)


_DECODER: Final = msgspec.msgpack.Decoder(_Columns)
_NUMBERS: Final = msgspec.msgpack.Decoder(list[int])


def packed_ends(ended: Sequence[Ended]) -> bytes:
    """A block."""
    alike: dict[tuple[object, ...], int] = {}
    kinds, numbers, ordinals, times = [], [], [], []
    targets, etags, last_modified = [], [], []
    for number, end, where in ended:
        kind = (end.outcome, end.reason, end.status, end.request.attempt, end.has_page, where.worker)
        kinds.append(alike.setdefault(kind, len(alike)))
        numbers.append(number)
        ordinals.append(where.ordinal)
        times.append(round(end.at * 1000))
        targets.append(end.target)
        etags.append(end.etag)
        last_modified.append(end.last_modified)
    texts = [column if any(text is not None for text in column) else [] for column in (targets, etags, last_modified)]
    return packed((list(alike), kinds, _differences(numbers), _differences(ordinals), _differences(times), *texts))


def unpacked_ends(data: bytes, key: str) -> list[End]:
    """What `packed_ends` was given.

    Raises:
        FrontierError: `data` is no whole block; names `key`.
    """
    columns = unpacked(data, _DECODER, key)
    count = len(columns.kinds)
    numbers = list(accumulate(columns.numbers))
    if not _agree(columns, count):
        raise damaged(key, "the columns of a block do not fit together")
    nothing: list[str | None] = [None] * count
    ends = []
    for kind, number, ordinal, at_ms, target, etag, modified in zip(
        columns.kinds,
        numbers,
        accumulate(columns.ordinals),
        accumulate(columns.at_ms),
        columns.targets or nothing,
        columns.etags or nothing,
        columns.last_modified or nothing,
        strict=True,
    ):
        of = columns.alike[kind]
        ends.append(
            End(
                *(number, of.outcome, of.reason, of.status, of.attempt, of.has_page, of.worker, ordinal),
                *(at_ms / 1000, target, etag, modified),
            )
        )
    return ends


def packed_numbers(numbers: Iterable[int]) -> bytes:
    """Numbers of URLs."""
    return packed(_differences(list(numbers)))


def unpacked_numbers(data: bytes, key: str) -> list[int]:
    """What `packed_numbers` was given.

    Raises:
        FrontierError: `data` is no whole block; names `key`.
    """
    differences = unpacked(data, _NUMBERS, key)
    return list(accumulate(differences))


def ended_numbers(data: bytes, key: str) -> list[int]:
    """Of a block of ends, the numbers alone.

    Raises:
        FrontierError: `data` is no whole block; names `key`.
    """
    return list(accumulate(unpacked(data, _DECODER, key).numbers))


def _differences(values: list[int]) -> list[int]:
    return [after - before for before, after in zip([0, *values], values, strict=False)]


def _agree(columns: _Columns, count: int) -> bool:
    whole = (columns.numbers, columns.ordinals, columns.at_ms)
    texts = (columns.targets, columns.etags, columns.last_modified)
    return (
        all(len(column) == count for column in whole)
        and all(len(column) in (0, count) for column in texts)
        and all(0 <= kind < len(columns.alike) for kind in columns.kinds)
    )
