"""What may a crawl be told while it runs, and who makes its requests?

It may be told to pause, to go on, and how many requests may be in flight at once. What is in flight when it is told to
pause, or to have fewer, is finished as ever. All of this belongs to the thread of the crawl's loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any


class Control:
    """The wishes of whoever looks on.

    Args:
        concurrency: Requests in flight at the most, to begin with.
        most: What `set_concurrency` goes to at the most: what open files allow.
        changed: Called after each wish, so that the engine heeds it at once.
    """

    def __init__(self, concurrency: int, most: int, changed: Callable[[], None] = lambda: None) -> None:
        self.concurrency = concurrency
        self.most = most
        self._changed = changed
        #: reasons not to start anything: a person's own is the empty one
        self.paused_for: set[str] = set()

    @property
    def paused(self) -> bool:
        """Whether nothing more is started until `unpause`."""
        return bool(self.paused_for)

    def pause(self, reason: str = "") -> None:
        """Start nothing more for now, at no host: no page, robots.txt, sitemap or retry.

        What is in flight comes to its end, and checkpoints go on. The clock of ``budget.time`` does too: when that is
        spent, the crawl ends. Hosts keep their pauses and rests; what falls due meanwhile is started afterwards, each
        host at its own pace.

        Args:
            reason: It is paused for as long as there is one: a person's own is the empty one.
        """
        self.paused_for.add(reason)
        self._changed()

    def unpause(self, reason: str = "") -> None:
        """Go on, unless there is another reason not to."""
        self.paused_for.discard(reason)
        self._changed()

    def set_concurrency(self, concurrency: int) -> int:
        """Have at most so many requests in flight from now on, at least 1 and at most `most`; how many it came to.

        Where more are in flight already, they come to their end before another starts.
        """
        self.concurrency = max(1, min(concurrency, self.most))
        self._changed()
        return self.concurrency


class Crew:
    """The coroutines that make requests, one at a time each. There are more when more may be in flight, never fewer:
    those that find nothing to do cost nothing.

    Args:
        group: What they belong to.
        work: What each of them does, until it is cancelled.
        widen: Told how many there will be, before there are more.
        size: How many there are to begin with.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        work: Callable[[], Coroutine[Any, Any, None]],
        widen: Callable[[int], None],
        size: int,
    ) -> None:
        self._group = group
        self._work = work
        self._widen = widen
        self._tasks = [group.create_task(work()) for _ in range(size)]
        self._dismissed = False

    def grow(self, size: int) -> None:
        """Have at least so many, unless they are dismissed."""
        if size > len(self._tasks) and not self._dismissed:
            self._widen(size)
            self._tasks += [self._group.create_task(self._work()) for _ in range(size - len(self._tasks))]

    def dismiss(self) -> list[asyncio.Task[None]]:
        """There are to be no more; those that there are, to be cancelled."""
        self._dismissed = True
        return self._tasks
