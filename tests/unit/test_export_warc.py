"""The archive is whole at every committed position, read by others' tools, and stores each payload once."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import sys
import threading
from collections import Counter

import msgspec
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawler.archive.captures import Captures, Source
from crawler.archive.entry import Entry, encode
from crawler.archive.places import archive_files, archive_name, place_of
from crawler.errors import ExportError
from crawler.export.warc import WarcSink
from crawler.models import HostKey, Outcome, Request, Response, Url
from crawler.repair.archive import good_position

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning")  # of warcio's

HEAD = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


def line(number, body=None, **changed):
    url = Url(f"https://a.test/{number}")
    response = Response(
        url=url,
        status=200,
        headers=((b"Content-Type", b"text/html"), (b"Transfer-Encoding", b"chunked")),
        body=b"<p>page %d" % number if body is None else body,
        fetched_at=1_700_000_000.0 + number,
        status_line=b"HTTP/1.1 200 OK",
        request_head=HEAD,
    )
    response = msgspec.structs.replace(response, **changed)
    request = Request(url=url, host_key=HostKey("a.test"), scope_host="a.test", seed="a.test")
    return encode(Entry(request=request, response=response, outcome=Outcome.FETCHED))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "warc"


@pytest.fixture
def make(folder):
    return lambda **options: WarcSink(folder, "shop", software="test", **options)


@pytest.fixture
async def sink(make):
    sink = make()
    await sink.open(None)
    yield sink
    await sink.aclose()


def paths(folder):
    return [path for _, path in archive_files(folder, "shop")]


def read(folder):
    """URL and body of each answer."""
    reading = Captures([Source(path) for path in paths(folder)])
    found = [(capture.request.url, capture.response.body) for capture in reading]
    assert not reading.torn
    assert not reading.passed_over
    return found


def kinds(folder):
    found = Counter()
    for path in paths(folder):
        with path.open("rb") as file:
            found.update(record.rec_type for record in ArchiveIterator(file))
    return dict(found)


class _Options:
    verbose = False

    def __init__(self, inputs):
        self.inputs = inputs


def passes_the_reference_check(folder):
    checker = Checker(_Options([str(path) for path in paths(folder)]))
    checker.process_all()
    return checker.exit_value == 0


def numbers(*those):
    return [(f"https://a.test/{number}", b"<p>page %d" % number) for number in those]


async def test_answers_stand_in_order_and_pass_the_reference_check(sink, folder, capsys):
    await sink.append([line(1), line(2), line(3, status=404, status_line=b"HTTP/1.1 404 Not Found")])
    await sink.append([line(4, body=b"", status=204, status_line=b"HTTP/1.1 204 No Content")])
    await sink.append([line(5, is_cut=True), line(6, gzip.compress(b"x"), headers=((b"Content-Encoding", b"gzip"),))])
    position = await sink.sync(fsync=True)
    assert place_of(position) == (0, paths(folder)[0].stat().st_size)
    assert kinds(folder) == {"warcinfo": 1, "response": 6, "request": 6, "metadata": 6}
    assert passes_the_reference_check(folder), capsys.readouterr().out
    assert [url[-1] for url, _ in read(folder)] == ["1", "2", "3", "4", "5", "6"]


async def test_same_payload_is_stored_once_within_and_across_batches_and_runs(sink, make, folder):
    await sink.append([line(1, b"same"), line(2, b"same"), line(3, b""), line(4, b"")])
    await sink.append([line(5, b"same")])
    position = await sink.sync(fsync=False)
    await sink.aclose()
    again = make()
    await again.open(position)
    await again.append([line(6, b"same"), line(7, b"other")])
    await again.aclose()
    assert kinds(folder) == {"warcinfo": 1, "response": 4, "revisit": 3, "request": 7, "metadata": 7}
    bodies = [b"same", b"same", b"", b"", b"same", b"same", b"other"]
    assert [body for _, body in read(folder)] == bodies
    assert passes_the_reference_check(folder)


async def test_a_payload_that_a_crash_has_cut_off_is_stored_again(sink, make, folder):
    await sink.append([line(1)])
    position = await sink.sync(fsync=False)
    await sink.append([line(2, b"lost"), line(3, b"lost")])
    await sink.aclose()
    again = make()
    await again.open(position)
    await again.append([line(4, b"lost")])
    await again.aclose()
    assert read(folder) == [*numbers(1), ("https://a.test/4", b"lost")]
    assert kinds(folder)["response"] == 2


@pytest.mark.parametrize("harm", ["removed", "damaged"])
async def test_without_its_index_an_archive_goes_on(sink, make, folder, harm):
    await sink.append([line(1, b"same")])
    position = await sink.sync(fsync=False)
    await sink.aclose()
    index = folder / "payloads.db"
    index.unlink() if harm == "removed" else index.write_bytes(b"no database" * 1000)
    again = make()
    await again.open(position)
    await again.append([line(2, b"same"), line(3, b"same")])
    await again.aclose()
    assert [body for _, body in read(folder)] == [b"same"] * 3
    assert kinds(folder)["revisit"] == 1


async def test_the_index_holds_what_is_committed_and_nothing_beyond(sink, make, folder):
    await sink.append([line(1)])
    position = await sink.sync(fsync=False)
    await sink.append([line(2)])
    await sink.aclose()
    await (again := make()).open(position)
    await again.aclose()
    rows = sqlite3.connect(folder / "payloads.db")
    assert rows.execute("SELECT url FROM payload WHERE position < ?", (position,)).fetchall() == [("https://a.test/1",)]
    assert rows.execute("SELECT count(*) FROM payload").fetchone() == (1,)
    rows.close()


async def test_wherever_a_write_is_torn_the_committed_answers_stay_and_the_archive_goes_on(sink, make, folder):
    await sink.append([line(1)])
    position = await sink.sync(fsync=False)
    await sink.append([line(2)])
    await sink.aclose()
    (path,) = paths(folder)
    whole = path.read_bytes()
    for torn in range(place_of(position)[1], len(whole) + 1, 97):
        path.write_bytes(whole[:torn])
        again = make()
        await again.open(position)
        await again.append([line(3)])
        await again.aclose()
        assert read(folder) == numbers(1, 3)


async def test_files_are_rotated_between_answers_and_positions_rise(make, folder):
    sink = make(rotate_bytes=2_000)
    await sink.open(None)
    positions = []
    for number in range(10):
        await sink.append([line(number)])
        positions.append(await sink.sync(fsync=False))
    await sink.append([line(number) for number in range(10, 20)])
    positions.append(await sink.sync(fsync=True))
    await sink.aclose()
    assert positions == sorted(set(positions))
    assert len(paths(folder)) > 4
    assert all(path.stat().st_size < 4_000 for path in paths(folder))
    assert read(folder) == numbers(*range(20))
    assert kinds(folder)["warcinfo"] == len(paths(folder))
    assert passes_the_reference_check(folder)


async def test_reopening_removes_later_files_of_its_own_and_none_else(make, folder):
    sink = make(rotate_bytes=1)
    await sink.open(None)
    await sink.append([line(1)])
    position = await sink.sync(fsync=False)
    await sink.append([line(2), line(3)])
    await sink.aclose()
    strange = [folder / name for name in ("shop-00009.warc.gz.bak", "other-00007.warc.gz", "shop-7.warc.gz")]
    for path in strange:
        path.write_bytes(b"mine")
    again = make(rotate_bytes=1)
    await again.open(position)
    assert [path.name for path in paths(folder)] == ["shop-00000.warc.gz"]
    assert all(path.read_bytes() == b"mine" for path in strange)
    await again.append([line(4)])
    await again.aclose()
    assert read(folder) == numbers(1, 4)


async def test_new_crawl_refuses_an_archive_that_exists_and_leaves_it_alone(sink, make, folder):
    await sink.append([line(1)])
    await sink.aclose()
    with pytest.raises(ExportError, match=r"shop-00000\.warc\.gz: exists already"):
        await make().open(None)
    assert read(folder) == numbers(1)


async def test_of_its_files_only_the_last_must_be_there(make, folder, tmp_path):
    sink = make(rotate_bytes=1)
    await sink.open(None)
    await sink.append([line(1), line(2), line(3)])
    position = await sink.sync(fsync=False)
    await sink.aclose()
    first, _, last = paths(folder)
    first.rename(tmp_path / "moved")
    again = make(rotate_bytes=1)
    await again.open(position)
    await again.append([line(4)])
    await again.aclose()
    assert read(folder) == numbers(2, 3, 4)
    last.unlink()
    with pytest.raises(ExportError, match=r"shop-00002\.warc\.gz: missing"):
        await make().open(position)


async def test_file_shorter_than_committed_is_refused(sink, make, folder):
    await sink.append([line(1)])
    position = await sink.sync(fsync=False)
    await sink.aclose()
    (path,) = paths(folder)
    os.truncate(path, 100)
    with pytest.raises(ExportError, match="only 100 bytes long"):
        await make().open(position)


async def test_archive_without_answers_is_an_empty_file_at_position_0(sink, make, folder):
    assert await sink.sync(fsync=True) == 0
    assert paths(folder)[0].read_bytes() == b""
    await sink.aclose()
    await (again := make()).open(0)
    await again.aclose()


async def test_same_answers_give_the_same_bytes(tmp_path):
    written = []
    for name in ("one", "two"):
        sink = WarcSink(tmp_path / name, "shop", software="test")
        await sink.open(None)
        await sink.append([line(number) for number in range(20)])
        await sink.aclose()
        written.append((tmp_path / name / "shop-00000.warc.gz").read_bytes())
    assert written[0] == written[1]


async def test_new_files_and_folders_are_brought_to_the_disk(make, folder, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(os.fstat(number).st_ino), fsync(number)))
    sink = make(rotate_bytes=1)
    await sink.open(None)
    await sink.append([line(1), line(2)])
    await sink.sync(fsync=True)
    await sink.aclose()
    inodes = {path.stat().st_ino for path in (*paths(folder), folder, folder.parent)}
    assert inodes <= set(synced)


async def test_sink_takes_no_more_after_a_cancelled_append(sink):
    task = asyncio.create_task(sink.append([line(1)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for use in (sink.append([line(2)]), sink.sync(fsync=False)):
        with pytest.raises(ExportError, match="did not finish"):
            await use


async def test_answers_are_packed_beside_the_loop(sink, monkeypatch):
    threads = set()
    module = sys.modules["crawler.export.warc"]
    packed = module._packed
    monkeypatch.setattr(module, "_packed", lambda jobs: (threads.add(threading.current_thread()), packed(jobs))[1])
    await sink.append([line(number) for number in range(8)])
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("harm", ["none", "torn", "damaged", "last removed", "all removed"])
async def test_what_is_good_of_a_harmed_archive_goes_on(make, folder, harm, known):
    sink = make(rotate_bytes=3_000)
    await sink.open(None)
    await sink.append([line(number) for number in range(8)])
    position = await sink.sync(fsync=False)
    await sink.append([line(99)])
    await sink.aclose()
    files = paths(folder)
    assert len(files) > 1
    last = files[-1]
    data = last.read_bytes()
    match harm:
        case "torn":
            last.write_bytes(data[:-400])
        case "damaged":
            last.write_bytes(data[:-500] + bytes(100))
        case "last removed":
            last.unlink()
        case "all removed":
            for path in files:
                path.unlink()
    good = good_position(folder, "shop", position if known else None)
    again = make()
    await again.open(good)
    await again.append([line(100)])
    await again.aclose()
    found = [int(url.rpartition("/")[2]) for url, _ in read(folder)]
    assert found[-1] == 100
    whole = [*range(8), *([] if known else [99])]
    assert found[:-1] == whole[: len(found) - 1]
    if harm == "none":
        assert found[:-1] == whole
    if harm in ("torn", "damaged"):
        assert found[:-1] == list(range(8))
    assert passes_the_reference_check(folder)


def test_an_archive_is_found_by_its_first_file(tmp_path):
    assert archive_name(tmp_path / "no") is None
    (tmp_path / "some.name-1-00000.warc.gz").touch()
    (tmp_path / "some.name-1-00001.warc.gz").touch()
    assert archive_name(tmp_path) == "some.name-1"
    (tmp_path / "b-00000.warc.gz").touch()
    assert archive_name(tmp_path) is None
