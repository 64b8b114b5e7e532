"""A robots.txt at another worker's host is asked for there, and its answer comes back, whoever is gone meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from crawler.fleet import errands as module
from crawler.fleet.errands import Errands
from crawler.fleet.keys import Keys
from crawler.models import Robots, RobotsFile
from tests.support.fetching import until
from tests.support.fleet_parts import linked
from tests.support.policies import request_for
from tests.support.redis_server import RedisServer, require_redis

pytest.importorskip("redis")
KEYS = Keys("crawler:test")
ORIGIN = "https://a.test"
ROBOTS = request_for("https://b.test/robots.txt")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    require_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def link(server):
    async with linked(server.url) as link:
        await link.client.flushall()
        yield link


class Worker:
    """Runs errands for others at once, if it holds their host."""

    def __init__(self, link, number, workers):
        self.asked, self.answers, self.holds, self.quick = [], asyncio.Queue(), True, True
        self.told = 0
        self.workers = workers
        workers[number] = self
        self.errands = Errands(
            link, KEYS, number, partition_of=lambda key: 3, tell=self._tell, ask=self._ask,
            answered=lambda request, file: self.answers.put_nowait((request.url, file)),
        )  # fmt: skip

    async def _tell(self, event, worker):
        self.workers[worker].told += 1
        self.workers[worker].errands.heard()

    def _ask(self, origin, request):
        if not self.holds:
            return False
        self.asked.append((origin, request.url))
        if self.quick:
            self.bring(origin)
        return True

    def bring(self, origin):
        robots = Robots(crawl_delay_s=2.0)
        self.errands.bring(RobotsFile(origin=origin, expires_at=0.0, robots=robots))


@asynccontextmanager
async def working(*workers):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker.errands.run()) for worker in workers]
        yield
        for task in tasks:
            task.cancel()


async def held_by(link, number):
    await link.client.set(KEYS.of(3).lease, f"{number} 17")


async def answered(worker):
    url, file = await worker.answers.get()
    assert (url, file.origin, file.robots.crawl_delay_s) == (ROBOTS.url, ORIGIN, 2.0)
    assert worker.answers.empty()


@pytest.fixture
def workers(link):
    found = {}
    return [Worker(link, number, found) for number in (1, 2, 3)]


async def test_holder_of_the_host_asks_and_the_asker_hears_what_came_of_it(link, workers):
    first, second, _ = workers
    await held_by(link, 2)
    async with working(*workers):
        first.errands.send(ORIGIN, ROBOTS)
        await answered(first)
    assert second.asked == [(ORIGIN, ROBOTS.url)]


async def test_errand_is_sent_again_to_who_holds_the_host_then_until_it_is_answered(link, workers, monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.02)
    first, second, third = workers
    second.holds = False  # its lease is about to go
    await held_by(link, 2)
    async with working(*workers):
        first.errands.send(ORIGIN, ROBOTS)
        await until(lambda: second.told)
        await held_by(link, 3)
        await answered(first)
    assert third.asked == [(ORIGIN, ROBOTS.url)]
    assert not second.asked


async def test_errand_that_is_sent_twice_is_run_once(link, workers, monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    first, second, _ = workers
    second.quick = False
    await held_by(link, 2)
    async with working(*workers):
        first.errands.send(ORIGIN, ROBOTS)
        await until(lambda: second.told > 2)
        assert second.asked == [(ORIGIN, ROBOTS.url)]
        second.bring(ORIGIN)
        await answered(first)


async def test_redirect_that_leads_on_to_a_third_worker_is_answered_to_the_first(link, workers):
    first, second, third = workers
    second.quick = False
    await held_by(link, 2)
    async with working(*workers):
        first.errands.send(ORIGIN, ROBOTS)
        await until(lambda: second.asked)
        await held_by(link, 3)
        second.errands.send(ORIGIN, ROBOTS)
        await answered(first)
    assert third.asked == [(ORIGIN, ROBOTS.url)]
    assert not second.errands._sent


async def test_errand_that_leads_back_to_its_asker_is_its_own_to_run(link, workers):
    first, *_ = workers
    first.quick = False
    await held_by(link, 1)
    async with working(*workers):
        first.errands.send(ORIGIN, ROBOTS)
        await until(lambda: first.asked)
    assert not first.errands._sent
