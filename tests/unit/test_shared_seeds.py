"""The seeds of a shared crawl: one worker reads them, another goes on, and no engine thinks that it is done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from crawler.fleet.orders import Seeding
from crawler.seedlist import Item, SeedList
from crawler.seeds import read_seeds
from crawler.shared_seeds import SharedSeeds, name_of


@dataclass
class Turns:
    """What Redis would say."""

    owner: int = 0
    row: int = 0
    is_over: bool = False
    seed_list: str = ""
    free_in_s: float = 0.0
    told: list[int] = field(default_factory=list)

    async def seeding(self, worker, ttl_s, *, row=0, seed_list="", is_over=False):
        before = self.seed_list
        if not self.is_over and self.owner in (0, worker):
            self.owner = worker
            self.row = max(self.row, row)
            self.seed_list = seed_list or self.seed_list
            self.is_over = is_over
            if row:
                self.told.append(row)
        mine = self.owner == worker and not self.is_over
        return Seeding(is_mine=mine, row=self.row, is_over=self.is_over, seed_list=before, free_in_s=self.free_in_s)

    async def leave_seeding(self, worker):
        self.owner = 0


class Engine:
    """Takes what a real one would."""

    def __init__(self, folder, turns, worker=1, lines=2_500, **more):
        path = folder / "seeds.txt"
        path.write_text("".join(f"https://{number}.test/\n" for number in range(lines)))
        items = [Item(str(path), str(path), is_given=True)]
        own = SeedList(items, lambda number, item: read_seeds([item]), folder / f"spool-{worker}")
        own.restore(b"")
        self.settled = 0
        self.taken = []
        self.ticks = 0
        self.seeds = SharedSeeds(own, name_of(items), turns, worker, lease_s=0.05, settled=self._settled, **more)

    async def _settled(self):
        self.settled += 1

    async def run(self):
        async for batch in self.seeds.requests():
            self.taken += [request.url for request in batch]
            self.ticks += not batch
            await asyncio.sleep(0)


async def both(engine, until):
    """Run an engine and its seeds until something is so."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        reading = group.create_task(engine.seeds.run())
        while not until():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        reading.cancel()
        engine.seeds.end()
        await running


async def test_all_seeds_are_read_and_told_once_they_are_stored(tmp_path):
    turns = Turns()
    engine = Engine(tmp_path, turns)
    await both(engine, lambda: turns.is_over)
    assert len(engine.taken) == len(set(engine.taken)) == 2_500
    assert turns.told == [2_500]
    assert engine.settled == 1


async def test_that_all_are_in_is_told_again_where_redis_has_lost_it(tmp_path):
    turns = Turns()
    engine = Engine(tmp_path, turns)
    forgotten = []

    def told_again():
        if turns.is_over and not forgotten:
            forgotten.append(True)
            turns.is_over = False
            engine.seeds.heed()  # as after each time that Redis was away
        return turns.is_over

    await both(engine, told_again)
    assert turns.told == [2_500, 2_500]
    assert len(engine.taken) == 2_500


async def test_another_goes_on_from_the_row_that_was_stored(tmp_path):
    first = Engine(tmp_path, Turns(), 1)
    turns = Turns(row=1_700, seed_list=first.seeds._name)
    engine = Engine(tmp_path, turns, 2)
    await both(engine, lambda: turns.is_over)
    assert engine.taken == [f"https://{number}.test/" for number in range(1_700, 2_500)]
    assert engine.seeds.news == []


@pytest.mark.parametrize("name", ["another", "-"])
async def test_who_has_another_list_reads_all_of_it_and_says_so(name, tmp_path):
    turns = Turns(row=1_700, seed_list=name)
    engine = Engine(tmp_path, turns, 2)
    engine.seeds._name = name if name == "-" else engine.seeds._name
    await both(engine, lambda: turns.is_over)
    assert len(engine.taken) == 2_500
    assert len(engine.seeds.news) == 1


async def test_others_read_theirs_only_once_nobody_is_heard_of(tmp_path):
    turns = Turns(owner=7, free_in_s=0.01)
    engine = Engine(tmp_path, turns, 2)

    async def die():
        await asyncio.sleep(0.05)
        assert not engine.taken
        turns.owner = 0

    async with asyncio.TaskGroup() as group:
        group.create_task(die())
        group.create_task(both(engine, lambda: turns.is_over))
    assert len(engine.taken) == 2_500


async def test_an_engine_is_told_to_look_and_never_that_there_is_no_more_until_it_is_over(tmp_path):
    engine = Engine(tmp_path, Turns(is_over=True))
    running = asyncio.create_task(engine.run())
    for _ in range(3):
        engine.seeds.tick()
        await asyncio.sleep(0.001)
    assert engine.ticks >= 3
    assert not running.done()
    engine.seeds.end()
    await running


def test_a_list_is_the_same_on_another_machine_and_one_from_a_pipe_never_is(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "seeds.txt").write_text("https://a.test/\n")
    names = [str(tmp_path / folder / "seeds.txt") for folder in ("a", "b")]
    assert len({name_of([Item(name, name, is_given=True)]) for name in names}) == 1
    (tmp_path / "b/seeds.txt").write_text("https://b.test/more\n")
    assert len({name_of([Item(name, name, is_given=True)]) for name in names}) == 2
    assert name_of([Item("-", "-", is_given=True)]) == "-"
