"""What do all workers of a crawl do together, as the page of one of them shows it?

Read from Redis, over a connection of its own: whatever happens to it, the worker's is another. It is read only while
somebody looks, at the page or at ``/metrics``, as it costs Redis some microseconds a partition.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.fleet.looking import Look
    from crawler.fleet.status import FleetStatus

log = logging.getLogger(__name__)

EVERY_S: Final = 3.0
ACTIONS: Final = {"pause_all": "pause", "resume_all": "resume", "stop_all": "stop"}
"""What the whole crawl may be told from the page -> in words."""

_LOOKED_S: Final = 60.0
"""For so long after somebody has looked it is read again: a scraper of metrics comes that often."""

_AGAIN_S: Final = 5.0
_MOST_WISHES: Final = 8
_MOST_WORKERS: Final = 100
_BY: Final = "the dashboard"


class Workers:
    """Those of one crawl.

    Args:
        config: Says where the crawl is kept.
        clock: Tells when somebody looked.
    """

    def __init__(self, config: CrawlConfig, clock: Clock) -> None:
        self._url, self._name = config.frontier, config.name
        self._clock = clock
        #: how they stood when they were last looked at; None before that
        self.latest: FleetStatus | None = None
        #: why it is not known how they stand
        self.why = ""
        self._looked_at = -_LOOKED_S
        self._wishes: deque[str] = deque(maxlen=_MOST_WISHES)
        self._wanted = asyncio.Event()

    def looked(self) -> None:
        """Somebody looks."""
        now = self._clock.monotonic()
        if now - self._looked_at >= _LOOKED_S:
            self._wanted.set()
        self._looked_at = now

    def tell(self, action: str) -> None:
        """Tell the whole crawl one of `ACTIONS`, soon."""
        self._wishes.append(action)
        self._wanted.set()

    async def watch(self) -> None:
        """Read it while somebody looks, until cancelled."""
        from crawler.fleet.looking import looking  # noqa: PLC0415 - only who looks pays for a connection

        while True:
            await self._wanted.wait()
            try:
                async with looking(self._url, None, self._name, waiting=self._says) as found:
                    if (look := found.chosen(needed=True)) is not None:
                        await self._follow(look)
            except CrawlerError as error:
                self._says(str(error))
            except Exception:  # whoever looks on does not end a crawl
                log.exception("the dashboard cannot read how the workers stand")
                self._says("it cannot be read: crawl.log says why")
            self._looked_at = -_LOOKED_S  # who looks then has it tried again
            await asyncio.sleep(_AGAIN_S)

    def _says(self, why: str) -> None:
        self.why = why

    async def _follow(self, look: Look) -> None:
        while True:
            while self._wishes:
                await self._do(look, self._wishes[0])
                self._wishes.popleft()
            self.latest = await look.status()
            self.why = ""
            self._wanted.clear()
            is_seen = self._clock.monotonic() - self._looked_at < _LOOKED_S
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S if is_seen else None):
                    await self._wanted.wait()

    async def _do(self, look: Look, action: str) -> None:
        match action:
            case "pause_all":
                await look.control.pause(_BY)
            case "resume_all":
                await look.control.unpause()
            case "stop_all":
                await look.control.stop(_BY)
        log.info("told the whole crawl by the dashboard", extra={"why": ACTIONS[action]})


def told(workers: Workers | None) -> dict[str, Any] | None:
    """What the page is told of them; None where there are none."""
    if workers is None:
        return None
    status = workers.latest
    if status is None:
        return {"why": workers.why}
    totals, partitions = status.totals, status.partitions
    return {
        "why": workers.why,
        "state": status.state,
        "state_why": status.why,
        "admitted": totals.admitted,
        "outcomes": {str(outcome): count for outcome, count in totals.outcomes.items()},
        "pending": totals.pending,
        "put_off": totals.snoozed,
        "on_the_way": totals.inbox_blocks,
        "pages_per_s": round(status.pages_per_s, 2),
        "in_flight": status.in_flight,
        "held": partitions.held,
        "free": partitions.free,
        "oldest_lease_s": partitions.oldest_lease_s,
        "memory_bytes": status.memory and status.memory.used_bytes,
        "gone": status.gone,
        "workers": [
            {
                "id": worker.id,
                "name": worker.name[:80],
                "state": worker.state[:200],
                "held": worker.held,
                "heard_s": round(max(status.at - worker.at, 0.0), 1),
                "pages": worker.pages,
                "pages_per_s": round(worker.pages_per_s, 2),
                "in_flight": worker.in_flight,
                "pending": worker.pending,
                "memory_bytes": worker.memory_bytes,
            }
            for worker in status.workers[:_MOST_WORKERS]
        ],
    }


def gauges(status: FleetStatus) -> Iterator[tuple[str, str, list[tuple[dict[str, str], float]]]]:
    """For ``/metrics``: name, help, and values by label. None grows with the number of workers or hosts."""
    totals, partitions = status.totals, status.partitions
    urls = [({"state": str(outcome)}, float(count)) for outcome, count in totals.outcomes.items()]
    yield "crawler_fleet_workers", "Workers of the crawl that are there.", [({}, len(status.workers))]
    urls.append(({"state": "pending"}, totals.pending))
    yield "crawler_fleet_urls", "URLs of the whole crawl, by how they ended.", urls
    yield (
        "crawler_fleet_partitions",
        "Partitions, by whether a worker holds them.",
        [({"state": "held"}, partitions.held), ({"state": "free"}, partitions.free)],
    )
    yield "crawler_fleet_inbox_blocks", "Blocks of URLs on their way to their partition.", [({}, totals.inbox_blocks)]
    oldest = partitions.oldest_lease_s or 0.0
    yield "crawler_fleet_oldest_lease_seconds", "Since the lease was taken that is held longest.", [({}, oldest)]
    if status.memory is not None:
        yield "crawler_fleet_redis_memory_bytes", "What Redis holds.", [({}, status.memory.used_bytes)]
