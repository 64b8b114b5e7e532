"""What a sound SQLite file may still lie about."""

from __future__ import annotations

import random
import shutil
import sqlite3

import pytest

from crawler.errors import FrontierError
from crawler.frontier.bounds import Bounds
from crawler.frontier.sqlite import SqliteFrontier
from crawler.frontier.sqlite_check import damage_of
from crawler.frontier.sqlite_schema import FORMAT
from crawler.models import Checkpoint, Finished, HostState, Link, Outcome, Request, Snoozed
from crawler.url import fingerprint
from tests.support.clock import FakeClock
from tests.support.frontiers import TIGHT


def seed(name):
    return Request(url=f"http://a.test/{name}", host_key="a.test", scope_host="a.test", seed="a.test")


async def filled(path, bounds):
    """An open frontier with URLs in every state."""
    frontier = SqliteFrontier(path, FakeClock(), bounds=bounds)
    await frontier.open()
    frontier.add([seed(f"seed-{number}") for number in range(6)])
    taken = await frontier.take([("a.test", 4)])
    urls = [f"http://{host}.test/{number}" for host in "abc" for number in range(9)]
    links = [Link(url=url, host_key=url.split("/")[2], fingerprint=fingerprint(url, frontier.key)) for url in urls]
    frontier.discover(taken[0], links)
    await frontier.commit(
        Checkpoint(
            finished=(
                Finished(request=taken[0], outcome=Outcome.FETCHED, has_page=True),
                Finished(request=taken[1], outcome=Outcome.FAILED, reason="timeout"),
            ),
            snoozed=(Snoozed(request=taken[2], until=2_000.0),),
            hosts=(HostState(host_key="a.test", ready_at=3.5, failures=2, retired="breaker", backoff_s=4.0),),
            positions={"pages": 10},
        )
    )
    frontier.add([seed("late")])
    await frontier.commit(Checkpoint())
    await frontier.find([taken[0].url])
    return frontier


@pytest.fixture(params=[Bounds(), TIGHT], ids=["roomy", "tight"])
async def store(request, tmp_path):
    path = tmp_path / "crawl.db"
    frontier = await filled(path, request.param)
    await frontier.aclose()
    frontier = SqliteFrontier(path, FakeClock(), bounds=request.param)
    await frontier.open()  # what waits gets into chunks
    await frontier.aclose()
    return path


