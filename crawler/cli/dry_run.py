"""`crawler crawl --dry-run`: what would be fetched, how fast and how long? Asks hosts, and fetches no page."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import TYPE_CHECKING

import uvloop

from crawler.build import open_survey
from crawler.cli import NO_SEED, OK
from crawler.cli.logs import not_logging
from crawler.cli.out import tell
from crawler.cli.remarks import contact_remarks, unsafe_remarks
from crawler.cli.surveyed import host_lines, whole_lines
from crawler.directory import State
from crawler.models import Kind
from crawler.scope import Scope
from crawler.seeds import seed_request
from crawler.wording import counted, printable

if TYPE_CHECKING:
    from crawler.models import HostKey, Request
    from crawler.parse.server import Server
    from crawler.plan import Plan
    from crawler.seeds import Seed
    from crawler.survey.facts import HostFacts

MAX_SEEDS = 100_000
"""No more are read, so that a list of any length takes a second."""

SHOWN_SEEDS = 20
MAX_HOSTS = 50


class _Seeds:
    """What a seed list holds."""

    def __init__(self) -> None:
        self.read = 0
        #: whether there are more
        self.more = False
        #: those of which nothing comes: bad, repeated, out of scope
        self.lost: Counter[str] = Counter()
        #: what becomes of the first ones, repeated ones left out
        self.shown: list[str] = []
        #: what the first hosts' crawl begins with
        self.by_host: dict[HostKey, list[Request]] = {}
        self.other_hosts: set[HostKey] = set()

    def admit(self, request: Request) -> None:
        """A seed is in scope."""
        if request.host_key in self.by_host or len(self.by_host) < MAX_HOSTS:
            self.by_host.setdefault(request.host_key, []).append(request)
        else:
            self.other_hosts.add(request.host_key)


def dry_run(plan: Plan, server: Server | None) -> int:
    """Ask the hosts of the first seeds, and print what follows; the exit code: whether any seed may be fetched.

    Args:
        plan: What would be crawled.
        server: For the parser pool, if one was started. Closed by the caller.

    Raises:
        ConfigError: The seed list cannot be read, or a crawl as planned would not begin.
        CrawlerError: The hosts cannot be asked.
    """
    plan.check()
    for remark in (*unsafe_remarks(plan.config), *contact_remarks(plan.config)):
        tell(remark, err=True)
    state = plan.directory.state()
    used = "" if state is State.UNUSED else f" (it holds a crawl, {state}: --resume goes on, --fresh moves that aside)"
    tell(f"Would go to {plan.directory.path}{used}")
    seeds = _read(plan)
    _tell_seeds(seeds)
    told: list[HostFacts] = []
    if seeds.by_host:
        of_all = f" (the first {MAX_HOSTS} of {len(seeds.other_hosts) + MAX_HOSTS:,})" if seeds.other_hosts else ""
        tell(f"\nWhat the hosts say, and how each would be asked{of_all}:")
        with not_logging(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_ask(plan, server, seeds, told))
        tell("\n" + "\n".join(whole_lines(plan.config, told, others=len(seeds.other_hosts))))
    return OK if seeds.other_hosts or any(facts.allowed for facts in told) else NO_SEED


async def _ask(plan: Plan, server: Server | None, seeds: _Seeds, told: list[HostFacts]) -> None:
    def show(facts: HostFacts) -> None:
        told.append(facts)
        tell("\n" + "\n".join(host_lines(plan.config, facts)))

    async with open_survey(plan, server) as survey:
        await survey.ask(seeds.by_host, show)


def _read(plan: Plan) -> _Seeds:
    scope, seeds, known = Scope(plan.config.scope), _Seeds(), set[str]()
    for seed in itertools.islice(plan.read_seeds(), MAX_SEEDS + 1):
        if seeds.read == MAX_SEEDS:
            seeds.more = True
            break
        seeds.read += 1
        if seed.url in known:
            seeds.lost["repeated"] += 1
            continue
        refusal = _refusal(scope, seed)
        if len(seeds.shown) <= SHOWN_SEEDS:
            seeds.shown.append(str(seed.url) if refusal is None else f"not {seed.given} ({seed.place}: {refusal})")
        if seed.url is not None:
            known.add(seed.url)
        if refusal is None:
            seeds.admit(seed_request(seed))
        else:
            seeds.lost["bad" if seed.url is None else "out of scope"] += 1
    return seeds


def _refusal(scope: Scope, seed: Seed) -> str | None:
    """Why nothing comes of a seed; the scope is about pages, not about sitemaps."""
    if seed.url is None or seed_request(seed).kind is Kind.SITEMAP:
        return seed.error
    return scope.seed_refusal(seed.url)


def _tell_seeds(seeds: _Seeds) -> None:
    tell("\nWould be fetched first:")
    for line in seeds.shown[:SHOWN_SEEDS]:
        tell(f"  {printable(line)}")
    if len(seeds.shown) > SHOWN_SEEDS:
        tell(f"  … and more: only the first {SHOWN_SEEDS} seeds are shown")
    hosts = len(seeds.by_host) + len(seeds.other_hosts)
    counts = [f"{counted(seeds.read, 'seed')} at {counted(hosts, 'host')}"]
    counts += [f"{count:,} {what}" for what, count in seeds.lost.items()]
    more = f"; only the first {MAX_SEEDS:,} seeds were read" if seeds.more else ""
    tell(f"{', '.join(counts)}{more}")
