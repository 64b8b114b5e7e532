"""How URLs ended, and their way back, for every frontier."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from crawler.frontier import turns
from crawler.known import Known
from crawler.models import NORMAL_PRIORITY, Checkpoint, HostState, Outcome, Restored, Robots, RobotsFile
from tests.support.frontiers import crash, finished, seed, snooze, take_all, urls

# --- find --------------------------------------------------------------------------------------------------------


async def test_find_tells_how_each_url_ended_in_the_order_asked(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    one, two, _ = await take_all(frontier)
    failed = finished(two, Outcome.FAILED, reason="http_404", status=404, at=12.5)
    moved = finished(one, Outcome.REDIRECTED, target="https://b.test/", status=301)
    asked = ["https://a.test/1", "https://a.test/2", "https://a.test/never", "https://a.test/0"]
    assert await frontier.find(asked) == [None] * 4
    await frontier.commit(Checkpoint(finished=(failed, moved)))
    assert await frontier.find(asked) == [failed, None, None, moved]
    frontier.add([seed("https://a.test/never")])
    (late,) = await frontier.take([("a.test", 9)])
    await frontier.commit(Checkpoint(finished=(finished(late),)))
    frontier = await crash(frontier, frontier_factory)
    assert await frontier.find(asked) == [failed, None, finished(late), moved]


async def test_many_urls_are_found_however_many_there_are(frontier):
    frontier.add([seed(f"https://a.test/{n}") for n in range(300)])
    taken = await take_all(frontier, count=300)
    ends = [finished(request) for request in taken]
    await frontier.commit(Checkpoint(finished=tuple(ends[:150])))
    await frontier.find(["https://a.test/0"])
    await frontier.commit(Checkpoint(finished=tuple(ends[150:])))
    assert await frontier.find([request.url for request in taken]) == ends


# --- requeue -----------------------------------------------------------------------------------------------------


async def batches(*urls, size=2):
    for start in range(0, len(urls), size):
        await asyncio.sleep(0)
        yield urls[start : start + size]


async def requeue(frontier, *urls, **checkpoint):
    return await frontier.requeue(batches(*urls), Checkpoint(**checkpoint))


async def failed(frontier, *requests):
    ends = tuple(finished(request, Outcome.FAILED, reason="dns") for request in requests)
    await frontier.commit(Checkpoint(finished=ends))
    return ends


async def test_requeue_makes_ended_urls_pending_again_as_if_never_tried(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}", attempt=3) for n in range(4)])
    ends = await failed(frontier, *await take_all(frontier))
    assert await requeue(frontier, "https://a.test/2", "https://a.test/0", "https://a.test/2") == 2
    assert (frontier.counts().pending, frontier.counts().outcomes[Outcome.FAILED]) == (2, 2)
    assert await frontier.find(["https://a.test/0", "https://a.test/1"]) == [None, ends[1]]
    again = await take_all(frontier)
    assert [(request.url, request.attempt) for request in again] == [("https://a.test/0", 1), ("https://a.test/2", 1)]
    frontier = await crash(frontier, frontier_factory)
    assert await take_all(frontier) == again
    await frontier.commit(Checkpoint(finished=tuple(finished(request) for request in again)))
    assert frontier.counts().pending == 0
    assert await requeue(frontier, "https://a.test/2") == 1


async def test_requeue_leaves_alone_what_has_no_committed_end(frontier, frontier_factory, clock):
    frontier.add([seed(f"https://a.test/{name}") for name in ("out", "snoozed", "pending")])
    out, snoozed = await take_all(frontier, count=2)
    await snooze(frontier, snoozed, until=clock.monotonic() + 5)
    frontier.add([seed("https://a.test/uncommitted")])
    names = ("out", "snoozed", "pending", "uncommitted", "unknown")
    assert await requeue(frontier, *(f"https://a.test/{name}" for name in names)) == 0
    assert urls(await take_all(frontier)) == ["https://a.test/pending", "https://a.test/uncommitted"]
    await frontier.commit(Checkpoint(finished=(finished(out),)))
    assert (await frontier.wake())[0] == []
    clock.advance(5)
    assert (await frontier.wake())[0] == ["a.test"]
    frontier = await crash(frontier, frontier_factory)
    assert (frontier.counts().admitted, frontier.counts().pending) == (4, 3)


async def test_requeue_stores_its_checkpoint_with_it(frontier, frontier_factory):
    await frontier.commit(Checkpoint(positions={"pages": 9, "outcomes": 9}, blobs={"old": b"1", "kept": b"2"}))
    file = RobotsFile(origin="https://b.test", expires_at=5.0)
    state = HostState(host_key="new.test", delay_s=2.0)
    assert await requeue(
        frontier,
        positions={"outcomes": 3},
        counters={"pages": 1},
        blobs={"old": b"", "new": b"3"},
        robots=(file,),
        hosts=(state,),
    ) == 0  # fmt: skip
    assert await frontier.host("new.test") == state
    await frontier.aclose()
    another = frontier_factory()
    assert await another.open() == Restored(
        positions={"pages": 9, "outcomes": 3}, counters={"pages": 1}, blobs={"kept": b"2", "new": b"3"}
    )
    assert await another.robots("https://b.test") == file
    assert await another.host("new.test") == state


async def test_requeue_forgets_what_the_hosts_were_blamed_for(frontier, frontier_factory):
    frontier.add([seed(f"https://{host}.test/") for host in "ab"])
    kept = HostState(host_key="", delay_s=2.0, pages=5, latency_s=0.5, first_seen=1)
    blame = replace(kept, ready_at=3.0, failures=4, retired="breaker", backoff_s=8.0)
    blamed = [replace(blame, host_key=f"{host}.test") for host in "ab"]
    ends = tuple(finished(request, Outcome.FAILED) for request in await take_all(frontier, "a.test", "b.test"))
    await frontier.commit(Checkpoint(finished=ends, hosts=tuple(blamed)))
    assert await requeue(frontier, "https://a.test/") == 1
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.host("a.test") == replace(kept, host_key="a.test")
        assert await frontier.host("b.test") == blamed[1]


async def test_requeue_leaves_a_host_alone_that_asked_for_it(frontier, frontier_factory):
    frontier.add([seed()])
    state = HostState(host_key="a.test", ready_at=3.0, failures=1)
    ends = tuple(finished(request, Outcome.FAILED) for request in await take_all(frontier))
    await frontier.commit(Checkpoint(finished=ends, hosts=(state,)))
    await requeue(frontier, "https://a.test/")
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.host("a.test") == HostState(host_key="a.test", ready_at=3.0)


async def test_pages_that_are_requeued_are_not_counted_for_their_host_any_more(frontier, frontier_factory):
    frontier.add([seed(f"https://{host}.test/{n}") for host in "ab" for n in range(3)])
    taken = await take_all(frontier, "a.test", "b.test")
    ends = tuple(finished(request, has_page=not request.url.endswith("0")) for request in taken)
    states = (HostState(host_key="a.test", pages=2), HostState(host_key="b.test", pages=0))
    await frontier.commit(Checkpoint(finished=ends, hosts=states))
    await requeue(frontier, "https://a.test/0", "https://a.test/1", "https://b.test/1")
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert (await frontier.host("a.test")).pages == 1
        assert (await frontier.host("b.test")).pages == 0


async def test_requeue_forgets_each_verdict_that_closes_an_origin(frontier, frontier_factory):
    shut = RobotsFile(origin="https://a.test", expires_at=5.0, closed="robots_unreachable")
    plain = RobotsFile(origin="https://b.test", expires_at=5.0, robots=Robots(rules=((False, "/x"),)))
    await frontier.commit(Checkpoint(robots=(shut, plain)))
    assert await requeue(frontier) == 0
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.robots("https://a.test") is None
        assert await frontier.robots("https://b.test") == plain


async def test_requeue_that_cannot_read_its_urls_to_the_end_changes_nothing(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    await failed(frontier, *await take_all(frontier))

    async def broken():
        yield ["https://a.test/0"]
        raise RuntimeError("unreadable")

    with pytest.raises(RuntimeError, match="unreadable"):
        await frontier.requeue(broken(), Checkpoint(counters={"n": 1}))
    assert frontier.counts().pending == 0
    assert await requeue(frontier, "https://a.test/1") == 1
    assert urls(await take_all(frontier)) == ["https://a.test/1"]
    await frontier.aclose()
    assert (await frontier_factory().open()).counters == {}


async def test_url_committed_while_requeue_reads_its_urls_is_requeued_once(frontier):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    one, two, _ = await take_all(frontier)
    await failed(frontier, one)

    async def slow():
        yield [one.url]
        await failed(frontier, two)
        yield [one.url, two.url]

    assert await frontier.requeue(slow(), Checkpoint()) == 2
    assert urls(await take_all(frontier)) == [one.url, two.url]
    assert frontier.counts().pending == 3


async def test_requeued_url_that_was_snoozed_once_waits_its_turn_again(frontier, frontier_factory, clock):
    frontier.add([seed("https://a.test/late", priority=NORMAL_PRIORITY + 1), seed("https://a.test/early")])
    _, late = await take_all(frontier)
    await snooze(frontier, late, until=clock.monotonic())
    await frontier.wake()
    await failed(frontier, *await take_all(frontier))
    assert await requeue(frontier, "https://a.test/late") == 1
    frontier = await crash(frontier, frontier_factory)
    frontier.add([seed("https://a.test/early too")])
    assert (await take_all(frontier))[-1].url == "https://a.test/late"


async def test_url_of_which_others_wait_can_be_requeued_without_being_handed_out_twice(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(9)])
    await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory)
    first, *_ = await take_all(frontier, count=4)
    await failed(frontier, first)
    assert await requeue(frontier, "https://a.test/0") == 1
    assert urls(await take_all(frontier)) == [f"https://a.test/{n}" for n in (0, 4, 5, 6, 7, 8)]
    frontier = await crash(frontier, frontier_factory)
    assert urls(await take_all(frontier)) == [f"https://a.test/{n}" for n in range(9)]


async def test_hosts_whose_urls_were_requeued_are_listed(frontier):
    frontier.add([seed(f"https://{host}.test/") for host in "abc"])
    await failed(frontier, *await take_all(frontier, "a.test", "b.test", "c.test"))
    assert (await frontier.hosts(0.0, 0, 10))[0] == []
    await requeue(frontier, "https://c.test/", "https://a.test/")
    assert {state.host_key for state in (await frontier.hosts(0.0, 0, 10))[0]} == {"a.test", "c.test"}


async def test_urls_taken_while_others_of_their_hosts_are_requeued_are_taken_once(frontier, monkeypatch):
    monkeypatch.setattr(turns, "_TURN_S", -1.0)  # long work stops after each step
    hosts = ["a.test", "b.test", "c.test"]
    every = [f"https://{host}/{n}" for n in range(40) for host in hosts]
    frontier.add([seed(url, depth=n % 3) for n, url in enumerate(every)])
    gone = await failed(frontier, *await take_all(frontier, *hosts, count=20))
    requeued = asyncio.create_task(requeue(frontier, *(end.request.url for end in gone[::2])))
    taken = []
    while not requeued.done():
        taken += await take_all(frontier, *hosts, count=1)
        await asyncio.sleep(0)
    assert await requeued == 30
    taken += await take_all(frontier, *hosts)
    assert sorted(urls(taken)) == sorted({*every}.difference(end.request.url for end in gone[1::2]))
    await frontier.commit(Checkpoint(finished=tuple(finished(request) for request in taken)))
    assert frontier.counts().pending == 0


async def test_validators_of_a_url_that_is_tried_again_are_forgotten_and_what_was_known_before_is_not(frontier):
    frontier.add([seed("https://a.test/0", known=Known(id=7, etag='"old"'))])
    (request,) = await take_all(frontier)
    await frontier.commit(Checkpoint(finished=(finished(request, etag='"new"'),)))
    assert await requeue(frontier, request.url) == 1
    (again,) = await take_all(frontier)
    assert again.known == request.known
    end = finished(again, Outcome.FAILED)
    await frontier.commit(Checkpoint(finished=(end,)))
    assert await frontier.find([request.url]) == [end]
