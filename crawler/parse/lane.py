"""How do batches reach one worker, and its answers the loop?

A page may have taken its worker over, so nothing is believed: a worker that announces more than any page may give,
answers more pages than it was given, or reports a link under another URL's fingerprint, which would hide that URL from
the crawl, is at fault and heard no more.

One non-blocking socket, read and written straight from the loop's readiness callbacks: bodies are handed to the
kernel where they lie (scatter writes; asyncio's transports join them first on some versions), and a lane can be
opened without awaiting. What to send where, and what a death means, is the pool's affair (`process`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from crawler.models import Page, ParseFailure
from crawler.parse.framing import LENGTH, count_of, decode_results, encode_jobs
from crawler.url import fingerprint

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from crawler.parse.base import Job
    from crawler.parse.known import Confirmed

_BUFFER_BYTES = 256 * 1024
_KILLS = 3  # of workers between two pages of one call: no longer mere chance
_MAX_PIECES = 256  # in one write; the system's own bound (IOV_MAX) is 1024


class Terms(NamedTuple):
    """What the answers of workers must keep to."""

    #: most bytes of a frame, without its length
    frame_bytes: int
    #: the crawl's own
    fingerprint_key: int


class Call:
    """One `parse` call under way: its jobs, and its results as they come in, from one worker or several."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.done: asyncio.Future[list[Page | ParseFailure]] = asyncio.get_running_loop().create_future()
        self._results: list[Page | ParseFailure | None] = [None] * len(jobs)
        self._missing = len(jobs)
        self._kills = 0

    def killed_again(self) -> bool:
        """Its worker was killed, though it was on no page; True if that has come to be a habit."""
        self._kills = (self._kills + 1) % _KILLS
        return self._kills == 0

    def settle(self, positions: Sequence[int], results: Sequence[Page | ParseFailure]) -> None:
        """Fill in the results of some of the jobs; the last of them wakes the caller."""
        if len(positions) == len(results) == len(self.jobs):  # as nearly always
            if not self.done.done():
                self.done.set_result(list(results))
            return
        for position, result in zip(positions, results, strict=True):
            self._results[position] = result
        self._missing -= len(positions)
        if not self._missing and not self.done.done():
            self.done.set_result([result for result in self._results if result is not None])


class Parcel:
    """The jobs of one call that one worker is given at once; `positions` within the call."""

    __slots__ = ("call", "positions")

    def __init__(self, call: Call, positions: Sequence[int]) -> None:
        self.call = call
        self.positions = positions

    def settle(self, results: Sequence[Page | ParseFailure]) -> None:
        """The results of its first jobs, or of all, which it then has no more."""
        positions = self.positions
        if len(results) < len(positions):
            positions, self.positions = positions[: len(results)], positions[len(results) :]
        self.call.settle(positions, results)