def altered(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_whole_stores_are_whole(store, tmp_path):
    assert damage_of(store) is None
    fresh = tmp_path / "fresh.db"
    frontier = SqliteFrontier(fresh, FakeClock())
    await frontier.open()
    await frontier.aclose()
    assert damage_of(fresh) is None


@pytest.mark.parametrize("bounds", [Bounds(), TIGHT], ids=["roomy", "tight"])
async def test_a_store_is_whole_after_its_process_has_died(tmp_path, bounds):
    path = tmp_path / "crawl.db"
    frontier = await filled(path, bounds)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in tmp_path.glob("crawl.db*"):
        shutil.copy(file, killed)
    await frontier.aclose()
    assert (killed / "crawl.db-wal").stat().st_size
    assert damage_of(killed / "crawl.db") is None


async def test_what_was_requeued_is_whole(store):
    async def urls():
        yield ["http://a.test/seed-0", "http://a.test/seed-1"]

    frontier = SqliteFrontier(store, FakeClock())
    await frontier.open()
    assert await frontier.requeue(urls(), Checkpoint()) == 2
    await frontier.aclose()
    assert damage_of(store) is None


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE url SET url = 'http://a.test/other' WHERE id = 3", "URL 3 is not the one that was stored"),
        ("DELETE FROM url WHERE id = (SELECT max(id) FROM url)", "fingerprints"),
        ("DELETE FROM url WHERE id = 2", "not numbered"),
        ("UPDATE url SET host = 77 WHERE id = 3", "1 URLs refer to what is not there"),
        ("UPDATE url SET seed = 77 WHERE id = 3", "1 URLs refer to what is not there"),
        ("UPDATE url SET via = 77 WHERE id = 9", "1 URLs refer to what is not there"),
        ("UPDATE url SET extra = '{' WHERE id = 3", "1 URLs refer to what is not there"),
        ("DELETE FROM seen WHERE first > 1", "not numbered"),
        ("DELETE FROM done WHERE id = 1", "tally"),
        ("UPDATE done SET outcome = 'lost' WHERE id = 1", "tally"),
        (
            "INSERT INTO done SELECT 99, outcome, reason, status, target, attempts, at, 1 FROM done WHERE id = 1",
            "id 99",
        ),
        ("UPDATE host SET pages = -1 WHERE id = 1", "1 hosts are in a state that cannot be"),
        ("UPDATE host SET backoff_s = NULL WHERE id = 1", "1 hosts are in a state that cannot be"),
        ("UPDATE host SET latency_s = 'long' WHERE id = 1", "1 hosts are in a state that cannot be"),
        ("UPDATE host SET retired = 'breaker' WHERE id = 2", "1 hosts are in a state that cannot be"),
        ("INSERT INTO snoozed VALUES (1, 0, 2, NULL)", "snoozed has id 1"),
        ("DELETE FROM snoozed", "wait in no queue"),
        ("DELETE FROM chunk WHERE first = (SELECT max(first) FROM chunk)", "wait in no queue"),
        ("UPDATE chunk SET ids = '[' WHERE first = (SELECT max(first) FROM chunk)", "malformed JSON"),
        ("UPDATE chunk SET depth = 40", "queued where they do not belong"),
        ("UPDATE meta SET value = 1000 WHERE name = 'watermark'", "watermark is 1000"),
        ("UPDATE meta SET value = 'ff' WHERE name = 'key'", "URL 1 is not the one"),
        ("UPDATE meta SET value = 'one' WHERE name = 'format'", "format"),
        ("DROP TABLE chunk", "it lacks chunk"),
        ("DROP VIEW ledger", "it lacks ledger"),
    ],
)
async def test_what_no_crawl_can_have_written_is_found(store, statement, told):
    altered(store, statement)
    assert told in damage_of(store)


async def test_a_wrong_index_of_fingerprints_is_found(tmp_path):
    path = tmp_path / "crawl.db"
    frontier = await filled(path, TIGHT)
    await frontier.aclose()
    altered(path, "UPDATE fingerprint SET fingerprint = fingerprint + 1 WHERE id = 5")
    assert damage_of(path) == "its index of fingerprints is wrong"


def test_files_that_are_no_store_are_found(tmp_path):
    path = tmp_path / "crawl.db"
    path.write_bytes(b"")
    assert damage_of(path) == "it is empty"
    path.write_bytes(b"not a database " * 1000)
    assert "not a database" in damage_of(path)


async def test_another_format_and_a_lock_are_left_to_others(store):
    for other in (FORMAT - 1, FORMAT + 1):
        altered(store, f"UPDATE meta SET value = {other} WHERE name = 'format'")
        assert damage_of(store) is None
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("INSERT INTO counter VALUES ('x', 1)")
    try:
        with pytest.raises(FrontierError, match="locked"):
            damage_of(store)
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def told(path):
    """What a resume would believe: URLs, what waits, which have pages."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT id, url, host, outcome IN ('pending', 'snoozed') FROM ledger").fetchall()
        return rows, connection.execute("SELECT ids, host, depth FROM chunk").fetchall()
    finally:
        connection.close()


@pytest.mark.slow
async def test_no_flipped_bit_that_is_not_found_changes_what_is_known_or_waits(store):
    whole, believed = store.read_bytes(), told(store)
    drawn = random.Random(4)
    found = 0
    for _ in range(400):
        garbled = bytearray(whole)
        garbled[drawn.randrange(len(whole))] ^= 1 << drawn.randrange(8)
        store.write_bytes(garbled)
        if damage_of(store):
            found += 1
        else:
            assert told(store) == believed
    assert found > 20
