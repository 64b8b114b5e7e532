"""Which hosts wait and what is stored of them, for every frontier."""

from __future__ import annotations

from crawler.models import Checkpoint, HostState, Robots, RobotsFile
from tests.support.frontiers import crash, seed, snooze, take_all


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
    new = HostState(host_key="a.test", ready_at=2.0, delay_s=3.0, failures=4, retired="breaker")
    file = RobotsFile(origin="https://a.test", expires_at=5.0, robots=Robots(rules=((False, "/x"),)))
    await frontier.commit(Checkpoint(hosts=(old,), robots=(file,)))
    await frontier.commit(Checkpoint(hosts=(new,)))
    frontier = await crash(frontier, frontier_factory)
    assert await frontier.host("a.test") == new
    assert await frontier.robots("https://a.test") == file
    assert await frontier.robots("http://a.test") is None