class Lane:
    """The pool's view of one worker."""

    def __init__(
        self,
        worker: int,
        slot: int,
        sock: socket.socket,
        *,
        on_results: Callable[[], None],
        on_fault: Callable[[Lane], None],
        confirmed: Confirmed,
        terms: Terms,
    ) -> None:
        """Take over `sock`.

        Args:
            worker: Its number.
            slot: Its place on the board.
            sock: Non-blocking.
            on_results: Called when pages have been answered.
            on_fault: Called once, with `fault` said and the lane closed, if the worker is not to be believed.
            confirmed: What is told with each batch sent.
            terms: By which it is believed.
        """
        self.worker = worker
        self.slot = slot
        #: parcels sent and not answered, oldest first
        self.outstanding: deque[Parcel] = deque()
        #: pages answered in this worker's life
        self.answered = 0
        #: whether batches may be sent: false once the other end is closed
        self.open = True
        #: what it did that no worker of ours does
        self.fault = ""
        self._terms = terms
        self._on_fault = on_fault
        self._on_results = on_results
        self._confirmed = confirmed
        self._told = (0, 0)  # up to where
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._unsent: deque[memoryview] = deque()
        self._writing = False
        self._buffer = bytearray(_BUFFER_BYTES)
        self._filled = 0
        self._loop.add_reader(sock.fileno(), self.read)

    @property
    def load(self) -> float:
        """Batches it has; a closed lane is full."""
        return len(self.outstanding) if self.open else inf

    def send(self, parcel: Parcel) -> None:
        """Send a batch, at once as far as the socket takes it."""
        self.outstanding.append(parcel)
        jobs = parcel.call.jobs
        if len(parcel.positions) < len(jobs):
            jobs = [jobs[position] for position in parcel.positions]
        told, self._told = self._confirmed.next(self._told)
        self._unsent.extend(map(memoryview, encode_jobs(jobs, told)))
        if not self._writing:
            self._write()

    def _write(self) -> None:
        unsent = self._unsent
        while unsent:
            try:
                sent = self._socket.sendmsg(islice(unsent, _MAX_PIECES))
            except (BlockingIOError, InterruptedError):
                break
            except ConnectionError:  # the worker is dead, as the reader will find
                unsent.clear()
                break
            while unsent and sent >= len(unsent[0]):
                sent -= len(unsent.popleft())
            if sent:
                unsent[0] = unsent[0][sent:]
        self._write_later(bool(unsent))

    def _write_later(self, wanted: bool) -> None:  # noqa: FBT001  # a state, not a switch
        if wanted and not self._writing:
            self._loop.add_writer(self._socket.fileno(), self._write)
        elif self._writing and not wanted:
            self._loop.remove_writer(self._socket.fileno())
        self._writing = wanted

    def read(self) -> None:
        """Take in what has arrived. Called by the loop, and by the pool once the worker is dead."""
        while self.open:
            room = len(self._buffer) - self._filled
            try:
                got = self._socket.recv_into(memoryview(self._buffer)[self._filled :])
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                got = 0
            if not got:
                self.close()
                return
            self._filled += got
            if self._take_frames():
                self._on_results()
            if got < room:
                return  # that was all; if not, the loop calls again

    def _take_frames(self) -> bool:
        """Settle what is complete in the buffer; True if anything was."""
        start = 0
        view = memoryview(self._buffer)
        while self._filled - start >= LENGTH.size:
            size = LENGTH.unpack_from(view, start)[0]
            if size > self._terms.frame_bytes:
                self.fault = f"its worker announced {size} bytes, at most {self._terms.frame_bytes} are believed"
                break
            end = start + LENGTH.size + size
            if end > self._filled:
                break
            self._settle(view[start + LENGTH.size : end])
            if self.fault:
                break
            start = end
        if self.fault:
            self.close()
            self._on_fault(self)
        else:
            self._keep(start)
        return start > 0

    def _settle(self, frame: memoryview) -> None:
        if not self.outstanding:
            return  # a worker that speaks unasked has been taken over
        parcel = self.outstanding[0]
        count, left = count_of(frame), len(parcel.positions)
        if not 0 < count <= left:
            self.fault = f"its worker answered {count} pages of {left}"
            return
        try:
            results = decode_results(frame)
        except ValueError as error:
            results = [ParseFailure(reason="parse_error", detail=f"unreadable result: {error}")] * count
        key = self._terms.fingerprint_key
        for result in results:
            if isinstance(result, Page):
                for link in result.links:
                    if link.fingerprint != fingerprint(link.url, key):
                        self.fault = "its worker gave a link the fingerprint of another"
                        return
        self.answered += count
        if count == left:
            self.outstanding.popleft()
        parcel.settle(results)

    def _keep(self, start: int) -> None:
        """Move the incomplete frame that begins at `start` to the front of a buffer that has room for more of it.

        It grows with what has come, not to what is announced.
        """
        rest = self._filled - start
        size = _BUFFER_BYTES
        if rest >= LENGTH.size:
            whole = LENGTH.size + LENGTH.unpack_from(self._buffer, start)[0]
            if whole > size:
                size = len(self._buffer) if 2 * rest <= len(self._buffer) else min(whole, 2 * len(self._buffer))
        if size != len(self._buffer):
            larger = bytearray(size)
            larger[:rest] = memoryview(self._buffer)[start : self._filled]
            self._buffer = larger
        elif start and rest:
            self._buffer[:rest] = self._buffer[start : self._filled]
        self._filled = rest

    def close(self) -> None:
        """Let go of the socket, and so of the worker; what is outstanding stays for the pool to see. Idempotent."""
        if self.open:
            self.open = False
            self._unsent.clear()
            self._write_later(wanted=False)
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
