"""What `crawler.frontier.redis` does beyond a frontier: its partitions come and go."""

from __future__ import annotations

import asyncio

import pytest

from crawler.fleet.partitions import partition_of
from crawler.models import Checkpoint, HostState, Outcome, Robots, RobotsFile, Snoozed
from tests.support.clock import FakeClock
from tests.support.frontiers import finished, link, seed, urls
from tests.support.shared_frontiers import PARTITIONS, Crawl, member

A, B = "a.test", "b.test"
OF_A, OF_B = partition_of(A, PARTITIONS), partition_of(B, PARTITIONS)
ALL = range(PARTITIONS)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def crawl(clock):
    return Crawl(clock)


@pytest.fixture
async def connection(crawl):
    connection = await crawl.link()
    yield connection
    await connection.aclose()


@pytest.fixture
def store(crawl, connection):
    return crawl.store(connection)


@pytest.fixture
def make(crawl, connection):
    return lambda number=1, **options: member(crawl, connection, number, **options)


async def acquire(frontier, store, partitions=ALL, worker=1):
    leases, refused = await store.acquire(partitions, worker, 60)
    assert not refused
    await frontier.gain(leases)
    return frontier


async def steal(frontier, store, crawl, partition, worker=2):
    """What the server does when a lease is over and another asks."""
    await store._link.client.delete(crawl.keys.of(partition).lease)
    return await acquire(frontier, store, [partition], worker)


async def pending(store):
    """URLs of the whole crawl that have no end."""
    rows = [row for index in ALL async for block in store.ledger(index) for row in block]
    return sorted(request.url for request, end, _ in rows if end is None)


async def posted(store, partition):
    return [request.url for post in await store.inbox(partition) for request in post.requests]


def test_the_hosts_of_these_tests_are_in_two_partitions():
    assert OF_A != OF_B


async def test_url_of_a_partition_that_is_not_held_goes_to_its_inbox_with_the_next_commit(make, store):
    frontier = await acquire(make(), store, [OF_A])
    assert frontier.add([seed(f"https://{A}/"), seed(f"https://{B}/seed")]) == [True, False]
    (page,) = await frontier.take([(A, 9), (B, 9)])
    found = [link(frontier, f"https://{B}/x"), link(frontier, f"https://{A}/y"), link(frontier, f"https://{B}/x")]
    assert frontier.discover(page, found) == [A]
    assert frontier.uncommitted == 4
    assert frontier.counts().admitted == 2
    assert await posted(store, OF_B) == []
    await frontier.commit(Checkpoint(finished=(finished(page),)))
    assert frontier.uncommitted == 0
    assert await posted(store, OF_B) == [f"https://{B}/seed", f"https://{B}/x"]


async def test_inbox_is_taken_in_once_however_often_it_was_posted_and_emptied_by_the_next_commit(make, store):
    one, two = make(1), await acquire(make(2), store, [OF_B], 2)
    for _ in range(2):
        one.add([seed(f"https://{B}/x", depth=3, priority=7, context=b"c")])
        await one.commit(Checkpoint())
        one._admission.forget_lately()
    await two.receive([OF_B])
    assert await two.wake() == ([B], None)
    assert not two.is_idle
    (request,) = await two.take([(B, 9)])
    assert (request.depth, request.priority, request.context) == (3, 7, b"c")
    await two.commit(Checkpoint(finished=(finished(request),)))
    assert await posted(store, OF_B) == []
    assert two.is_idle


async def test_inbox_that_was_taken_in_by_a_worker_that_died_is_there_for_the_next(make, store, crawl):
    one, two = make(1), await acquire(make(2), store, [OF_B], 2)
    one.add([seed(f"https://{B}/x")])
    await one.commit(Checkpoint())
    await two.receive([OF_B])
    assert len(await two.take([(B, 9)])) == 1
    three = await steal(make(3), store, crawl, OF_B, 3)
    assert urls(await three.take([(B, 9)])) == [f"https://{B}/x"]


