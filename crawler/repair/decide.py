"""Can the store of a damaged crawl be believed, or has it to be made anew?

Believed is a store that is whole (`Store.damage`) and can be opened; then the output files are brought in line with
it. Any other is moved aside, never removed, and a new one takes its place once it is complete. A store that is locked
or of a newer format is neither: that is refused.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.dataset.ledger import KnownUrls
from crawler.directory import bring_down
from crawler.errors import CrawlerError, DamagedStoreError
from crawler.fetch.cookies import Cookies
from crawler.frontier.sqlite_schema import read_back
from crawler.models import Restored
from crawler.renames import complete_renames, remove_drafts
from crawler.repair.files import mend
from crawler.repair.givers import Givers
from crawler.repair.rebuild import rebuild
from crawler.resume import COOKIES, SEEDS
from crawler.rule_health import RULES, RuleHealth
from crawler.seedlist import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.dataset.ledger import Ended
    from crawler.frontier.base import Frontier
    from crawler.renames import OutputFiles
    from crawler.spool import Spool

_SIDE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where the store of a crawl is, and who knows about such files."""

    path: Path
    make: Callable[[Path], Frontier]  #: a frontier on the store at a path, not open
    damage: Callable[[Path], str | None]  #: what is wrong with one that exists and nobody has open


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A crawl that may be damaged, and is the caller's to write to."""

    config: CrawlConfig
    store: Store
    files: OutputFiles
    spool: Spool
    check: Callable[[Restored], object]  #: raises what speaks against going on with a crawl that is whole
    blobs: Mapping[str, bytes]  #: for a new store
    readers: Sequence[str] = ()  #: names of blobs that say how far somebody has read pages.jsonl


class Repaired(NamedTuple):
    """A crawl made whole."""

    frontier: Frontier  #: open
    restored: Restored
    news: Sequence[str]  #: what was done, in plain lines


async def repair(crawl: Damaged) -> Repaired:
    """Make a crawl whole. What it lacks is pending again.

    Raises:
        ConfigError: What `Damaged.check` raises; nothing has changed.
        CrawlerError: A file cannot be read or written. Another repair goes on from there.
    """
    store = crawl.store
    damage = await asyncio.to_thread(store.damage, store.path) if store.path.exists() else "it is missing"
    if damage is None:
        frontier = store.make(store.path)
        try:
            return await _mended(crawl, frontier)
        except DamagedStoreError as error:
            damage = error.what
            with suppress(CrawlerError):
                await frontier.aclose()
        except BaseException:
            await frontier.aclose()
            raise
    return await _rebuilt(crawl, damage)


async def _mended(crawl: Damaged, frontier: Frontier) -> Repaired:
    restored = await frontier.open()
    holds_seeds = await asyncio.to_thread(crawl.spool.good) > 0
    if not restored.positions and (holds_seeds or crawl.files.hold_anything()):
        raise DamagedStoreError(f"{crawl.store.path} knows nothing of this crawl", "it knows nothing of this crawl")
    crawl.check(restored)
    _check_states(restored.blobs, crawl.store.path)
    restored = await complete_renames(frontier, restored, crawl.files)
    blobs, told = await asyncio.to_thread(_seed_list, crawl.spool, restored)
    done = await mend(
        frontier,
        restored,
        crawl.files,
        lambda: _ended(crawl.store.path),
        blobs=blobs,
        readers=crawl.readers,
        can_give=Givers(crawl.config),
    )
    news = [*told, *done.told]
    return Repaired(frontier, done.restored, news or ["nothing is wrong with the files of this crawl"])


def _check_states(blobs: Mapping[str, bytes], path: Path) -> None:
    """Raise a `DamagedStoreError` for a state that nobody could go on from."""
    with read_back(path):
        msgspec.json.decode(blobs.get(SEEDS) or _place(0), type=Place)
        Cookies(FetchConfig(), SystemClock()).restore(blobs.get(COOKIES, b""))
        RuleHealth(()).restore(blobs.get(RULES, b""))


def _ended(path: Path) -> Iterator[Ended]:
    with KnownUrls(path) as urls:
        yield from urls.ended()


def _seed_list(spool: Spool, restored: Restored) -> tuple[dict[str, bytes], list[str]]:
    """What to store of the seed list instead, if its file is not what it was, and what to tell of that."""
    state = restored.blobs.get(SEEDS)
    place = msgspec.json.decode(state, type=Place) if state else Place()
    good = spool.good(place.spooled)
    if good == place.spooled:
        return {}, []
    return {SEEDS: _place(good)}, [f"{spool.path.name} was damaged: the seed list is read again"]


def _place(good: int) -> bytes:
    """So much of the seed list is in its file, and all of it has to be admitted again."""
    return msgspec.json.encode(Place(good, 0))


async def _rebuilt(crawl: Damaged, damage: str) -> Repaired:
    store = crawl.store
    crawl.check(Restored(blobs=dict(crawl.blobs)))
    draft = store.path.with_name(f"{store.path.name}.rebuilding")
    await asyncio.to_thread(_remove, draft)
    await asyncio.to_thread(remove_drafts, crawl.files)
    good = await asyncio.to_thread(crawl.spool.good)
    blobs = {**crawl.blobs, **({SEEDS: _place(good)} if good else {})}
    frontier = store.make(draft)
    try:
        await frontier.open()
        frontier.expect_nothing()  # what the files hold is there, whatever an earlier generation knows of it
        done = await rebuild(frontier, crawl.files, crawl.config, crawl.spool, blobs)
    finally:
        await frontier.aclose()
    aside = await asyncio.to_thread(_exchange, store.path, draft)
    frontier = store.make(store.path)
    try:
        restored = await complete_renames(frontier, await frontier.open(), crawl.files)
    except BaseException:
        await frontier.aclose()
        raise
    what = f"was damaged ({damage}): moved to {aside.name}" if aside else "was missing"
    rebuilt, *more = done.told(crawl.files)
    return Repaired(frontier, restored, [f"{store.path.name} {what}, {rebuilt}", *more])


def _exchange(path: Path, draft: Path) -> Path | None:
    """Move a store aside and put another in its place, that is closed; where the old one is now, if there was one."""
    if _beside(draft, "-wal").exists():
        raise CrawlerError(f"{draft}: is in use by another process; expected nobody but us to open it")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    there = [suffix for suffix in _SIDE_FILES if _beside(path, suffix).exists()]
    aside = _free_name(path)
    for suffix in there:  # first the store: without it nothing is taken for one
        _beside(path, suffix).rename(_beside(aside, suffix))
    draft.rename(path)
    bring_down(path.parent)
    return aside if "" in there else None


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{path.name}.damaged-{stamp}{more}" for more in ("", *(f"-{number}" for number in range(2, 1000))))
    return next(
        aside for aside in map(path.with_name, names) if not any(_beside(aside, s).exists() for s in _SIDE_FILES)
    )


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _remove(path: Path) -> None:
    for suffix in _SIDE_FILES:
        _beside(path, suffix).unlink(missing_ok=True)
