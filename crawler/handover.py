"""How do requests reach those who fetch, and answers those who have them parsed, at next to no cost for each?

`asyncio.Queue` serves any pace and any mix of takers; here many things pass in one turn of the loop, to takers that are
all alike. Neither side waits to put: what bounds both is said to whom puts (`politeness.policy`, `gate`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.parse.base import Job

BATCH_PAGES = 16
BATCH_BYTES = 1 << 20
"""A batch for the parser pool: big enough to spread the cost of a hand-over, small enough to share the lanes."""

BATCHES_A_LANE = 4

T = TypeVar("T")


def most_answers(lanes: int) -> int:
    """How many answers may wait to be parsed, or be in the parser pool, of so many lanes."""
    return BATCHES_A_LANE * BATCH_PAGES * lanes


class Signal(asyncio.Event):
    """Says that there may be something to do.

    Args:
        clock: By which one waits.
        beat_s: For so long, what else comes is gathered, once it has come.
    """

    def __init__(self, clock: Clock, beat_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._beat_s = beat_s

    async def wait_until(self, until: float | None) -> None:
        """Wait until it is set, at most until a monotonic time, and for a beat more."""
        if until is None:
            await self.wait()
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
                    await self.wait()
        if self._beat_s:
            await asyncio.sleep(self._beat_s)


class Line(Generic[T]):
    """What waits to be taken, first come, first served.

    Each thing put goes straight to a taker that waits, if one does: to the one that began to wait last, whose memory
    is the most likely to be at hand. A cancelled taker may take something with it.
    """

    def __init__(self) -> None:
        self._things: deque[T] = deque()
        self._takers: list[asyncio.Future[T]] = []

    def put(self, thing: T) -> None:
        """Give it to a taker, now or later."""
        takers = self._takers
        while takers:
            taker = takers.pop()
            if not taker.done():  # else it was cancelled
                taker.set_result(thing)
                return
        self._things.append(thing)

    def take(self) -> asyncio.Future[T]:
        """The next thing, as soon as there is one; to be awaited at once."""
        taker: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._things:
            taker.set_result(self._things.popleft())
        else:
            self._takers.append(taker)
        return taker


class Batches:
    """Jobs that wait to be parsed, taken many at a time.

    One taker is called when a first job comes, and one more for each full batch: what comes in one turn of the loop
    is then taken together.
    """

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._takers: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Job) -> None:
        """Have it parsed with the next batch."""
        self._jobs.append(job)
        if len(self._jobs) == 1 or not len(self._jobs) % BATCH_PAGES:
            self._call()

    async def some(self) -> None:
        """Return once there is something to `take`; it may be gone when others take as well."""
        while not self._jobs:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._takers.append(called)
            await called

    def take(self) -> tuple[list[Job], int]:
        """A batch of what is there, and the bytes of its bodies; what is left is left to another taker."""
        waiting = self._jobs
        jobs: list[Job] = []
        size = 0
        for _ in range(min(len(waiting), BATCH_PAGES)):
            job = waiting.popleft()
            jobs.append(job)
            size += len(job.response.body)
            if size >= BATCH_BYTES:
                break
        if waiting:
            self._call()
        return jobs, size

    def _call(self) -> None:
        while self._takers:
            called = self._takers.popleft()
            if not called.done():
                called.set_result(None)
                return