async def test_order_attempts_states_and_verdicts_travel_with_a_partition(make, store, clock):
    one = await acquire(make(1), store)
    one.add([seed(f"https://{A}/{n}", depth=n % 3, priority=n % 2) for n in range(9)])
    late, *rest = await one.take([(A, 3)])
    state = HostState(host_key=A, ready_at=12.5, failures=2, backoff_s=3.0)
    file = RobotsFile(origin=f"https://{A}", expires_at=5.0, robots=Robots(rules=((False, "/x"),)))
    again = Snoozed(request=late, until=clock.monotonic() + 5)
    await one.commit(Checkpoint(snoozed=(again,), hosts=(state,), robots=(file,)))
    one.put_back(rest)
    assert await one.give_back(list(ALL)) == set(ALL)
    assert (one.counts().admitted, one.is_idle) == (0, True)
    await store.release(dict.fromkeys(ALL, 0), 1)
    await store._link.client.delete(*(store._keys.of(index).lease for index in ALL))
    two = await acquire(make(2), store, worker=2)
    assert await two.host(A) == state
    assert await two.robots(f"https://{A}") == file
    assert (await two.wake())[1] == clock.monotonic() + 5
    taken = await two.take([(A, 99)])
    assert [(r.priority, r.depth) for r in taken] == sorted((r.priority, r.depth) for r in taken)
    assert len(taken) == 8
    clock.advance(5)
    assert await two.wake() == ([A], None)
    assert urls(await two.take([(A, 99)])) == [late.url]


async def test_stored_times_are_the_servers_whatever_the_workers_clocks_say(make, store, clock):
    ahead = await acquire(make(1, ahead_s=-3600.0), store)  # its clock is an hour ahead
    ahead.add([seed(f"https://{A}/")])
    requests = await ahead.take([(A, 1)])
    await ahead.commit(
        Checkpoint(
            snoozed=tuple(Snoozed(request=one, until=clock.monotonic() + 5) for one in requests),
            hosts=(HostState(host_key=A, ready_at=clock.wall() + 7), HostState(host_key=B)),
            robots=(RobotsFile(origin=f"https://{A}", expires_at=clock.wall() + 9),),
        )
    )
    assert await ahead.host(A) == HostState(host_key=A, ready_at=clock.wall() + 7)
    assert (await ahead.wake())[1] == clock.monotonic() + 5
    await store._link.client.delete(*(store._keys.of(index).lease for index in ALL))
    right = await acquire(make(2), store, worker=2)
    assert await right.host(A) == HostState(host_key=A, ready_at=clock.wall() - 3600 + 7)
    assert (await right.robots(f"https://{A}")).expires_at == clock.wall() - 3600 + 9
    assert await right.host(B) == HostState(host_key=B)
    right.told_time(-3600.0)
    assert await right.host(A) == HostState(host_key=A, ready_at=clock.wall() + 7)


async def test_give_back_waits_until_nothing_is_out_and_all_is_stored(make, store):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/{n}") for n in range(3)])
    begun, at_hand = await frontier.take([(A, 2)])
    giving = asyncio.create_task(frontier.give_back([OF_A, OF_B]))
    await asyncio.sleep(0)
    assert await frontier.take([(A, 9)]) == []
    assert [state.host_key for state in (await frontier.hosts(0.0, 0, 9))[0]] == []
    frontier.put_back([at_hand])
    await asyncio.sleep(0)
    assert not giving.done()
    assert frontier.discover(begun, [link(frontier, f"https://{A}/late")]) == []
    await frontier.commit(Checkpoint(finished=(finished(begun),)))
    assert await giving == {OF_A, OF_B}
    assert set(frontier.fences()) == set(ALL) - {OF_A, OF_B}
    assert await posted(store, OF_A) == [f"https://{A}/late"]
    assert await pending(store) == [f"https://{A}/1", f"https://{A}/2"]


async def test_give_back_waits_no_longer_than_it_is_told_and_may_be_asked_again(make, store):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/")])
    await frontier.commit(Checkpoint())
    (begun,) = await frontier.take([(A, 1)])
    assert await frontier.give_back([OF_A, OF_B], 0.0) == {OF_B}
    await frontier.commit(Checkpoint(finished=(finished(begun),)))
    assert await frontier.give_back([OF_A], 0.0) == {OF_A}


async def test_end_that_comes_after_its_partition_was_lost_is_not_stored(make, store, crawl):
    one = await acquire(make(1), store)
    one.add([seed(f"https://{A}/")])
    await one.commit(Checkpoint())
    (stale,) = await one.take([(A, 1)])
    two = await steal(make(2), store, crawl, OF_A)
    lost = []
    one.on_lost = lost.append
    await one.commit(Checkpoint(finished=(finished(stale),), hosts=(HostState(host_key=B),)))
    assert lost == [{OF_A}]
    assert (await store.tallies([OF_A]))[0].ended == {}
    assert await one.give_back([OF_A]) == {OF_A}
    (again,) = await two.take([(A, 1)])
    await two.commit(Checkpoint(finished=(finished(again, Outcome.FAILED),)))
    await one.commit(Checkpoint(finished=(finished(stale),)))  # had anew meanwhile, or not: it means nothing
    assert (await store.tallies([OF_A]))[0].ended == {Outcome.FAILED: 1}


