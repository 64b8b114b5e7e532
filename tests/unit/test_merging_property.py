"""Whatever workers have written, torn anywhere, and whatever of it the ledger took: exactly that is merged."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.dataset.ledger import KnownUrls
from crawler.export.journal import JOURNAL
from crawler.export.packing import suffix
from crawler.merging.gather import Gathering
from crawler.merging.merge import merge, merge_by_attempts
from crawler.merging.wanted import Wanted
from tests.support.segments import MAKING, SINKS, FakeLedger, Fleet, finished, lines_of
from tests.unit.test_merging_merge import held

URLS = 12


@st.composite
def fleets(draw):
    """Ends of some workers, the order in which they commit, and whether the ledger takes a checkpoint of theirs."""
    compress = draw(st.sampled_from(["none", "none", "zstd"]))
    steps = draw(
        st.lists(
            st.tuples(st.integers(1, 3), st.lists(st.integers(0, URLS - 1), unique=True, max_size=5), st.booleans())
        )
    )
    return compress, steps


def played(directory, compress, steps):
    """A fleet in which all of this happened. What the ledger has is refused, as it would be."""
    fleet = Fleet(directory, compress)
    attempts = dict.fromkeys(range(URLS), 0)
    for worker, numbers, taken in steps:
        ends = []
        for number in numbers:
            attempts[number] += 1
            ends.append(finished(number, worker=worker, attempt=attempts[number]))
        known = {number for number in numbers if finished(number).request.url in fleet.ledger}
        fleet.end(worker, ends, refused=known if taken else set(numbers))
    return fleet


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(fleets())
def test_each_record_that_the_ledger_points_at_is_there_once_and_no_other(drawn):
    compress, steps = drawn
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        fleet = played(directory, compress, steps)
        done = asyncio.run(merge(fleet.write(), FakeLedger(fleet), directory, MAKING))
        assert held(directory, compress) == fleet.expected()
        assert done.lost == 0
        assert done.left_out == sum(len(ends) for of in fleet.workers.values() for ends in of) - len(fleet.ledger)
        with KnownUrls(directory / "crawl.db") as known:
            assert {end.url for end in known.ended()} == set(fleet.ledger)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(fleets())
def test_without_a_ledger_each_url_has_the_records_of_its_highest_attempt(drawn):
    compress, steps = drawn
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        fleet = played(directory, compress, [(worker, numbers, False) for worker, numbers, _ in steps])
        best = {}
        for worker in sorted(fleet.workers):
            for ends in fleet.workers[worker]:
                for end in ends:
                    if end.request.url not in best or best[end.request.url][1].request.attempt < end.request.attempt:
                        best[end.request.url] = (worker, end)
        found = fleet.write()
        if not found:
            return
        for segment in found:
            (segment.path / "crawl.yaml").write_text(fleet.config())
        asyncio.run(merge_by_attempts(found, directory, MAKING))
        wanted = {name: [] for name in SINKS}
        for worker, end in best.values():
            for name, data in lines_of(end, worker):
                wanted[name] += data.splitlines()
        assert {name: sorted(data.splitlines()) for name, data in held(directory, compress).items()} == {
            name: sorted(lines) for name, lines in wanted.items()
        }


@pytest.mark.slow
@pytest.mark.parametrize("compress", ["none", "zstd"])
@pytest.mark.parametrize("name", ["pages", "items", "outcomes", JOURNAL])
async def test_what_was_torn_off_is_told_wherever_that_was(tmp_path, name, compress):
    """Of a file cut at any byte, the ends before count and those after are pending, with none of their records."""
    fleet = Fleet(tmp_path / "fleet", compress)
    fleet.end(1, [finished(number, worker=1) for number in range(4)])
    fleet.end(1, [finished(number, worker=1) for number in range(4, 7)])
    (segment,) = fleet.write()
    path = segment.path / f"{name}.jsonl{suffix(compress)}"
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:length])
        into = tmp_path / "out"
        into.mkdir()
        done = await merge([segment], FakeLedger(fleet), into, MAKING)
        with KnownUrls(into / "crawl.db") as known:
            ended = {end.url for end in known.ended()}
        assert len(ended) + done.lost == 7
        assert known_lines(into, compress) == wanted_lines(fleet, ended)
        shutil.rmtree(into)


class Kept:
    """A sink that keeps its lines."""

    def __init__(self):
        self.lines = b""

    async def append(self, lines):
        self.lines += b"".join(line + b"\n" for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("compress", ["none", "zstd"])
@pytest.mark.parametrize("name", ["pages", "items", "outcomes", JOURNAL])
async def test_a_file_torn_at_any_byte_gives_whole_ends_and_no_more(tmp_path, name, compress):
    fleet = Fleet(tmp_path / "fleet", compress)
    fleet.end(1, [finished(number, worker=1) for number in range(1, 4)])
    fleet.end(1, [finished(number, worker=1) for number in range(6, 8)])
    (segment,) = fleet.write()
    path = segment.path / f"{name}.jsonl{suffix(compress)}"
    whole, found = path.read_bytes(), []
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        wanted = Wanted()
        for row in fleet.rows():
            wanted.want(row.where, row.request.url)
        sinks = {sink: Kept() for sink in SINKS}
        await Gathering(wanted, sinks).run([segment])
        taken = {row.request.url for row in fleet.rows() if not wanted.is_lacking(row.where)}
        assert {sink: kept.lines for sink, kept in sinks.items() if kept.lines} == wanted_lines(fleet, taken)
        found.append(len(taken))
    assert found == sorted(found)
    assert found[-1] == 5


def known_lines(directory, compress):
    return {name: data for name, data in held(directory, compress).items() if data}


def wanted_lines(fleet, urls):
    """What ends of these URLs brought."""
    found = {}
    for end in (end for ends in fleet.workers[1] for end in ends if end.request.url in urls):
        for name, data in lines_of(end, 1):
            found[name] = found.get(name, b"") + data
    return found
