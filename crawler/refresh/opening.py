"""What does a generation that is being made take over from the one before, once its store is open?

What politeness knows of hosts, robots.txt, cookies and traps is in the new store before the first request is made; the
last of these commits says which generation this is, so a death before it has all of it done again.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from crawler import __version__
from crawler.directory import CrawlDirectory, bring_down
from crawler.errors import ConfigError, CrawlerError
from crawler.frontier.sqlite_schema import connect_to_read, read_back
from crawler.generations import GENERATION, Generation, Told, told_in
from crawler.models import Checkpoint
from crawler.politeness.promised import Promised
from crawler.refresh.base import Base
from crawler.refresh.carry import RecordCarrier
from crawler.refresh.choice import Choice
from crawler.refresh.index import INDEX, index_records
from crawler.refresh.seeding import Place as RefreshPlace
from crawler.refresh.seeding import RefreshSeeds
from crawler.resume import CONFIG, COOKIES, REFRESH, SEEDS, altered, stored_config
from crawler.seedlist import Place
from crawler.sinks import FILES, line_sinks
from crawler.traps.stored import TRAPS
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.plan import Plan
    from crawler.seedlist import SeedList
    from crawler.stores import OpenedStore

log = logging.getLogger(__name__)

_LEFT = """
SELECT count(*) FROM url WHERE extra LIKE '%"known":%' AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id)
    AND extra NOT LIKE '%"kind":"sitemap"%' AND extra ->> '$.known.skip' IS NULL
    AND (extra ->> '$.known.has_page' OR extra ->> '$.known.has_other')
