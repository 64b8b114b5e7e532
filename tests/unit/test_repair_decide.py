"""Which way a crawl is made whole, and what is left when that is interrupted."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import replace
from functools import partial

import msgspec
import pytest

from crawler.config import CrawlConfig
from crawler.errors import ConfigError, FrontierError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.frontier.sqlite_check import damage_of
from crawler.frontier.sqlite_schema import FORMAT
from crawler.models import OUTCOMES, PAGES, Checkpoint, Outcome
from crawler.repair.decide import Damaged, Store, repair
from crawler.resume import SEEDS
from crawler.seedlist import Place
from crawler.seeds import read_seeds
from crawler.spool import Spool
from tests.support.clock import FakeClock
from tests.support.dying import Died, Steps
from tests.support.small_crawl import End, SmallCrawl, failed, url_of

ENDS = (
    [End("start", links=("p2", "r1", "waiting"))],
    [End("p2", links=("start", "deep")), End("r1", Outcome.REDIRECTED, target="moved"), failed("gone")],
)
PENDING = {"waiting", "deep", "moved"}
SOUND = "nothing is wrong with the files of this crawl"


class Crawl(SmallCrawl):
    """On SQLite, with what `repair` is told."""

    def __init__(self, folder, **options):
        self.path = folder / "crawl.db"
        self.open_store = partial(SqliteFrontier, clock=FakeClock())
        super().__init__(folder, lambda: self.open_store(self.path), **options)

    @property
    def damaged(self):
        return Damaged(
            config=CrawlConfig(),
            store=Store(path=self.path, make=self.open_store, damage=damage_of),
            files=self.files,
            spool=Spool(self.folder / "seeds.spool"),
            check=lambda restored: None,
            blobs={"config": b"{}"},
            readers=("stream",),
        )

    async def repaired(self):
        """What is pending after a repair, and what was told."""
        done = await repair(self.damaged)
        pending = await self.agrees(done.frontier, done.restored)
        await done.frontier.aclose()
        return pending, done.news


@pytest.fixture
async def crawl(tmp_path):
    crawl = Crawl(tmp_path / "crawl", links=True)
    await crawl.crawl(*ENDS, pending=PENDING)
    frontier, _ = await crawl.opened()  # what waits gets into chunks
    await frontier.aclose()
    return crawl


def contents(crawl):
    """Of all files but a store that is whole, which is opened."""
    return {
        path.name: path.read_bytes() for path in crawl.folder.iterdir() if damage_of(crawl.path) or path != crawl.path
    }


def altered(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_a_whole_crawl_stays_as_it_is(crawl):
    before = contents(crawl)
    assert await crawl.repaired() == (PENDING, [SOUND])
    assert contents(crawl) == before


async def test_a_store_that_only_lies_is_rebuilt_too(crawl):
    altered(crawl.path, "UPDATE chunk SET ids = '[5]'")
    pending, news = await crawl.repaired()
    assert pending == PENDING
    assert "2 URLs wait in no queue" in news[0]
    assert news[0].endswith("rebuilt from 2 page records and 2 outcomes")
    assert (await crawl.repaired())[1] == [SOUND]


async def test_a_missing_store_is_made_anew_and_its_log_moved_aside(crawl):
    crawl.path.unlink()
    crawl.path.with_name("crawl.db-wal").write_bytes(b"of the old store")
    pending, news = await crawl.repaired()
    assert pending == PENDING
    assert news == ["crawl.db was missing, rebuilt from 2 page records and 2 outcomes"]
    (log,) = crawl.folder.glob("crawl.db.damaged-*-wal")
    assert log.read_bytes() == b"of the old store"


async def test_two_repairs_within_a_second_keep_both_stores(crawl):
    for text in (b"one", b"two"):
        crawl.path.write_bytes(text)
        await crawl.repaired()
    assert {path.read_bytes() for path in crawl.folder.glob("crawl.db.damaged-*")} == {b"one", b"two"}


async def test_a_lock_or_a_newer_format_is_no_damage(crawl):
    altered(crawl.path, f"UPDATE meta SET value = {FORMAT + 1} WHERE name = 'format'")
    with pytest.raises(FrontierError, match="format"):
        await crawl.repaired()
    altered(crawl.path, f"UPDATE meta SET value = {FORMAT} WHERE name = 'format'")
    holder = sqlite3.connect(crawl.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(FrontierError, match="locked"):
            await crawl.repaired()
    finally:
        holder.close()
    assert not list(crawl.folder.glob("*damaged*"))


@pytest.mark.parametrize("store", ["whole", "damaged"])
async def test_what_speaks_against_going_on_is_told_before_anything_changes(crawl, store):
    crawl.files.paths[PAGES].unlink()
    if store == "damaged":
        crawl.path.write_bytes(b"no store")
    before = contents(crawl)

    def refuse(restored):
        raise ConfigError("not that")

    with pytest.raises(ConfigError, match="not that"):
        await repair(replace(crawl.damaged, check=refuse))
    assert contents(crawl) == before


async def test_a_damaged_seed_list_is_kept_as_far_as_it_is_good(crawl):
    spool = crawl.damaged.spool
    spool.open(0)
    for name in ("one", "two"):
        spool.add(url_of(name), None, read_seeds([url_of(name)]), lambda length: None)
    whole = spool.path.read_bytes()
    good = whole.index(b"two")
    good = whole.rindex(b"\n", 0, good) + 1
    await stored(crawl, Place(len(whole), len(whole)))
    spool.path.write_bytes(whole[: good + 9])
    done = await repair(crawl.damaged)
    assert msgspec.json.decode(done.restored.blobs[SEEDS], type=Place) == Place(good, 0)
    assert done.news == ["seeds.spool was damaged: the seed list is read again"]
    await done.frontier.aclose()


async def stored(crawl, place):
    frontier, _ = await crawl.opened()
    await frontier.commit(Checkpoint(blobs={SEEDS: msgspec.json.encode(place)}))
    await frontier.aclose()


@pytest.mark.parametrize(("name", "read"), [(PAGES, False), (OUTCOMES, True)])
async def test_readers_of_the_page_records_begin_anew_where_these_are_others(crawl, name, read):
    frontier, _ = await crawl.opened()
    await frontier.commit(Checkpoint(blobs={"stream": b"100"}))
    await frontier.aclose()
    crawl.files.paths[name].unlink()
    done = await repair(crawl.damaged)
    assert ("stream" in done.restored.blobs) is read
    await done.frontier.aclose()
    frontier, restored = await crawl.opened()
    assert restored == done.restored
    await frontier.aclose()


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_after_dying_at_any_step_of_a_rebuild_another_repair_goes_well(tmp_path, monkeypatch):
    step, dead, resumable = 0, True, set()
    while dead:
        step += 1
        crawl = Crawl(tmp_path / f"died-at-{step}", links=True)
        await crawl.crawl(*ENDS, pending=PENDING)
        crawl.path.write_bytes(b"no store")
        path = crawl.files.paths[PAGES]
        path.write_bytes(path.read_bytes().replace(b'/p2","status":200', b'/p2","status":"2"', 1))
        dead = await die_at(step, crawl, monkeypatch)
        whole = crawl.path.exists() and damage_of(crawl.path) is None
        if whole:  # --resume would do
            frontier, restored = await crawl.opened()
            assert await crawl.agrees(frontier, restored) == {"waiting", "moved", "p2"}
            await frontier.aclose()
        resumable.add(whole)
        pending, news = await crawl.repaired()
        assert pending == {"waiting", "moved", "p2"}
        assert (news == [SOUND]) is whole
    assert step > 40
    assert resumable == {True, False}


async def die_at(step, crawl, monkeypatch):
    steps = Steps(step)
    opened = []

    def make(path):
        opened.append(SqliteFrontier(path, FakeClock()))
        return steps.wrap(opened[-1], "commit", "requeue")

    with monkeypatch.context() as patch:
        steps.wrap_files(patch)
        sink = crawl.files.sink
        patch.setitem(crawl.files.__dict__, "sink", lambda path: steps.wrap(sink(path), "append"))
        patch.setattr(crawl, "open_store", make)
        with suppress(Died):
            await repair(crawl.damaged)
    for frontier in opened:
        await frontier.aclose()
    return steps.dead
