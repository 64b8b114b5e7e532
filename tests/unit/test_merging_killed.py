"""A merge that is killed at any step leaves the crawl as it was, or as it is to be, once somebody looks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from crawler.dataset.ledger import KnownUrls
from crawler.directory import CrawlDirectory, State
from crawler.merging.merge import merge
from crawler.merging.publish import complete, is_due, read_merged
from tests.support.segments import MAKING, FakeLedger, grown, two_workers
from tests.unit.test_merging_merge import held

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
async def test_a_merge_killed_at_any_step_leaves_what_was_or_what_is_to_be(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    before, after = two_workers(old), grown(old)
    await merge(before.write(), FakeLedger(before), old, MAKING)
    command = [sys.executable, "-m", "tests.support.killed_merges", str(tmp_path), "4"]
    run = partial(subprocess.run, command, capture_output=True, text=True, check=True, cwd=ROOT)
    done = await asyncio.to_thread(run)
    count = int(done.stdout)
    assert count > 10
    seen = set()
    for number in range(1, count + 1):
        directory = tmp_path / str(number)
        crawl = CrawlDirectory(directory)
        if is_due(directory) and crawl.state() is State.FINISHED:
            assert held(directory) in (before.expected(), after.expected())  # whole, looked at or not
        complete(directory)
        assert not is_due(directory)
        is_new = held(directory) == after.expected()
        assert is_new or held(directory) == before.expected()
        summary = crawl.read_summary()
        assert summary is not None
        assert summary.pages == held(directory)["pages"].count(b"\n")
        with KnownUrls(crawl.store) as known:
            assert sum(1 for _ in known.ended()) == len((after if is_new else before).ledger)
        told = read_merged(directory)
        assert told is not None
        assert told.records["pages"] == summary.pages
        assert not [path.name for path in directory.iterdir() if "crawl-" in path.name]
        seen.add(is_new)
    assert seen == {False, True}
