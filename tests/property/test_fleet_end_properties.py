"""A shared crawl ends when nothing is left, and never before: whatever workers do while the leader looks.

The leader is the real one; workers and partitions are a model of what is stored and in which order: what is found of
other workers' partitions is delivered first, then what is admitted of partitions that others' pages led to, then each
partition's other URLs with its ends. Between any two of these steps, and between any two partitions that the leader
looks at, any worker may take another step, or die.
"""

from __future__ import annotations

import asyncio
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.fleet.leading import Leader
from crawler.fleet.members import Beat, Flags, There
from crawler.fleet.orders import Orders
from crawler.fleet.store import Tally
from crawler.models import Outcome

PARTITIONS, WORKERS, URLS = 3, 2, 14
ORDERS = Orders(is_seeded=True)
ALL_IDLE = Beat(
    now=0.0,
    version=1,
    leader=1,
    leader_for_s=1.0,
    there={worker: There(for_s=1.0, flags=Flags(is_idle=True)) for worker in range(1, WORKERS + 1)},
    plan=None,
    units=8,
)


class Shelf:
    """What Redis has of a partition."""

    def __init__(self):
        self.urls, self.ended, self.inbox, self.commit = [], set(), [], 0


class Crawl:
    """A web that is a tree, its partitions, and who crawls them.

    Args:
        random: Decides everything.
    """

    def __init__(self, random):
        self.random = random
        self.of = [random.randrange(PARTITIONS) for _ in range(URLS)]
        self.leads_to = {parent: [] for parent in range(URLS)}
        for url in range(1, URLS):
            self.leads_to[random.randrange(url)].append(url)
        self.shelves = [Shelf() for _ in range(PARTITIONS)]
        self.owner = [random.randrange(WORKERS) for _ in range(PARTITIONS)]
        self.shelves[self.of[0]].urls.append(0)
        self.workers = [Worker(self, number) for number in range(WORKERS)]
        self.deaths, self.haste = 0, random.choice((3, 10, 30, 60))
        for worker in self.workers:
            worker.load()

    def step(self):
        """Somebody does something, or dies."""
        worker = self.random.choice(self.workers)
        if self.deaths < 3 and self.random.random() < 0.02:
            self.deaths += 1
            other = self.workers[(worker.number + 1) % WORKERS]
            for partition, owner in enumerate(self.owner):
                if owner == worker.number and self.random.random() < 0.5:
                    self.owner[partition] = other.number
            other.begin_anew()
            worker.begin_anew()
        else:
            worker.step()

    @property
    def is_over(self):
        """Whether all that can be found has ended, where Redis keeps it."""
        ended = set().union(*(shelf.ended for shelf in self.shelves))
        return ended == set(range(URLS)) and not any(shelf.inbox for shelf in self.shelves)

    async def tallies(self, partitions):
        """A look that takes its time: anything may happen between two partitions."""
        seen = []
        for partition in partitions:
            for _ in range(self.random.randrange(self.haste)):
                self.step()
            shelf = self.shelves[partition]
            ended = {Outcome.FETCHED: len(shelf.ended)}
            inbox, urls = len(shelf.inbox), len(shelf.urls)
            seen.append(Tally(partition=partition, urls=urls, ended=ended, commit=shelf.commit, inbox=inbox))
        return seen

    async def finish(self, run):
        """What the leader does when it finds that the crawl is over."""
        assert self.is_over
        return True


