"""What is an engine given, and what does it bring back?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from crawler.checkpoint import Committer
    from crawler.clock import Clock
    from crawler.errands import Errands
    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.in_flight import InFlight
    from crawler.ledger import Ledger
    from crawler.models import Request
    from crawler.parse.base import Parser
    from crawler.politeness.policy import Policy
    from crawler.stats import Stats


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration the engine itself heeds."""

    concurrency: int
    most: int = 0  #: to how many requests in flight `Control.set_concurrency` may go; 0 for no further
    body_bytes: int  #: bodies fetched and not yet parsed; no fetch starts above it
    grace_s: float = 10.0  #: how long a stop waits for what is in flight
    beat_s: float = 0.0  #: for how long what comes due is gathered, to be started in one turn


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run ended."""

    #: nothing is left to fetch
    complete: bool
    #: ``budget.pages`` or another budget, or ``stop``; None if complete
    stopped_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an engine drives. Opened and closed by their builder."""

    seeds: AsyncIterator[Sequence[Request]]
    frontier: Frontier
    policy: Policy
    errands: Errands
    fetcher: Fetcher
    parser: Parser
    ledger: Ledger
    committer: Committer
    in_flight: InFlight
    stats: Stats
    clock: Clock
    #: told of more requests at once than ever before, before they start
    widen: Callable[[int], None] = field(default=lambda _: None)
