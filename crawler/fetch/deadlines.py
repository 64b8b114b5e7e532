"""When has an attempt taken too long? One timer for all attempts, instead of several for each.

A sweep a few times a second looks at every attempt under way. Past a limit, one that still connects has its task
cancelled, as `asyncio.timeout` would, and leaving the `with` block then raises a `FetchError`; one that waits for its
answer gets the error in place of it. A limit is therefore kept to within one sweep. A cancellation from outside stays
a cancellation, even when both come together.

Time in which this process stood still (SIGSTOP, a frozen container, a machine that swaps) is nobody's: a sweep that
comes much too late moves all limits by as much, and answers that came meanwhile are taken. Else all requests under way
would be failures of their hosts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from crawler.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from crawler.clock import Clock
    from crawler.config import FetchConfig


STANDSTILL_S = 1.0
"""A sweep that is later by so much speaks of a process that did not run, not of a busy one."""


class Attempt:
    """One fetch under time limits. A context manager, entered by the task that connects while it does so."""

    __slots__ = (
        "_cancelling", "_deadlines", "_exceeded", "_seen", "_task",
        "answer", "asked", "asked_at", "asked_wall", "body_since", "expires_at", "failed", "received", "reused",
    )  # fmt: skip

    def __init__(self, deadlines: Deadlines, expires_at: float) -> None:
        self._deadlines = deadlines
        #: monotonic time
        self.expires_at = expires_at
        #: whether the connection had been used before; None until there is one
        self.reused: bool | None = None
        #: whether the request head has been written, and when: monotonic and wall time
        self.asked = False
        self.asked_at = 0.0
        self.asked_wall = 0.0
        #: monotonic time at which the speed window began; None before the body
        self.body_since: float | None = None
        #: body bytes so far
        self.received = 0
        #: body bytes when the speed window began
        self._seen = 0
        #: what it waits for; None while it connects
        self.answer: asyncio.Future[Any] | None = None
        #: who makes an answer of what has come, in place of the error
        self.failed: Callable[[FetchError], None] | None = None
        self._exceeded: FetchError | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a fetch needs a task to run in")
        self._task = task
        self._cancelling = task.cancelling()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if (
            self._exceeded is not None
            and self._task.uncancel() <= self._cancelling
            and kind is not None
            and issubclass(kind, asyncio.CancelledError)
        ):
            raise self._exceeded from error

    def exceed(self, error: FetchError) -> None:
        """End the attempt with `error`, unless that has been done."""
        if self.answer is not None:
            if not self.answer.done():
                (self.failed or self.answer.set_exception)(error)
        elif self._exceeded is None:
            self._exceeded = error
            self._task.cancel()

    def put_off(self, seconds: float) -> None:
        """So much of its time did not count."""
        self.expires_at += seconds
        self.asked_at += seconds
        if self.body_since is not None:
            self.body_since += seconds

    def begin_body(self) -> None:
        """The body has begun: measure its speed from here on, what has come with the head included."""
        self.body_since = self._deadlines.now()

    def speed(self, now: float) -> tuple[float, float] | None:
        """Bytes per second of the body since the window began, and the window's length; None before the body."""
        if self.body_since is None or now <= self.body_since:
            return None
        span_s = now - self.body_since
        return (self.received - self._seen) / span_s, span_s

    def next_window(self, now: float) -> None:
        """Measure the speed from here on."""
        self.body_since = now
        self._seen = self.received


class Deadlines:
    """Holds attempts to the limits of the configuration.

    Args:
        config: `connect_timeout_s` runs until the request head has been written, `timeout_s` until the last byte,
            both from the call. `min_speed` is demanded of the body in every window.
        clock: Decides what time it is; the sweeps themselves run on the event loop's timer.
        sweep_s: Pause between sweeps.
        window_s: Over which the speed is averaged. Windows follow each other without overlap.
    """

    def __init__(self, config: FetchConfig, clock: Clock, *, sweep_s: float = 0.25, window_s: float = 10.0) -> None:
        self._clock = clock
        #: monotonic time
        self.now = clock.monotonic
        self._timeout_s = float(config.timeout_s)
        self._connect_s = min(float(config.connect_timeout_s), self._timeout_s)
        self._min_speed = int(config.min_speed)
        self._sweep_s = sweep_s
        self._window_s = window_s
        self._attempts: set[Attempt] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # when the next sweep should be

    def begin(self) -> Attempt:
        """Watch a new attempt, whose time runs from here; it expires unless a connection is made."""
        attempt = Attempt(self, self.now() + self._connect_s)
        self._attempts.add(attempt)
        if self._timer is None:
            self._arm()
        return attempt

    def discard(self, attempt: Attempt) -> None:
        """Watch `attempt` no longer."""
        self._attempts.discard(attempt)

    def asked(self, attempt: Attempt, answer: asyncio.Future[Any]) -> None:
        """The request head has been written, `answer` is waited for: what remains of the whole time limit applies."""
        attempt.asked = True
        attempt.answer = answer
        attempt.asked_at = self.now()
        attempt.asked_wall = self._clock.wall()
        attempt.expires_at += self._timeout_s - self._connect_s

    def close(self) -> None:
        """Stop sweeping."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._due = self.now() + self._sweep_s
        self._timer = asyncio.get_running_loop().call_later(self._sweep_s, self._sweep)

    def _sweep(self) -> None:
        """Look at every attempt; go on as long as there are any."""
        now = self.now()
        if now - self._due >= STANDSTILL_S:
            for attempt in self._attempts:
                attempt.put_off(now - self._due)
        for attempt in self._attempts:
            if now >= attempt.expires_at:
                attempt.exceed(self._late(attempt))
            elif self._min_speed and (measured := attempt.speed(now)) is not None:
                self._check_speed(attempt, *measured, now)
        if self._attempts:
            self._arm()
        else:
            self._timer = None

    def _late(self, attempt: Attempt) -> FetchError:
        if not attempt.asked:
            return FetchError("connect", f"no connection within {self._connect_s:g} s")
        return FetchError("timeout", f"no complete answer within {self._timeout_s:g} s")

    def _check_speed(self, attempt: Attempt, speed: float, span_s: float, now: float) -> None:
        if span_s < self._window_s:
            return
        if speed < self._min_speed:
            attempt.exceed(FetchError("too_slow", f"{speed:.1f} B/s over {span_s:.1f} s, expected {self._min_speed}"))
        else:
            attempt.next_window(now)
