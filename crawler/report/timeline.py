"""What came when, in steps of equal length, when nobody knows yet how long it all took?

Steps begin short and are joined in pairs whenever there are too many: they end as long as the time from the first to
the last asks for, whatever the order in which things come.
"""

from __future__ import annotations

from crawler.report.facts import Timeline

MOST_STEPS = 240
_FIRST_STEP_S = 1 / 8

PAGE, FAILED, OTHER, _BYTES = range(4)


class Steps:
    """Counts what is added."""

    __slots__ = ("_first", "_last", "_step_s", "_steps", "began_at", "ended_at")

    def __init__(self) -> None:
        #: wall times of the first and the last; None if there is none
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self._step_s = _FIRST_STEP_S
        self._steps: dict[int, list[int]] = {}
        self._first = self._last = 0

    def add(self, at: float, kind: int, body_bytes: int = 0) -> None:
        """Count a URL that ended at this wall time: `PAGE`, `FAILED` or `OTHER`."""
        number = int(at // self._step_s)
        step = self._steps.get(number)
        if step is None:
            step = self._new(at)
        step[kind] += 1
        step[_BYTES] += body_bytes
        if self.began_at is None or self.ended_at is None:
            self.began_at = self.ended_at = at
        elif at > self.ended_at:
            self.ended_at = at
        elif at < self.began_at:
            self.began_at = at

    def _new(self, at: float) -> list[int]:
        number = int(at // self._step_s)
        if not self._steps:
            self._first = self._last = number
        self._first, self._last = min(self._first, number), max(self._last, number)
        while self._last - self._first >= MOST_STEPS:
            self._join()
        return self._steps.setdefault(int(at // self._step_s), [0, 0, 0, 0])

    def _join(self) -> None:
        """Make steps twice as long. Multiples of the long ones are multiples of the short ones."""
        joined: dict[int, list[int]] = {}
        for number, step in self._steps.items():
            into = joined.setdefault(number // 2, [0, 0, 0, 0])
            for place, count in enumerate(step):
                into[place] += count
        self._steps = joined
        self._step_s *= 2
        self._first //= 2
        self._last //= 2

    def told(self) -> Timeline:
        """As a report has it."""
        if not self._steps:
            return Timeline()
        nothing = [0, 0, 0, 0]
        columns = list(zip(*(self._steps.get(n, nothing) for n in range(self._first, self._last + 1)), strict=True))
        return Timeline(
            began_at=self._first * self._step_s,
            step_s=self._step_s,
            pages=columns[PAGE],
            failed=columns[FAILED],
            others=columns[OTHER],
            body_bytes=columns[_BYTES],
        )
