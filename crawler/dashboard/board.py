"""How is a crawl shown on a page while it runs, and told what to do from there?

A `Board` listens before the crawl begins, learns what it commits, looks at it once a second while it runs, and says at
the end how it ended. Nothing that goes wrong here ends the crawl, or keeps it waiting: it is logged.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from crawler.clock import SystemClock
from crawler.config.fleet import is_shared
from crawler.dashboard.access import Access, token_for
from crawler.dashboard.address import address_of, listen
from crawler.dashboard.health import Health
from crawler.dashboard.history import History
from crawler.dashboard.hub import Hub
from crawler.dashboard.metrics import metrics
from crawler.dashboard.recent import Recent
from crawler.dashboard.state import HOSTS, End, Moment, encoded
from crawler.dashboard.workers import ACTIONS, Workers
from crawler.eta import Eta
from crawler.models import STOPPED
from crawler.sinks import scraped_sinks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.dashboard.address import Bound
    from crawler.dashboard.server import Server, Wish
    from crawler.plan import Plan
    from crawler.running import Result, Running
    from crawler.stats import Snapshot

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0

_CLOSE_S: Final = 3.0
_APART_S: Final = 0.1
_JUDGE_APART_S: Final = 5.0
_METRICS_APART_S: Final = 0.5


@contextmanager
def listening(serve: str) -> Iterator[Board]:
    """A board at the address that `serve` says, as ``--serve`` does; it listens until the end of the block.

    Raises:
        ConfigError: The address makes no sense or cannot be had, or the token that is set is none.
    """
    address = address_of(serve)
    bound = listen(address)
    try:
        token, is_ours = token_for(os.environ, needed=not bound.is_loopback)
        yield Board(bound, token, is_ours=is_ours, is_hidden=is_ours or not address.port)
    finally:
        bound.listener.close()


class Board:
    """Shows one crawl.

    Args:
        bound: Where it listens. Closed by the caller.
        token: What requests must bring; None for nothing.
        is_ours: Whether nobody knows the token yet.
        is_hidden: Whether nobody knows all of the URL yet.
    """

    def __init__(self, bound: Bound, token: str | None, *, is_ours: bool = False, is_hidden: bool = False) -> None:
        self._bound = bound
        self._access = Access(bound, token)
        #: where a browser finds it, with the token if nobody knows that yet
        self.urls = [f"{url}?token={token}" if is_ours else url for url in bound.urls]
        #: whether nobody can find it who is not told `urls`
        self.is_hidden = is_hidden
        #: whether others than this machine's users can reach it, and see what goes to and fro
        self.is_exposed = not bound.is_loopback
        self._hub = Hub()
        self._history = History()
        self._clock = SystemClock()
        self._recent = Recent(())
        self._judged_at = self._measured_at = -_JUDGE_APART_S
        self._measured = ""
        self._stopped = False
        self._workers: Workers | None = None

    def seeing(self, plan: Plan) -> Plan:
        """The plan, with this board told of each commit. Once, before the crawl is opened."""
        self._plan = plan
        self._recent = Recent(scraped_sinks(plan.config))
        self._eta = Eta(plan.config.budget)
        self._health = Health(plan.config, self._clock.monotonic())
        return dataclasses.replace(plan, committed=self._recent.after(plan.committed, self._stored))

    async def begin(self, running: Running) -> None:
        """Show this crawl, until `end`."""
        self._running = running
        self._count(running.snapshot())
        self._server = await self._served()
        self._tasks = [asyncio.create_task(self._look_on(), name="dashboard")]
        if is_shared(self._plan.config.frontier):
            self._workers = Workers(self._plan.config, self._clock)
            self._tasks.append(asyncio.create_task(self._workers.watch(), name="dashboard of all workers"))

    async def end(self) -> None:
        """Say how it ended to whoever looks, and serve no more."""
        for task in self._tasks:
            task.cancel()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                if self._hub.readers:
                    counted = self._running.snapshot()
                    # what was given up in flight waits again, for a resume
                    snapshot = replace(counted, in_flight=0, parsing=0, waiting=counted.queued)
                    self._history.saw(snapshot, self._clock.monotonic())
                    moment = self._moment(snapshot, _end(self._running.result))
                    self._hub.publish(encoded(moment, self._history, self._recent), last=True)
                if self._server is not None:
                    await self._server.aclose()
        except Exception:  # a crawl is worth more than a look at it
            log.exception("the dashboard cannot be closed")

    def _count(self, snapshot: Snapshot) -> None:
        """What has ended in earlier runs."""
        ended = self._recent.ended
        ended.update(snapshot.reasons)
        for outcome, count in snapshot.outcomes.items():
            if rest := count - sum(n for (other, _), n in snapshot.reasons.items() if other is outcome):
                ended[outcome, ""] = rest

    def _stored(self) -> None:
        self._health.stored(self._clock.monotonic())

    async def _served(self) -> Server | None:
        try:
            from crawler.dashboard.server import Server  # noqa: PLC0415 - only who serves pays for a server

            server = Server(
                self._bound,
                self._access,
                self._hub,
                metrics=self._metrics,
                health=lambda: self._health.verdict,
                heed=self._heed,
            )
            await server.start()
        except Exception:  # likewise
            log.exception("the dashboard cannot be served")
            return None
        return server

    async def _look_on(self) -> None:
        """Look at the crawl each second, and at once when somebody comes who has not seen it."""
        while True:
            try:
                snapshot = self._running.snapshot()
                self._history.saw(snapshot, self._clock.monotonic())
                if self._hub.readers:
                    self._hub.publish(encoded(self._moment(snapshot), self._history, self._recent))
                else:
                    self._judge(snapshot)
            except Exception:  # likewise
                log.exception("the dashboard cannot be made")
            await asyncio.sleep(_APART_S)  # however often somebody comes
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - _APART_S):
                    await self._hub.wanted.wait()
            self._hub.wanted.clear()

    def _judge(self, snapshot: Snapshot) -> None:
        """Nobody looks: not each second, as it takes a microsecond a host."""
        now = self._clock.monotonic()
        if now - self._judged_at >= _JUDGE_APART_S:
            self._judged_at = now
            self._health.saw(snapshot, self._running.hosts(0).conditions, now)

    def _moment(self, snapshot: Snapshot, end: End | None = None) -> Moment:
        if self._workers is not None and end is None:
            self._workers.looked()
        hosts = self._running.hosts(HOSTS)
        verdict = self._health.saw(snapshot, hosts.conditions, self._clock.monotonic())
        return Moment(
            name=self._plan.config.name,
            snapshot=snapshot,
            hosts=hosts,
            machine=self._running.machine(),
            verdict=verdict,
            state="finished" if end else "stopping" if self._stopped or self._running.stopping else verdict.state,
            most=self._running.control.most,
            eta=self._eta.after(snapshot),
            budget=self._plan.config.budget,
            workers=self._workers,
            end=end,
        )

    def _metrics(self) -> str:
        now = self._clock.monotonic()
        if now - self._measured_at >= _METRICS_APART_S:
            self._measured_at = now
            moment = self._moment(self._running.snapshot())
            self._measured = metrics(moment, self._recent, streams=self._hub.readers)
        return self._measured

    def _heed(self, wish: Wish) -> dict[str, Any]:
        """Do what somebody at the page wants; how it stands then."""
        control = self._running.control
        match wish.action:
            case "pause":
                control.pause()
            case "resume":
                control.unpause()
            case "stop":
                self._stopped = True
                self._running.stop()
            case "concurrency" if wish.value is not None and wish.value >= 1:
                control.set_concurrency(wish.value)
            case "concurrency":
                raise ValueError(f"concurrency: {wish.value}: expected a value of 1 or more")
            case action if action in ACTIONS and self._workers is not None:
                self._workers.tell(action)
            case _:
                raise ValueError(f"action: {wish.action[:40]!r}: expected pause, resume, stop or concurrency")
        log.info("told by the dashboard", extra={"why": f"{wish.action} {wish.value or ''}".rstrip()})
        self._hub.wanted.set()
        return {"paused": control.paused, "concurrency": control.concurrency, "stopping": self._stopped}


def _end(result: Result | None) -> End:
    """How a crawl ended, in words; None if it did not come to its end."""
    if result is None:
        return End(complete=False, told="The crawl failed: its command says why.")
    ending = result.ending
    if ending.complete:
        return End(complete=True, told="Complete: nothing is left to fetch.")
    if ending.stopped_by == STOPPED:
        return End(complete=False, told="Stopped. Nothing is lost: --resume goes on.")
    return End(complete=False, told=f"Stopped by {ending.stopped_by}. --resume with a higher one goes on.")
