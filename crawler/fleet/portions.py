"""How do workers keep to one budget of pages, or of bytes, without asking for each?

Each draws a portion of it ahead of need, and another before that is used up. Portions are small where little is left
for each worker: what one of them holds and does not use, another may be waiting for. One that has nothing to do gives
back what it has not used, and those who found nothing left to draw try again. So no more is ever drawn than there is,
and all of it is used if there is enough to fetch, but for what a worker had drawn and not used when it died.

A page that is started holds its slot until it ends, so a portion is as large as what is in flight at the least. Of
bytes, what comes in while the last portion is used up comes on top, as in a crawl of one process.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from crawler.fleet.cue import goes_on

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Draw = Callable[[str, int, int], Awaitable[tuple[int, int]]]
    """Of a budget, what this worker is to have in all, and what there is: what it has now, and all have."""

SHARE = 20
"""A portion is at most such a part of what a worker would have if all had the same."""

MOST = {"budget.pages": 256, "budget.bytes": 64 << 20}
"""And at most so much."""


class Portioned(Protocol):
    """What uses portions (`politeness.budget.Budget`)."""

    #: called when no more than `low` is left of a budget, and when something waits for more of it
    on_low: Callable[[str], None] | None

    def grant(self, name: str, more: int, low: int) -> None:
        """There is so much more; less, if it is negative."""
        ...

    def used(self, name: str) -> int:
        """What has been used, or is held by what is in flight."""
        ...


class Portions:
    """The portions of one worker.

    Args:
        budget: What uses them. It has nothing until `run` has drawn.
        draw: Of all workers' (`Control.draw`).
        most: What there is of each budget, for all workers.
        workers: How many there are, as far as is known.
        in_flight: How many requests are in flight here.
        changed: Called when there is more, or turns out to be no more.
    """

    def __init__(
        self,
        budget: Portioned,
        draw: Draw,
        most: Mapping[str, int],
        *,
        workers: Callable[[], int],
        in_flight: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self._budget = budget
        self._draw = draw
        self._most = most
        self._workers = workers
        self._in_flight = in_flight
        self._changed = changed
        self._had = dict.fromkeys(most, 0)
        self._wanting = set(most)
        self._dry: set[str] = set()
        self._returning = False
        self._calls = asyncio.Event()
        self._calls.set()
        budget.on_low = self._want

    @property
    def spent(self) -> str:
        """The budget whose part is used up while no more was to be had; empty if there is none, while more is being
        asked for, and while anything is in flight."""
        if self._in_flight():
            return ""
        dry = (name for name in self._dry - self._wanting if self._budget.used(name) >= self._had[name])
        return min(dry, default="")

    def heard(self) -> None:
        """Another worker has given something back."""
        if self._dry:
            self._wanting |= self._dry
            self._calls.set()

    def give_back(self) -> None:
        """There is nothing to do now: have others use what is left."""
        if any(self._budget.used(name) < had for name, had in self._had.items()):
            self._returning = True
            self._calls.set()

    async def run(self) -> None:
        """Draw and give back whenever there is reason to, until it is cancelled. Errors as of `draw`."""
        while goes_on():
            await self._calls.wait()
            self._calls.clear()
            await self._settle()

    async def _settle(self) -> None:
        if self._returning:
            self._returning = False
            for name in self._most:
                if (used := max(self._budget.used(name), 0)) < self._had[name]:
                    await self._have(name, used)
        wanting, self._wanting = self._wanting, set()
        for name in sorted(wanting):
            self._wanting.add(name)  # until it is known
            total = self._budget.used(name) + self._portion(name)
            await self._have(name, max(total, self._had[name]))
            self._wanting.discard(name)
        if wanting:
            self._changed()

    async def _have(self, name: str, total: int) -> None:
        low, before = self._portion(name) // 2, self._had[name]
        if total < before:  # nothing of it may be used while it is given back
            self._budget.grant(name, total - before, low)
            before = total
        had, _ = await self._draw(name, total, self._most[name])
        self._had[name] = had
        if had < total:
            self._dry.add(name)
        else:
            self._dry.discard(name)
        self._budget.grant(name, had - before, low)

    def _portion(self, name: str) -> int:
        fair = self._most[name] // (max(1, self._workers()) * SHARE)
        least = self._in_flight() if name == "budget.pages" else 1
        return max(1, min(max(fair, least), MOST[name]))

    def _want(self, name: str) -> None:
        if name not in self._dry:
            self._wanting.add(name)
            self._calls.set()