async def test_request_of_an_earlier_lease_of_a_partition_means_nothing_under_the_next_one(make, store):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/")])
    await frontier.commit(Checkpoint())
    (old,) = await frontier.take([(A, 1)])
    frontier.lost([OF_A])
    await acquire(frontier, store, [OF_A])
    (new,) = await frontier.take([(A, 1)])
    assert (new.url, new.id != old.id) == (old.url, True)
    await frontier.commit(Checkpoint(finished=(finished(old, Outcome.FAILED),)))
    frontier.put_back([old])
    assert frontier.counts().pending == 1
    await frontier.commit(Checkpoint(finished=(finished(new),)))
    assert (await store.tallies([OF_A]))[0].ended == {Outcome.FETCHED: 1}


@pytest.mark.parametrize("when", ["before the cut", "before the commit", "unknown"])
async def test_link_into_a_partition_that_is_lost_is_posted_before_its_page_ends(make, store, crawl, when):
    one = await acquire(make(1), store)
    one.add([seed(f"https://{A}/")])
    await one.commit(Checkpoint())
    (page,) = await one.take([(A, 1)])
    one.discover(page, [link(one, f"https://{B}/child")])
    await steal(make(2), store, crawl, OF_B)
    if when == "before the cut":
        one.lost([OF_B])
    one.cut()
    if when == "before the commit":
        one.lost([OF_B])
    await one.commit(Checkpoint(finished=(finished(page),)))
    assert OF_B not in one.fences()
    assert (await store.tallies([OF_A]))[0].ended == {Outcome.FETCHED: 1}
    assert set(await posted(store, OF_B)) == {f"https://{B}/child"}


async def test_link_met_before_its_partition_was_lost_is_posted_when_it_is_met_again(make, store):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/")])
    (page,) = await frontier.take([(A, 1)])
    frontier.discover(page, [link(frontier, f"https://{B}/x")])
    frontier.lost([OF_B])
    frontier._admission.outbox.clear()
    frontier.discover(page, [link(frontier, f"https://{B}/x")])
    await frontier.commit(Checkpoint())
    assert await posted(store, OF_B) == [f"https://{B}/x"]


async def test_child_of_a_page_of_another_partition_is_stored_before_the_page_ends(make, store, monkeypatch):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/")])
    await frontier.commit(Checkpoint())
    (page,) = await frontier.take([(A, 1)])
    frontier.discover(page, [link(frontier, f"https://{B}/child"), link(frontier, f"https://{A}/own")])
    commits = []
    commit = store.commit

    async def noted(changes):
        commits.append([(one.partition, len(one.admitted), len(one.ended)) for one in changes])
        return await commit(changes)

    monkeypatch.setattr(frontier._store, "commit", noted)
    await frontier.commit(Checkpoint(finished=(finished(page),)))
    assert commits == [[(OF_B, 1, 0)], [(OF_A, 1, 1)]]


async def test_partition_of_which_redis_has_lost_a_commit_is_dropped_and_read_anew(make, store, crawl):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/{n}") for n in range(2)])
    await frontier.commit(Checkpoint())
    client, keys = store._link.client, crawl.keys.of(OF_A)
    before = {name: await client.dump(name) for name in (keys.meta, keys.urls)}
    taken = await frontier.take([(A, 9)])
    await frontier.commit(Checkpoint(finished=(finished(taken[0]),)))
    await client.delete(keys.ends)
    for name, dumped in before.items():
        await client.restore(name, 0, dumped, replace=True)
    lost = []
    frontier.on_lost = lost.append
    assert await frontier.check() == {OF_A}
    assert lost == [{OF_A}]
    await acquire(frontier, store, [OF_A])
    assert urls(await frontier.take([(A, 9)])) == urls(taken)


async def test_what_was_posted_a_moment_before_redis_lost_it_is_posted_again(make, store, crawl):
    frontier = await acquire(make(), store, [OF_A])
    frontier.add([seed(f"https://{B}/x")])
    await frontier.commit(Checkpoint())
    await store._link.client.delete(crawl.keys.of(OF_B).inbox)
    await frontier.check()
    assert await posted(store, OF_B) == [f"https://{B}/x"]


async def test_link_found_while_its_partition_is_being_taken_over_is_admitted_there(make, store, crawl):
    one = await acquire(make(1), store, [OF_A])
    one.add([seed(f"https://{A}/"), seed(f"https://{B}/posted before")])
    await acquire(one, store, [OF_B])
    assert one.counts().admitted == 2
    assert urls(await one.take([(B, 9)])) == [f"https://{B}/posted before"]
    await one.commit(Checkpoint())
    assert await posted(store, OF_B) == []