"""
"""What `promised.is_promised` says of requests."""


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """A refresh that has begun."""

    base: Base
    carrier: RecordCarrier
    restored: Restored  #: with what was taken over
    config: CrawlConfig  #: in force, with the seeds of all generations
    carries: bool  #: whether what has not changed is taken over as it is
    respelled: bool  #: whether URLs are spelled otherwise than before
    choice: Choice  #: what is visited
    promised: Promised | None  #: which of it have slots of a budget of pages kept; None where they need none
    news: tuple[str, ...]

    def seeds(self, own: SeedList) -> RefreshSeeds:
        """What it begins with, after which its own list comes."""
        urls = self.config.urls if self.respelled else None
        return RefreshSeeds(self.base, own, self.choice, carries=self.carries, urls=urls)


@asynccontextmanager
async def open_refresh(plan: Plan, generation: Generation, store: OpenedStore, clock: Clock) -> AsyncIterator[Refresh]:
    """Read what the generation before knows, and take over what politeness needs of it, unless that was done.

    Args:
        plan: What is crawled, in the directory of the new generation.
        generation: Which it is.
        store: Its own.
        clock: Tells the time.

    Raises:
        CrawlerError: The generation before, or a file of it, cannot be read.
    """
    base, into = CrawlDirectory(generation.base), plan.directory.path
    restored, config = store.restored, store.config
    with ExitStack() as stack:
        before, why = _before(base, config)
        if why and generation.due:
            raise ConfigError(
                f"--due visits what has changed, and all records will be others ({', '.join(why)}): refresh without it"
            )
        sinks = [] if why else [*line_sinks(config), *[FILES] * bool(config.export.files)]
        await asyncio.to_thread(index_records, base, into, sinks)
        known = stack.enter_context(Base(base.store, into / INDEX))
        carrier = RecordCarrier(into)
        stack.callback(carrier.close)
        respelled = before.urls != config.urls
        if told_in(restored.blobs.get(GENERATION, b"")) is None:
            blobs = await _taken_over(plan, generation, store.frontier, known, clock.wall(), respelled=respelled)
            restored = msgspec.structs.replace(restored, blobs={**restored.blobs, **blobs})
        if CONFIG not in restored.blobs:
            config = plan.effective_config(before.seeds)
        choice = Choice(generation, config, plan.directory, store.frontier, clock, carries=not why)
        yield Refresh(
            base=known,
            carrier=carrier,
            restored=restored,
            config=config,
            carries=not why,
            respelled=respelled,
            choice=choice,
            promised=await asyncio.to_thread(_promised, plan, generation, restored),
            news=_news(generation, known.count(), why),
        )


def _news(generation: Generation, urls: int, why: Sequence[str]) -> tuple[str, ...]:
    """What a user is told as it begins."""
    what = "are looked at, and pages visited that are due" if generation.due else "are visited again"
    news = f"Generation {generation.number} of {generation.base}: {counted(urls, 'URL')} {what}."
    log.info("generation begins", extra={"why": news})
    all_anew = f"All pages are read anew, as their records will be others: {', '.join(why)}."
    return (news, *[all_anew] * bool(why))


def _promised(plan: Plan, generation: Generation, restored: Restored) -> Promised | None:
    """The promises that are not kept yet, of a refresh of what is due within a budget of pages."""
    budget = plan.config.budget
    if not generation.due or (budget.pages is None and budget.pages_per_host is None):
        return None
    place = restored.blobs.get(REFRESH, b"")
    path = plan.directory.store
    with read_back(path), closing(connect_to_read(path)) as store:
        ((left,),) = store.execute(_LEFT).fetchall()
        return Promised(left, known=bool(place) and msgspec.json.decode(place, type=RefreshPlace).done)


def _before(base: CrawlDirectory, config: CrawlConfig) -> tuple[CrawlConfig, list[str]]:
    """The configuration of the generation before, and why nothing of it can be taken over as it is; empty if it can.

    Raises:
        CrawlerError: Its store does not say.
    """
    with Base.plain(base.store) as store:
        before = stored_config({CONFIG: store.blob(CONFIG)})
        version = store.version()
    if before is None:
        raise CrawlerError(f"{base.store}: says nothing of how its crawl was begun")
    why = altered(before, config)
    if version != __version__:
        why.append(f"crawler {version} is {__version__} now")
    return before, why


async def _taken_over(
    plan: Plan, generation: Generation, frontier: Frontier, base: Base, now: float, *, respelled: bool
) -> dict[str, bytes]:
    """Store what the new generation has to know of the old one before it asks anybody; the states by name."""
    for hosts in base.hosts():
        await frontier.commit(Checkpoint(hosts=tuple(hosts)))
    for robots in base.robots(now):
        await frontier.commit(Checkpoint(robots=tuple(robots)))
    if plan.config.export.warc:
        from crawler.export.carried import carry_archives  # noqa: PLC0415 - only archives pay for it

        await asyncio.to_thread(carry_archives, generation.base, plan.directory.path)
    blobs = {name: blob for name in (COOKIES, TRAPS) if (blob := base.blob(name))}
    if not respelled:  # else the list is read anew
        spool = CrawlDirectory(generation.base).seed_spool
        length = msgspec.json.decode(base.blob(SEEDS) or b"{}", type=Place).spooled
        if length and await asyncio.to_thread(_copied, spool, plan.directory.seed_spool, length):
            blobs[SEEDS] = msgspec.json.encode(Place(spooled=length))
    told = Told(number=generation.number, due=generation.due)
    blobs |= {GENERATION: msgspec.json.encode(told), REFRESH: b"{}"}
    await frontier.commit(Checkpoint(blobs=blobs))
    return blobs


def _copied(spool: Path, to: Path, length: int) -> bool:
    """Copy the seed list of the generation before; False if it is not there any more, so that it is read anew.

    Raises:
        CrawlerError: It cannot be written.
    """
    try:
        if spool.stat().st_size < length:
            return False
    except FileNotFoundError:
        return False
    try:
        shutil.copyfile(spool, to)
        bring_down(to)
        bring_down(to.parent)
    except OSError as error:
        raise CrawlerError(f"{to}: cannot be written: {error.strerror}") from error
    return True
