"""The checkpoint's side of resuming: a frontier that was committed to can be opened again with its files."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from crawler.checkpoint import EARLY_ROWS, Committer
from crawler.config import Manners
from crawler.export.jsonl import JsonlSink
from crawler.export.outcomes import outcome_line
from crawler.frontier.memory import MemoryFrontier, MemoryStore
from crawler.models import Finished, Outcome, Request, Snoozed
from crawler.politeness.policy import Policy
from crawler.stats import Stats
from tests.support.clock import FakeClock

SEED = Request(url="https://a.test/", host_key="a.test", scope_host="a.test", seed="a.test")


async def opened(store, folder, **more):
    clock = FakeClock()
    frontier = MemoryFrontier(clock, store)
    restored = await frontier.open()
    sinks = {name: JsonlSink(folder / f"{name}.jsonl") for name in ("pages", "outcomes")}
    for name, sink in sinks.items():
        await sink.open(restored.positions.get(name))
    policy = Policy(Manners(), clock=clock)
    committer = Committer(
        frontier=frontier,
        policy=policy,
        stats=Stats(clock),
        sinks=sinks,
        outcome_line=outcome_line,
        every_s=60,
        fsync=True,
        **more,
    )
    return frontier, sinks, committer


async def run_once(committer, work):
    running = asyncio.create_task(committer.run(lambda: None))
    await asyncio.sleep(0)
    work()
    committer.close()
    await running


async def test_every_file_has_a_length_from_the_first_commit_on(tmp_path):
    store = MemoryStore()
    _, sinks, committer = await opened(store, tmp_path)
    await run_once(committer, lambda: None)
    assert store.positions == {"pages": 0, "outcomes": 0}
    for sink in sinks.values():
        await sink.aclose()
    _, sinks, _ = await opened(store, tmp_path)  # as a resume does
    for sink in sinks.values():
        await sink.aclose()


async def test_lines_and_ends_are_committed_together_and_cut_lines_are_written_again(tmp_path):
    store = MemoryStore()
    frontier, sinks, committer = await opened(store, tmp_path)

    def end_it():
        frontier.add([SEED])
        request = frontier._request(1)
        committer.finish(Finished(request=request, outcome=Outcome.FETCHED, has_page=True), (("pages", b"{}"),))

    await run_once(committer, end_it)
    assert frontier.counts().pending == 0
    assert store.positions["pages"] == 3
    for sink in sinks.values():
        await sink.append([b"lost in a crash"])
        await sink.aclose()
    _, sinks, _ = await opened(store, tmp_path)
    assert (tmp_path / "pages.jsonl").read_bytes() == b"{}\n"
    for sink in sinks.values():
        await sink.aclose()


async def test_makers_of_results_wait_while_two_batches_are_full(tmp_path):
    frontier, sinks, committer = await opened(MemoryStore(), tmp_path)
    line = b"x" * (70 << 20)
    frontier.add([SEED])
    end = Finished(request=frontier._request(1), outcome=Outcome.FETCHED, has_page=True)
    committer.finish(end, (("pages", line),))
    waiting = asyncio.create_task(committer.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await run_once(committer, lambda: None)
    await waiting
    for sink in sinks.values():
        await sink.aclose()


class Keeper:
    """Counts how often it is asked, and notes whether it was on the disk by the time its state was committed."""

    def __init__(self, store):
        self.store = store
        self.asked = self.synced = 0
        self.committed_too_soon = False

    def state(self):
        self.asked += 1
        return b"%d" % self.asked

    async def sync(self, *, fsync):
        self.committed_too_soon |= self.store.blobs.get("keeper") == b"%d" % self.asked
        self.synced = self.asked


async def test_a_state_that_has_not_changed_is_not_stored_again(tmp_path):
    states = iter((b"a", b"a", b"b", b"", b""))

    class Fickle(Keeper):
        def state(self):
            return next(states)

    frontier, sinks, committer = await opened(MemoryStore(), tmp_path, keepers={"fickle": Fickle(MemoryStore())})
    commit, stored = frontier.commit, []

    async def noted(checkpoint):
        stored.append(checkpoint.blobs)
        await commit(checkpoint)

    frontier.commit = noted
    for _ in range(5):
        await committer._commit()
    assert stored == [{"fickle": b"a"}, {}, {"fickle": b"b"}, {"fickle": b""}, {}]
    for sink in sinks.values():
        await sink.aclose()


async def test_states_of_keepers_are_on_the_disk_before_they_are_committed(tmp_path):
    store = MemoryStore()
    keeper = Keeper(store)
    _, sinks, committer = await opened(store, tmp_path, keepers={"keeper": keeper}, blobs={"config": b"x"})
    await run_once(committer, committer.hasten)
    assert store.blobs == {"config": b"x", "keeper": b"%d" % keeper.asked}
    assert keeper.synced == keeper.asked >= 1
    assert not keeper.committed_too_soon
    for sink in sinks.values():
        await sink.aclose()


@pytest.mark.parametrize("what", ["a rest", "a retry"])
async def test_what_a_crash_must_not_forget_is_committed_at_once(tmp_path, what):
    store = MemoryStore()
    frontier, sinks, committer = await opened(store, tmp_path)
    woken = asyncio.Event()
    running = asyncio.create_task(committer.run(woken.set))
    await asyncio.sleep(0)
    frontier.add([SEED])
    if what == "a rest":
        committer.hasten()
    else:
        (request,) = await frontier.take([("a.test", 1)])
        committer.snooze(Snoozed(request=replace(request, attempt=2), until=5_000.0))
    await woken.wait()  # every_s is a minute
    assert [row.url for row in store.rows] == [SEED.url]
    committer.close()
    await running
    for sink in sinks.values():
        await sink.aclose()


async def test_urls_found_faster_than_they_are_stored_hold_their_finders_back(tmp_path):
    store = MemoryStore()
    frontier, sinks, committer = await opened(store, tmp_path)
    running = asyncio.create_task(committer.run(lambda: None))
    await asyncio.sleep(0)
    many = [replace(SEED, url=f"https://a.test/{number}") for number in range(2 * EARLY_ROWS)]
    frontier.add(many)
    waiting = asyncio.create_task(committer.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await waiting  # the commit it asked for makes room
    assert len(store.rows) == len(many)
    committer.close()
    await running
    for sink in sinks.values():
        await sink.aclose()


async def test_what_was_admitted_while_the_last_checkpoint_was_written_is_committed_by_another(tmp_path):
    store = MemoryStore()
    writing, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Keeper):
        async def sync(self, *, fsync):
            writing.set()
            await go_on.wait()

    frontier, sinks, committer = await opened(store, tmp_path, keepers={"slow": Slow(store)})
    running = asyncio.create_task(committer.run(lambda: None))
    await writing.wait()
    committer.close()
    go_on.set()
    frontier.add([SEED])
    await running
    assert [row.url for row in store.rows] == [SEED.url]
    assert store.blobs["slow"] == b"2"
    for sink in sinks.values():
        await sink.aclose()


async def test_flush_waits_until_what_has_ended_is_committed_and_for_nothing_else(tmp_path):
    frontier, sinks, committer = await opened(MemoryStore(), tmp_path)
    running = asyncio.create_task(committer.run(lambda: None))
    await committer.flush()  # nothing has ended
    frontier.add([SEED])
    [request] = await frontier.take([("a.test", 1)])
    committer.finish(Finished(request=request, outcome=Outcome.FAILED, reason="timeout"), ())
    await asyncio.gather(committer.flush(), committer.flush())
    assert frontier.counts().outcomes[Outcome.FAILED] == 1
    committer.close()
    await running
    for sink in sinks.values():
        await sink.aclose()


class Heap:
    """Is loose until it is trimmed."""

    def __init__(self):
        self.trimmed = 0

    def is_loose(self):
        return not self.trimmed

    def trim(self):
        self.trimmed += 1


async def test_a_loose_heap_is_trimmed_after_a_commit_and_a_tight_one_left(tmp_path):
    heap = Heap()
    _, sinks, committer = await opened(MemoryStore(), tmp_path, heap=heap)
    await run_once(committer, lambda: None)
    assert committer._done == 2
    assert heap.trimmed == 1
    for sink in sinks.values():
        await sink.aclose()
