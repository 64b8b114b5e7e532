"""The checkpoint's side of resuming: a frontier that was committed to can be opened again with its files."""

from __future__ import annotations

import asyncio

from crawler.checkpoint import Committer
from crawler.config import BudgetConfig, LimitsConfig, RobotsConfig
from crawler.export.jsonl import JsonlSink
from crawler.export.outcomes import outcome_line
from crawler.frontier.memory import MemoryFrontier, MemoryStore
from crawler.models import Finished, Outcome, Request
from crawler.politeness.policy import Policy
from crawler.stats import Stats
from tests.support.clock import FakeClock

SEED = Request(url="https://a.test/", host_key="a.test", scope_host="a.test", seed="a.test")


async def opened(store, folder):
    clock = FakeClock()
    frontier = MemoryFrontier(clock, store)
    restored = await frontier.open()
    sinks = {name: JsonlSink(folder / f"{name}.jsonl") for name in ("pages", "outcomes")}
    for name, sink in sinks.items():
        await sink.open(restored.positions.get(name))
    policy = Policy(limits=LimitsConfig(), robots=RobotsConfig(), budget=BudgetConfig(), clock=clock)
    committer = Committer(
        frontier=frontier,
        policy=policy,
        stats=Stats(clock),
        sinks=sinks,
        outcome_line=outcome_line,
        every_s=60,
        fsync=True,
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
