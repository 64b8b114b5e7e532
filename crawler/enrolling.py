"""How does a process come to have a part in a crawl that workers share?

Before anything is opened: the crawl is begun, or found in Redis and compared with what is asked for here, and the new
worker gets a number and a directory of its own. Each start is a new worker: what others wrote stays as it is.
"""

from __future__ import annotations

import os
import shlex
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler import __version__
from crawler.claims import move_aside
from crawler.clock import rfc3339
from crawler.config.file import dump, loads
from crawler.config.fleet import is_shared
from crawler.config.secrets import revealed_frontier
from crawler.directory import CrawlDirectory, State, bring_down
from crawler.errors import ConfigError
from crawler.resume import OWN, changes, disagreements, other_seeds
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from crawler.config import CrawlConfig
    from crawler.fleet.control import Control
    from crawler.fleet.link import Link
    from crawler.fleet.orders import Joined
    from crawler.fleet.target import Target
    from crawler.plan import Plan
    from crawler.resume import Change

_KEPT = ("fleet.partitions",)
"""Keys that keep their value for as long as the crawl is not begun anew."""

_NAMED = 8  # keys that differ


class Over(NamedTuple):
    """There is nothing left to do."""

    why: str  #: in words, for a person


class _Redis(NamedTuple):
    """A Redis, and the crawl in it."""

    link: Link
    control: Control
    target: Target


def refuse_alone(
    config: CrawlConfig, *, refresh: bool = False, repair: bool = False, retry: bool = False, output: bool = False
) -> None:
    """Refuse what takes a crawl that has one process, where workers share it.

    Raises:
        ConfigError: It was asked for.
    """
    if not is_shared(config.frontier):
        return
    first = "merge it first (crawler merge DIR), then"
    if refresh:
        raise ConfigError(f"--refresh: several workers cannot make a generation: {first} refresh DIR by one process")
    if repair:
        raise ConfigError(
            "--repair: the ledger of a crawl that workers share is in Redis, and merge goes by it: start a worker to "
            f"go on with it; or {first} repair DIR"
        )
    if retry:
        raise ConfigError(f"--retry-failed: several workers go by one ledger: {first} try again by one process")
    if output:
        raise ConfigError(f"-o: each worker writes to its own directory: {first} take DIR/pages.jsonl")


async def enrolled(plan: Plan, *, fresh: bool = False) -> Plan | Over:
    """The plan of a new worker, with a directory of its own; or why none is needed.

    Args:
        plan: What is to be crawled, and where the crawl's directory is on this machine.
        fresh: Begin the crawl anew.

    Raises:
        ConfigError: The Redis cannot be used, or the crawl that is there is not the one asked for.
        FrontierError: The Redis cannot be reached.
    """
    async with _redis(plan) as redis:
        found = await _joined(plan, redis, fresh=fresh)
        if isinstance(found, Over):
            return found
        return await _worker(plan, redis, *found)


async def own_plan(plan: Plan, *, fresh: bool = False) -> Plan:
    """As `enrolled`, for a program: that the crawl is over is an error, too."""
    found = await enrolled(plan, fresh=fresh)
    if isinstance(found, Over):
        raise ConfigError(found.why)
    return found


async def begun(plan: Plan, *, fresh: bool = False) -> Plan | Over:
    """As `enrolled`, but for a process that starts workers and is none: the plan stays as it is."""
    async with _redis(plan) as redis:
        found = await _joined(plan, redis, fresh=fresh)
        return found if isinstance(found, Over) else plan


@asynccontextmanager
async def _redis(plan: Plan) -> AsyncIterator[_Redis]:
    """The Redis of a plan, for a moment."""
    from crawler.fleet.control import Control  # noqa: PLC0415 - only a shared crawl pays for it
    from crawler.fleet.keys import Keys  # noqa: PLC0415

    target = target_for(plan.config)
    link = await linked(target)
    try:
        yield _Redis(link, Control(link, Keys(target.prefix)), target)
    finally:
        await link.aclose()


def target_for(config: CrawlConfig) -> Target:
    """Where the Redis of a configuration is, and the crawl in it.

    Raises:
        ConfigError: It cannot be used, a password is missing, or the extra is not installed.
    """
    try:
        import redis  # noqa: F401, PLC0415

        from crawler.fleet.target import target_of  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"frontier: {error.name} is not installed, which a Redis takes: pip install 'crawler[redis]'"
        ) from error
    url = revealed_frontier(config.frontier, os.environ)
    return target_of(url, config.name, os.environ, allow_unauthenticated=config.fleet.allow_unauthenticated)


async def linked(target: Target, trouble: Callable[[str | None], None] = lambda _: None) -> Link:
    """A connection to it, to be closed. Errors as of `Link.open`."""
    from crawler.fleet.link import Link  # noqa: PLC0415

    return await Link.open(target, trouble)


