"""How does one coroutine wait for another's word, or for a time; and how are many ended?"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_AGAIN_S = 0.1


class Cue:
    """Says that there may be something to do; what is said several times before it is heard is said once.

    Args:
        monotonic: The clock of all times.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._said = asyncio.Event()
        self._at = inf
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        """There may be, now."""
        self._said.set()

    def at(self, when: float) -> None:
        """There may be at a monotonic time. Forgotten when `wait` returns for whatever reason before."""
        if when < self._at:
            self._at = when
            if self._timer is not None:
                self._timer.cancel()
            delay_s = max(0.0, when - self._monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._said.set)

    async def wait(self) -> None:
        """Return once there may be, by a word or by the time."""
        await self._said.wait()
        self._said.clear()
        self._at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def goes_on() -> bool:
    """Whether the task that runs was not told to end: to be asked in each turn of a loop without end, as redis-py loses
    a cancellation that meets an answer."""
    task = asyncio.current_task()
    return task is None or not task.cancelling()


async def ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: `asyncio.wait_for`, before Python 3.12, loses what comes with its result."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)
