"""How is long work in the event loop's thread kept from stalling the loop?"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

    from crawler.clock import Clock

_TURN_S = 0.002

T = TypeVar("T")


def parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, at most `size` of them at a time."""
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part


async def sliced(items: Iterable[T], clock: Clock) -> AsyncIterator[T]:
    """The items, with a turn for the rest of the loop whenever the work on them has taken some milliseconds."""
    began = clock.monotonic()
    for item in items:
        yield item
        if clock.monotonic() - began > _TURN_S:
            await asyncio.sleep(0)
            began = clock.monotonic()


async def sliced_stream(items: AsyncIterable[T], clock: Clock) -> AsyncIterator[T]:
    """As `sliced`, of items that come from elsewhere, and often without having been waited for."""
    began = clock.monotonic()
    async for item in items:
        yield item
        if clock.monotonic() - began > _TURN_S:
            await asyncio.sleep(0)
            began = clock.monotonic()
