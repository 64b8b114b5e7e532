"""Which URL is taken next, for every frontier."""

from __future__ import annotations

from crawler.models import Checkpoint
from tests.support.frontiers import crash, seed, take_all, urls


async def test_take_goes_by_priority_then_depth_then_age(frontier):
    order = [(0, 0, "a"), (0, 0, "b"), (0, 2, "c"), (1, 0, "d"), (1, 9, "e"), (63, 0, "f")]
    for priority, depth, name in (order[i] for i in (5, 2, 4, 0, 3, 1)):
        frontier.add([seed(f"https://a.test/{name}", priority=priority, depth=depth)])
    assert "".join(url[-1] for url in urls(await take_all(frontier))) == "abcdef"


async def test_take_gives_no_more_than_asked_and_only_of_the_hosts_asked(frontier):
    frontier.add([seed(f"https://{host}.test/{n}") for host in "abc" for n in range(5)])
    taken = await frontier.take([("a.test", 2), ("c.test", 9), ("unknown.test", 3)])
    assert urls(taken) == [f"https://a.test/{n}" for n in range(2)] + [f"https://c.test/{n}" for n in range(5)]


async def test_url_is_handed_out_once_per_process_even_across_commits(frontier):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    assert len(await take_all(frontier)) == 3
    await frontier.commit(Checkpoint())
    assert await take_all(frontier) == []


async def test_taking_is_forgotten_by_a_crash(frontier, frontier_factory):
    frontier.add([seed("https://a.test/1"), seed("https://a.test/2")])
    await frontier.commit(Checkpoint())
    taken = await take_all(frontier)
    frontier = await crash(frontier, frontier_factory)
    assert await take_all(frontier) == taken


async def test_order_of_taking_survives_a_restart(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}", depth=n % 3, priority=n % 2) for n in range(12)])
    await frontier.commit(Checkpoint())
    expected = await take_all(frontier)
    frontier = await crash(frontier, frontier_factory)
    assert await take_all(frontier) == expected
