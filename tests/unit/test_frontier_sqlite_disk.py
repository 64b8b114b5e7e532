"""The file system: a full disk, a folder that may not be written to, a log that cannot be cut, a copy without it."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from crawler.errors import FrontierError
from crawler.frontier import sqlite_writer
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Outcome, Request, Restored
from tests.support.clock import FakeClock

NOBODY = 65534


def seeds(start, stop):
    return [
        Request(url=f"https://a.test/{n}", host_key="a.test", scope_host="a.test", seed="s") for n in range(start, stop)
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crawl.db"


async def opened(path, **options):
    frontier = SqliteFrontier(path, FakeClock(), **options)
    await frontier.open()
    return frontier


async def committed(path, urls=10):
    frontier = await opened(path)
    frontier.add(seeds(0, urls))
    await frontier.commit(Checkpoint(positions={"pages": 7}))
    return frontier


async def refused(frontier, urls=20_000):
    frontier.add(seeds(10, urls))
    with pytest.raises(FrontierError) as refusal:
        await frontier.commit(Checkpoint(positions={"pages": 8}))
    return str(refusal.value)


async def check_that_nothing_was_stored(path):
    frontier = SqliteFrontier(path, FakeClock())
    assert await frontier.open() == Restored(positions={"pages": 7})
    assert frontier.counts().admitted == 10
    await frontier.aclose()


async def test_full_disk_is_told_and_nothing_of_the_commit_stored(path):
    frontier = await committed(path)
    full = lambda: frontier._writer._connection.execute("PRAGMA max_page_count = 40").fetchall()  # noqa: E731
    await frontier._thread.run(full)
    message = await refused(frontier)
    assert f"{path} cannot be written: no space is left on the disk" in message
    await frontier.aclose()
    await check_that_nothing_was_stored(path)


async def test_disk_that_fails_to_write_is_told_and_nothing_of_the_commit_stored(path):
    frontier = await committed(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        message = await refused(frontier)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{path} cannot be read or written: the disk or its file system reports an error" in message
    await frontier.aclose()
    await check_that_nothing_was_stored(path)


def moved(path):
    path.rename(path.with_name("elsewhere.db"))


def replaced(path):
    moved(path)
    path.touch()


@pytest.mark.parametrize("done", [moved, replaced])
async def test_store_that_is_not_in_its_place_any_more_is_told_at_the_next_commit(path, done):
    frontier = await committed(path)
    done(path)
    assert f"{path} was {done.__name__}" in await refused(frontier)
    with contextlib.suppress(FrontierError):
        await frontier.aclose()


async def test_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(FrontierError, match="its folder is missing or may not be written to"):
        await opened(tmp_path / "missing" / "crawl.db")


@contextlib.contextmanager
def unprivileged():
    """As somebody whom permissions bind."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that everybody may go into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("exists", [True, False])
async def test_read_only_folder_is_told(open_folder, exists):
    path = open_folder / "crawl.db"
    if exists:
        await (await committed(path)).aclose()
        path.chmod(0o666)
    open_folder.chmod(0o555)
    with unprivileged(), pytest.raises(FrontierError, match=r"read-only|may not be written to") as refusal:
        await opened(path)
    assert str(path) in str(refusal.value)
    assert [file.name for file in open_folder.iterdir()] == (["crawl.db"] if exists else [])


async def test_read_only_file_is_told(open_folder):
    path = open_folder / "crawl.db"
    await (await committed(path)).aclose()
    path.chmod(0o444)
    open_folder.chmod(0o777)
    with unprivileged(), pytest.raises(FrontierError, match="read-only"):
        await opened(path)


# --- after a kill ------------------------------------------------------------------------------------------------


async def copied(path, folder, *endings):
    """What a killed process leaves, of some of the files."""
    frontier = await committed(path)
    (request,) = await frontier.take([("a.test", 1)])
    await frontier.commit(Checkpoint(finished=(Finished(request=request, outcome=Outcome.FETCHED),)))
    folder.mkdir()
    for ending in endings:
        shutil.copy(f"{path}{ending}", f"{folder / 'crawl.db'}{ending}")
    await frontier.aclose()
    return folder / "crawl.db"


@pytest.mark.parametrize("endings", [("", "-wal", "-shm"), ("", "-wal")])
async def test_log_that_a_killed_process_left_is_replayed(path, tmp_path, endings):
    copy = await copied(path, tmp_path / "copy", *endings)
    frontier = await opened(copy)
    assert (frontier.counts().admitted, frontier.counts().pending) == (10, 9)
    await frontier.aclose()


async def test_store_without_its_log_is_as_old_as_it_is_and_still_a_store(path, tmp_path):
    copy = await copied(path, tmp_path / "copy", "")
    tables = sqlite3.connect(copy)
    assert tables.execute("SELECT count(*) FROM sqlite_master WHERE name = 'ledger'").fetchone() == (1,)
    tables.close()
    frontier = SqliteFrontier(copy, FakeClock())
    assert await frontier.open() == Restored()
    assert frontier.counts().admitted == 0
    await frontier.aclose()


# --- the log -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_log(monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_WAL_BYTES", 50_000)
    monkeypatch.setattr(sqlite_writer, "_WAL_CUT_BYTES", 200_000)
    monkeypatch.setattr(sqlite_writer, "_WAL_WARN_BYTES", 400_000)


def log_bytes(path):
    return path.with_name("crawl.db-wal").stat().st_size


async def grow(frontier, commits):
    for _ in range(commits):
        last = frontier.counts().admitted
        frontier.add(seeds(last, last + 500))
        await frontier.commit(Checkpoint())


async def test_log_is_bounded_while_nobody_reads(path, small_log):
    frontier = await opened(path)
    largest = 0
    for _ in range(20):
        await grow(frontier, 1)
        largest = max(largest, log_bytes(path))
    assert largest < 300_000
    await frontier.aclose()


async def test_log_that_a_long_reader_pins_is_warned_of_once_and_cut_when_it_is_gone(path, small_log, caplog):
    caplog.set_level(logging.WARNING)
    frontier = await opened(path)
    await grow(frontier, 1)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM url").fetchone() == (500,)
    await grow(frontier, 12)
    assert log_bytes(path) > 400_000
    (record,) = caplog.records
    assert record.getMessage() == "the store's log grows"
    assert record.why.startswith(f"{path}-wal is larger than")
    assert reader.execute("SELECT count(*) FROM url").fetchone() == (500,)
    reader.close()
    await grow(frontier, 2)
    assert log_bytes(path) < 300_000
    await frontier.aclose()
    assert len(caplog.records) == 1
