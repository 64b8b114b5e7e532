"""Which hosts wait and what is stored of them, for every frontier."""

from __future__ import annotations

import pytest

from crawler.models import Checkpoint, HostState, Robots, RobotsFile
from tests.support.frontiers import crash, finished, link, seed, snooze, take_all


async def test_hosts_lists_those_with_takeable_urls_and_nothing_else(frontier):
    frontier.add([seed(f"https://{host}.test/") for host in "abc"])
    await take_all(frontier, "b.test")
    states, _ = await frontier.hosts(0.0, 0, 10)
    assert sorted(state.host_key for state in states) == ["a.test", "c.test"]


async def test_hosts_goes_round_and_names_each_host_at_most_once_a_call(frontier):
    frontier.add([seed(f"https://h{n}.test/") for n in range(7)])
    everyone = {f"h{n}.test" for n in range(7)}
    cursor, met = 0, []
    for _ in range(7):
        states, cursor = await frontier.hosts(0.0, cursor, 3)
        assert len({state.host_key for state in states}) == 3
        met += [state.host_key for state in states]
    assert {host: met.count(host) for host in met} == dict.fromkeys(everyone, 3)
    states, _ = await frontier.hosts(0.0, cursor, 100)
    assert sorted(state.host_key for state in states) == sorted(everyone)


async def test_hosts_that_are_not_ready_are_passed_over(frontier):
    frontier.add([seed(f"https://{host}.test/") for host in "abc"])
    late = HostState(host_key="b.test", ready_at=100.0, delay_s=2.0)
    await frontier.commit(Checkpoint(hosts=(late,)))
    ready, _ = await frontier.hosts(99.0, 0, 10)
    assert sorted(state.host_key for state in ready) == ["a.test", "c.test"]
    ready, _ = await frontier.hosts(100.0, 0, 10)
    assert late in ready


@pytest.fixture
async def counted(frontier):
    """Hosts that wait, with as many pages as their names say; of one nothing is stored."""
    frontier.add([seed(f"https://h{n}.test/{part}") for part in range(3) for n in range(12)])
    await frontier.commit(Checkpoint(hosts=tuple(HostState(host_key=f"h{n}.test", pages=n) for n in range(1, 12))))
    return frontier


async def names(frontier, **asked):
    """Of the hosts of one round."""
    states, _ = await frontier.hosts(**{"ready_before": 0.0, "cursor": 0, "limit": 100} | asked)
    return [state.host_key.removesuffix(".test") for state in states]


async def test_hosts_that_have_pages_enough_are_passed_over(counted):
    assert await names(counted, pages_below=3) == ["h0", "h1", "h2"]
    assert sorted(await names(counted, pages_below=3, cursor=2)) == ["h0", "h1", "h2"]
    assert await names(counted, pages_below=11) == [f"h{n}" for n in range(11)]
    assert await names(counted, pages_below=1) == ["h0"]
    assert len(await names(counted)) == 12


async def test_retired_hosts_are_listed_however_many_pages_they_have(counted):
    for _ in range(2):
        assert await names(counted, pages_below=1) == ["h0"]
    await counted.commit(Checkpoint(hosts=(HostState(host_key="h7.test", pages=7, retired="breaker"),)))
    for _ in range(2):
        assert await names(counted, pages_below=1) == ["h0", "h7"]


async def test_a_limit_is_kept_among_hosts_that_are_passed_over(counted):
    found, cursor = [], 0
    for _ in range(3):
        states, cursor = await counted.hosts(0.0, cursor, 2, 3)
        found += [state.host_key for state in states]
    assert found == ["h0.test", "h1.test", "h2.test"] * 2


async def test_host_that_is_new_has_no_pages(counted):
    counted.add([seed("https://new.test/")])
    assert await names(counted, pages_below=1) == ["h0", "new"]


async def test_host_is_listed_again_once_fewer_pages_are_stored_of_it(counted):
    for _ in range(2):
        assert await names(counted, pages_below=2) == ["h0", "h1"]
    await counted.commit(Checkpoint(hosts=(HostState(host_key="h5.test", pages=1), HostState(host_key="other.test"))))
    assert await names(counted, pages_below=2) == ["h0", "h1", "h5"]


async def test_host_that_has_pages_enough_stays_so_whatever_happens_to_its_urls(counted, frontier_factory):
    assert await names(counted, pages_below=2) == ["h0", "h1"]
    (parent, page) = await take_all(counted, "h5.test", count=2)
    counted.discover(parent, [link(counted, "https://h6.test/new"), link(counted, "https://new.test/")])
    await counted.commit(Checkpoint(finished=(finished(page, has_page=True),)))
    assert await names(counted, pages_below=2) == ["h0", "h1", "new"]
    frontier = await crash(counted, frontier_factory)
    assert sorted(await names(frontier, pages_below=2)) == ["h0", "h1", "new"]


async def test_host_is_listed_again_once_its_pages_are_requeued(counted):
    (page, *_) = await take_all(counted, "h2.test")
    await counted.commit(Checkpoint(finished=(finished(page, has_page=True),)))
    assert await names(counted, pages_below=2) == ["h0", "h1"]

    async def batches():
        yield [page.url]

    await counted.requeue(batches(), Checkpoint())
    assert await names(counted, pages_below=2) == ["h0", "h1", "h2"]


async def test_host_whose_only_url_is_snoozed_is_listed_once_that_was_woken(frontier, clock):
    frontier.add([seed()])
    (request,) = await take_all(frontier)
    await snooze(frontier, request, until=clock.monotonic() + 10)
    assert (await frontier.hosts(0.0, 0, 10))[0] == []
    clock.advance(10)
    assert (await frontier.hosts(0.0, 0, 10))[0] == []
    await frontier.wake()
    assert [state.host_key for state in (await frontier.hosts(0.0, 0, 10))[0]] == ["a.test"]


async def test_hosts_of_an_empty_frontier_is_an_empty_list(frontier):
    assert (await frontier.hosts(0.0, 5, 10))[0] == []


async def test_host_state_and_robots_come_back_as_last_committed(frontier, frontier_factory):
    assert await frontier.host("a.test") is None
    assert await frontier.robots("https://a.test") is None
    old = HostState(host_key="a.test", ready_at=1.0)
    new = HostState(
        host_key="a.test",
        ready_at=2.0,
        delay_s=3.0,
        failures=4,
        retired="breaker",
        pages=5,
        backoff_s=6.5,
        latency_s=0.125,
        first_seen=2,
    )
    file = RobotsFile(origin="https://a.test", expires_at=5.0, robots=Robots(rules=((False, "/x"),)))
    await frontier.commit(Checkpoint(hosts=(old,), robots=(file,)))
    await frontier.commit(Checkpoint(hosts=(new,)))
    frontier = await crash(frontier, frontier_factory)
    assert await frontier.host("a.test") == new
    assert await frontier.robots("https://a.test") == file
    assert await frontier.robots("http://a.test") is None
