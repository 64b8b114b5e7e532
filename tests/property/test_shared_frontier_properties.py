"""Several workers on one crawl, whatever happens to them and to Redis: each URL ends once, and none is lost.

The web is made up: which links a page has follows from its URL. Partitions are gained, given back, stolen while their
worker knows nothing of it; workers die; Redis is set back to what it was a moment ago, also while a commit is under
way. At the end one worker takes over everything and crawls until it is idle. Then the ledger has each URL that can be
reached once, with an end, and points at the place in some worker's journal where that end is.
"""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from crawler.frontier import turns
from crawler.models import Checkpoint, Finished, HostState, Link, Outcome, Snoozed
from crawler.url import fingerprint
from tests.support.clock import FakeClock
from tests.support.frontiers import TIGHT, seed
from tests.support.shared_frontiers import Crawl

PARTITIONS = 3
HOSTS = [f"h{n}.test" for n in range(6)]
PAGES = 60
SEEDS = ["https://h0.test/0"]

workers = st.integers(0, 2)
indexes = st.integers(0, PARTITIONS - 1)


def url_of(number):
    return f"https://{random.Random(number).choice(HOSTS) if number else HOSTS[0]}/{number}"


def links_of(url):
    """Where a page leads. A tree, so that what is lost once is not found elsewhere; and back to where it was found."""
    number = int(url.rpartition("/")[2])
    found = [*range(3 * number + 1, 3 * number + 4), (number - 1) // 3]
    return [url_of(other) for other in found if 0 <= other < PAGES]


def reachable():
    return {url_of(number) for number in range(PAGES)}


class Worker:
    """One process: a frontier, what it has in hand, and its journal."""

    def __init__(self, crawl, store, number):
        from crawler.frontier.redis import RedisFrontier

        self.number = number
        self.store = store
        self.frontier = RedisFrontier(
            store,
            crawl.clock,
            worker=number,
            lease_s=60,
            key=crawl.key,
            partitions=crawl.partitions,
            bounds=TIGHT,
        )
        self.leases = set()
        self.frontier.on_lost = self.leases.difference_update
        self.hand = {}  # id -> request
        self.finished, self.snoozed = [], []
        self.ended = 0  # as the ledger counts
        self.journal = []
        self.is_troubled = False  # Redis was set back, and it has not looked yet

    def end(self, request):
        """A page was fetched."""
        self.finished.append(Finished(request=request, outcome=Outcome.FETCHED, at=1.0))
        self.ended += 1
        links = [
            Link(url=url, host_key=url.split("/")[2], fingerprint=fingerprint(url, self.frontier.key))
            for url in links_of(request.url)
        ]
        self.frontier.discover(request, links)

    async def commit(self):
        finished, self.finished = tuple(self.finished), []
        snoozed, self.snoozed = tuple(self.snoozed), []
        self.journal += [end.request.url for end in finished]
        hosts = {end.request.host_key: HostState(host_key=end.request.host_key, pages=1) for end in finished}
        self.frontier.cut()
        await asyncio.sleep(0)
        await self.frontier.commit(Checkpoint(finished=finished, snoozed=snoozed, hosts=tuple(hosts.values())))


class SharedMachine(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.crawl = Crawl(self.clock, PARTITIONS)
        self.link = self.run(self.crawl.link())
        self.dead = []
        self.live = [self.worker() for _ in range(3)]
        self.snapshot = None
        self.taken_at = 0.0
        for who, index in ((0, 0), (0, 1), (1, 2)):
            self.gain(who, index)
        self.live[2].frontier.add([seed(url) for url in SEEDS])
        self.commit(2)
        for who in (0, 1):
            self.take_inboxes_in(who)

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def worker(self):
        return Worker(self.crawl, self.crawl.store(self.link), next(self.crawl.workers))

    # --- what workers do -----------------------------------------------------------------------------------------

    @rule(who=workers, index=indexes)
    def gain(self, who, index):
        worker = self.live[who]
        if index not in worker.leases:
            self.run(self.acquire(worker, [index]))

    async def acquire(self, worker, wanted):
        leases, _ = await worker.store.acquire(wanted, worker.number, 60)
        leases = [lease for lease in leases if lease.partition not in worker.leases]
        worker.leases.update(lease.partition for lease in leases)
        await worker.frontier.gain(leases)

    @rule(who=workers, index=indexes)
    def steal(self, who, index):
        """The lease of whoever holds it ends, and another takes it."""
        if index not in self.live[who].leases:
            self.run(self.expire([index]))
            self.gain(who, index)

    async def expire(self, wanted):
        await self.link.client.delete(*(self.crawl.keys.of(index).lease for index in wanted))

    @rule(who=workers, index=indexes)
    def hear_of_the_loss(self, who, index):
        worker = self.live[who]
        holders = [tally.owner for tally in self.run(worker.store.tallies([index]))]
        if index in worker.leases and holders != [worker.number]:
            worker.leases.discard(index)
            worker.frontier.lost([index])

    @rule(who=workers, index=indexes)
    def give_back(self, who, index):
        worker = self.live[who]
        if index in worker.leases:
            self.run(self.giving(worker, index))

    async def giving(self, worker, index):
        frontier = worker.frontier
        fence = frontier.fences()[index]
        mine = [one for one in worker.hand.values() if frontier._held.index(one.host_key) == index]
        giving = asyncio.create_task(frontier.give_back([index]))
        await asyncio.sleep(0)
        for request in mine:
            del worker.hand[request.id]
        frontier.put_back(mine)
        await worker.commit()
        await worker.commit()  # what the first one took in of an inbox
        assert await giving == {index}
        if index in worker.leases:
            worker.leases.discard(index)
            await worker.store.release({index: fence}, worker.number)

    @rule(who=workers)
    def add_seeds(self, who):
        self.live[who].frontier.add([seed(url) for url in SEEDS])

    @rule(who=workers, hosts=st.lists(st.sampled_from(HOSTS), unique=True, max_size=3), count=st.integers(1, 3))
    def take(self, who, hosts, count):
        worker = self.live[who]
        for request in self.run(worker.frontier.take([(host, count) for host in hosts])):
            assert request.id not in worker.hand
            assert request.host_key in hosts
            worker.hand[request.id] = request

    @rule(who=workers, data=st.data())
    def end(self, who, data):
        worker = self.live[who]
        if worker.hand:
            worker.end(worker.hand.pop(data.draw(st.sampled_from(sorted(worker.hand)))))

    @rule(who=workers, count=st.integers(1, 3))
    def work(self, who, count):
        """Most of what a worker does."""
        worker = self.live[who]
        for request in self.run(worker.frontier.take([(host, count) for host in HOSTS])):
            worker.end(request)

    @rule(who=workers, count=st.integers(1, 3))
    def work_and_commit(self, who, count):
        self.work(who, count)
        self.commit(who)
        self.take_inboxes_in(who)

    @rule(who=workers, data=st.data())
    def put_off(self, who, data):
        worker = self.live[who]
        if worker.hand:
            request = worker.hand.pop(data.draw(st.sampled_from(sorted(worker.hand))))
            again = replace(request, attempt=request.attempt + 1)
            worker.snoozed.append(Snoozed(request=again, until=self.clock.monotonic() + 0.5))

    @rule(who=workers)
    def put_back(self, who):
        worker = self.live[who]
        requests, worker.hand = list(worker.hand.values()), {}
        worker.frontier.put_back(requests)

    @rule(who=workers)
    def commit(self, who):
        self.run(self.live[who].commit())

    @rule(who=workers)
    def take_inboxes_in(self, who):
        self.run(self.live[who].frontier.receive(range(PARTITIONS)))

    @rule(who=workers)
    def wake(self, who):
        self.clock.advance(0.2)
        self.run(self.live[who].frontier.wake())

    @rule(who=workers)
    def look(self, who):
        self.looking(self.live[who])

    def looking(self, worker):
        self.run(worker.frontier.check())
        worker.is_troubled = False

    # --- what happens to them --------------------------------------------------------------------------------------

    @rule(who=workers)
    def crash(self, who):
        if not self.live[who].is_troubled:  # two misfortunes within a second are not survived
            self.dead.append(self.live[who])
            self.live[who] = self.worker()

    async def read(self):
        pattern = "{" + self.crawl.keys.prefix + ":*"
        names = [name async for name in self.link.client.scan_iter(match=pattern.replace("[", "\\["))]
        return {name: await self.link.client.dump(name) for name in names}

    async def set_back_to(self, snapshot):
        for name in await self.read():
            await self.link.client.delete(name)
        for name, dumped in snapshot.items():
            await self.link.client.restore(name, 0, dumped)

    @rule()
    def keep_a_snapshot(self):
        self.snapshot, self.taken_at = self.run(self.read()), self.clock.monotonic()

    def may_be_set_back(self):
        """Redis loses a second, not a minute, and not what was before a worker's death that others have seen."""
        return self.snapshot is not None and self.clock.monotonic() - self.taken_at < 2

    @precondition(may_be_set_back)
    @rule()
    def set_back(self):
        self.run(self.set_back_to(self.snapshot))
        self.trouble()

    @precondition(may_be_set_back)
    @rule(who=workers)
    def set_back_during_commit(self, who):
        worker = self.live[who]
        original = worker.store.commit

        async def commit(changes):
            worker.store.commit = original
            await self.set_back_to(self.snapshot)
            return await original(changes)

        worker.store.commit = commit
        self.run(worker.commit())
        if worker.store.commit is original:
            self.trouble()
        else:
            worker.store.commit = original

    def trouble(self):
        self.snapshot = None
        for worker in self.live:
            worker.is_troubled = True
        for worker in random.Random(len(self.dead)).sample(self.live, len(self.live)):
            self.looking(worker)

    # --- what has to be true -----------------------------------------------------------------------------------------

    @invariant()
    def what_is_open_is_what_has_no_end(self):
        for worker in getattr(self, "live", ()):
            frontier = worker.frontier
            counts = frontier.counts()
            assert counts.admitted == sum(counts.outcomes.values()) + counts.pending
            held = [end for end in worker.finished if frontier._held.of_id(end.request.id)]
            lost = len(worker.finished) - len(held)
            left = counts.admitted - counts.brought - worker.ended
            assert left == counts.pending - len(held) - lost
            if not worker.finished:
                assert left == counts.pending

    def teardown(self):
        """One takes over all that is left."""
        if not hasattr(self, "runner"):
            return
        for worker in self.live:
            self.looking(worker)
        last = self.worker()
        self.dead += self.live
        self.run(self.expire(range(PARTITIONS)))
        self.run(self.crawl_to_the_end(last))
        self.run(self.check_ledger({worker.number: worker.journal for worker in [*self.dead, last]}))
        self.run(self.link.aclose())
        self.runner.close()

    async def crawl_to_the_end(self, worker):
        frontier = worker.frontier
        frontier.add([seed(url) for url in SEEDS])  # before it holds anything: they come by way of inboxes
        await worker.commit()
        await self.acquire(worker, list(range(PARTITIONS)))
        for _ in range(200):
            self.clock.advance(1)
            await frontier.wake()
            for request in await frontier.take([(host, 2) for host in HOSTS]):
                worker.end(request)
            await worker.commit()
            if frontier.is_idle:
                break
        assert frontier.is_idle
        assert worker.leases == set(range(PARTITIONS))

    async def check_ledger(self, journals):
        store = self.crawl.store(self.link)
        ledger = [row for index in range(PARTITIONS) async for rows in store.ledger(index) for row in rows]
        urls = [request.url for request, _, _ in ledger]
        assert len(set(urls)) == len(urls)
        assert set(urls) == reachable()
        places = set()
        for request, end, at in ledger:
            assert end is not None
            assert journals[at.worker][at.ordinal] == request.url
            places.add((at.worker, at.ordinal))
        assert len(places) == len(ledger)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_each_url_ends_once_whatever_happens_to_workers_and_redis(monkeypatch):
    monkeypatch.setattr(turns, "_TURN_S", -1.0)
    run_state_machine_as_test(SharedMachine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))
