"""How workers share partitions, with a real Redis for what all know, partitions in memory, and a crawl that counts."""

from __future__ import annotations

import asyncio
import time

import pytest

from crawler.errors import FrontierError
from crawler.fleet.orders import DONE, STOPPED
from tests.support.fleet_parts import Shelves, Worker, linked, until
from tests.support.redis_server import RedisServer, require_redis

pytestmark = pytest.mark.slow


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


@pytest.fixture
async def workers(link):
    """Makes workers on one store, and ends them."""
    store, made = Shelves(16), []

    async def make(**more):
        worker = await Worker(link, store, **more).join()
        made.append(worker)
        return worker

    make.store = store
    yield make
    for worker in made:
        await worker.die()
        if not worker.task.cancelled() and (error := worker.task.exception()) is not None:
            raise error


def shares(store):
    owners = store.owners()
    return {owner: owners.count(owner) for owner in set(owners)}


async def test_a_lone_worker_holds_everything(workers):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    assert shares(workers.store) == {1: 16}
    assert one.member.holds("www.example.org")
    assert one.member.held == set(range(16))


async def test_who_joins_has_its_share_at_once_and_nobody_holds_the_same(workers):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    two = await workers()
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    assert not one.holder.loaded & two.holder.loaded
    assert shares(workers.store) == {1: 8, 2: 8}


async def test_who_was_cut_off_looks_for_whatever_may_have_been_told_meanwhile(workers, link):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    heard = asyncio.Event()
    one.member.hears["budget"] = heard.set
    await link.client.client_kill_filter(_type="pubsub")
    await asyncio.wait_for(heard.wait(), 10)


async def test_what_is_under_way_is_given_back_later_than_the_rest(workers):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    one.holder.busy = set(range(16)) - {3, 5}
    two = await workers()
    await until(lambda: two.holder.loaded)
    assert two.holder.loaded <= {3, 5}
    one.holder.busy = set()
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))


async def test_who_leaves_gives_all_back_and_the_others_have_it_at_once(workers):
    one, two = await workers(lease_s=30.0), await workers(lease_s=30.0)
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    await one.leave()
    await until(lambda: len(two.holder.loaded) == 16)
    assert (await two.members.look()).there.keys() == {2}
    assert two.member.asked_at("www.example.org") < 0


async def test_what_a_dead_worker_held_is_anothers_once_its_lease_is_over(workers):
    one, two = await workers(), await workers()
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    theirs = set(one.holder.loaded)
    await one.die()
    took_s = await until(lambda: len(two.holder.loaded) == 16)
    assert took_s > 0.5
    host = next(host for host in (f"h{n}.test" for n in range(100)) if _partition(host) in theirs)
    mine = next(host for host in (f"h{n}.test" for n in range(100)) if _partition(host) not in theirs)
    assert two.member.asked_at(host) > 0
    assert two.member.asked_at(mine) < 0


async def test_a_leader_that_died_is_followed_by_another(workers):
    one, two, three = await workers(), await workers(), await workers()
    await until(lambda: sum(len(worker.holder.loaded) for worker in (one, two, three)) == 16)
    assert (await two.members.look()).leader == 1
    await one.die()
    await until(lambda: len(two.holder.loaded) + len(three.holder.loaded) == 16)
    assert (await two.members.look()).leader in {2, 3}


async def test_a_crawl_ends_for_all_once_all_are_idle_and_everything_is_closed(workers):
    one, two = await workers(lease_s=30.0), await workers(lease_s=30.0)
    shelf = workers.store.shelves[4]
    shelf.urls, shelf.ends = 10, 9
    await one.control.seeding(1, 30, is_over=True)
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    for worker in (one, two):
        worker.holder.is_idle = True
        worker.member.nudge()
    await until(lambda: workers.store.calls["tallies"] >= 1)
    await asyncio.sleep(0)
    assert not one.member.over.is_set()
    shelf.ends = 10
    two.holder.is_idle = False
    two.member.nudge()
    await until(lambda: two.member._heart.told.is_idle is False)
    two.holder.is_idle = True
    two.member.nudge()
    await until(lambda: one.member.over.is_set() and two.member.over.is_set())
    assert {one.member.orders.state, two.member.orders.state} == {DONE}
    await asyncio.gather(one.leave(), two.leave())
    assert shares(workers.store) == {0: 16}


async def test_what_all_are_told_reaches_each_at_once(workers):
    one, two = await workers(lease_s=30.0), await workers(lease_s=30.0)
    await until(lambda: one.holder.orders and two.holder.orders)
    await one.control.pause("someone")
    await until(lambda: one.holder.orders.paused_by == two.holder.orders.paused_by == "someone")
    await one.control.stop("someone")
    await until(lambda: one.member.over.is_set() and two.member.over.is_set())
    assert two.member.orders.state == STOPPED


async def test_inboxes_are_taken_in_by_whom_they_are_of_as_soon_as_it_is_told(workers):
    one, two = await workers(lease_s=30.0), await workers(lease_s=30.0)
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    theirs = sorted(two.holder.loaded)[:2]
    mine = sorted(one.holder.loaded)[0]
    await until(lambda: two.member._hands._posted == set())
    two.holder.log.clear()
    one.holder.log.clear()
    await one.member.posted([*theirs, mine])
    await until(lambda: received(two).issuperset(theirs))
    await until(lambda: mine in received(one))


