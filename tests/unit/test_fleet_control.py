"""What is true of a whole crawl, in a real Redis: each claim of `crawler.fleet.control`."""

from __future__ import annotations

import pytest

from crawler.config.manners import Pace
from crawler.errors import ConfigError
from crawler.fleet import control as control_module
from crawler.fleet.control import CRAWLS, Control
from crawler.fleet.keys import Keys
from crawler.fleet.members import Flags, Members, Units
from crawler.fleet.models import FORMAT
from crawler.fleet.orders import DONE, RUNNING, STOPPED
from tests.support.fleet_parts import linked, told_of
from tests.support.redis_server import RedisServer, require_redis

NONE = Units(wanted=0, in_use=0, most=8)


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
def control(link):
    return Control(link, Keys("crawler:test"))


async def begun(control):
    return await control.create_or_join("name: test", FORMAT, 8)


async def alive(link, control, joined, worker=1, **flags):
    members = Members(link, control.keys, joined.id)
    assert await members.beat(told_of(worker), Flags(**flags), 30, units=NONE)
    return members


async def test_whoever_comes_first_begins_the_crawl_and_others_find_it(link, control):
    first = await begun(control)
    other = await Control(link, Keys("crawler:test")).create_or_join("name: other", FORMAT, 4096)
    assert (first.is_first, other.is_first) == (True, False)
    assert (other.id, other.key, other.config, other.partitions) == (first.id, first.key, "name: test", 8)
    assert first.orders.state == RUNNING
    assert first.orders.started_at > 1e9
    assert await link.client.smembers(CRAWLS) == {b"crawler:test"}


async def test_a_look_finds_the_crawl_and_begins_none(link, control):
    assert await control.look(FORMAT) is None
    assert not await link.client.keys()
    joined = await begun(control)
    assert (await control.look(FORMAT)).id == joined.id


async def test_a_crawl_of_another_format_is_refused_with_both_versions_named(control, monkeypatch):
    monkeypatch.setattr(control_module, "__version__", "9.9")
    await begun(control)
    monkeypatch.setattr(control_module, "__version__", "1.1")
    with pytest.raises(ConfigError, match=r"format 1, by crawler 9\.9: this is crawler 1\.1, of format 2"):
        await control.create_or_join("", FORMAT + 1, 8)
    with pytest.raises(ConfigError, match="format 1"):
        await control.look(FORMAT + 1)


async def test_orders_grow_with_each_change_and_are_told(link, control):
    before = (await begun(control)).orders
    async with link.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(control.keys.events)
        await control.pause("someone")
        await control.limit("*.example.org", Pace(delay_s=2.0, concurrency=3))
        orders = await control.orders()
        assert (orders.paused_by, orders.limits) == ("someone", {"*.example.org": Pace(delay_s=2.0, concurrency=3)})
        await control.unpause()
        await control.limit("*.example.org", None)
        after = await control.orders()
        assert (after.paused_by, after.limits) == ("", {})
        assert before.version < orders.version < after.version
        heard = [await pubsub.get_message(timeout=1) for _ in range(5)]
        assert [message["data"] for message in heard if message] == [b"orders"] * 4


async def test_a_crawl_is_stopped_once_and_gone_on_with_in_another_run(control):
    await begun(control)
    assert await control.stop("someone")
    assert not await control.stop("another")
    orders = await control.orders()
    assert (orders.state, orders.why, orders.run) == (STOPPED, "someone", 1)
    assert not await control.go_on(DONE)
    assert await control.go_on(STOPPED)
    orders = await control.orders()
    assert (orders.state, orders.why, orders.run) == (RUNNING, "", 2)


async def test_a_crawl_is_done_only_in_the_run_that_was_looked_at_and_with_all_seeds_in(control):
    await begun(control)
    assert not await control.finish(1)
    await control.seeding(1, 30, is_over=True)
    assert not await control.finish(2)
    assert await control.finish(1)
    assert (await control.orders()).state == DONE


