"""Every clause of `crawler.export.base`, for every sink. A sink joins by a line in `SINKS`."""

from __future__ import annotations

import asyncio
import os
import resource
from contextlib import contextmanager

import pytest

from crawler.errors import ExportError
from crawler.export.jsonl import JsonlSink

SINKS = {"jsonl": lambda folder: JsonlSink(folder / "pages.jsonl")}


@pytest.fixture(params=SINKS.values(), ids=SINKS.keys())
def make(request, tmp_path):
    """Makes a sink on one file, another each time, as after a crash."""
    return lambda: request.param(tmp_path)


@pytest.fixture
async def sink(make):
    sink = make()
    await sink.open(None)
    yield sink
    await sink.aclose()


@pytest.fixture
def path(make, tmp_path):
    return tmp_path / "pages.jsonl"


@pytest.fixture
def nearly_full_disk(path):
    """A context in which the file may grow by 10 bytes; short, as the limit is the whole process's."""

    @contextmanager
    def filled():
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return filled


async def test_batches_stand_in_the_file_in_order_a_line_each(sink, path):
    await sink.append([b'{"n":1}', b'{"n":2}'])
    await sink.append([])
    await sink.append([b'{"n":3}'])
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'


@pytest.mark.parametrize("fsync", [True, False])
async def test_sync_returns_the_length_of_the_file(sink, path, fsync):
    assert await sink.sync(fsync=fsync) == 0
    await sink.append([b"one", "zwölf".encode()])
    assert await sink.sync(fsync=fsync) == path.stat().st_size == 11


async def test_reopening_cuts_what_was_not_committed_and_goes_on_there(sink, make, path):
    await sink.append([b"committed"])
    position = await sink.sync(fsync=True)
    await sink.append([b"lost"])
    path.write_bytes(path.read_bytes() + b'{"torn')
    another = make()
    await another.open(position)
    assert path.read_bytes() == b"committed\n"
    await another.append([b"next"])
    assert await another.sync(fsync=True) == 15
    await another.aclose()
    assert path.read_bytes() == b"committed\nnext\n"


async def test_new_crawl_refuses_a_file_that_exists_and_leaves_it_alone(make, path):
    path.write_bytes(b"somebody's work\n")
    with pytest.raises(ExportError, match=r"pages\.jsonl: exists already \(16 bytes\)"):
        await make().open(None)
    assert path.read_bytes() == b"somebody's work\n"


async def test_missing_file_is_refused_and_not_made(make, path):
    with pytest.raises(ExportError, match="missing, expected a file of at least 1,234 bytes"):
        await make().open(1234)
    assert not path.exists()


async def test_file_shorter_than_committed_is_refused_and_left_alone(make, path):
    path.write_bytes(b"short")
    with pytest.raises(ExportError, match="only 5 bytes long, expected at least the 6 committed"):
        await make().open(6)
    assert path.read_bytes() == b"short"


async def test_file_in_a_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ExportError, match="cannot open: No such file or directory"):
        await JsonlSink(tmp_path / "no" / "pages.jsonl").open(None)


async def test_folder_in_the_place_of_the_file_is_refused(make, path):
    path.mkdir()
    with pytest.raises(ExportError):
        await make().open(0)


async def test_batch_that_does_not_fit_the_disk_leaves_no_part_of_itself(sink, path, nearly_full_disk):
    await sink.append([b"good"])
    with nearly_full_disk():
        with pytest.raises(ExportError, match="cannot write: File too large"):
            await sink.append([b"x" * 100])
        assert path.read_bytes() == b"good\n"
        assert await sink.sync(fsync=True) == 5
        await sink.append([b"fits"])
    assert path.read_bytes() == b"good\nfits\n"


async def test_removed_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    path.unlink()
    with pytest.raises(ExportError, match="moved or removed"):
        await sink.sync(fsync=False)


async def test_replaced_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    path.rename(path.with_suffix(".old"))
    path.write_bytes(b"one\n")
    with pytest.raises(ExportError, match="moved or removed"):
        await sink.sync(fsync=False)


async def test_somebody_else_writing_to_the_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    with path.open("ab") as file:
        file.write(b"intruder\n")
    with pytest.raises(ExportError, match="is 13 bytes long, expected 4: somebody else writes"):
        await sink.sync(fsync=False)


async def test_sink_takes_no_more_lines_after_a_cancelled_append(sink):
    task = asyncio.create_task(sink.append([b"x"]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for use in (sink.append([b"more"]), sink.sync(fsync=False)):
        with pytest.raises(ExportError, match="did not finish"):
            await use


async def test_new_file_and_its_folder_are_brought_to_the_disk(make, path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(os.fstat(number).st_ino), fsync(number)))
    sink = make()
    await sink.open(None)
    assert synced == [path.stat().st_ino, path.parent.stat().st_ino]
    await sink.sync(fsync=False)
    assert len(synced) == 2
    await sink.sync(fsync=True)
    assert synced[2:] == [path.stat().st_ino]
    await sink.aclose()


async def test_closing_twice_is_fine_and_a_closed_sink_takes_nothing(sink):
    await sink.aclose()
    await sink.aclose()
    with pytest.raises(ExportError, match="not open"):
        await sink.append([b"late"])