async def _joined(plan: Plan, redis: _Redis, *, fresh: bool) -> tuple[Joined, list[str]] | Over:
    """The crawl, and what a person should know of how it is gone on with."""
    from crawler.fleet.members import Members  # noqa: PLC0415
    from crawler.fleet.models import FORMAT  # noqa: PLC0415
    from crawler.fleet.orders import DONE, STOPPED  # noqa: PLC0415

    control, config = redis.control, plan.effective_config()
    news = await _begin_anew(plan, control) if fresh else []
    if not plan.items() and await control.look(FORMAT) is None:
        raise ConfigError("nothing to crawl: no worker has begun this crawl, and there is no seed to begin it with")
    joined = await control.create_or_join(dump(config), FORMAT, config.fleet.partitions)
    if joined.is_first:
        return joined, news
    before = loads(joined.config, "the configuration that this crawl was begun with").config
    state, live = joined.orders.state, len((await Members(redis.link, control.keys).look()).there)
    if state == DONE:
        return _over(plan, before, joined, redis.target)
    _compare(before, config, live)
    if not live:
        news += [f"Changed since the last run: {change}" for change in _changes(before, config)]
        await control.configure(dump(config))
    if state == STOPPED and await control.go_on(STOPPED):
        news.append(f"This crawl was stopped ({joined.orders.why}): it goes on.")
    elif not live:
        news.append("No worker of this crawl is left: it goes on from where it was.")
    return msgspec.structs.replace(joined, orders=await control.orders()), news


async def _begin_anew(plan: Plan, control: Control) -> list[str]:
    if live := await control.fresh():
        raise ConfigError(
            f"--fresh: {counted(live, 'worker')} of this crawl {'is' if live == 1 else 'are'} at work; "
            "stop the crawl first (crawler status URL --stop), and wait for their end"
        )
    if not plan.directory.path.is_dir() or not any(plan.directory.path.iterdir()):
        return []
    return [f"The crawl that lay in {plan.directory.path} is now {move_aside(plan.directory.path)}."]


def _compare(crawl: CrawlConfig, joining: CrawlConfig, live: int) -> None:
    """Refuse to join with another configuration than that which others go by.

    Raises:
        ConfigError: Names the keys that differ.
    """
    found = disagreements(crawl, joining)
    if not live:
        found = [change for change in found if change.key in _KEPT]
    if found:
        told = [f"  {change.key}: {change.before} there, {change.now} here" for change in found[:_NAMED]]
        more = [f"  and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        raise ConfigError("\n".join(("this crawl goes by another configuration than is given here:", *told, *more)))


def _changes(before: CrawlConfig, config: CrawlConfig) -> list[Change]:
    """As at a resume; where the Redis is may be called otherwise here."""
    same = msgspec.structs.replace(before, frontier=config.frontier)
    return [change for change in changes(same, config) if not change.key.startswith(OWN)]


def _over(plan: Plan, crawl: CrawlConfig, joined: Joined, target: Target) -> Over:
    """What is said where nothing is left. Raises a `ConfigError` if it had other seeds than those asked for."""
    if other := other_seeds(crawl, plan.effective_config()):
        raise ConfigError(
            f"{target.shown}: holds a finished crawl without {', '.join(other[:3])}{', …' * (len(other) > 3)}: "
            "--set name=NAME crawls beside it, --fresh crawls anew"
        )
    return Over(
        f"{target.shown} holds this crawl already: it was complete at {rfc3339(joined.orders.state_at)}. Nothing to "
        f"do.\ncrawler merge {shlex.quote(str(plan.directory.path))} makes one crawl of its workers' files, --fresh "
        "crawls anew."
    )


async def _worker(plan: Plan, redis: _Redis, joined: Joined, news: Sequence[str]) -> Plan:
    """Give the new worker its number, and its directory."""
    from crawler.fleet.enrolment import Enrolment  # noqa: PLC0415
    from crawler.fleet.members import Members  # noqa: PLC0415
    from crawler.merging.segments import Worker, crawl_id, worker_directory, write_worker  # noqa: PLC0415

    keys, root, config = redis.control.keys, plan.directory.path, plan.config
    _mark(plan, redis, joined)
    number = await Members(redis.link, keys).new_id()
    name = config.fleet.name or f"{socket.gethostname()}-{os.getpid()}"
    directory = CrawlDirectory(worker_directory(root, number, name))
    worker = Worker(
        id=number,
        name=name,
        crawl=crawl_id(keys.prefix, joined.key),
        url=redis.target.shown,
        prefix=keys.prefix,
        started_at=await redis.link.server_time(),
        version=__version__,
    )
    try:
        directory.path.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"{directory.path}: cannot be made: {error.strerror}") from error
    write_worker(directory.path, worker)
    bring_down(directory.path.parent)
    enrolment = Enrolment(
        id=number,
        name=name,
        joined=joined,
        keys=keys,
        target=redis.target,
        root=root,
        started_at=worker.started_at,
        news=tuple(news),
    )
    return replace(plan, directory=directory, enrolment=enrolment, resume=False)


def _mark(plan: Plan, redis: _Redis, joined: Joined) -> None:
    """Make the directory that of the crawl, if it is not.

    Raises:
        ConfigError: It is another's.
    """
    from crawler.merging.segments import Fleet, crawl_id, read_fleet, write_fleet  # noqa: PLC0415

    path, prefix = plan.directory.path, redis.control.keys.prefix
    fleet = Fleet(
        name=plan.config.name,
        crawl=crawl_id(prefix, joined.key),
        url=redis.target.shown,
        prefix=prefix,
        partitions=joined.partitions,
    )
    there = read_fleet(path)
    if there is not None and there.crawl != fleet.crawl:
        raise ConfigError(
            f"{path}: holds files of the crawl {there.prefix}, another than this one, or of before it was begun anew: "
            "name another directory (-d DIR), or move this one aside"
        )
    if there is None:
        if plan.directory.state() is not State.UNUSED:
            raise ConfigError(
                f"{path}: holds a crawl of one process; name another directory (-d DIR) for what workers share"
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be used as a crawl directory: {error.strerror}") from error
        write_fleet(path, fleet)
