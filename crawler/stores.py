"""How is the store of a crawl opened, a new one or one that lies in its directory?

Names the backends of the frontier, as `crawler.build` does for other parts.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import ConfigError
from crawler.politeness.retry import MAX_RETRY_AFTER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from crawler.checkpoint import Keeper
    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.plan import Plan
    from crawler.renames import OutputFiles


class OpenedStore(NamedTuple):
    """A store, and what it says."""

    frontier: Frontier  #: open; the caller's to close
    restored: Restored
    config: CrawlConfig  #: in force from now on, with the seeds of all runs
    news: Sequence[str]  #: what is different from before


async def open_store(
    plan: Plan, clock: Clock, files: OutputFiles, *, resumed: bool, meanwhile: Callable[[], object]
) -> OpenedStore:
    """Open the store of a plan.

    Args:
        plan: What is to be crawled.
        clock: Tells the time.
        files: Those the store knows the lengths of.
        resumed: Whether a crawl lies in the plan's directory.
        meanwhile: Called while a thread makes a new store, if one is made.

    Raises:
        ConfigError: What is asked for cannot be, or not of the crawl that lies there.
        CrawlerError: The store cannot be opened or made.
    """
    make = _frontiers(plan, clock, resumed=resumed)
    if resumed:
        return await _reopened(plan, make, files)
    frontier = make(plan.directory.store)
    opening = asyncio.ensure_future(frontier.open())
    await asyncio.sleep(0)  # the thread has begun
    try:
        meanwhile()
    except BaseException:
        await opening
        await frontier.aclose()
        raise
    restored = await opening
    return OpenedStore(frontier, restored, plan.effective_config(), ())


def store_alone(path: Path, clock: Clock) -> Frontier:
    """A store of a crawl of one process, at a path where nothing is; not open. Not safe from a power cut until it is
    closed and brought to the disk by whoever fills it."""
    from crawler.frontier.sqlite import SqliteFrontier  # noqa: PLC0415

    return SqliteFrontier(path, clock, fsync=False)


def restore(keepers: Mapping[str, Keeper], restored: Restored, path: Path) -> None:
    """Have all go on where they stood; a state that is none is damage of the store at `path`."""
    meaning: AbstractContextManager[None] = nullcontext()
    if restored.blobs:
        from crawler.frontier.sqlite_schema import read_back  # noqa: PLC0415

        meaning = read_back(path)
    with meaning:
        for name, keeper in keepers.items():
            keeper.restore(restored.blobs.get(name, b""))


def _frontiers(plan: Plan, clock: Clock, *, resumed: bool) -> Callable[[Path], Frontier]:
    """How a frontier on the store at a path is made."""
    config = plan.config
    deepest_first = config.order == "depth"
    match config.frontier:
        case "sqlite":
            from crawler.frontier.sqlite import SqliteFrontier  # noqa: PLC0415

            return partial(
                SqliteFrontier,
                clock=clock,
                fsync=config.checkpoint.fsync,
                deepest_first=deepest_first,
                base=plan.generation.base / plan.directory.store.name if plan.generation else None,
                longest_snooze_s=max(MAX_RETRY_AFTER_S, config.breaker.rest_s),
            )
        case "memory":
            if resumed:
                raise ConfigError(
                    f"{plan.directory.path}: cannot be resumed with frontier: memory, which keeps nothing beyond its "
                    "process; --fresh crawls anew"
                )
            from crawler.frontier.memory import MemoryFrontier  # noqa: PLC0415

            return lambda _: MemoryFrontier(clock, deepest_first=deepest_first)
        case _:
            raise ConfigError("frontier: a crawl that workers share is begun with `crawler crawl --frontier URL`")


async def _reopened(plan: Plan, make: Callable[[Path], Frontier], files: OutputFiles) -> OpenedStore:
    """The store of a crawl that was begun before. A new one has no use for what this imports."""
    from crawler.frontier.sqlite_check import damage_of  # noqa: PLC0415
    from crawler.reopen import reopen  # noqa: PLC0415
    from crawler.repair.decide import Store  # noqa: PLC0415

    return OpenedStore(*await reopen(plan, Store(path=plan.directory.store, make=make, damage=damage_of), files))
