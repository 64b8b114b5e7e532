"""How does a crawl that lies in a directory become one that goes on?

Its store is opened, what is asked for now compared with what it was begun with, and renames that are due are done.
Then its files are made whole and what failed is put back, where that is asked for.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.config.file import dump, load, loads
from crawler.dataset.ledger import EmptyStoreError, KnownUrls
from crawler.errors import ConfigError, FrontierError
from crawler.renames import complete_renames
from crawler.repair.decide import Damaged, repair
from crawler.resume import CONFIG, GENERATION, OUTPUT, STDOUT, changes, check_output, output_blob, stored_config
from crawler.retry import retry_failed
from crawler.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import CrawlConfig
    from crawler.config.file import Loaded, Override
    from crawler.directory import CrawlDirectory
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.plan import Plan
    from crawler.renames import OutputFiles
    from crawler.repair.decide import Store

log = logging.getLogger(__name__)


def load_stored(directory: CrawlDirectory, overrides: Sequence[Override] = ()) -> Loaded | None:
    """The configuration a crawl was last run with, from its crawl.yaml, which somebody may have edited, or where that
    is lost from its store; None if no crawl lies there that had one.

    Raises:
        ConfigError: It, or an override, cannot be used.
        CrawlerError: It is neither here nor there, as the store cannot be read.
    """
    with suppress(OSError):
        if directory.config.stat().st_size:
            return load(directory.config, overrides)
    if not directory.store.exists():
        return None
    try:
        with KnownUrls(directory.store) as known:
            text = known.blob(CONFIG).decode()
    except EmptyStoreError:
        return None
    return loads(text, f"the configuration in {directory.store}", overrides) if text else None


class Reopened(NamedTuple):
    """A crawl's store, and its files as far as they are not open."""

    frontier: Frontier  #: open
    restored: Restored
    config: CrawlConfig  #: in force from now on, with the seeds of all runs
    news: Sequence[str]  #: what is different from before


async def reopen(plan: Plan, store: Store, files: OutputFiles) -> Reopened:
    """Open the store of a crawl that was begun before.

    Raises:
        ConfigError: What is asked for cannot be, of this crawl; nothing has changed.
        CrawlerError: It is damaged, or cannot be read or written.
    """
    if plan.repair:
        frontier, restored, done = await repair(_damaged(plan, store, files))
        told = list(done)
    else:
        frontier, restored = await _opened(plan, store, files)
        told = []
    try:
        if plan.retry is not None:
            plan.directory.reopen()  # before anything is put back: what is marked finished is not looked at again
            retried = await retry_failed(frontier, files, restored, plan.retry)
            restored = retried.restored
            told.append(retried.news(plan.retry))
        config, news = _checked(plan, restored)
    except BaseException:
        await frontier.aclose()
        raise
    for line in (*news, *told):
        log.info("resumed", extra={"why": line})
    return Reopened(frontier, restored, config, [*news, *told])


async def _opened(plan: Plan, store: Store, files: OutputFiles) -> tuple[Frontier, Restored]:
    frontier = store.make(store.path)
    if not store.path.exists() or (not store.path.stat().st_size and files.hold_anything()):
        raise FrontierError(
            f"{store.path}: missing or empty: it was removed, or the crawl was kept in memory; "
            "--repair (in Python: repair=True) rebuilds it from the output files"
        )
    restored = await frontier.open()
    try:
        _checked(plan, restored)
        _check_known(store, restored, files)
        return frontier, await complete_renames(frontier, restored, files)
    except BaseException:
        await frontier.aclose()
        raise


def _damaged(plan: Plan, store: Store, files: OutputFiles) -> Damaged:
    return Damaged(
        config=plan.config,
        store=store,
        files=files,
        spool=Spool(plan.directory.seed_spool),
        check=partial(_checked, plan),
        blobs=_known_of(plan),
        readers=(STDOUT, *plan.keepers),
    )


def _known_of(plan: Plan) -> dict[str, bytes]:
    """What a store would know of how the crawl was begun, where crawl.yaml tells."""
    try:
        stored = stored_config({CONFIG: plan.directory.config.read_bytes()})
    except (OSError, UnicodeDecodeError, ConfigError):
        return {}
    if not stored:
        return {}
    known = {CONFIG: dump(stored).encode(), OUTPUT: output_blob(plan.pages)}
    if plan.generation is None and (ended := plan.directory.read_summary()) and ended.generation > 1:
        from crawler.generations import Told  # noqa: PLC0415 - a first one has no use for it

        known[GENERATION] = msgspec.json.encode(Told(ended.generation))
    return known


def _checked(plan: Plan, restored: Restored) -> tuple[CrawlConfig, list[str]]:
    """The configuration in force from now on, and what is different from before.

    Raises:
        ConfigError: Something that may not be.
    """
    before = stored_config(restored.blobs)
    if before is None:
        return plan.effective_config(), []
    config = plan.effective_config(before.seeds)
    news = [f"Changed since the last run: {change}" for change in changes(before, config)]
    check_output(restored.blobs, plan.pages)
    return config, news


def _check_known(store: Store, restored: Restored, files: OutputFiles) -> None:
    """Refuse a store that is empty beside files that are not: they would be cut to nothing."""
    if not restored.positions and files.hold_anything():  # lines are written with a checkpoint only
        raise FrontierError(
            f"{store.path}: knows nothing of what is in the output files: it is not the one that this crawl had; "
            "--repair (in Python: repair=True) rebuilds it from them"
        )
