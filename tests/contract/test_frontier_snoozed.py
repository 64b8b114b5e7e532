"""What is put off, for every frontier."""

from __future__ import annotations

from crawler.models import Checkpoint, Outcome
from tests.support.frontiers import crash, finished, put_off, seed, snooze, take_all, urls


async def test_snoozed_url_is_taken_again_when_it_was_woken_and_not_before(frontier, clock):
    frontier.add([seed()])
    (request,) = await take_all(frontier)
    due = clock.monotonic() + 10
    await snooze(frontier, request, until=due)
    assert frontier.counts().pending == 1
    clock.advance(9.9)
    assert await frontier.wake() == ([], due)
    assert await take_all(frontier) == []
    clock.advance(0.1)
    assert await take_all(frontier) == []
    assert await frontier.wake() == (["a.test"], None)
    (again,) = await take_all(frontier)
    assert (again.url, again.attempt, again.id) == (request.url, 2, request.id)
    assert await frontier.wake() == ([], None)
    assert await take_all(frontier) == []


async def test_wake_names_each_host_once_and_when_the_next_ones_are_due(frontier, frontier_factory, clock):
    frontier.add([seed(f"https://{host}.test/{n}") for n in range(3) for host in "abc"])
    now = clock.monotonic()
    for host, until in (("a.test", now + 1.25), ("b.test", now + 1.5), ("c.test", now + 60.125)):
        await snooze(frontier, *await take_all(frontier, host), until=until)
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.wake() == ([], now + 1.25)
    clock.advance(1.5)
    hosts, due = await frontier.wake()
    assert (sorted(hosts), due) == (["a.test", "b.test"], now + 60.125)
    assert len(await take_all(frontier, "a.test", "b.test", "c.test")) == 6


async def test_time_that_wake_names_is_one_at_which_it_wakes(frontier, clock):
    frontier.add([seed(f"https://a.test/{n}") for n in range(20)])
    for n, request in enumerate(await take_all(frontier)):
        await snooze(frontier, request, until=clock.monotonic() + 1 / (n + 3))
    woken = 0
    while (due := (await frontier.wake())[1]) is not None:
        assert await take_all(frontier) == []
        clock.now = max(due, clock.now)
        hosts, _ = await frontier.wake()
        assert hosts == ["a.test"]
        woken += len(await take_all(frontier))
    assert woken == 20


async def test_snoozed_url_that_was_woken_comes_before_all_others(frontier, clock):
    frontier.add([seed("https://a.test/1", priority=63, depth=9), seed("https://a.test/2", priority=63, depth=10)])
    (request,) = await take_all(frontier, count=1)
    await snooze(frontier, request, until=clock.monotonic())
    frontier.add([seed("https://a.test/3")])
    await frontier.wake()
    assert urls(await take_all(frontier)) == ["https://a.test/1", "https://a.test/3", "https://a.test/2"]


async def test_snoozed_url_stays_snoozed_through_a_crash(frontier, frontier_factory, clock):
    frontier.add([seed()])
    (request,) = await take_all(frontier)
    await snooze(frontier, request, until=clock.monotonic() + 10)
    frontier = await crash(frontier, frontier_factory)
    assert frontier.counts().pending == 1
    await frontier.wake()
    assert await take_all(frontier) == []
    clock.advance(10)
    await frontier.wake()
    (again,) = await take_all(frontier)
    assert again.attempt == 2


async def test_woken_url_that_was_not_taken_is_woken_again_after_a_crash(frontier, frontier_factory, clock):
    frontier.add([seed()])
    await snooze(frontier, *await take_all(frontier), until=clock.monotonic())
    await frontier.wake()
    frontier = await crash(frontier, frontier_factory)
    assert await take_all(frontier) == []
    assert await frontier.wake() == (["a.test"], None)
    assert len(await take_all(frontier)) == 1


async def test_url_snoozed_till_before_the_last_waking_is_woken_with_nothing_woken_twice(frontier, clock):
    frontier.add([seed(f"https://a.test/{n}") for n in range(9)])
    early, *late = await take_all(frontier)
    await snooze(frontier, early, until=clock.monotonic() + 5)
    clock.advance(6)
    await frontier.wake()
    await snooze(frontier, *late, until=clock.monotonic() - 4)
    await frontier.wake()
    assert len(await take_all(frontier)) == 9
    assert await take_all(frontier) == []
    assert await frontier.wake() == ([], None)


async def test_url_that_was_put_off_before_it_was_tried_comes_back_as_it_was(frontier, frontier_factory, clock):
    frontier.add([seed("https://a.test/first"), seed("https://a.test/third", attempt=3)])
    for another in (False, True):
        requests = await take_all(frontier)
        assert [request.attempt for request in requests] == [1, 3]
        await put_off(frontier, *requests, until=clock.monotonic() + 10)
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.wake() == ([], clock.monotonic() + 10)
        assert await take_all(frontier) == []
        clock.advance(10)
        assert await frontier.wake() == (["a.test"], None)
    assert await take_all(frontier) == requests


async def test_url_that_was_put_off_ends_once_and_for_all(frontier, frontier_factory, clock):
    frontier.add([seed()])
    await put_off(frontier, *await take_all(frontier), until=clock.monotonic())
    await frontier.wake()
    (request,) = await take_all(frontier)
    await frontier.commit(Checkpoint(finished=(finished(request),)))
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        clock.advance(100)
        assert await frontier.wake() == ([], None)
        assert await take_all(frontier) == []
        assert (frontier.counts().pending, frontier.counts().outcomes[Outcome.FETCHED]) == (0, 1)


async def test_retry_may_be_put_off_too(frontier, frontier_factory, clock):
    frontier.add([seed()])
    await snooze(frontier, *await take_all(frontier), until=clock.monotonic())
    await frontier.wake()
    await put_off(frontier, *await take_all(frontier), until=clock.monotonic() + 5)
    frontier = await crash(frontier, frontier_factory)
    clock.advance(5)
    await frontier.wake()
    assert [request.attempt for request in await take_all(frontier)] == [2]


async def test_snoozed_url_may_be_snoozed_again_and_then_end(frontier, frontier_factory, clock):
    frontier.add([seed()])
    for _ in range(2):
        (request,) = await take_all(frontier)
        await snooze(frontier, request, until=clock.monotonic() + 1)
        clock.advance(1)
        await frontier.wake()
    (request,) = await take_all(frontier)
    assert request.attempt == 3
    await frontier.commit(Checkpoint(finished=(finished(request, Outcome.FAILED, reason="timeout"),)))
    frontier = await crash(frontier, frontier_factory)
    clock.advance(100)
    assert await frontier.wake() == ([], None)
    assert await take_all(frontier) == []
    assert frontier.counts().outcomes[Outcome.FAILED] == 1
