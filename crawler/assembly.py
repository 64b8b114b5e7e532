"""How do the parts of a crawl fit together? Those that only compute, made around those that hold something open.

What is opened, in which order, and by which backend, is `crawler.build`'s to say.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from crawler.archive.entry import Keeping
from crawler.checkpoint import Committer
from crawler.errands import Errands
from crawler.export.outcomes import outcome_line
from crawler.extract.robots import product_name
from crawler.gate import shares_of
from crawler.heap import Heap
from crawler.ledger import Ledger
from crawler.parts import Parts
from crawler.politeness.policy import Policy, Spent
from crawler.rule_health import RULES
from crawler.stats import Stats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from crawler.checkpoint import Carrier, Journal, Keeper
    from crawler.clock import Clock
    from crawler.export.base import Sink
    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.in_flight import InFlight
    from crawler.models import Request, Restored
    from crawler.parse.base import Parser
    from crawler.plan import Plan
    from crawler.politeness.judge import Answer
    from crawler.politeness.promised import Promised
    from crawler.reach import Reach
    from crawler.rule_health import RuleHealth
    from crawler.scope import Scope
    from crawler.traps.detector import Traps


SPARE_BYTES = 64 * 1024**2
"""What the process may hold beyond what it needs: bodies of megabytes leave that, and more, between what is in use."""


class Seeding(Protocol):
    """What a crawl begins with."""

    def requests(self) -> AsyncIterator[list[Request]]:
        """All of it, in batches."""
        ...


class Opened(NamedTuple):
    """The parts that hold something open, or must be made before anything is."""

    frontier: Frontier
    fetcher: Fetcher
    parser: Parser
    seeds: Seeding
    keepers: Mapping[str, Keeper]
    scope: Scope
    reach: Reach
    health: RuleHealth
    traps: Traps | None
    in_flight: InFlight
    clock: Clock
    resumed: bool
    carrier: Carrier | None = None  #: in a refresh
    promised: Promised | None = None  #: in one of what is due
    journal: Journal | None = None  #: of a worker of several


def assembled(
    plan: Plan, restored: Restored, sinks: Mapping[str, Sink], opened: Opened, blobs: Mapping[str, bytes]
) -> Parts:
    """All parts of a crawl: those that only compute are made to fit those that are open.

    Args:
        plan: What is to be crawled.
        restored: What the frontier knew.
        sinks: By name, open.
        opened: The other parts.
        blobs: To be stored with the first checkpoint, by name.
    """
    config, frontier, clock = plan.config, opened.frontier, opened.clock
    stats = Stats(clock, opened.health)
    stats.restore(restored.counters)
    policy = Policy(
        config.manners,
        clock=clock,
        agent=product_name(config.fetch.user_agent),
        urls=config.urls,
        resumed=opened.resumed,
        spent=Spent(
            pages=restored.counters.get("pages", 0) - restored.counters.get("unvisited", 0),
            bytes=restored.counters.get("wire_bytes", 0),
            time_s=restored.counters.get("elapsed_ms", 0) / 1000,
        ),
        locates=True,
        refusal=_refusal(opened),
        reach=opened.reach,
    )
    policy.budget.promised = opened.promised
    committer = Committer(
        frontier=frontier,
        policy=policy,
        stats=stats,
        sinks=sinks,
        outcome_line=outcome_line,
        every_s=config.checkpoint.every_s,
        fsync=config.checkpoint.fsync,
        memory_bytes=shares_of(config.limits.memory_bytes).results,
        sources={sink.key: sink.source for sink in plan.sinks},
        keepers=opened.keepers,
        blobs=blobs,
        heap=Heap(SPARE_BYTES),
        carrier=opened.carrier,
        counted=(RULES, opened.health),
        journal=opened.journal,
        committed=plan.committed,
    )
    keeps = config.export.warc or config.export.files  # asked here once, not of every page
    ledger = Ledger(
        frontier=frontier,
        policy=policy,
        scope=opened.scope,
        committer=committer,
        stats=stats,
        clock=clock,
        keeping=Keeping(warc=config.export.warc, files=config.export.files) if keeps else None,
        traps=opened.traps,
    )
    return Parts(
        seeds=opened.seeds.requests(),
        frontier=frontier,
        policy=policy,
        errands=Errands(
            policy=policy, frontier=frontier, fetcher=opened.fetcher, ledger=ledger, carries=opened.carrier is not None
        ),
        fetcher=opened.fetcher,
        parser=opened.parser,
        ledger=ledger,
        committer=committer,
        in_flight=opened.in_flight,
        stats=stats,
        clock=clock,
    )


def _refusal(opened: Opened) -> Callable[[Request], Answer]:
    """What keeps an admitted request from being made: the scope, or a trap."""
    late = partial(opened.scope.late_refusal, resumed=opened.resumed)
    if opened.traps is None:
        return late
    before = opened.traps.before
    return lambda request: late(request) or before(request)
