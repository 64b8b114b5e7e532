"""The files of workers become one crawl: each record once that the ledger points at, and all that is said adds up."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from crawler.dataset.ledger import KnownUrls
from crawler.dataset.lines import Lines
from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.export.packing import suffix
from crawler.merging.ledger import Row
from crawler.merging.merge import merge
from crawler.merging.publish import read_merged
from crawler.models import HostState, Robots, RobotsFile
from tests.support.segments import MAKING, SINKS, FakeLedger, finished, request, two_workers


def held(directory, compress="none"):
    """Sink -> its lines."""
    found = dict.fromkeys(SINKS, b"")
    for name in SINKS:
        path = directory / f"{name}.jsonl{suffix(compress)}"
        if path.exists():
            found[name] = b"".join(Lines(path).blocks())
    return found


async def merged(fleet, into=None, **more):
    return await merge(fleet.write(), FakeLedger(fleet, **more), into or fleet.directory, MAKING)


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
async def test_exactly_what_the_ledger_points_at_is_there_byte_for_byte(tmp_path, compress):
    fleet = two_workers(tmp_path, compress)
    told = await merged(fleet)
    assert held(tmp_path, compress) == fleet.expected()
    assert (told.left_out, told.lost, told.workers) == (3, 0, [2, 7])
    assert told.records["pages"] == fleet.expected()["pages"].count(b"\n")
    assert CrawlDirectory(tmp_path).state() is State.FINISHED


async def test_the_store_says_of_each_url_what_the_ledger_says(tmp_path):
    fleet = two_workers(tmp_path)
    fleet.state = "running"
    later = time.time() + 500
    fleet.pending = [
        Row(request=request(100)),
        Row(request=request(101, attempt=3), due_at=later, reason="timeout"),
        Row(request=request(100)),  # it lies in an inbox, too
    ]
    host = HostState(host_key="h1.test", delay_s=2.0, pages=7)
    robots = RobotsFile(origin="https://h1.test", expires_at=5e9, robots=Robots(rules=((False, "/x"),)))
    await merged(fleet, hosts=[host], robots=[robots])
    with KnownUrls(tmp_path / "crawl.db") as known:
        ends = {row.request.url: row.end for row in fleet.rows() if row.end}
        found = known.find([*ends, request(100).url, request(101).url])
        for url, end in ends.items():
            one = found[url]
            assert (one.outcome, one.reason, one.status, one.at) == (end.outcome, end.reason, end.status, end.at)
            assert (one.attempts, one.has_page, one.depth) == (end.attempts, end.has_page, end.request.depth)
        assert found[request(100).url].outcome == "pending"
        snoozed = found[request(101).url]
        assert (snoozed.outcome, snoozed.reason, snoozed.attempts) == ("snoozed", "timeout", 2)
        assert snoozed.due_at == pytest.approx(later, abs=1)
        assert known.host("h1.test") == host
        assert known.robots("https://h1.test") == robots
        assert known.pending() == 2
    assert CrawlDirectory(tmp_path).state() is State.UNFINISHED


async def test_the_summary_adds_up_with_the_files_and_the_store(tmp_path):
    fleet = two_workers(tmp_path)
    fleet.seeds = [request(1).url, request(3).url, "https://nowhere.test/"]
    await merged(fleet)
    summary = CrawlDirectory(tmp_path).read_summary()
    lines = {name: data.count(b"\n") for name, data in held(tmp_path).items()}
    assert summary.complete
    assert summary.admitted == 30 == sum(summary.outcomes.values())
    assert summary.pages == lines["pages"] == summary.outcomes["fetched"]
    assert summary.reasons == {"failed": {"http_404": lines["outcomes"]}}
    assert summary.rules["items"].records == lines["items"]
    assert summary.rules["items"].rejects == lines["items.rejects"]
    assert summary.attempts == 33  # of all that was requested
    assert summary.elapsed_s == 100
    assert summary.seeds == {"given": 3, "bad": 0, "fetched": 1}
    rows = [json.loads(line) for line in (tmp_path / "seeds.jsonl").read_bytes().splitlines()]
    assert [(row["given"], row["outcome"]) for row in rows] == [
        (request(1).url, "fetched"),
        (request(3).url, "failed"),
        ("https://nowhere.test/", None),
    ]


async def test_a_crawl_stopped_by_a_budget_is_finished_and_one_stopped_by_a_person_is_not(tmp_path):
    for why, state in (("budget.pages", State.FINISHED), ("stop", State.UNFINISHED)):
        directory = tmp_path / why
        directory.mkdir()
        fleet = two_workers(directory)
        fleet.state, fleet.why = "stopped", why
        fleet.pending = [Row(request=request(100))]
        await merged(fleet)
        assert CrawlDirectory(directory).state() is state
    summary = CrawlDirectory(tmp_path / "budget.pages").read_summary()
    assert (summary.complete, summary.stopped_by, summary.pending) == (False, "budget.pages", 1)


async def test_records_that_are_not_there_are_told_and_their_urls_are_pending(tmp_path):
    fleet = two_workers(tmp_path)
    found = [segment for segment in fleet.write() if segment.worker.id == 7]
    told = await merge(found, FakeLedger(fleet), tmp_path, MAKING)
    assert told.lost == 10
    assert len(told.lost_examples) == 3
    assert not told.is_final
    assert CrawlDirectory(tmp_path).state() is State.UNFINISHED
    with KnownUrls(tmp_path / "crawl.db") as known:
        assert known.pending() == 10
        assert all(one.outcome == "pending" for one in known.find(told.lost_examples).values())


async def test_a_merge_may_be_done_again_as_the_crawl_goes_on(tmp_path):
    fleet = two_workers(tmp_path)
    fleet.state = "running"
    fleet.pending = [Row(request=request(50))]
    first = await merged(fleet)
    fleet.pending = []
    fleet.end(9, [finished(50, worker=9)])
    fleet.state = "done"
    second = await merged(fleet)
    assert held(tmp_path) == fleet.expected()
    assert (first.is_final, second.is_final) == (False, True)
    assert first.stamp != second.stamp
    assert read_merged(tmp_path) == second
    assert not [path.name for path in tmp_path.iterdir() if "crawl-" in path.name]


async def test_a_directory_that_holds_something_else_is_left_alone(tmp_path):
    fleet = two_workers(tmp_path / "a")
    other = tmp_path / "other"
    other.mkdir()
    (other / "outcomes.jsonl").write_bytes(b"{}\n")
    with pytest.raises(ConfigError, match="holds a crawl of its own"):
        await merged(fleet, other)
    assert [path.name for path in other.iterdir()] == ["outcomes.jsonl"]


async def test_a_merged_crawl_that_was_gone_on_with_is_not_merged_over(tmp_path):
    fleet = two_workers(tmp_path)
    await merged(fleet)
    with (tmp_path / "runs.jsonl").open("ab") as runs:
        runs.write(b'{"event":"began"}\n')
    before = (tmp_path / "pages.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="was crawled on since"):
        await merged(fleet)
    assert (tmp_path / "pages.jsonl").read_bytes() == before


async def test_a_store_that_cannot_be_made_is_not_taken_for_a_ledger_that_is_gone(tmp_path):
    def full(path, clock):
        store = MAKING.store(path, clock)

        async def commit(_):
            raise FrontierError("disk is full")

        store.commit = commit
        return store

    fleet = two_workers(tmp_path)
    with pytest.raises(CrawlerError, match="disk is full") as told:
        await merge(fleet.write(), FakeLedger(fleet), tmp_path, replace(MAKING, store=full))
    assert not isinstance(told.value, FrontierError)
