"""How are pages parsed on all cores, so that a hostile one harms nothing but itself?

Theory of operation. A fork server (`forkserver`, started through `launcher`) forks the workers (`worker`), each
joined to this process by one socket (`lane`). A batch goes whole to the least busy worker; each has up to two,
so that it never waits for the loop. Workers note on a shared `board` which page they are on. When a worker
dies, the page it was on fails, by

    parse_deadline   the pool killed it, as the page was worked on for longer than ``parse.deadline``
    parse_memory     it hit ``parse.memory``, or died having been that large
    parser_crashed   anything else, the signal named, or what its worker did that no worker does (`lane`)

and all its other unanswered pages are parsed again, by another worker; a new one is forked in its place. If it
was on no page, nothing is lost: killed from outside, its batches go to another worker. If it failed by itself between
two pages, was killed there for the third time with a batch, or lacked memory while it held results of other pages, the
pages of its batch go one by one. Only workers that die again and again before their first page, or a server that cannot
load, end the pool.

Known weakness: a batch waits behind the one before it on its worker, up to a deadline, even if another is idle.
"""

from __future__ import annotations

import asyncio
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from crawler.clock import SystemClock
from crawler.errors import ParseError
from crawler.models import Page, ParseFailure
from crawler.parse.entry import EXTRACTOR, NOT_RUNNING, worker_count
from crawler.parse.framing import EXIT_NO_MEMORY, Charter, frame_limit
from crawler.parse.known import Confirmed
from crawler.parse.lane import Call, Lane, Parcel, Terms
from crawler.parse.launcher import Exit, Launcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import ParseConfig
    from crawler.extract.settings import Settings
    from crawler.parse.base import Job
    from crawler.parse.board import Progress
    from crawler.parse.server import Server

_DEPTH = 2  # batches a worker is given at once: one in work, one at hand
_STILLBIRTHS = 5  # workers in a row that died before their first page
_LOAD_WITHIN_S = 60.0
_LOOK_S = 1.0  # how often deadlines are looked at; a look later than that by as much: nobody ran (SIGSTOP, a freezer)


