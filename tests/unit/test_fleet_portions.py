"""A budget that workers share is used up exactly, and never overdrawn, whoever finds how much to fetch."""

from __future__ import annotations

import asyncio
import random

import pytest

from crawler.config import BudgetConfig
from crawler.fleet.portions import Portions
from crawler.politeness.budget import Budget, Spent
from tests.support.policies import request_for

PAGES, BYTES = "budget.pages", "budget.bytes"


class Pot:
    """As `Control.draw` grants portions, with replies that take a few turns of the loop."""

    def __init__(self, rng=None):
        self.had = {}
        self.workers = []
        self.most_drawn = {}
        self._rng = rng or random.Random(0)

    def of(self, worker):
        async def draw(name, total, most):
            for _ in range(self._rng.randrange(3)):
                await asyncio.sleep(0)
            mine, everybody = self.had.get((name, worker), 0), self.drawn(name)
            had = max(mine, min(total, most - (everybody - mine))) if total > mine else total
            self.had[name, worker] = had
            self.most_drawn[name] = max(self.most_drawn.get(name, 0), self.drawn(name))
            if had < mine:
                for other in self.workers:
                    asyncio.get_running_loop().call_soon(other.portions.heard)
            for _ in range(self._rng.randrange(3)):
                await asyncio.sleep(0)
            return had, self.drawn(name)

        return draw

    def drawn(self, name):
        return sum(had for (each, _), had in self.had.items() if each == name)


class FakeHost:
    reserved = pages = 0


class Worker:
    """Fetches pages one after the other, several at once, as far as its budget allows."""

    def __init__(self, pot, number, most, *, pages, at_once=3, workers=3, kept=1.0, size=0):
        self.budget = Budget(BudgetConfig(), Spent(), 0.0)
        self.budget.portion(most)
        self.flying = self.kept = 0
        self.changed = asyncio.Event()
        self.portions = Portions(
            self.budget, pot.of(number), most, workers=lambda: workers, in_flight=lambda: self.flying,
            changed=self.changed.set,
        )  # fmt: skip
        self.is_over, self.over = False, lambda: None
        self.left, self._at_once, self._kept, self._size = pages, at_once, kept, size
        self._rng = random.Random(number)
        pot.workers.append(self)

    async def run(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.portions.run())
            while not self.is_over:
                while self.left and self.flying < self._at_once and self.budget.free(0.0) >= 1:
                    self.left -= 1
                    self.flying += 1
                    self.budget.reserve(FakeHost, request_for("https://a.test/"))
                    group.create_task(self._fetch())
                if not self.left and not self.flying:
                    self.portions.give_back()
                if self.left and self.budget.free(0.0) < 1:
                    self.budget.lack()
                self.over()
                await self.changed.wait()
                self.changed.clear()
            task.cancel()

    async def _fetch(self):
        for _ in range(self._rng.randrange(5)):
            await asyncio.sleep(0)
        is_kept = self._rng.random() < self._kept
        self.flying -= 1
        self.kept += is_kept
        self.budget.received(self._size)
        self.budget.settle(FakeHost, request_for("https://a.test/"), kept=is_kept)
        self.changed.set()


async def all_of(pot, name, most):
    """Let workers work until all have spent their parts, or have nothing to do, as the leader finds out."""

    def look():
        idle = [not (worker.left or worker.flying) for worker in pot.workers]
        done = [worker.portions.spent == name or is_idle for worker, is_idle in zip(pot.workers, idle, strict=True)]
        if all(idle) or (all(done) and pot.drawn(name) >= most):
            for worker in pot.workers:
                worker.is_over = True
                worker.changed.set()

    async with asyncio.TaskGroup() as group:
        for worker in pot.workers:
            worker.over = look
            group.create_task(worker.run())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pages", [(200, 200, 200), (200, 3, 0), (0, 0, 90), (40, 40, 40)])
async def test_all_of_a_budget_of_pages_is_used_and_no_more(seed, pages):
    pot, most = Pot(random.Random(seed)), {PAGES: 60}
    workers = [Worker(pot, number, most, pages=each, kept=0.7) for number, each in enumerate(pages)]
    await all_of(pot, PAGES, 60)
    kept = sum(worker.kept for worker in workers)
    assert pot.most_drawn[PAGES] <= 60
    assert kept <= 60
    if sum(pages) >= 200:
        assert kept == 60
    else:
        assert kept == 60 or not any(worker.left for worker in workers)


async def test_budget_of_bytes_is_overdrawn_by_what_is_in_flight_at_the_most():
    pot, most = Pot(), {BYTES: 10_000}
    workers = [Worker(pot, number, most, pages=1000, size=100) for number in range(3)]
    await all_of(pot, BYTES, 10_000)
    came = sum(1000 - worker.left for worker in workers) * 100
    assert 10_000 <= came <= 10_000 + 3 * 3 * 100


async def test_nothing_is_started_before_a_portion_has_been_drawn_and_a_used_up_one_ends_nothing_by_itself():
    budget = Budget(BudgetConfig(pages=100), Spent(), 0.0)
    budget.portion([PAGES])
    assert budget.free(0.0) == 0
    assert budget.spent(0.0) is None
    budget.grant(PAGES, 1, 0)
    assert budget.free(0.0) == 1
    budget.reserve(FakeHost, request_for("https://a.test/"))
    assert budget.free(0.0) == 0
    assert budget.used(PAGES) == 1
    budget.settle(FakeHost, request_for("https://a.test/"), kept=True)
    assert budget.spent(0.0) is None
    budget.end(PAGES)
    assert budget.spent(0.0) == PAGES


async def test_more_is_asked_for_before_a_portion_is_used_up():
    asked = []
    budget = Budget(BudgetConfig(), Spent(), 0.0)
    budget.portion([PAGES])
    budget.on_low = asked.append
    budget.grant(PAGES, 10, 4)
    for _ in range(10):
        budget.reserve(FakeHost, request_for("https://a.test/"))
        if len(asked) == 1:
            assert budget.free(0.0) <= 4
    assert asked == [PAGES], "once"
