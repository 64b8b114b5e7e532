"""How does a finished crawl become one that is crawled again? What must be so, what is taken over, and from where.

What politeness knows of hosts, robots.txt, cookies and traps is in the new store before the first request is made; the
last of these commits says which generation this is, so a death before it has all of it done again.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from crawler import __version__
from crawler.directory import CrawlDirectory, State, bring_down
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.generations import GENERATION, Family, Generation, Told, is_free, refuse_numbered, told_by, told_in
from crawler.models import Checkpoint
from crawler.refresh.base import Base
from crawler.refresh.carry import RecordCarrier
from crawler.refresh.choice import Choice
from crawler.refresh.index import INDEX, index_records
from crawler.refresh.seeding import RefreshSeeds
from crawler.reopen import load_stored
from crawler.resume import CONFIG, COOKIES, OUTPUT, REFRESH, SEEDS, altered, stored_config
from crawler.seedlist import Place
from crawler.sinks import FILES, line_sinks
from crawler.traps.stored import TRAPS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.config.file import Loaded, Override
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.plan import Plan
    from crawler.seedlist import SeedList
    from crawler.stores import OpenedStore


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
    news: tuple[str, ...]

    def seeds(self, own: SeedList) -> RefreshSeeds:
        """What it begins with, after which its own list comes."""
        urls = self.config.urls if self.respelled else None
        return RefreshSeeds(self.base, own, self.choice, carries=self.carries, urls=urls)


def next_generation(path: Path, *, due: bool = False) -> tuple[Generation, Path]:
    """The generation that a refresh of the crawl in a directory makes or goes on with, and where.

    What was cut short while another was put in force is finished first.

    Raises:
        ConfigError: There is no crawl that can be refreshed, or something is in the way; says what helps.
        CrawlerError: Its store cannot be read, or another process is crawling there.
    """
    refuse_numbered(path)
    family = Family(path)
    half = family.half_published()
    if half is not None:
        with CrawlDirectory(half).lock():
            family.mend()
    _check_base(CrawlDirectory(family.path))
    number = family.number() + 1
    made, old = family[number], family[number - 1]
    if old.exists():
        raise ConfigError(
            f"{old}: is in the way: {family.path} is generation {number - 1}, and would be called so; move it elsewhere"
        )
    if not is_free(made, number):
        raise ConfigError(f"{made}: is in the way: it is not the next generation of {family.path}; move it elsewhere")
    told = told_by(made)
    if told is not None and due and not told.due:
        raise ConfigError(f"{made}: was begun without --due, and goes on so; remove it to begin with --due")
    return Generation(number=number, base=family.path, due=told.due if told else due), made


def stored_of(generation: Generation, made: Path, overrides: Sequence[Override] = ()) -> Loaded:
    """The configuration a generation goes on with, or begins with: that of the one before.

    Raises:
        ConfigError: It, or an override, cannot be used.
        CrawlerError: It cannot be read.
    """
    loaded = load_stored(CrawlDirectory(made), overrides) or load_stored(CrawlDirectory(generation.base), overrides)
    if loaded is None:
        raise ConfigError(f"{generation.base}: says nothing of how its crawl was begun: --fresh crawls anew")
    return loaded


def _check_base(base: CrawlDirectory) -> None:
    """Refuse to refresh what is not finished, or was not kept."""
    match base.state():
        case State.UNUSED:
            raise ConfigError(f"{base.path}: holds no crawl to refresh: crawl it first, without --refresh")
        case State.UNFINISHED:
            raise ConfigError(
                f"{base.path}: holds an unfinished crawl: --resume goes on with it; --refresh crawls again what is "
                "finished"
            )
        case State.FINISHED:
            pass
    if not base.store.exists():
        raise ConfigError(
            f"{base.path}: has no crawl.db, as its URLs were kept in memory (frontier: memory): there is nothing to "
            "refresh it by; --fresh with --set frontier=sqlite crawls it anew"
        )
    try:
        with Base.plain(base.store) as store:
            begun, output = store.blob(CONFIG), store.blob(OUTPUT)
    except FrontierError as error:
        if "has format" in str(error):
            raise ConfigError(f"{error}; --fresh crawls anew and moves it aside") from error
        raise
    if not begun:
        raise ConfigError(f"{base.store}: says nothing of how its crawl was begun: --fresh crawls anew")
    if output:
        where = output.decode(errors="backslashreplace")
        raise ConfigError(
            f"{base.path}: its page records were written to {where} (-o), and a refresh needs them in the directory"
        )


@contextmanager
def base_held(generation: Generation) -> Iterator[None]:
    """Keep everybody else from the generation in force until the next one is.

    Raises:
        CrawlerError: Another process is crawling there, or has put another in force meanwhile.
    """
    base = CrawlDirectory(generation.base)
    with base.lock():
        family = Family(base.path)
        if base.state() is not State.FINISHED or family.number() + 1 != generation.number:
            raise CrawlerError(f"{base.path}: another process has changed what lies there; run it again")
        family.mend()  # what an earlier refresh was about to remove
        yield


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
        with Base.plain(base.store) as earlier:
            before = stored_config({CONFIG: earlier.blob(CONFIG)})
            version = earlier.version()
        if before is None:
            raise CrawlerError(f"{base.store}: says nothing of how its crawl was begun")
        why = altered(before, config)
        if version != __version__:
            why.append(f"crawler {version} is {__version__} now")
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
        if why and generation.due:
            raise ConfigError(
                f"--due visits what has changed, and all records will be others ({', '.join(why)}): refresh without it"
            )
        choice = Choice(generation, config, plan.directory, store.frontier, clock, carries=not why)
        news = f"Generation {generation.number} of {generation.base}: {known.count():,} URLs are visited again."
        all_anew = f"All pages are read anew, as their records will be others: {', '.join(why)}."
        yield Refresh(
            base=known,
            carrier=carrier,
            restored=restored,
            config=config,
            carries=not why,
            respelled=respelled,
            choice=choice,
            news=(news, *[all_anew] * bool(why)),
        )


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