async def test_requests_to_one_address_are_divided_and_never_sum_up_to_more_than_the_cap(workers):
    one = await workers(lease_s=30.0)
    await until(lambda: one.holder.units == 8)
    one.holder.units_in_use = 7
    two = await workers(lease_s=30.0)
    await until(lambda: one.holder.units == 4)
    await until(lambda: two.holder.loaded)
    assert two.holder.units <= 1
    one.holder.units_in_use = 0
    await until(lambda: (one.holder.units, two.holder.units) == (4, 4))


async def test_more_workers_than_requests_to_one_address_stand_by(workers):
    one, two = await workers(at_address=1), await workers(at_address=1)
    await until(lambda: len(one.holder.loaded) == 16)
    assert not two.holder.loaded
    await one.leave()
    await until(lambda: len(two.holder.loaded) == 16 and two.holder.units == 1)


async def test_partitions_move_when_they_turn_out_to_weigh_more_than_others(workers):
    one, two = await workers(weigh_s=0.5), await workers(weigh_s=0.5)
    await until(lambda: (len(one.holder.loaded), len(two.holder.loaded)) == (8, 8))
    heavy = sorted(one.holder.loaded)
    for worker in (one, two):
        worker.holder.known = dict.fromkeys(heavy, 100.0)
    await until(lambda: len(two.holder.loaded.intersection(heavy)) == 4)


async def test_a_worker_frozen_past_its_lease_holds_nothing_when_it_wakes(workers, link):
    boot = [0.0]
    one = await workers(now=lambda: boot[0])
    await until(lambda: len(one.holder.loaded) == 16)
    assert one.member.holds("www.example.org")
    boot[0] += 5.0
    assert not one.member.holds("www.example.org")
    assert one.holder.troubles[-1] == "its leases have lapsed"
    await until(lambda: one.holder.troubles[-1] is None)
    assert one.member.holds("www.example.org")


async def test_what_another_took_meanwhile_is_forgotten_and_taken_again_when_it_is_free(workers):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    shelf = workers.store.shelves[7]
    shelf.owner, shelf.fence, shelf.until = 99, shelf.fence + 1, workers.store.now() + 0.5
    await until(lambda: ("lost", [7]) in one.holder.log)
    await until(lambda: 7 in one.holder.loaded)
    assert workers.store.owners()[7] == 1


async def test_a_partition_lost_while_it_is_loaded_is_told_to_be_lost(workers):
    one = await workers()
    one.holder.gate = asyncio.Event()
    await until(lambda: workers.store.owners()[7] == 1)
    one.member.lost([7])
    one.holder.gate.set()
    await until(lambda: ("lost", [7]) in one.holder.log)
    await until(lambda: len(one.holder.loaded) == 16)


async def test_partitions_in_which_nothing_is_stored_are_loaded_together_and_before_others(workers):
    for partition in range(4):
        workers.store.shelves[partition].commit = 1
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    gained = [partitions for what, partitions in one.holder.log if what == "gained"]
    assert gained == [list(range(4, 16)), list(range(4))]


async def test_a_crawl_that_is_gone_from_redis_ends_its_workers_with_an_error(workers, link):
    one = await workers()
    await until(lambda: len(one.holder.loaded) == 16)
    await link.client.flushall()
    with pytest.raises(FrontierError, match="is gone from Redis"):
        await asyncio.wait_for(asyncio.shield(one.task), 3)
    one.task = asyncio.ensure_future(asyncio.sleep(0))


async def test_events_are_heard_again_after_the_connection_was_lost(workers, link):
    one = await workers(lease_s=30.0)
    await until(lambda: len(one.holder.loaded) == 16)
    await link.client.client_kill_filter(_type="pubsub")
    await one.control.pause("someone")
    await until(lambda: one.holder.orders.paused_by == "someone")


async def test_a_crawl_is_not_over_before_others_may_have_handed_over_again_what_redis_has_lost(workers, link):
    one = await workers(lease_s=1.0)
    await one.control.seeding(1, 30, is_over=True)
    await until(lambda: len(one.holder.loaded) == 16 and one.member.orders.is_seeded)
    heard = asyncio.Event()
    one.member.hears["all"] = heard.set
    await link.client.client_kill_filter(_type="pubsub")
    await heard.wait()
    since = time.monotonic()
    one.holder.is_idle = True
    one.member.nudge()
    await until(one.member.over.is_set)
    assert time.monotonic() - since >= 0.9


async def test_a_plan_that_redis_has_lost_is_not_taken_for_the_next_one(workers, link):
    one = await workers(lease_s=30.0)
    await until(lambda: len(one.holder.loaded) == 16)
    name = one.control.keys.control("plan")
    lost = one.member._heart.plan.version
    await link.client.delete(name)
    await link.client.publish(one.control.keys.events, "members")
    await workers(lease_s=30.0)
    await until(lambda: len(one.member._heart.plan.workers) == 2)
    assert one.member._heart.plan.version > lost
    assert int(await link.client.hget(name, "version")) > lost


def received(worker):
    return {partition for what, partitions in worker.holder.log if what == "received" for partition in partitions}


def _partition(host):
    from crawler.fleet.partitions import partition_of

    return partition_of(host, 16)
