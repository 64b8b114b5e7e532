"""Which URL is taken next, for every frontier."""

from __future__ import annotations

import pytest

from crawler.models import Checkpoint
from tests.support.frontiers import crash, finished, link, seed, snooze, take_all, urls


async def test_take_goes_by_priority_then_depth_then_age(frontier):
    order = [(0, 0, "a"), (0, 0, "b"), (0, 2, "c"), (1, 0, "d"), (1, 9, "e"), (63, 0, "f")]
    for priority, depth, name in (order[i] for i in (5, 2, 4, 0, 3, 1)):
        frontier.add([seed(f"https://a.test/{name}", priority=priority, depth=depth)])
    assert "".join(url[-1] for url in urls(await take_all(frontier))) == "abcdef"


DEEPEST_FIRST = [(0, 9, "a"), (0, 2, "b"), (0, 2, "c"), (0, 0, "d"), (1, 400, "e"), (1, 0, "f"), (63, 1, "g")]


@pytest.mark.parametrize("restart", [False, True])
async def test_deepest_first_take_goes_by_priority_then_by_greatest_depth_then_age(frontier_factory, restart):
    frontier = frontier_factory(deepest_first=True)
    await frontier.open()
    for priority, depth, name in (DEEPEST_FIRST[i] for i in (6, 3, 5, 1, 4, 2, 0)):
        frontier.add([seed(f"https://a.test/{name}", priority=priority, depth=depth)])
        await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory, deepest_first=True) if restart else frontier
    taken = [request for _ in DEEPEST_FIRST for request in await take_all(frontier, count=1)]
    assert [(request.priority, request.depth, request.url[-1]) for request in taken] == DEEPEST_FIRST


async def test_deepest_first_what_was_found_last_goes_before_what_waits_on_disk(frontier_factory):
    frontier = frontier_factory(deepest_first=True)
    await frontier.open()
    frontier.add([seed(f"https://a.test/{n}", depth=n % 2) for n in range(8)])
    await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory, deepest_first=True)
    (parent,) = await take_all(frontier, count=1)
    frontier.discover(parent, [link(frontier, "https://a.test/deeper"), link(frontier, "https://a.test/deeper too")])
    (below,) = await take_all(frontier, count=1)
    frontier.discover(below, [link(frontier, "https://a.test/deepest")])
    names = [url.rpartition("/")[2] for url in urls([parent, below, *await take_all(frontier)])]
    assert names == ["1", "deeper", "deepest", "deeper too", "3", "5", "7", "0", "2", "4", "6"]


async def test_order_may_be_another_after_a_restart(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}", depth=n) for n in range(9)])
    await frontier.commit(Checkpoint())
    depths = []
    for deepest_first in (False, True, False):
        frontier = await crash(frontier, frontier_factory, deepest_first=deepest_first)
        taken = await take_all(frontier, count=2)
        depths.append([request.depth for request in taken])
        await frontier.commit(Checkpoint(finished=tuple(finished(request) for request in taken)))
    assert depths == [[0, 1], [8, 7], [2, 3]]


async def test_deepest_first_snoozed_url_that_is_due_still_comes_before_all_others(frontier_factory, clock):
    frontier = frontier_factory(deepest_first=True)
    await frontier.open()
    frontier.add([seed("https://a.test/shallow", priority=63), seed("https://a.test/deep", depth=7)])
    _, shallow = await take_all(frontier)
    await snooze(frontier, shallow, until=clock.monotonic())
    frontier.add([seed("https://a.test/deeper", depth=8)])
    await frontier.wake()
    assert urls(await take_all(frontier)) == ["https://a.test/shallow", "https://a.test/deeper"]


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
