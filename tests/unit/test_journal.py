"""The journal of a worker tells of each end which bytes of which file are its own."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from crawler.batch import Batch, Told
from crawler.config.file import loads
from crawler.dataset.lines import Lines
from crawler.errors import ConfigError, ExportError
from crawler.export.journal import IS_CHECKPOINT, JOURNAL, CheckpointLine, Journal, JournalLine
from crawler.export.jsonl import JsonlSink
from crawler.export.packing import suffix
from crawler.frontier.memory import MemoryStore
from crawler.models import Finished, Outcome
from tests.support.frontiers import seed
from tests.unit.test_checkpoint import opened, run_once


def end(number):
    """An end, and what it brings: a page with items and links, or no page; by its number."""
    url = f"https://a.test/{number}"
    has_page = number % 3 > 0
    finished = Finished(
        request=seed(url, attempt=1 + number % 2),
        outcome=Outcome.FETCHED if has_page else Outcome.FAILED,
        reason=None if has_page else "http_404",
        at=1000.5 + number,
        has_page=has_page,
    )
    records = [("pages", b'{"n":%d}' % number)] if has_page else []
    records += [("items", b'{"i":%d}' % i) for i in range(number % 4)]
    records += [("links", b"\n".join(b'{"l":%d}' % i for i in range(number)))] if number else []
    return finished, tuple(records) + ((("warc", b"an\nanswer"),) if number % 2 else ())


async def journalled(folder, batches, compress="none", **more):
    """What is in a folder after a crawl whose ends come in these batches, a checkpoint for each."""
    sink = JsonlSink(folder / f"{JOURNAL}.jsonl{suffix(compress)}", compress)
    await sink.open(None)
    frontier, sinks, committer = await opened(MemoryStore(), folder, journal=Journal(sink), **more)
    for name in ("items", "links", "warc"):
        sinks[name] = JsonlSink(folder / f"{name}.jsonl")
        await sinks[name].open(None)
    running = asyncio.create_task(committer.run(lambda: None))
    for ends in batches:
        for one in ends:
            committer.finish(*taken(frontier, *one))
        await committer.flush()
    committer.close()
    await running
    for one in (sink, *sinks.values()):
        await one.aclose()
    path = folder / f"{JOURNAL}.jsonl{suffix(compress)}"
    return [
        msgspec.json.decode(line, type=CheckpointLine if line.startswith(IS_CHECKPOINT) else JournalLine)
        for line in Lines(path)
    ]


def ends_in(told):
    return [line for line in told if isinstance(line, JournalLine)]


def taken(frontier, finished, records):
    """An end of what the frontier hands out."""
    (request,) = frontier.add_taken([finished.request])
    request = msgspec.structs.replace(request, attempt=finished.request.attempt)
    return msgspec.structs.replace(finished, request=request), records


@pytest.mark.parametrize("compress", ["none", "zstd"])
async def test_the_bytes_of_all_ends_in_order_are_each_file(tmp_path, compress):
    ends = [end(number) for number in range(23)]
    cuts = sorted(random.Random(1).sample(range(23), 4))
    batches = [ends[a:b] for a, b in zip([0, *cuts], [*cuts, 23], strict=True)]
    told = ends_in(await journalled(tmp_path, batches, compress))
    assert [line.url for line in told] == [finished.request.url for finished, _ in ends]
    assert [(line.outcome, line.reason, line.attempt, line.at) for line in told] == [
        (finished.outcome, finished.reason, finished.request.attempt, finished.at) for finished, _ in ends
    ]
    for name in ("pages", "items", "links"):
        held, at = (tmp_path / f"{name}.jsonl").read_bytes(), 0
        for line, (_, records) in zip(told, ends, strict=True):
            size = line.sinks.get(name, 0)
            assert held[at : at + size] == b"".join(text + b"\n" for sink, text in records if sink == name)
            at += size
        assert at == len(held)
    outcomes = (tmp_path / "outcomes.jsonl").read_bytes()
    assert sum(line.sinks.get("outcomes", 0) for line in told) == len(outcomes)
    assert all(("outcomes" in line.sinks) != ("pages" in line.sinks) for line in told)


async def test_answers_that_are_packed_on_their_way_are_counted(tmp_path):
    told = ends_in(await journalled(tmp_path, [[end(number) for number in range(5)]]))
    assert [line.sinks.get("warc", 0) for line in told] == [0, 1, 0, 1, 0]


async def test_each_checkpoint_says_what_its_worker_has_come_to(tmp_path):
    told = await journalled(tmp_path, [[end(0), end(1)], [end(2)]])
    kinds = ["c" if isinstance(line, CheckpointLine) else "e" for line in told]
    assert "".join(kinds) == "eececc"  # the last one ends the run, and has no ends
    checkpoints = [line for line in told if isinstance(line, CheckpointLine)]
    assert [line.checkpoint for line in checkpoints] == [2, 1, 0]
    assert checkpoints[-1].positions["pages"] == (tmp_path / "pages.jsonl").stat().st_size
    assert "attempts" in checkpoints[-1].counters


async def test_large_states_are_told_now_and_then_and_at_the_end(tmp_path):
    class Rules:
        seen = 0

        def restore(self, state):
            pass

        def state(self):
            self.seen += 1
            return b"%d" % self.seen

        async def sync(self, *, fsync):
            pass

    told = await journalled(
        tmp_path, [[end(number)] for number in range(20)], keepers={"rules": Rules(), "cookies": Rules()}
    )
    states = [line.states for line in told if isinstance(line, CheckpointLine)]
    assert [list(one) for one in states] == [["rules"], *[[]] * 15, ["rules"], *[[]] * 3, ["rules"]]
    assert states[-1]["rules"] == b"22"


async def test_a_crawl_of_its_own_has_no_journal(tmp_path):
    frontier, sinks, committer = await opened(MemoryStore(), tmp_path)
    await run_once(committer, lambda: committer.finish(*taken(frontier, *end(0))))
    for sink in sinks.values():
        await sink.aclose()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outcomes.jsonl", "pages.jsonl"]


async def test_the_journal_is_written_after_the_records_and_before_the_frontier_knows(tmp_path):
    order = []

    class Watching(Journal):
        async def write(self, batch, told, *, fsync):
            order.append(("records", (tmp_path / "outcomes.jsonl").stat().st_size > 0))
            order.append(("pending", frontier.counts().pending))
            await super().write(batch, told, fsync=fsync)

    sink = JsonlSink(tmp_path / f"{JOURNAL}.jsonl")
    await sink.open(None)
    frontier, sinks, committer = await opened(MemoryStore(), tmp_path, journal=Watching(sink))
    await run_once(committer, lambda: committer.finish(*taken(frontier, *end(0))))
    for one in (sink, *sinks.values()):
        await one.aclose()
    assert order[-2:] == [("records", True), ("pending", 1)]
    assert frontier.counts().pending == 0


async def test_a_journal_of_what_nobody_noted_is_refused(tmp_path):
    sink = JsonlSink(tmp_path / f"{JOURNAL}.jsonl")
    batch = Batch()
    batch.add(*end(0))
    with pytest.raises(ExportError, match="nobody has noted"):
        await Journal(sink).write(batch, Told({}, {}, {}, is_last=False), fsync=False)


def test_no_rule_can_write_to_the_journal():
    with pytest.raises(ConfigError, match="name"):
        loads(f"extract: {{rules: [{{name: {JOURNAL}, fields: {{title: h1}}}}]}}", "rules.yaml")
