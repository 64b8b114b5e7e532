"""May another request be started, or is a budget of the crawl spent, or promised to those under way?

Every budget is of all runs of a crawl together, so that a larger one goes on where a smaller one stopped. A page takes
a slot of ``budget.pages``, and of its host's, when it is started, and gives it back unless it ends with a record. In a
refresh of what is due, slots are `promised`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.config import BudgetConfig
    from crawler.models import Request
    from crawler.politeness.host import Host
    from crawler.politeness.promised import Promised


PAGES, BYTES = "budget.pages", "budget.bytes"


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier runs have used."""

    pages: int = 0
    bytes: int = 0  #: of bodies, as they came over the wire
    time_s: float = 0.0


class Budget:
    """Counts what is used against what there is.

    Args:
        config: ``budget``.
        spent: By earlier runs.
        now: Monotonic seconds, the beginning of this run.
    """

    def __init__(self, config: BudgetConfig, spent: Spent, now: float) -> None:
        #: pages neither kept nor reserved
        self._pages: float = inf if config.pages is None else max(0, config.pages - spent.pages)
        self._reserved = 0
        self._bytes: float = inf if config.bytes is None else config.bytes - spent.bytes
        #: when the time is over, monotonic; None if never
        self.ends_at = None if config.time_s is None else now + config.time_s - spent.time_s
        #: most pages of one host; None for no limit
        self.per_host = config.pages_per_host
        #: whose slots are kept; None where whoever comes first is served
        self.promised: Promised | None = None
        #: see `fleet.portions`
        self.on_low: Callable[[str], None] | None = None
        self._portions: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._ended = ""

    def portion(self, names: Iterable[str]) -> None:
        """Workers share these budgets (``budget.pages``, ``budget.bytes``): there is nothing of them here but what
        `grant` gives. One that is used up ends nothing by itself, see `end`."""
        for name in names:
            self._portions[name] = self._low[name] = 0
            if name == PAGES:
                self._pages = -self._reserved
            else:
                self._bytes = 0

    @property
    def is_portioned(self) -> bool:
        """Whether any of it is shared by workers."""
        return bool(self._portions)

    def grant(self, name: str, more: int, low: int) -> None:
        """There is so much more of a budget here, or less, if it is negative; `on_low` is called when less than `low`
        is left of it."""
        self._portions[name] += more
        self._low[name] = low
        if name == PAGES:
            self._pages += more
        else:
            self._bytes += more

    def used(self, name: str) -> int:
        """What has been used of what was granted, those pages that are under way included."""
        return self._portions[name] - int(self._pages if name == PAGES else self._bytes)

    def lack(self) -> None:
        """Something could be requested, if there were more of what is granted."""
        for name in self._portions:
            if self.on_low is not None and (self._pages if name == PAGES else self._bytes) <= 0:
                self.on_low(name)

    def end(self, name: str) -> None:
        """All that workers share of a budget is used up."""
        self._ended = name

    def free(self, now: float) -> float:
        """How many pages may be started at `now`."""
        if self._bytes <= 0 or self._over(now):
            return 0
        return max(0, self._pages)

    def spent(self, now: float) -> str | None:
        """The budget that lets nothing more be started, whatever those under way come to: ``budget.pages``, …"""
        if (over := self._over(now)) is not None:
            return over
        expects = self.promised is not None and self.promised.expected
        if self._pages or self._reserved or expects or PAGES in self._portions:
            return None
        return PAGES

    def reserve(self, host: Host, request: Request) -> float:
        """A page is started; if it may not be, as all slots are promised, for how many seconds it is to be put off."""
        if self.promised is not None:
            if wait_s := self.promised.wait_s(request, self._pages, self.per_host):
                return wait_s
            self.promised.begin(request)
        self._pages -= 1
        self._reserved += 1
        host.reserved += 1
        if self._portions:
            self._look(PAGES, self._pages)
        return 0.0

    def settle(self, host: Host, request: Request, *, kept: bool, again: bool = False) -> None:
        """A started page has ended, or is to be started again: its slot is used up if it was kept."""
        if self.promised is not None:
            self.promised.end(request, again=again)
        self._reserved -= 1
        if not kept:
            self._pages += 1
        host.reserved -= 1
        host.pages += kept

    def admitted(self, requests: Iterable[Request]) -> None:
        """These are new."""
        if self.promised is not None:
            self.promised.made(requests)

    def all_known(self) -> None:
        """What the crawl begins with is admitted."""
        if self.promised is not None:
            self.promised.all_known()

    def forgo(self, requests: Iterable[Request]) -> None:
        """These end without having been started."""
        if self.promised is not None:
            self.promised.void(requests)

    def received(self, size: int) -> None:
        """So many bytes of body have come."""
        self._bytes -= size
        if self._portions:
            self._look(BYTES, self._bytes)

    def _look(self, name: str, left: float) -> None:
        """Ask for more of a budget before it is used up, once."""
        if name in self._low and left <= self._low[name] and self.on_low is not None:
            del self._low[name]
            self.on_low(name)

    def _over(self, now: float) -> str | None:
        if self._ended:
            return self._ended
        if self._bytes <= 0 and BYTES not in self._portions:
            return BYTES
        if self.ends_at is not None and now >= self.ends_at:
            return "budget.time"
        return None
