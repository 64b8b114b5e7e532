"""A crawl's store as it is read: while it is written, after a kill, and from where nothing may be written."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crawler.dataset.ledger import KnownUrls
from crawler.errors import FrontierError
from crawler.frontier.sqlite_schema import FORMAT
from crawler.models import HostState, Outcome, Robots, RobotsFile
from tests.support.frontiers import TIGHT, opened
from tests.support.stores import AT, HandMadeCrawl

HOME = "https://a.test/"
NOBODY = 65_534


def url(name):
    return f"{HOME}{name}"


@pytest.fixture(params=[{}, {"bounds": TIGHT}], ids=["roomy", "tight"])
async def crawl(tmp_path, request):
    """A crawl that runs: a page, a dead link, one redirected, one snoozed, two that wait."""
    crawl = await HandMadeCrawl(tmp_path / "crawl", **request.param).open(HOME)
    await crawl.links(HOME, *map(url, ("dead", "old", "busy", "one", "two")))
    await crawl.end(HOME, status=200, has_page=True)
    await crawl.end(url("dead"), Outcome.FAILED, reason="http_404", status=404)
    await crawl.redirect(url("old"), url("new"))
    await crawl.snooze(url("busy"), 60)
    await crawl.commit()
    yield crawl
    await crawl.frontier.aclose()


def known_in(folder, *urls):
    with KnownUrls(folder / "crawl.db") as store:
        found = store.find(urls)
    return [found.get(url) for url in urls]


async def test_each_url_is_told_with_its_end_and_origin(crawl):
    home, dead, old, new, busy, two = known_in(crawl.folder, HOME, *map(url, ("dead", "old", "new", "busy", "two")))
    assert (home.outcome, home.has_page, home.attempts, home.via, home.seed) == ("fetched", True, 1, None, "a.test/")
    assert (dead.outcome, dead.reason, dead.status, dead.at, dead.depth) == ("failed", "http_404", 404, AT, 1)
    assert (old.target, new.redirected_from, new.via, new.via_id) == (url("new"), (url("old"),), HOME, None)
    assert (busy.outcome, busy.attempts, busy.due_at) == ("snoozed", 1, crawl.clock.wall() + 60)
    assert (busy.reason, busy.status, busy.at) == ("http_503", None, None)
    assert (two.outcome, two.attempts, two.via, two.via_id, two.at) == ("pending", 0, HOME, home.id, None)


async def test_an_attempt_that_robots_txt_forbade_does_not_count(crawl):
    await crawl.end(url("one"), Outcome.EXCLUDED, reason="robots")
    await crawl.commit()
    assert known_in(crawl.folder, url("one"))[0].attempts == 0


async def test_a_url_is_found_with_and_without_the_index(crawl):
    before = known_in(crawl.folder, url("two"), url("three"))
    await crawl.frontier.find([HOME])  # where it is tight, this makes the index
    assert known_in(crawl.folder, url("two"), url("three")) == before
    assert before[0].url == url("two")
    assert before[1] is None


async def test_the_queue_of_a_host_is_counted_in_the_order_in_which_it_will_be_taken(crawl):
    await crawl.links(HOME, "https://b.test/")
    await crawl.commit()
    await crawl.links(url("old"), url("deep"))
    await crawl.commit()
    names = ("one", "two", "new", "deep")
    with KnownUrls(crawl.folder / "crawl.db") as store:
        found = store.find(map(url, names))
        waits = [store.waiting(found[url(name)], deepest_first=False) for name in names]
        turned = [store.waiting(found[url(name)], deepest_first=True) for name in names]
    assert [(wait.urls, wait.ahead, wait.more) for wait in waits] == [(4, ahead, False) for ahead in range(4)]
    assert [(wait.urls, wait.ahead) for wait in turned] == [(4, 1), (4, 2), (4, 3), (4, 0)]


async def test_of_a_long_queue_the_chunks_that_come_first_are_counted(crawl, monkeypatch):
    monkeypatch.setattr("crawler.dataset.ledger._CHUNKS_COUNTED", 1)
    await crawl.links(url("old"), url("deep"))
    path = (await crawl.close()) / "crawl.db"
    await (await opened(path, crawl.clock)).aclose()  # which brings all into chunks
    with KnownUrls(path) as store:
        known = store.find([url("deep")])[url("deep")]
        turned, usual = store.waiting(known, deepest_first=True), store.waiting(known, deepest_first=False)
    assert (turned.urls, turned.ahead, turned.more) == (1, 0, True)
    assert usual.urls == usual.ahead > 0
    assert usual.more


async def test_all_that_ended_is_read_in_order(crawl, monkeypatch):
    monkeypatch.setattr("crawler.dataset.ledger._BATCH", 2)
    with KnownUrls(crawl.folder / "crawl.db") as store:
        ended = [(end.url, end.outcome, end.has_page) for end in store.ended()]
    assert ended == [
        (HOME, Outcome.FETCHED, True),
        (url("dead"), Outcome.FAILED, False),
        (url("old"), Outcome.REDIRECTED, False),
    ]


async def test_states_of_hosts_and_origins_are_told(crawl):
    state = HostState(host_key="a.test", ready_at=7.0, failures=3, retired="breaker")
    file = RobotsFile(origin="https://a.test", expires_at=9.0, robots=Robots(rules=((False, "/x"),)))
    await crawl.commit(hosts=(state,), robots=(file,))
    with KnownUrls(crawl.folder / "crawl.db") as store:
        assert (store.host("a.test"), store.host("b.test")) == (state, None)
        assert (store.robots("https://a.test"), store.robots("http://a.test")) == (file, None)
        assert store.pending() == 4


# --- how the file is opened --------------------------------------------------------------------------------------


async def test_reading_a_store_at_rest_leaves_nothing_beside_it(crawl):
    await crawl.frontier.aclose()
    before = sorted(crawl.folder.iterdir())
    assert known_in(crawl.folder, HOME)[0].has_page
    assert sorted(crawl.folder.iterdir()) == before


async def test_reading_never_writes_to_the_store(crawl):
    with KnownUrls(crawl.folder / "crawl.db") as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("DELETE FROM done")


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("INSERT INTO done VALUES (6, 'failed', 'dns', NULL, NULL, 3, 1.0, 0)")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
async def at_rest(crawl):
    await crawl.frontier.aclose()
    return crawl.folder


@pytest.fixture
def killed(at_rest):
    """The directory of a crawl that was killed right after a commit, in a place where everybody may look."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(at_rest / "crawl.db")], check=False)
    assert done.returncode == -signal.SIGKILL
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder) / "crawl"
        shutil.copytree(at_rest, copy)
        yield copy


