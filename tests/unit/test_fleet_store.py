"""What a partition's store promises: one change at one stroke, one owner, nothing twice."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.fleet.keys import Keys
from crawler.fleet.store import BLOCK_URLS, block_ids
from crawler.models import HostState, Outcome, RobotsFile, Snoozed
from tests.support.fleet_store import PREFIX, all_rows, change, end, leased, opened_store, request
from tests.support.redis_server import RedisServer, require_redis

KEYS = Keys(PREFIX)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    require_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def store(server):
    server.client().flushall()
    async with opened_store(server) as store:
        yield store


async def test_a_partition_is_one_workers_until_it_gives_it_back(store):
    lease = await leased(store)
    leases, (refused,) = await store.acquire([0], worker=2, ttl_s=60)
    assert leases == []
    assert refused.owner == 1
    assert 50 < refused.free_in_s <= 60
    await store.release({0: lease.fence}, worker=1)
    again = await leased(store, worker=2)
    assert again.fence > lease.fence
    assert again.is_clean


async def test_a_partition_that_was_not_given_back_is_not_clean(server, store):
    lease = await leased(store)
    assert lease.is_clean
    server.client().delete(KEYS.of(0).lease)  # its time is up
    again = await leased(store, worker=2)
    assert not again.is_clean
    assert again.fence > lease.fence


async def test_a_lease_whose_time_is_up_is_revived_unless_somebody_took_it(server, store):
    lease = await leased(store)
    server.client().delete(KEYS.of(0).lease)
    assert await store.renew({0: lease.fence}, 1, 60) == set()
    assert await store.commit([change(lease, admitted=[request(1)])]) == set()
    server.client().delete(KEYS.of(0).lease)
    await leased(store, worker=2)
    assert await store.renew({0: lease.fence}, 1, 60) == {0}
    assert await store.commit([change(lease, commit=1, admitted=[request(2)])]) == {0}
    await store.release({0: lease.fence}, 1)  # changes nothing
    assert (await store.tallies([0]))[0].owner == 2


async def test_what_was_given_back_can_neither_be_renewed_nor_written(store):
    lease = await leased(store)
    await store.release({0: lease.fence}, 1)
    await store.release({0: lease.fence}, 1)
    assert await store.renew({0: lease.fence}, 1, 60) == {0}
    assert await store.commit([change(lease, admitted=[request(1)])]) == {0}


async def test_a_renewed_lease_lasts_from_then_on(server, store):
    lease = await leased(store, ttl_s=5)
    await store.renew({0: lease.fence}, 1, 60)
    assert server.client().pttl(KEYS.of(0).lease) > 50_000


async def test_an_acquisition_whose_reply_was_lost_gives_the_same_lease(store, monkeypatch):
    monkeypatch.setattr("crawler.fleet.store.secrets.token_hex", lambda _: "the same")
    first = await leased(store)
    assert await leased(store) == first


async def test_whoever_takes_its_own_partition_again_writes_no_more_by_the_old_lease(store):
    first = await leased(store)
    second = await leased(store)
    assert second.fence > first.fence
    assert await store.commit([change(first, admitted=[request(1)])]) == {0}
    assert await store.commit([change(second, admitted=[request(1)])]) == set()


async def test_all_of_a_change_is_read_back(store):
    lease = await leased(store)
    host = HostState(host_key="a.test", ready_at=5.25, failures=2)
    robots = RobotsFile(origin="https://a.test", expires_at=7.5)
    some = [request(n) for n in range(1, 6)]
    again = Snoozed(request=replace(some[2], attempt=2), until=9.5, reason="timeout")
    first = change(lease, admitted=some, ended=[end(1), end(2, 1)], snoozed=[(3, again)], hosts=[host], robots=[robots])
    assert await store.commit([first]) == set()
    held = await store.held(0, urls=5)
    assert list(held.ended) == [0, 1, 1, 0, 0, 0]
    assert held.later[3].snoozed(some[2]) == again
    assert held.hosts == [host]
    assert held.robots == [robots]
    (tally,) = await store.tallies([0])
    assert (tally.urls, tally.ended, tally.commit, tally.snoozed) == (5, {Outcome.FETCHED: 2}, 1, 1)
    assert not tally.is_clean
    lease = await leased(store)
    assert (lease.urls, lease.ended, lease.commit) == (5, {Outcome.FETCHED: 2}, 1)


async def test_a_change_sent_twice_is_applied_once(store):
    lease = await leased(store)
    first = change(lease, admitted=[request(1), request(2)], ended=[end(1)])
    assert await store.commit([first]) == set()
    assert await store.commit([first]) == set()
    (tally,) = await store.tallies([0])
    assert (tally.urls, tally.ended) == (2, {Outcome.FETCHED: 1})
    assert len(await all_rows(store)) == 2


async def test_a_change_that_does_not_follow_the_last_commit_is_refused(store):
    lease = await leased(store)
    assert await store.commit([change(lease, commit=3, admitted=[request(1)])]) == {0}
    for number in range(3):
        assert await store.commit([change(lease, commit=number, admitted=[request(number)])]) == set()
    assert await store.commit([change(lease, commit=1, admitted=[request(9)])]) == {0}
    assert len(await all_rows(store)) == 3


async def test_changes_of_many_partitions_are_refused_one_by_one(store):
    leases, _ = await store.acquire(range(300), 1, 60)
    changes = [change(lease, admitted=[request(lease.partition)]) for lease in leases]
    changes[7] = replace(changes[7], fence=1)
    assert await store.commit(changes) == {7}
    assert sum(tally.urls for tally in await store.tallies(range(300))) == 299


async def test_leases_of_many_partitions_are_had_with_few_calls_and_each_has_its_own_fence(server, store):
    client = server.client()
    client.config_resetstat()
    await store.acquire([200], 2, 60)
    leases, others = await store.acquire(range(300), 1, 60)
    assert [(one.partition, one.owner) for one in others] == [(200, 2)]
    fences = {lease.partition: lease.fence for lease in leases}
    client.delete(KEYS.of(7).lease)
    await store.acquire([7], 2, 60)
    client.delete(KEYS.of(250).lease)  # nobody took it
    assert await store.renew(fences, 1, 90) == {7}
    assert await store.renew(fences, 1, 90) == {7}
    tallies = await store.tallies(range(300))
    assert {tally.partition: tally.owner for tally in tallies} == dict.fromkeys(range(300), 1) | {7: 2, 200: 2}
    assert all(tally.free_in_s > 80 for tally in tallies if tally.owner == 1)
    await store.deliver({partition: [request(partition)] for partition in (0, 130, 299)})
    assert await store.posted_to(range(300)) == [0, 130, 299]
    await store.release(fences, 1)
    assert [tally.partition for tally in await store.tallies(range(300)) if tally.owner] == [7, 200]
    stats = client.info("commandstats")
    assert sum(stats[name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats) < 60


async def test_urls_are_found_by_the_ids_of_their_blocks(store):
    lease = await leased(store)
    count = BLOCK_URLS * 2 + 3
    await store.commit([change(lease, admitted=[request(1)])])
    some = [request(n) for n in range(count)]
    await store.commit([change(lease, commit=1, admitted=some)])
    blocks = [block async for block in store.blocks(0)]
    expected = block_ids(0, 0, 1) + block_ids(1, 1, count)
    assert [(block.id, block.first, len(block)) for block in blocks] == expected
    last = expected[-1][0]
    assert await store.rows(0, [last]) == {last: [replace(some[n], id=n + 2) for n in range(BLOCK_URLS * 2, count)]}
    assert [block.id async for block in store.blocks(0, after=expected[1][0])] == [expected[2][0], last]


async def test_a_block_that_is_missing_is_told_by_the_name_of_its_key(server, store):
    lease = await leased(store)
    for number in range(3):
        await store.commit([change(lease, commit=number, admitted=[request(number)])])
    server.client().xdel(KEYS.of(0).urls, "2-2")
    with pytest.raises(FrontierError, match=r"crawler:test:0.:urls"):
        [block async for block in store.blocks(0)]
    with pytest.raises(FrontierError, match=r"block 2-2 is missing"):
        await store.rows(0, ["2-2"])


async def test_the_ledger_tells_of_each_url_how_it_ended_and_where_its_records_are(store):
    lease = await leased(store)
    some = [request(n) for n in range(1, 2001)]
    ends = [end(n, ordinal, at=n / 4, etag=f'"{n}"') for ordinal, n in enumerate(range(1999, 0, -2))]
    await store.commit([change(lease, admitted=some)])
    await store.commit([change(lease, commit=1, ended=ends[:700])])
    await store.commit([change(lease, commit=2, ended=ends[700:])])
    told = {
        number: (replace(finished, request=replace(some[number - 1], id=number)), where)
        for number, finished, where in ends
    }
    for place, (asked, finished, where) in enumerate(await all_rows(store), 1):
        assert asked == replace(some[place - 1], id=place)
        assert (finished, where) == told.get(place, (None, None))


async def test_urls_that_are_pending_again_have_no_end(store):
    lease = await leased(store)
    await store.commit([change(lease, admitted=[request(1), request(2)], ended=[end(1), end(2, 1, Outcome.FAILED)])])
    await store.commit([change(lease, commit=1, requeued=[(2, Outcome.FAILED, None)], forgotten=["https://a.test"])])
    assert list((await store.held(0, 2)).ended) == [0, 1, 0]
    assert [finished is None for _, finished, _ in await all_rows(store)] == [False, True]
    assert (await store.tallies([0]))[0].ended == {Outcome.FETCHED: 1, Outcome.FAILED: 0}
    await store.commit([change(lease, commit=2, ended=[end(2, 2)])])
    assert [where.ordinal for _, _, where in await all_rows(store)] == [0, 2]


@pytest.mark.parametrize("woken", [None, (2,)])
async def test_a_snoozed_url_that_has_ended_is_snoozed_no_more(store, woken):
    lease = await leased(store)
    later = [(number, Snoozed(request=request(number), until=1.5)) for number in (1, 2)]
    await store.commit([change(lease, admitted=[request(1), request(2)], snoozed=later)])
    await store.commit([change(lease, commit=1, ended=[end(2)], woken=woken)])
    assert list((await store.held(0, 2)).later) == [1]


async def test_what_is_delivered_lies_in_the_inbox_until_a_commit_has_taken_it_in(store):
    await store.deliver({0: [request(1), request(2)], 1: [request(3)]})
    await store.deliver({0: [request(4)]})
    first, second = await store.inbox(0)
    assert [asked.url for asked in first.requests + second.requests] == [request(n).url for n in (1, 2, 4)]
    assert await store.inbox(0, after=first.id) == [second]
    lease = await leased(store)
    await store.commit([change(lease, admitted=first.requests, inbox_to=first.id)])
    assert await store.inbox(0) == [second]
    assert [tally.inbox for tally in await store.tallies([0, 1])] == [1, 1]


async def test_many_hosts_and_snoozed_urls_are_read_each_once(store):
    lease = await leased(store)
    states = [HostState(host_key=f"{n}.test", ready_at=n) for n in range(3000)]
    later = [(n + 1, Snoozed(request=request(n), until=n)) for n in range(3000)]
    await store.commit([change(lease, admitted=[request(n) for n in range(3000)], hosts=states, snoozed=later)])
    held = await store.held(0, 3000)
    assert sorted(held.hosts, key=lambda host: host.ready_at) == states
    assert sorted(held.later) == list(range(1, 3001))


async def test_a_hundred_thousand_urls_are_one_commit(store):
    lease = await leased(store)
    await store.commit([change(lease, admitted=[request(n) for n in range(100_000)])])
    assert (await store.tallies([0]))[0].urls == 100_000


async def test_scripts_are_sent_again_to_a_server_that_has_forgotten_them(server, store):
    lease = await leased(store)
    server.client().script_flush()
    assert await store.commit([change(lease, admitted=[request(1)])]) == set()


async def test_of_two_workers_that_want_a_partition_at_once_one_gets_it(server, store):
    async with opened_store(server) as other:
        for partition in range(20):
            first, second = await asyncio.gather(store.acquire([partition], 1, 60), other.acquire([partition], 2, 60))
            assert len(first[0]) + len(second[0]) == 1


async def test_a_stream_with_foreign_entries_is_refused(server, store):
    server.client().xadd(KEYS.of(0).inbox, {"a": 1, "b": 2})
    with pytest.raises(FrontierError, match=r"crawler:test:0.:in"):
        await store.inbox(0)


async def test_a_key_of_another_kind_is_told_and_not_waited_for(server, store):
    server.client().set(KEYS.of(0).urls, "x")
    with pytest.raises(FrontierError, match="WRONGTYPE"):
        [block async for block in store.blocks(0)]


async def test_ends_are_counted_by_their_reasons_and_no_more_once_they_are_pending_again(store):
    lease = await leased(store)
    ended = [end(1), end(2, 1, Outcome.FAILED, reason="timeout"), end(3, 2, Outcome.FAILED, reason="http_404")]
    await store.commit([change(lease, admitted=[request(number) for number in (1, 2, 3)], ended=ended)])
    (tally,) = await store.tallies([0])
    assert tally.reasons == {"failed timeout": 1, "failed http_404": 1}
    await store.commit([change(lease, commit=1, requeued=[(2, Outcome.FAILED, "timeout")])])
    (tally,) = await store.tallies([0])
    assert tally.reasons == {"failed http_404": 1}
    assert tally.ended == {Outcome.FETCHED: 1, Outcome.FAILED: 1}


async def test_a_partition_of_very_many_small_commits_is_read_whole(store):
    lease = await leased(store)
    for number in range(300):
        await store.commit([change(lease, commit=number, admitted=[request(number)], ended=[end(number + 1, number)])])
    assert [block.first async for block in store.blocks(0)] == list(range(1, 301))
    assert sum((await store.held(0, 300)).ended) == 300
    assert [where.ordinal for _, _, where in await all_rows(store)] == list(range(300))