async def test_worker_counts_what_its_partitions_brought_apart_from_its_own_ends(make, store):
    one = await acquire(make(1), store)
    one.add([seed(f"https://{host}/{n}") for host in (A, B) for n in range(3)])
    requests = await one.take([(A, 2), (B, 1)])
    await one.commit(Checkpoint(finished=tuple(finished(request) for request in requests)))
    assert one.counts().brought == 0
    one.lost([OF_A])
    counts = one.counts()
    assert (counts.admitted, counts.pending, counts.brought) == (3, 2, -2)
    await acquire(one, store, [OF_A])
    counts = one.counts()
    assert (counts.admitted, counts.pending, counts.brought) == (6, 3, 0)
    await store._link.client.delete(*(store._keys.of(index).lease for index in ALL))
    two = await acquire(make(2), store, worker=2)
    assert (two.counts().pending, two.counts().brought) == (3, 3)


async def test_requeue_needs_all_partitions(make, store):
    from crawler.errors import FrontierError

    frontier = await acquire(make(), store, [OF_A])

    async def nothing():
        yield []

    with pytest.raises(FrontierError, match="only who holds all 8 partitions can requeue: 1"):
        await frontier.requeue(nothing(), Checkpoint())


async def test_ends_are_numbered_in_the_order_in_which_they_were_committed_refused_ones_too(make, store, crawl):
    one = await acquire(make(1), store)
    one.add([seed(f"https://{host}/{n}") for host in (A, B) for n in range(2)])
    await one.commit(Checkpoint())
    first, second, third, fourth = await one.take([(A, 2), (B, 2)])
    await one.commit(Checkpoint(finished=(finished(third), finished(first))))
    await steal(make(2), store, crawl, OF_A)
    await one.commit(Checkpoint(finished=(finished(second), finished(fourth))))
    rows = [row for index in (OF_A, OF_B) async for block in store.ledger(index) for row in block]
    places = {request.url: (at.worker, at.ordinal) for request, _, at in rows if at is not None}
    assert places == {third.url: (1, 0), first.url: (1, 1), fourth.url: (1, 3)}


async def test_find_answers_for_partitions_that_others_hold(make, store):
    one, two = await acquire(make(1), store), make(2)
    one.add([seed(f"https://{A}/"), seed(f"https://{B}/")])
    (request,) = await one.take([(A, 1)])
    await one.commit(Checkpoint(finished=(finished(request, Outcome.FAILED, reason="dns"),)))
    end, other, unknown = await two.find([f"https://{A}/", f"https://{B}/", f"https://{B}/never"])
    assert (end.outcome, end.reason, other, unknown) == (Outcome.FAILED, "dns", None, None)


async def test_weights_are_the_hosts_that_have_something_to_take(make, store):
    frontier = await acquire(make(), store)
    assert frontier.weights() == {}
    frontier.add([seed(f"https://{name}.{A}/") for name in "xyz"] + [seed(f"https://{B}/")])
    assert frontier.weights() == {OF_A: 3.0, OF_B: 1.0} or partition_of(f"x.{A}", PARTITIONS) == OF_A
    await frontier.take([(B, 1)])
    assert OF_B not in frontier.weights()


async def test_it_is_told_after_each_commit_to_whom_something_was_delivered(make, store):
    frontier = await acquire(make(), store, [OF_A])
    told = []
    frontier.on_stored = told.append
    await frontier.commit(Checkpoint())
    frontier.add([seed(f"https://{B}/")])
    await frontier.commit(Checkpoint())
    assert told == [set(), {OF_B}]


async def test_what_is_hidden_is_neither_listed_nor_taken_and_counts_until_it_is_given_back(make, store):
    frontier = await acquire(make(), store)
    frontier.add([seed(f"https://{A}/"), seed(f"https://{B}/")])
    await frontier.commit(Checkpoint())
    frontier.hide([OF_A])
    assert [state.host_key for state in (await frontier.hosts(0.0, 0, 9))[0]] == [B]
    assert urls(await frontier.take([(A, 1), (B, 1)])) == [f"https://{B}/"]
    assert frontier.counts().admitted == 2
    assert await frontier.give_back([OF_A]) == {OF_A}
    assert frontier.counts().admitted == 1


async def test_inbox_with_more_than_there_is_room_for_is_read_on_after_the_next_commit(make, store, monkeypatch):
    monkeypatch.setattr("crawler.frontier.redis_holding._MOST_UNCUT", 2)
    two = await acquire(make(2), store, [OF_B], 2)
    for n in range(40):
        await store.deliver({OF_B: [seed(f"https://{B}/{n}")]})
    await two.receive([OF_B])
    admitted = two.counts().admitted
    assert 2 < admitted < 40
    assert not two.is_idle
    await two.commit(Checkpoint())
    assert two.counts().admitted == 40