class Worker:
    """What a worker has in memory."""

    def __init__(self, crawl, number):
        self.crawl, self.number = crawl, number
        self.begin_anew()

    def begin_anew(self):
        """Its process died, and so did all that was not stored."""
        self.known, self.open, self.new, self.ends, self.shared, self.outbox = {}, deque(), [], [], set(), []
        self.read = dict.fromkeys(range(PARTITIONS), 0)
        self.steps = deque()
        if hasattr(self.crawl, "workers"):
            self.load()

    def holds(self, url):
        return self.crawl.owner[self.crawl.of[url]] == self.number

    def load(self):
        """Read what is stored of its partitions."""
        for url in (url for shelf in self.crawl.shelves for url in shelf.urls):
            if self.holds(url):
                self.known[url] = True
                if url not in self.crawl.shelves[self.crawl.of[url]].ended:
                    self.open.append(url)

    def step(self):
        """Go on with a checkpoint, or fetch, read an inbox, or begin a checkpoint."""
        if self.steps and self.crawl.random.random() < 0.6:
            self.steps.popleft()()
            return
        choice = self.crawl.random.random()
        if choice < 0.4:
            if self.open:
                self.fetch(self.open.popleft())
        elif choice < 0.7:
            self.receive(self.crawl.random.randrange(PARTITIONS))
        elif not self.steps:
            self.checkpoint()

    def fetch(self, url):
        """A page, and where it leads."""
        self.ends.append(url)
        for found in self.crawl.leads_to[url]:
            if not self.holds(found):
                self.outbox.append(found)
            elif self.admit(found) and self.crawl.of[found] != self.crawl.of[url]:
                self.shared.add(self.crawl.of[found])

    def admit(self, url):
        if url in self.known:
            return False
        self.known[url] = True
        self.new.append(url)
        self.open.append(url)
        return True

    def receive(self, partition):
        if self.crawl.owner[partition] == self.number:
            posts = self.crawl.shelves[partition].inbox
            for url in posts[self.read[partition] :]:
                self.admit(url)
            self.read[partition] = len(posts)

    def checkpoint(self):
        """All that was found and has ended by now, in the order in which it may be stored."""
        new, ends, shared, outbox, read = self.new, self.ends, self.shared, self.outbox, dict(self.read)
        self.new, self.ends, self.shared, self.outbox = [], [], set(), []
        of = self.crawl.of
        first = [lambda url=url: self.crawl.shelves[of[url]].inbox.append(url) for url in outbox]
        first += [lambda p=p: self.commit(p, [u for u in new if of[u] == p], [], 0) for p in shared]
        self.crawl.random.shuffle(first)
        then = []
        for p in range(PARTITIONS):
            admitted = [u for u in new if of[u] == p and p not in shared]
            ended = [u for u in ends if of[u] == p]
            if self.crawl.owner[p] == self.number and (admitted or ended or read[p]):
                then.append(lambda p=p, a=admitted, e=ended: self.commit(p, a, e, read[p]))
        self.crawl.random.shuffle(then)
        self.steps.extend([*first, *then])

    def commit(self, partition, admitted, ended, read):
        """One script."""
        shelf = self.crawl.shelves[partition]
        shelf.urls += admitted
        shelf.ended |= set(ended)
        del shelf.inbox[:read]
        self.read[partition] -= read
        shelf.commit += 1


def leader_of(crawl):
    return Leader(
        1, control=crawl, members=None, store=crawl, partitions=PARTITIONS, monotonic=lambda: 0.0, weigh_s=10.0
    )


@settings(max_examples=400)
@given(st.randoms(use_true_random=True))
def test_a_crawl_never_ends_with_anything_open_or_on_its_way(random):
    crawl = Crawl(random)
    leader = leader_of(crawl)

    async def looks():
        for _ in range(60):
            if await leader.end(ALL_IDLE, ORDERS, {}):
                return True
        return False

    asyncio.run(looks())


@given(st.randoms(use_true_random=True))
def test_a_crawl_of_which_nothing_is_left_ends_at_the_first_look(random):
    crawl = Crawl(random)
    for _ in range(20_000):
        crawl.step()
        if crawl.is_over and not any(worker.steps or worker.new or worker.ends for worker in crawl.workers):
            break
    assert crawl.is_over
    crawl.step = lambda: None
    assert asyncio.run(leader_of(crawl).end(ALL_IDLE, ORDERS, {}))


def test_a_crawl_does_not_end_while_anybody_has_something_to_do_or_seeds_are_missing():
    class Untouched:
        async def tallies(self, _):
            raise AssertionError("nobody had to look")

    async def look():
        leader = Leader(
            1, control=None, members=None, store=Untouched(), partitions=1, monotonic=lambda: 0.0, weigh_s=1.0
        )
        busy = Beat(
            now=0.0, version=1, leader=1, leader_for_s=1.0, there={1: There(for_s=1.0, flags=Flags())}, plan=None,
            units=8,
        )  # fmt: skip
        assert not await leader.end(busy, ORDERS, {})
        assert not await leader.end(ALL_IDLE, Orders(is_seeded=False), {})

    asyncio.run(look())