def outcome_of_two(folder):
    return known_in(folder, url("two"))[0].outcome


def test_what_a_killed_crawl_left_in_its_log_is_seen_and_stays_there(killed):
    log = (killed / "crawl.db-wal").read_bytes()
    assert log
    assert outcome_of_two(killed) == "failed"
    assert (killed / "crawl.db-wal").read_bytes() == log


@pytest.mark.parametrize("missing", [(), ("crawl.db-shm",), ("crawl.db-shm", "crawl.db-wal")], ids=str)
def test_a_copy_in_a_folder_that_cannot_be_written_to_is_read(killed, missing):
    for name in missing:
        (killed / name).unlink()
    before = sorted(killed.iterdir())
    for path in (*before, killed):
        path.chmod(0o555)
    owner = os.geteuid()
    if owner == 0:  # whom nothing is forbidden
        os.seteuid(NOBODY)
    try:
        assert outcome_of_two(killed) == ("pending" if "crawl.db-wal" in missing else "failed")
        assert sorted(killed.iterdir()) == before
    finally:
        os.seteuid(owner)
        killed.chmod(0o755)


# --- what is refused ---------------------------------------------------------------------------------------------


def altered(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def refusal(path):
    with pytest.raises(FrontierError) as refused:
        KnownUrls(path)
    assert str(path) in str(refused.value)
    return str(refused.value)


async def test_a_newer_format_is_refused_naming_both(crawl):
    await crawl.frontier.aclose()
    path = crawl.folder / "crawl.db"
    altered(path, f"UPDATE meta SET value = {FORMAT + 1} WHERE name = 'format'")
    assert f"has format {FORMAT + 1}, and this version of crawler reads format {FORMAT} only" in await refusal(path)


@pytest.mark.parametrize("content", [b"", b"notes, and not a crawl at all. " * 40], ids=["empty", "text"])
async def test_a_file_that_is_no_store_is_refused(tmp_path, content):
    path = tmp_path / "crawl.db"
    path.write_bytes(content)
    assert "is not a crawl's store" in await refusal(path)
    assert path.read_bytes() == content


async def test_another_database_is_refused(tmp_path):
    altered(tmp_path / "crawl.db", "CREATE TABLE notes (text)")
    assert "is not a crawl's store" in await refusal(tmp_path / "crawl.db")


async def test_a_damaged_store_is_an_error_that_says_so(crawl):
    await crawl.frontier.aclose()
    path = crawl.folder / "crawl.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(FrontierError, match="is damaged"), KnownUrls(path) as store:
        list(store.ended())


@pytest.mark.parametrize(
    ("statement", "url"),
    [
        ("DELETE FROM meta WHERE name = 'key'", HOME),
        ("UPDATE url SET extra = 'no JSON'", url("new")),
        ("UPDATE url SET depth = 'deep'", HOME),
        ("DROP VIEW ledger", HOME),
    ],
)
async def test_values_that_no_crawl_stores_are_an_error(at_rest, statement, url):
    altered(at_rest / "crawl.db", statement)
    with pytest.raises(FrontierError, match=r"crawl\.db"), KnownUrls(at_rest / "crawl.db") as store:
        store.find([url])


async def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    assert "unable to open" in await refusal(tmp_path / "crawl.db")