class ProcessParser:
    """The `Parser` that contains crashes, hangs and memory: worker processes over sockets."""

    def __init__(
        self, settings: Settings, config: ParseConfig, *, entry: str = EXTRACTOR, server: Server | None = None
    ) -> None:
        self._workers = worker_count(config)
        self._deadline_s = float(config.deadline_s)
        self._memory_bytes = int(config.memory_bytes)
        self._charter = Charter(entry=entry, settings=settings, workers=self._workers, memory_bytes=self._memory_bytes)
        self._server = server
        self._launcher: Launcher | None = None
        self._lanes: dict[int, Lane] = {}
        self._overdue: dict[int, int] = {}  # worker -> number of the page it was killed for
        self._waiting: deque[Parcel] = deque()
        self._watcher: asyncio.TimerHandle | None = None
        self._look_due = 0.0
        self._went_on_at = 0.0  # when this process, and workers perhaps, last went on after a standstill
        # Real processes hang in real time, and stamp the board with this very clock.
        self._now = SystemClock.monotonic
        self._launched_at = 0.0
        self._last_worker = self._stillborn = 0
        self.server_pid: int | None = None  # see `Parser.server_pid`
        self._error = NOT_RUNNING
        self._confirmed = Confirmed()
        self._terms = Terms(frame_limit(settings.max_body_bytes), settings.fingerprint_key)

    def __repr__(self) -> str:
        sent = sum(len(lane.outstanding) for lane in self._lanes.values())
        return f"<ProcessParser: {len(self._lanes)} workers, {sent} batches sent, {len(self._waiting)} waiting>"

    @property
    def lanes(self) -> int:
        """See `Parser.lanes`."""
        return _DEPTH * self._workers

    async def start(self) -> None:
        """See `Parser.start`. Takes milliseconds; batches may be given at once."""
        self._launch()
        self._error = ""

    async def parse(self, jobs: Sequence[Job]) -> list[Page | ParseFailure]:
        """See `Parser.parse`. A cancelled batch, if sent already, is worked off unseen."""
        if self._error:
            raise ParseError(self._error)
        if not jobs:
            return []
        call = Call(jobs)
        self._waiting.append(Parcel(call, range(len(jobs))))
        self._dispatch()
        return await call.done

    def confirm(self, result: Page | ParseFailure) -> None:
        """See `Parser.confirm`. Workers learn of it with the next batches they are sent."""
        if isinstance(result, Page):
            self._confirmed.add(result.links)

    async def aclose(self) -> None:
        """See `Parser.aclose`. Calls under way raise `ParseError`."""
        self._fail(self._error or NOT_RUNNING)
        if self._launcher is not None:
            await self._launcher.aclose()
        elif self._server is not None:
            self._server.close()

    def _launch(self) -> None:
        """A new fork server, and all its workers."""
        self._launched_at = self._now()
        server, self._server = self._server, None
        self._launcher = Launcher(self._charter, on_exit=self._worker_died, on_lost=self._server_died, server=server)
        self.server_pid = self._launcher.pid
        for slot in range(self._workers):
            self._spawn(self._launcher, slot)

    def _spawn(self, launcher: Launcher, slot: int) -> None:
        self._last_worker += 1
        sock = launcher.spawn(self._last_worker, slot)
        self._lanes[self._last_worker] = Lane(
            self._last_worker,
            slot,
            sock,
            on_results=self._answered,
            on_fault=self._distrust,
            confirmed=self._confirmed,
            terms=self._terms,
        )

    def _answered(self) -> None:
        self._stillborn = 0
        self._dispatch()

    def _distrust(self, lane: Lane) -> None:
        """End a worker that is not to be believed; what becomes of its pages is settled at its death."""
        if self._launcher is not None:
            self._launcher.kill(lane.worker)

    def _dispatch(self) -> None:
        """Give waiting parcels to the least busy workers, as far as they take them."""
        while self._waiting:
            lane = min(self._lanes.values(), key=attrgetter("load"), default=None)
            if lane is None or lane.load >= _DEPTH:
                return
            parcel = self._waiting.popleft()
            if not parcel.call.done.done():  # else its caller was cancelled
                lane.send(parcel)
                if self._watcher is None:
                    self._watch_in(self._deadline_s)

    def _watch_in(self, delay_s: float) -> None:
        delay_s = min(delay_s, _LOOK_S)
        self._look_due = self._now() + delay_s
        self._watcher = asyncio.get_running_loop().call_later(delay_s, self._watch)

    def _watch(self) -> None:
        """Kill workers whose page is overdue. Runs only while something is outstanding."""
        self._watcher = None
        launcher = self._launcher
        busy = [lane for lane in self._lanes.values() if lane.outstanding]
        if launcher is None or not busy:
            return
        now = self._now()
        if not launcher.ready and now - self._launched_at >= _LOAD_WITHIN_S:
            self._fail(f"the parser pool did not load {self._charter.entry!r} within {_LOAD_WITHIN_S:.0f} s")
            return
        if now - self._look_due >= _LOOK_S:
            self._went_on_at = now  # how long pages have run is unknown: they get all of their time once more
        next_s = self._deadline_s
        for lane in busy:
            page = launcher.board.read(lane.slot)
            since = max(page.since, self._went_on_at) if page.since else now
            left_s = since + self._deadline_s - now
            if left_s > 0:
                next_s = min(next_s, left_s)
            elif lane.worker not in self._overdue:
                self._overdue[lane.worker] = page.started
                launcher.kill(lane.worker)
        self._watch_in(next_s)

    def _worker_died(self, worker: int, end: Exit) -> None:
        """Settle what the worker leaves: its answers, the page it died of, and the rest for another."""
        lane = self._lanes.pop(worker)
        lane.read()  # all it had sent is here by now
        launcher = self._launcher
        if launcher is None or self._error:
            return
        page = launcher.board.read(lane.slot)
        if page.started > 0:
            self._stillborn = 0
        elif page.started < 0 or lane.outstanding:  # an idle worker may be killed from outside
            self._stillborn += 1
        failure = self._verdict(page, self._overdue.pop(worker, None), end)
        blamed = page.started - lane.answered - 1
        if lane.fault:
            failure = None
            self._take_apart(lane, ParseFailure(reason="parser_crashed", detail=lane.fault))
        elif page.started > 0 and end.code > 0 and (failure is None or (end.code == EXIT_NO_MEMORY and blamed > 0)):
            failure = None
            self._take_apart(lane, self._failure(end))
        elif page.started > 0 and failure is None and lane.outstanding and lane.outstanding[0].call.killed_again():
            self._take_apart(lane, self._failure(end))
        self._salvage(lane, blamed if failure else None, failure)
        if self._stillborn >= _STILLBIRTHS:
            self._fail(f"{self._stillborn} parser workers in a row died at their start, the last of {end.cause}")
            return
        try:
            self._spawn(launcher, lane.slot)
        except ParseError as error:
            self._fail(str(error))
        self._dispatch()

    def _verdict(self, page: Progress, overdue: int | None, end: Exit) -> ParseFailure | None:
        """What the page in work at a worker's death died of; None if no page is to blame."""
        if page.since == 0.0:
            return None
        if overdue is not None:
            if overdue != page.started:  # it had just finished the page it was killed for
                return None
            return ParseFailure(reason="parse_deadline", detail=f"killed after {self._deadline_s:g} s")
        return self._failure(end)

    def _failure(self, end: Exit) -> ParseFailure:
        """What stands for a page that ended its worker."""
        if end.code == EXIT_NO_MEMORY:
            return ParseFailure(reason="parse_memory", detail=f"needed more than {self._memory_bytes} bytes")
        if end.peak_bytes >= self._memory_bytes:
            return ParseFailure(reason="parse_memory", detail=f"{end.cause} at {end.peak_bytes} bytes")
        return ParseFailure(reason="parser_crashed", detail=end.cause)

    def _take_apart(self, lane: Lane, failure: ParseFailure) -> None:
        """Part the batch that a worker did not survive, though it might have survived each page: as when there is no
        room for all results, or for a page beside them. Its pages go one by one; one that did so already is to blame.
        """
        if not lane.outstanding:
            return
        parcel = lane.outstanding.popleft()
        if len(parcel.positions) == 1:
            parcel.settle([failure])
        else:
            lane.outstanding.extendleft(Parcel(parcel.call, [position]) for position in reversed(parcel.positions))

    def _salvage(self, lane: Lane, blamed: int | None, failure: ParseFailure | None) -> None:
        """Queue again, in front, what `lane` has not answered; fail the page that is `blamed`th of it."""
        lane.close()
        rescued = []
        first = 0
        for parcel in lane.outstanding:
            positions = list(parcel.positions)
            if blamed is not None and failure is not None and 0 <= blamed - first < len(positions):
                guilty = positions[blamed - first]
                parcel.call.settle([guilty], [failure])
                positions.remove(guilty)
            first += len(parcel.positions)
            if positions:
                rescued.append(Parcel(parcel.call, positions))
        lane.outstanding.clear()
        self._waiting.extendleft(reversed(rescued))

    def _server_died(self, how: str) -> None:
        """The fork server is gone, its workers with it or about to go: blame no page, start anew."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        self._overdue.clear()
        for lane in reversed(lanes):
            lane.read()
            self._salvage(lane, None, None)
        if self._error or self._launcher is None:
            return
        self._stillborn += 1
        if not self._launcher.ready or self._stillborn >= _STILLBIRTHS:
            self._fail(f"the parser pool's fork server ended with {how} (see standard error for why)")
            return
        try:
            self._launch()
        except ParseError as error:
            self._fail(str(error))
        self._dispatch()

    def _fail(self, message: str) -> None:
        """Let no call wait for ever: all under way raise, and all to come."""
        self._error = message
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        for lane in self._lanes.values():
            self._salvage(lane, None, None)
        for parcel in self._waiting:
            if not parcel.call.done.done():
                parcel.call.done.set_exception(ParseError(message))
        self._waiting.clear()
