"""What a reader of `-o -` gets, whatever pace it reads at and wherever it stops."""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crawler.checkpoint import Committed
from crawler.cli.stream import Follower
from crawler.errors import CrawlerError, ExportError
from crawler.export.jsonl import sink_for
from crawler.export.packing import PACKINGS, suffix

FULL = Path("/dev/full")
BATCHES = [[b"one", b"two"], [b"three"], [b"four", b"five", b"six"]]
ALL = b"one\ntwo\nthree\nfour\nfive\nsix\n"


@pytest.fixture(params=PACKINGS)
def compress(request):
    return request.param


@pytest.fixture
async def sink(compress, path):
    sink = sink_for(path, compress)
    await sink.open(None)
    yield sink
    await sink.aclose()


@pytest.fixture
def path(compress, tmp_path):
    return tmp_path / f"pages.jsonl{suffix(compress)}"


@pytest.fixture
def pipe():
    """Both ends, unbuffered."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as source, os.fdopen(writing, "wb", 0) as out:
        yield source, out


async def commit(sink, follower, *lines):
    if lines:
        await sink.append(lines)
    position = await sink.sync(fsync=False)
    await follower.committed(Committed(pages=lines, positions={"pages": position}))
    return position


@asynccontextmanager
async def running(follower):
    """Runs it, closes it at the end and waits for it; yields the list of its calls of `broken`."""
    calls = []
    task = asyncio.create_task(follower.run(lambda: calls.append("broken")))
    try:
        yield calls
    finally:
        follower.close()
        await task


async def read(source, count):
    """As many bytes as are wanted, at the pace they come."""
    data = b""
    while len(data) < count and (more := await asyncio.to_thread(source.read, count - len(data))):
        data += more
    return data


async def test_lines_come_once_they_are_committed_and_not_before(sink, path, pipe):
    source, out = pipe
    follower = Follower(path, out)
    async with running(follower):
        await commit(sink, follower, b"one", b"two")
        assert await read(source, 8) == b"one\ntwo\n"
        await sink.append([b"three"])
        os.set_blocking(source.fileno(), False)
        assert source.read(1) is None
        os.set_blocking(source.fileno(), True)
        end = await commit(sink, follower)
        assert await read(source, 6) == b"three\n"
    assert follower.position == end
    assert not follower.broken


async def test_a_stream_of_nothing_ends(sink, path, pipe):
    follower = Follower(path, pipe[1])
    async with running(follower):
        await commit(sink, follower)
    assert follower.position == 0


async def test_slow_reader_holds_no_commit_back_and_gets_all(sink, path, pipe):
    source, out = pipe
    follower = Follower(path, out)
    rows = [os.urandom(5000).hex().encode() for _ in range(100)]
    async with running(follower):
        for row in rows:  # far more than a pipe holds: each returns though nobody reads
            end = await commit(sink, follower, row)
        assert follower.position < end
        assert await read(source, 1_000_100) == b"\n".join((*rows, b""))
    assert follower.position == end


async def test_a_pipe_that_somebody_made_non_blocking_gets_all(sink, path, pipe):
    source, out = pipe
    os.set_blocking(out.fileno(), False)
    follower = Follower(path, out)
    rows = [os.urandom(50_000).hex().encode() for _ in range(10)]
    async with running(follower):
        await commit(sink, follower, *rows)
        assert await read(source, 1_000_010) == b"\n".join((*rows, b""))


async def test_reader_that_goes_away_ends_the_crawl(sink, path, pipe):
    source, out = pipe
    follower = Follower(path, out)
    async with running(follower) as calls:
        await commit(sink, follower, b"one")
        await read(source, 4)
        source.close()
        await commit(sink, follower, b"two")
    assert calls == ["broken"]
    assert follower.broken


async def test_a_stalled_reader_does_not_hold_up_an_end_that_waits_for_nothing(sink, path, pipe):
    follower = Follower(path, pipe[1])
    task = asyncio.create_task(follower.run(lambda: None))
    await commit(sink, follower, os.urandom(500_000).hex().encode())
    follower.give_up()
    await task
    assert follower.position == 0


class Stops(io.RawIOBase):
    """Takes some bytes, a few at a time, and then no more."""

    def __init__(self, room):
        self.taken, self.room = b"", room

    def write(self, data):
        if len(self.taken) == self.room:
            raise BrokenPipeError
        part = bytes(data[: min(3, self.room - len(self.taken))])
        self.taken += part
        return len(part)


async def test_wherever_a_stream_stops_one_resumed_at_its_position_skips_nothing(sink, path):
    ends = []
    for lines in BATCHES:
        await sink.append(lines)
        ends.append(await sink.sync(fsync=False))
    for room in range(len(ALL) + 1):
        first, second = Stops(room), Stops(len(ALL) + 1)
        follower = Follower(path, first)
        async with running(follower):
            await follower.committed(Committed(pages=(), positions={"pages": ends[1]}))
            await follower.committed(Committed(pages=(), positions={"pages": ends[2]}))
        assert first.taken == ALL[:room]
        resumed = Follower(path, second)
        resumed.restore(follower.state())
        async with running(resumed):
            await commit(sink, resumed)
        handed_over = len(ALL) - len(second.taken)
        assert handed_over <= room
        assert ALL.endswith(second.taken)
        assert handed_over == 0 or ALL[handed_over - 1 : handed_over] == b"\n"
        assert resumed.position == ends[2]


async def test_file_that_is_gone_or_not_what_was_committed_is_named(sink, path, pipe):
    follower = Follower(path, pipe[1])
    with pytest.raises(CrawlerError, match=r"pages\.jsonl.*: whole up to byte 0 only, expected 999, as committed"):
        async with running(follower):
            await follower.committed(Committed(pages=(), positions={"pages": 999}))
    path.unlink()
    follower = Follower(path, pipe[1])
    with pytest.raises(CrawlerError, match=r"pages\.jsonl.*: cannot be read: No such file"):
        async with running(follower):
            await follower.committed(Committed(pages=(), positions={"pages": 999}))


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
async def test_output_that_is_full_is_named(sink, path):
    with FULL.open("wb", buffering=0) as out:  # noqa: ASYNC230
        follower = Follower(path, out)
        with pytest.raises(ExportError, match="standard output: cannot be written: No space left"):
            async with running(follower):
                await commit(sink, follower, b"one")