async def test_one_worker_reads_the_seeds_and_another_goes_on_from_its_row(control):
    await begun(control)
    assert (await control.seeding(1, 30, seed_list="a")).is_mine
    assert not (other := await control.seeding(2, 30)).is_mine
    assert 29 < other.free_in_s <= 30
    await control.seeding(1, 0.001, row=500)
    while not (taken := await control.seeding(2, 30)).is_mine:
        pass  # a thousandth of a second
    assert (taken.row, taken.seed_list) == (500, "a")
    assert not (await control.seeding(1, 30, row=700)).is_mine
    await control.leave_seeding(2)
    assert (await control.seeding(1, 30)).row == 500
    assert (await control.seeding(1, 30, row=900, is_over=True)).is_over
    orders = await control.orders()
    assert (orders.is_seeded, orders.seed_row) == (True, 900)
    assert (await control.seeding(3, 30)).is_over


async def test_portions_of_a_budget_never_sum_up_to_more_than_there_is(control):
    await begun(control)
    assert await control.draw("budget.pages", 1, 60, 100) == (60, 60)
    assert await control.draw("budget.pages", 2, 60, 100) == (40, 100)
    assert await control.draw("budget.pages", 2, 60, 100) == (40, 100)  # as if the reply had been lost
    assert await control.draw("budget.pages", 1, 50, 100) == (50, 90)
    assert await control.draw("budget.pages", 2, 60, 100) == (50, 100)
    assert await control.draw("budget.pages", 2, 55, 80) == (50, 100)  # a smaller budget takes nothing away


async def test_a_crawl_ends_with_its_budget_only_when_all_have_spent_theirs(link, control):
    joined = await begun(control)
    await alive(link, control, joined, 1, is_idle=True)
    await alive(link, control, joined, 2)
    await control.draw("budget.pages", 2, 60, 100)
    assert not await control.spend(1, "budget.pages", 100)
    await control.draw("budget.pages", 2, 100, 100)
    assert not await control.spend(1, "budget.pages", 100)  # the second is at work
    await alive(link, control, joined, 2, spent="budget.pages")
    await control.draw("budget.pages", 2, 90, 100)
    await control.draw("budget.pages", 1, 10, 100)  # which is at work then, whatever it said before
    assert not await control.spend(1, "budget.pages", 100)
    await alive(link, control, joined, 1, spent="budget.pages")
    assert await control.spend(1, "budget.pages", 100)
    assert ((await control.orders()).state, (await control.orders()).why) == (STOPPED, "budget.pages")


async def test_a_fresh_crawl_is_another_epoch_and_begins_once_nobody_works_at_the_old_one(link, control):
    old = await begun(control)
    members = await alive(link, control, old)
    assert await control.fresh() == 1
    assert (await begun(control)).id == old.id
    await members.leave(1)
    assert await control.fresh() == 0
    new = await Control(link, Keys("crawler:test")).create_or_join("name: new", FORMAT, 8)
    assert (new.is_first, new.epoch, new.config) == (True, 2, "name: new")
    assert new.id != old.id
    assert await link.client.hget(Keys("crawler:test").control("crawl"), "id") == old.id.encode()


async def test_a_crawl_retired_by_one_who_died_is_begun_anew_by_the_next(link, control):
    await begun(control)
    await link.client.hset(control.keys.control("crawl"), "state", "retired")
    assert (await begun(control)).epoch == 2


async def test_a_forgotten_crawl_leaves_nothing_and_one_that_is_worked_at_is_not_forgotten(link, control):
    other = Control(link, Keys("crawler:other"))
    await begun(other)
    kept = set(await link.client.keys())
    joined = await begun(control)
    await alive(link, control, joined)
    await link.client.set(control.keys.of(7).lease, "x")
    assert await control.forget() == 1
    await Members(link, control.keys, joined.id).leave(1)
    await control.fresh()
    await begun(control)
    await control.draw("budget.pages", 1, 1, 2)
    await control.limit("x", Pace(concurrency=1))
    assert await control.forget() == 0
    assert set(await link.client.keys()) == kept
    assert await link.client.smembers(CRAWLS) == {b"crawler:other"}
    with pytest.raises(ConfigError, match="there is no crawl"):
        await control.orders()
