"""Every clause of `crawler.export.base`, for every sink. A sink joins by a line in `SINKS`."""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from crawler.errors import ExportError
from crawler.export.jsonl import sink_for
from crawler.export.packing import PACKINGS, suffix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.export.base import Sink

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Kind(NamedTuple):
    name: str  #: of the file
    sink: Callable[[Path], Sink]
    unpack: Callable[[bytes], bytes]  #: by somebody else's code


SINKS = {
    "jsonl": Kind("pages.jsonl", lambda path: sink_for(path, "none"), bytes),
    "gzip": Kind("pages.jsonl.gz", lambda path: sink_for(path, "gzip"), gzip.decompress),
    "zstd": Kind("pages.jsonl.zst", lambda path: sink_for(path, "zstd"), zstd.decompress),
}


@pytest.fixture(params=SINKS.values(), ids=SINKS.keys())
def kind(request):
    return request.param


@pytest.fixture
def make(kind, path):
    """Makes a sink on one file, another each time, as after a crash."""
    return lambda: kind.sink(path)


@pytest.fixture
async def sink(make):
    sink = make()
    await sink.open(None)
    yield sink
    await sink.aclose()


@pytest.fixture
def path(kind, tmp_path):
    return tmp_path / kind.name


@pytest.fixture
def content(kind, path):
    """What is in the file, unpacked."""
    return lambda: kind.unpack(path.read_bytes())


@pytest.fixture
def nearly_full_disk(path):
    """A context in which the file may grow by 40 bytes; short, as the limit is the whole process's."""

    @contextmanager
    def filled():
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return filled


async def test_batches_stand_in_the_file_in_order_a_line_each(sink, content):
    await sink.append([b'{"n":1}', b'{"n":2}'])
    await sink.append([b'{"n":3}\n{"n":4}'])
    assert content() == b'{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n'


async def test_file_without_lines_is_empty(sink, path):
    assert path.read_bytes() == b""
    await sink.append([])
    assert await sink.sync(fsync=True) == 0
    assert path.read_bytes() == b""


@pytest.mark.parametrize("fsync", [True, False])
async def test_sync_returns_the_length_of_the_file(sink, path, fsync):
    assert await sink.sync(fsync=fsync) == 0
    await sink.append([b"one", "zwölf".encode()])
    await sink.append([b"two"])
    assert await sink.sync(fsync=fsync) == path.stat().st_size > 0


async def test_reopening_cuts_what_was_not_committed_and_goes_on_there(sink, make, path, content):
    await sink.append([b"committed"])
    position = await sink.sync(fsync=True)
    await sink.append([b"lost"])
    path.write_bytes(path.read_bytes() + b'{"torn')
    another = make()
    await another.open(position)
    assert content() == b"committed\n"
    await another.append([b"next"])
    assert await another.sync(fsync=True) == path.stat().st_size
    await another.aclose()
    assert content() == b"committed\nnext\n"


async def test_wherever_a_write_is_torn_the_committed_lines_stay_and_the_file_goes_on(sink, make, path, content):
    await sink.append([b"committed"])
    position = await sink.sync(fsync=False)
    await sink.append([b'{"n":1}', b'{"n":2}'])
    whole = path.read_bytes()
    assert len(whole) > position
    for torn in range(position, len(whole) + 1):
        path.write_bytes(whole[:torn])
        another = make()
        await another.open(position)
        await another.append([b"next"])
        await another.aclose()
        assert content() == b"committed\nnext\n"


async def test_every_position_is_one_at_which_the_file_may_be_cut(sink, kind, path):
    ends = {}
    for number in range(5):
        await sink.append([b"%d" % number] * 100)
        ends[await sink.sync(fsync=False)] = b"".join(b"%d\n" % n * 100 for n in range(number + 1))
    whole = path.read_bytes()
    assert {end: kind.unpack(whole[:end]) for end in ends} == ends


async def test_same_batches_give_the_same_bytes(kind, tmp_path):
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        sink = kind.sink(folder / kind.name)
        await sink.open(None)
        await sink.append([b"some", b"lines"])
        await sink.append([b"more"])
        await sink.aclose()
        written.append((folder / kind.name).read_bytes())
    assert written[0] == written[1]


async def test_new_crawl_refuses_a_file_that_exists_and_leaves_it_alone(make, path):
    path.write_bytes(b"somebody's work\n")
    with pytest.raises(ExportError, match=r"pages\.jsonl.*: exists already \(16 bytes\)"):
        await make().open(None)
    assert path.read_bytes() == b"somebody's work\n"


HINT = r"; --repair \(repair=True in Python\) fetches anew what it lacks$"


async def test_missing_file_is_refused_and_not_made(make, path):
    with pytest.raises(ExportError, match="missing, expected a file of at least 1,234 bytes" + HINT):
        await make().open(1234)
    assert not path.exists()


async def test_file_shorter_than_committed_is_refused_and_left_alone(make, path):
    path.write_bytes(b"short")
    with pytest.raises(ExportError, match="only 5 bytes long, expected at least the 6 committed" + HINT):
        await make().open(6)
    assert path.read_bytes() == b"short"


async def test_file_in_a_folder_that_is_missing_is_refused(kind, tmp_path):
    with pytest.raises(ExportError, match="cannot open: No such file or directory"):
        await kind.sink(tmp_path / "no" / kind.name).open(None)


async def test_folder_in_the_place_of_the_file_is_refused(make, path):
    path.mkdir()
    with pytest.raises(ExportError):
        await make().open(0)


async def test_batch_that_does_not_fit_the_disk_leaves_no_part_of_itself(sink, path, content, nearly_full_disk):
    await sink.append([b"good"])
    before = path.read_bytes()
    with nearly_full_disk():
        with pytest.raises(ExportError, match="cannot write: File too large"):
            await sink.append([os.urandom(100).hex().encode()])
        assert path.read_bytes() == before
        assert await sink.sync(fsync=True) == len(before)
        await sink.append([b"fits"])
    assert content() == b"good\nfits\n"


async def test_removed_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    path.unlink()
    with pytest.raises(ExportError, match="moved or removed"):
        await sink.sync(fsync=False)


async def test_replaced_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    whole = path.read_bytes()
    path.rename(path.with_suffix(".old"))
    path.write_bytes(whole)
    with pytest.raises(ExportError, match="moved or removed"):
        await sink.sync(fsync=False)


async def test_somebody_else_writing_to_the_file_is_noticed_when_synced(sink, path):
    await sink.append([b"one"])
    length = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"intruder\n")
    with pytest.raises(ExportError, match=f"is {length + 9} bytes long, expected {length}: somebody else writes"):
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


async def test_batches_are_packed_beside_the_loop(sink, monkeypatch):
    threads = []
    pack = sink._pack
    monkeypatch.setattr(sink, "_pack", lambda lines: (threads.append(threading.current_thread()), pack(lines))[1])
    await sink.append([b"one"])
    assert threads
    assert threading.main_thread() not in threads


async def test_zstd_frames_say_how_long_their_content_is_and_prove_it(tmp_path):
    sink = sink_for(tmp_path / "pages.jsonl.zst", "zstd")
    await sink.open(None)
    await sink.append([b"x" * 1000])
    await sink.aclose()
    frame = bytearray((tmp_path / "pages.jsonl.zst").read_bytes())
    assert zstd.get_frame_info(frame).decompressed_size == 1001
    frame[-1] ^= 1  # of the checksum
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(frame)


def test_suffixes_are_those_of_the_tools():
    assert {compress: suffix(compress) for compress in PACKINGS} == {"none": "", "gzip": ".gz", "zstd": ".zst"}
