"""Every clause of `crawler.frontier.base`, for every backend."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.frontier import turns
from crawler.models import (
    Checkpoint,
    Finished,
    HostState,
    Kind,
    Link,
    Outcome,
    Request,
    Restored,
    Robots,
    RobotsFile,
    Snoozed,
)
from crawler.url import fingerprint
from tests.support.clock import FakeClock
from tests.support.frontiers import BACKENDS


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
async def frontier_factory(request, clock, tmp_path):
    make = request.param(clock, tmp_path)
    made = []

    def remembered():
        made.append(make())
        return made[-1]

    yield remembered
    for frontier in made:
        await frontier.aclose()


@pytest.fixture
async def frontier(frontier_factory):
    frontier = frontier_factory()
    await frontier.open()
    return frontier


async def crash(frontier, frontier_factory):
    """Drop a frontier with whatever it has not committed, and open another on its store."""
    await frontier.aclose()
    another = frontier_factory()
    await another.open()
    return another


def seed(url="https://a.test/", **fields):
    host = url.split("/")[2]
    return Request(**{"url": url, "host_key": host, "scope_host": host, "seed": url, **fields})


def link(frontier, url, **fields):
    return Link(url=url, host_key=url.split("/")[2], fingerprint=fingerprint(url, frontier.key), **fields)


def finished(request, outcome=Outcome.FETCHED, **fields):
    return Finished(request=request, outcome=outcome, **fields)


async def take_all(frontier, *hosts, count=100):
    return await frontier.take([(host, count) for host in hosts or ("a.test",)])


def urls(requests):
    return [request.url for request in requests]


# --- open, key ---------------------------------------------------------------------------------------------------


async def test_new_frontier_restores_nothing_and_counts_nothing(frontier_factory):
    frontier = frontier_factory()
    assert await frontier.open() == Restored()
    counts = frontier.counts()
    assert (counts.admitted, counts.pending) == (0, 0)
    assert counts.outcomes == dict.fromkeys(Outcome, 0)


async def test_key_is_64_bits_and_survives_a_restart(frontier, frontier_factory):
    key = frontier.key
    assert 0 <= key < 2**64
    await frontier.commit(Checkpoint())
    assert (await crash(frontier, frontier_factory)).key == key


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())
async def test_two_crawls_have_different_keys(backend, clock, tmp_path):
    keys = set()
    for name in "ab":
        frontier = backend(clock, tmp_path / name)()
        await frontier.open()
        keys.add(frontier.key)
        await frontier.aclose()
    assert len(keys) == 2


async def test_positions_counters_and_blobs_come_back_as_last_committed(frontier, frontier_factory):
    await frontier.commit(Checkpoint(positions={"a": 1, "b": 2}, counters={"n": 1}, blobs={"c": b"1"}))
    await frontier.commit(Checkpoint(positions={"a": 3}, counters={"n": 5}))
    restored = await frontier_factory().open()
    assert restored == Restored(positions={"a": 3, "b": 2}, counters={"n": 5}, blobs={"c": b"1"})


async def test_empty_blob_removes_its_name(frontier, frontier_factory):
    await frontier.commit(Checkpoint(blobs={"cookies": b"1", "traps": b"2"}))
    await frontier.commit(Checkpoint(blobs={"cookies": b"", "never known": b""}))
    restored = await frontier_factory().open()
    assert restored.blobs == {"traps": b"2"}


# --- add, discover -----------------------------------------------------------------------------------------------


def test_add_admits_each_url_once_within_a_batch_and_across_batches(frontier):
    assert frontier.add([seed("https://a.test/1"), seed("https://a.test/2"), seed("https://a.test/1")]) == [
        True,
        True,
        False,
    ]
    assert frontier.add([seed("https://a.test/2"), seed("https://a.test/3")]) == [False, True]
    assert frontier.counts().admitted == frontier.counts().pending == 3


async def test_added_request_comes_back_whole(frontier):
    request = seed(
        "https://a.test/x",
        scope_host="www.a.test",
        depth=3,
        via="https://a.test/",
        kind=Kind.SITEMAP,
        attempt=2,
        priority=5,
        redirected_from=("https://a.test/y", "https://a.test/z"),
        context=b"\x00\xff",
    )
    frontier.add([request])
    (taken,) = await take_all(frontier)
    assert taken.id > 0
    assert {**_fields(taken), "id": 0} == _fields(request)


def _fields(request):
    return {name: getattr(request, name) for name in Request.__struct_fields__}


async def test_discovered_link_inherits_from_its_parent_one_hop_deeper(frontier):
    frontier.add([seed("https://a.test/", seed="a.test", scope_host="www.a.test", depth=1, context=b"parent's own")])
    (parent,) = await take_all(frontier)
    frontier.discover(parent, [link(frontier, "https://b.test/x", priority=7, context=b"c")])
    (child,) = await take_all(frontier, "b.test")
    assert child == Request(
        url="https://b.test/x",
        host_key="b.test",
        scope_host="www.a.test",
        depth=2,
        via="https://a.test/",
        seed="a.test",
        priority=7,
        context=b"c",
        id=child.id,
    )


async def test_discover_names_each_host_that_gained_urls_once(frontier):
    frontier.add([seed(), seed("https://known.test/")])
    (parent,) = await take_all(frontier)
    found = ["https://b.test/1", "https://known.test/", "https://b.test/2", "https://c.test/", "https://c.test/"]
    hosts = frontier.discover(parent, [link(frontier, url) for url in found])
    assert sorted(hosts) == ["b.test", "c.test"]
    assert frontier.discover(parent, [link(frontier, url) for url in found]) == []
    assert frontier.counts().admitted == 5


async def test_links_can_be_taken_before_any_commit(frontier):
    frontier.add([seed()])
    (parent,) = await take_all(frontier)
    frontier.discover(parent, [link(frontier, "https://a.test/child")])
    assert urls(await take_all(frontier)) == ["https://a.test/child"]


async def test_url_seen_before_a_restart_is_known_after_it(frontier, frontier_factory):
    frontier.add([seed("https://a.test/1"), seed("https://a.test/2")])
    (first,) = await take_all(frontier, count=1)
    await frontier.commit(Checkpoint(finished=(finished(first),)))
    frontier = await crash(frontier, frontier_factory)
    assert frontier.add([seed("https://a.test/1"), seed("https://a.test/2")]) == [False, False]
    assert frontier.discover(first, [link(frontier, "https://a.test/1")]) == []


async def test_uncommitted_counts_what_was_admitted_since_a_commit_began(frontier, frontier_factory):
    assert frontier.uncommitted == 0
    frontier.add([seed("https://a.test/1"), seed("https://a.test/2"), seed("https://a.test/1")])
    (parent, _) = await take_all(frontier)
    frontier.discover(parent, [link(frontier, "https://a.test/3"), link(frontier, "https://a.test/2")])
    assert frontier.uncommitted == 3
    await frontier.commit(Checkpoint(finished=(finished(parent),)))
    assert frontier.uncommitted == 0
    frontier = await crash(frontier, frontier_factory)
    assert frontier.uncommitted == 0


# --- take --------------------------------------------------------------------------------------------------------


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


# --- commit ------------------------------------------------------------------------------------------------------


async def test_url_leaves_pending_when_its_end_is_committed(frontier):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    one, two, _ = await take_all(frontier)
    assert frontier.counts().pending == 3
    await frontier.commit(Checkpoint(finished=(finished(one), finished(two, Outcome.FAILED, reason="dns"))))
    counts = frontier.counts()
    assert (counts.admitted, counts.pending) == (3, 1)
    assert counts.outcomes[Outcome.FETCHED] == counts.outcomes[Outcome.FAILED] == 1


async def test_crash_loses_what_was_admitted_since_the_last_commit_and_nothing_else(frontier, frontier_factory):
    frontier.add([seed("https://a.test/kept")])
    await frontier.commit(Checkpoint())
    (parent,) = await take_all(frontier)
    frontier.add([seed("https://a.test/lost")])
    frontier.discover(parent, [link(frontier, "https://a.test/lost too")])
    frontier = await crash(frontier, frontier_factory)
    assert frontier.counts().admitted == 1
    assert urls(await take_all(frontier)) == ["https://a.test/kept"]
    assert frontier.add([seed("https://a.test/lost")]) == [True]


async def test_committed_ends_survive_a_crash(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(4)])
    taken = await take_all(frontier)
    await frontier.commit(Checkpoint(finished=tuple(finished(request) for request in taken[:3])))
    frontier = await crash(frontier, frontier_factory)
    assert frontier.counts().outcomes[Outcome.FETCHED] == 3
    assert await take_all(frontier) == taken[3:]


async def test_url_may_be_admitted_and_ended_in_one_commit(frontier, frontier_factory):
    frontier.add([seed()])
    (parent,) = await take_all(frontier)
    frontier.discover(parent, [link(frontier, "https://a.test/child")])
    (child,) = await take_all(frontier)
    await frontier.commit(Checkpoint(finished=(finished(parent), finished(child))))
    frontier = await crash(frontier, frontier_factory)
    assert (frontier.counts().admitted, frontier.counts().pending) == (2, 0)


@pytest.mark.parametrize("what", ["ended before", "twice", "never admitted", "ended and snoozed"])
async def test_checkpoint_that_ends_a_url_twice_is_refused_whole(frontier, frontier_factory, what):
    frontier.add([seed("https://a.test/1"), seed("https://a.test/2")])
    one, two = await take_all(frontier)
    await frontier.commit(Checkpoint(finished=(finished(one),)))
    wrong = {
        "ended before": {"finished": (finished(two), finished(one))},
        "twice": {"finished": (finished(two), finished(two))},
        "never admitted": {"finished": (finished(two), finished(seed("https://a.test/3")))},
        "ended and snoozed": {"finished": (finished(two),), "snoozed": (Snoozed(request=two, until=0.0),)},
    }
    with pytest.raises(FrontierError):
        await frontier.commit(Checkpoint(positions={"pages.jsonl": 9}, **wrong[what]))
    assert frontier.counts().pending == 1
    assert (await frontier_factory().open()).positions == {}


async def test_urls_are_taken_and_found_while_a_commit_is_under_way(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    (first,) = await take_all(frontier, count=1)
    commit = asyncio.create_task(frontier.commit(Checkpoint(finished=(finished(first),))))
    await asyncio.sleep(0)
    (second,) = await take_all(frontier, count=1)
    frontier.discover(second, [link(frontier, "https://a.test/child")])
    await commit
    assert urls(await take_all(frontier)) == ["https://a.test/2", "https://a.test/child"]
    await frontier.commit(Checkpoint(finished=(finished(second),)))
    frontier = await crash(frontier, frontier_factory)
    assert urls(await take_all(frontier)) == ["https://a.test/2", "https://a.test/child"]


async def test_commits_at_the_same_time_are_all_stored(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{n}") for n in range(3)])
    taken = await take_all(frontier)
    commits = [
        Checkpoint(finished=(finished(request),), counters={"pages": n}, positions={f"file {n}": n})
        for n, request in enumerate(taken)
    ]
    await asyncio.gather(*(frontier.commit(checkpoint) for checkpoint in commits))
    assert frontier.counts().pending == 0
    await frontier.aclose()
    restored = await frontier_factory().open()
    assert restored == Restored(positions={f"file {n}": n for n in range(3)}, counters={"pages": 2})


# --- snoozed -----------------------------------------------------------------------------------------------------


async def snooze(frontier, *requests, until):
    again = tuple(Snoozed(request=replace(request, attempt=request.attempt + 1), until=until) for request in requests)
    await frontier.commit(Checkpoint(snoozed=again))


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


# --- hosts, host, robots -----------------------------------------------------------------------------------------


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


# --- find, requeue -----------------------------------------------------------------------------------------------


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
    blamed = [
        HostState(host_key=f"{host}.test", ready_at=3.0, delay_s=2.0, failures=4, retired="breaker") for host in "ab"
    ]
    ends = tuple(finished(request, Outcome.FAILED) for request in await take_all(frontier, "a.test", "b.test"))
    await frontier.commit(Checkpoint(finished=ends, hosts=tuple(blamed)))
    assert await requeue(frontier, "https://a.test/") == 1
    for another in (False, True):
        frontier = await crash(frontier, frontier_factory) if another else frontier
        assert await frontier.host("a.test") == HostState(host_key="a.test", ready_at=3.0, delay_s=2.0)
        assert await frontier.host("b.test") == blamed[1]


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
    frontier.add([seed("https://a.test/late", priority=1), seed("https://a.test/early")])
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
    assert [state.host_key for state in (await frontier.hosts(0.0, 0, 10))[0]] == ["a.test", "c.test"]


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
