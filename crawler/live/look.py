"""What is looked at for one view: numbers of the crawl, its hosts and its machine, and what was just said.

Also how failures grow, which is seen only by looking again and again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.config import BudgetConfig
from crawler.models import Outcome
from crawler.views import HostViews

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.eta import Estimate
    from crawler.stats import Snapshot
    from crawler.views import MachineView

GROWING_S = 10.0
"""How long a new failure counts as one."""

_APART_S = 1.0


@dataclass(frozen=True)
class Failure:
    """Why URLs failed."""

    reason: str
    count: int
    #: how many of them in the last `GROWING_S`
    grown: int


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything that one view is made of."""

    snapshot: Snapshot
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    #: how much longer it takes; None if nobody can say
    left: Estimate | None = None
    hosts: HostViews = field(default_factory=HostViews)
    #: how long ago `hosts` were looked at
    hosts_age_s: float = 0.0
    #: seconds since the epoch, by which times of day are told
    wall: float = 0.0
    machine: MachineView | None = None
    #: the most frequent first
    failures: Sequence[Failure] = ()
    #: whether it has been told to stop, and waits for what is in flight
    stopping: bool = False
    #: an answer to the last key, if it is recent
    notice: str = ""
    #: whether keys are heeded, and the key to what they do was asked for
    keys: bool = False
    helps: bool = False
    #: requests in flight that `+` goes to at the most
    most: int = 0


class Failures:
    """How failures grow."""

    def __init__(self) -> None:
        self._earlier: deque[tuple[float, dict[str, int]]] = deque()

    def after(self, snapshot: Snapshot) -> list[Failure]:
        """The reasons for failures at this snapshot, the most frequent first; those before it say what is new."""
        now, earlier = snapshot.elapsed_s, self._earlier
        counts = {reason: n for (outcome, reason), n in snapshot.reasons.items() if outcome is Outcome.FAILED}
        if not earlier:
            earlier.append((0.0, {}) if now < GROWING_S else (now, counts))
        if now - earlier[-1][0] >= _APART_S:
            earlier.append((now, counts))
        while len(earlier) > 1 and earlier[1][0] <= now - GROWING_S:
            earlier.popleft()
        before = earlier[0][1]
        return [Failure(reason, count, max(0, count - before.get(reason, 0))) for reason, count in counts.items()]
