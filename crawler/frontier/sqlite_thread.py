"""How does the event loop have the store written to without waiting for it?

By one thread, which does one thing after another. What must not be left half done is done to its end, whoever stops
waiting for it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class WritingThread:
    """A thread of its own, which is started by the first `run`. To be closed."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="frontier")
        self._tasks: set[asyncio.Task[object]] = set()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the thread do something, after all it was given before."""
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def to_its_end(self, work: Coroutine[object, object, T]) -> T:
        """Wait for something that goes on even if the waiting is cancelled."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for all that was to go on to its end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Let the thread end once it has done what it was given."""
        self._executor.shutdown(wait=False)
