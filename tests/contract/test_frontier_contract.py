"""What `crawler.frontier.base` promises of every backend: opening, admitting, committing.

Order, hosts, snoozing and requeueing have files of their own.
"""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.known import Known
from crawler.models import Checkpoint, Kind, Outcome, Request, Restored, Snoozed
from tests.support.frontiers import BACKENDS, crash, finished, link, seed, take_all, urls

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
    assert replace(taken, id=0) == request


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


async def test_link_to_a_sitemap_is_handed_out_as_one(frontier, frontier_factory):
    frontier.add([seed("https://a.test/robots-named.xml", kind=Kind.SITEMAP, depth=2)])
    (index,) = await take_all(frontier)
    found = [link(frontier, f"https://b.test/{n}", kind=Kind.SITEMAP, context=b"c" * n) for n in range(2)]
    frontier.discover(index, found)
    fresh = await take_all(frontier, "b.test")
    assert [(request.kind, request.depth, request.context) for request in fresh] == [
        (Kind.SITEMAP, 2, b""),
        (Kind.SITEMAP, 2, b"c"),
    ]
    await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory)
    assert await take_all(frontier, "b.test") == fresh


async def test_what_a_sitemap_lists_is_at_its_own_depth(frontier, frontier_factory):
    frontier.add([seed("https://a.test/sitemap.xml", kind=Kind.SITEMAP, depth=1)])
    (sitemap,) = await take_all(frontier)
    frontier.discover(sitemap, [link(frontier, "https://a.test/page", priority=9)])
    (page,) = await take_all(frontier)
    assert (page.kind, page.depth, page.priority, page.via) == (Kind.PAGE, 1, 9, sitemap.url)
    frontier.discover(page, [link(frontier, "https://a.test/below")])
    assert [request.depth for request in await take_all(frontier)] == [2]
    await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory)
    assert [request.depth for request in await take_all(frontier)] == [1, 1, 2]


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


async def test_ends_are_kept_to_the_last_field_however_many_are_alike(frontier, frontier_factory):
    frontier.add([seed(f"https://a.test/{number}") for number in range(40)])
    taken = await take_all(frontier)
    ends = [finished(request, status=200, at=1.7e9 + number / 8, has_page=True) for number, request in enumerate(taken)]
    ends[7] = finished(taken[7], Outcome.FAILED, reason="http_404", status=404, at=5.0)
    ends[8] = finished(taken[8], Outcome.REDIRECTED, status=301, target="https://a.test/x", at=0.5)
    await frontier.commit(Checkpoint(finished=tuple(ends)))
    assert frontier.counts().outcomes[Outcome.FETCHED] == 38
    after = await crash(frontier, frontier_factory)
    assert await after.find(urls(taken)) == ends
    assert replace(after.counts(), brought=0) == replace(frontier.counts(), brought=0)


# --- visited again -----------------------------------------------------------------------------------------------


async def test_what_is_known_of_a_url_comes_back_with_it_after_a_crash_too(frontier, frontier_factory):
    known = Known(
        id=7, has_page=True, bytes=9, etag='W/"\xe9"', last_modified="x", digest="sha256:0", at=1.5, skip="lastmod"
    )
    frontier.add([seed("https://a.test/0", known=known), seed("https://a.test/1", known=Known(id=8)), seed()])
    await frontier.commit(Checkpoint())
    assert [request.known for request in await take_all(frontier)] == [known, Known(id=8), None]
    frontier = await crash(frontier, frontier_factory)
    assert [request.known for request in await take_all(frontier)] == [known, Known(id=8), None]


async def test_url_whose_end_is_known_is_out_at_once_and_takeable_after_a_crash(frontier, frontier_factory):
    frontier.add([seed("https://a.test/0")])
    new = [seed("https://a.test/0"), seed("https://a.test/1"), seed("https://b.test/2")]
    taken = frontier.add_taken(new)
    assert urls(taken) == ["https://a.test/1", "https://b.test/2"]
    assert frontier.counts().pending == 3
    assert urls(await take_all(frontier, "a.test", "b.test")) == ["https://a.test/0"]
    await frontier.commit(
        Checkpoint(finished=(finished(taken[0], Outcome.UNCHANGED, reason="not_due", has_page=True),))
    )
    assert frontier.add_taken(new) == []
    frontier = await crash(frontier, frontier_factory)
    assert urls(await take_all(frontier, "a.test", "b.test")) == ["https://a.test/0", "https://b.test/2"]
    assert frontier.counts().outcomes[Outcome.UNCHANGED] == 1


async def test_what_is_admitted_after_a_cut_is_stored_with_its_own_end_and_not_before(frontier, frontier_factory):
    (before,) = frontier.add_taken([seed("https://a.test/0")])
    frontier.cut()
    (after,) = frontier.add_taken([seed("https://a.test/1")])
    frontier.add([seed("https://a.test/2")])
    assert frontier.uncommitted == 2
    await frontier.commit(Checkpoint(finished=(finished(before),)))
    assert frontier.counts().admitted == 3
    assert urls(await take_all(frontier)) == ["https://a.test/2"]
    frontier = await crash(frontier, frontier_factory)
    assert frontier.counts().admitted == frontier.counts().outcomes[Outcome.FETCHED] == 1
    assert urls(frontier.add_taken([seed("https://a.test/1")])) == [after.url]


async def test_after_a_cut_and_its_commit_the_next_one_stores_all_again(frontier, frontier_factory):
    frontier.cut()
    frontier.add([seed("https://a.test/0")])
    await frontier.commit(Checkpoint())
    frontier.add([seed("https://a.test/1")])
    await frontier.commit(Checkpoint())
    frontier = await crash(frontier, frontier_factory)
    assert urls(await take_all(frontier)) == ["https://a.test/0", "https://a.test/1"]


async def test_validators_are_stored_with_the_end_they_came_with(frontier, frontier_factory):
    given = [{"etag": '"a"', "last_modified": "b"}, {"etag": "\xe9"}, {"last_modified": ""}, {}]
    frontier.add([seed(f"https://a.test/{n}") for n in range(4)])
    ends = tuple(finished(request, **fields) for request, fields in zip(await take_all(frontier), given, strict=True))
    await frontier.commit(Checkpoint(finished=ends))
    frontier = await crash(frontier, frontier_factory)
    assert await frontier.find([end.request.url for end in ends]) == list(ends)
