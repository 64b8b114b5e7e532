"""Which files are refused, and in which words. Damage of any kind is `FrontierError`, never a traceback."""

from __future__ import annotations

import random
import sqlite3
from math import inf

import pytest

from crawler.errors import FrontierError
from crawler.frontier import sqlite_schema
from crawler.frontier.sqlite import SqliteFrontier
from crawler.frontier.sqlite_schema import FORMAT
from crawler.models import Checkpoint, Finished, HostState, Outcome, Restored, RobotsFile, Snoozed
from tests.support.clock import FakeClock
from tests.support.frontiers import altered, opened, seed, stored


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crawl.db"


@pytest.fixture
def clock():
    return FakeClock()


async def refusal(path, clock):
    with pytest.raises(FrontierError) as refused:
        await SqliteFrontier(path, clock).open()
    assert str(path) in str(refused.value)
    return str(refused.value)


async def test_newer_format_is_refused_naming_both_and_the_version_that_reads_it(path, clock):
    await stored(path, clock)
    altered(path, f"UPDATE meta SET value = {FORMAT + 1} WHERE name = 'format'")
    altered(path, "UPDATE meta SET value = '7.1.0' WHERE name = 'version'")
    message = await refusal(path, clock)
    assert "use crawler 7.1.0, which wrote it, or a later one" in message
    assert f"format {FORMAT + 1}" in message
    assert f"format {FORMAT} " in message


async def test_file_that_is_no_database_is_refused_and_left_as_it_is(path, clock):
    path.write_text("notes, and not a crawl at all. " * 40)
    before = path.read_bytes()
    assert "not a crawl's store" in await refusal(path, clock)
    assert path.read_bytes() == before


async def test_database_of_somebody_else_is_refused_and_left_as_it_is(path, clock):
    altered(path, "CREATE TABLE notes (text)")
    before = path.read_bytes()
    assert "not a crawl's store" in await refusal(path, clock)
    assert path.read_bytes() == before


def damage(path, places):
    content = bytearray(path.read_bytes())
    content[places] = b"\xa5" * len(content[places])
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-8192])


DAMAGES = {
    "some pages overwritten": (lambda path: damage(path, slice(4096 * 3, 4096 * 30)), "damaged"),
    "header overwritten": (lambda path: damage(path, slice(0, 50)), "not a crawl's store"),
    "end missing": (cut, "damaged"),
    "fingerprints missing": (lambda path: altered(path, "DELETE FROM seen"), "500 URLs, but 0 fingerprints"),
    "facts missing": (lambda path: altered(path, "DELETE FROM meta"), "its format is None"),
    "key missing": (lambda path: altered(path, "DELETE FROM meta WHERE name = 'key'"), "key"),
    "key is no key": (lambda path: altered(path, "UPDATE meta SET value = 'x' WHERE name = 'key'"), "invalid literal"),
    "watermark missing": (lambda path: altered(path, "DELETE FROM meta WHERE name = 'watermark'"), "watermark"),
    "text where numbers are": (
        lambda path: altered(path, "UPDATE meta SET value = 'x' WHERE name = 'indexed'"),
        "`int`, got `str`",
    ),
    "unknown outcome": (lambda path: altered(path, "UPDATE tally SET outcome = 'x' WHERE outcome = 'failed'"), "'x'"),
    "file length is text": (lambda path: altered(path, "INSERT INTO file VALUES ('a', 'long')"), "str"),
    "table missing": (lambda path: altered(path, "DROP TABLE blob"), "lacks blob"),
    "view missing": (lambda path: altered(path, "DROP VIEW ledger"), "lacks ledger"),
    "column missing": (lambda path: altered(path, "ALTER TABLE counter RENAME value TO n"), "lacks counter"),
}


@pytest.mark.parametrize("what", DAMAGES)
async def test_damaged_store_is_refused_naming_what_rebuilds_it(path, clock, what):
    await stored(path, clock, urls=500)
    do, said = DAMAGES[what]
    do(path)
    message = await refusal(path, clock)
    assert said in message
    assert "--repair (in Python: repair=True) rebuilds it from the output files" in message


DAMAGES_BEHIND = {
    "chunk is no JSON": "UPDATE chunk SET ids = '[1,'",
    "chunk lists what is not there": "UPDATE chunk SET ids = '[1,77]'",
    "chunk lists text": "UPDATE chunk SET ids = '[\"x\"]'",
    "URL has no host": "UPDATE url SET host = 7",
    "URL has no seed": "DELETE FROM seed",
    "URL is gone": "DELETE FROM url WHERE id = 2",
    "depth is text": "UPDATE url SET depth = 'x'",
    "URL is no text": "UPDATE url SET url = x'ff'",
    "extra is no JSON": "UPDATE url SET extra = '{'",
    "extra is of another type": 'UPDATE url SET extra = \'{"attempt":"x"}\'',
}


@pytest.mark.parametrize("what", DAMAGES_BEHIND)
async def test_damage_behind_the_opening_is_told_when_it_is_met(path, clock, what):
    await stored(path, clock)
    await (await opened(path, clock)).aclose()  # which brings all into chunks
    altered(path, DAMAGES_BEHIND[what])
    frontier = await opened(path, clock)
    with pytest.raises(FrontierError, match=r"crawl.db is damaged \(.*; --repair"):
        await frontier.take([("a.test", 9)])
    await frontier.aclose()


async def use(path, clock):
    """Everything one does with a store: all is taken, ended, searched, requeued."""
    frontier = SqliteFrontier(path, clock)
    try:
        await frontier.open()
        await frontier.wake()
        states, _ = await frontier.hosts(inf, 0, 100)
        for state in states:
            await frontier.host(state.host_key)
        await frontier.robots("https://a.test")
        taken = await frontier.take([(state.host_key, 1000) for state in states])
        ends = tuple(Finished(request=request, outcome=Outcome.FETCHED) for request in taken)
        frontier.add([seed("https://new.test/")])
        await frontier.commit(Checkpoint(finished=ends, counters={"n": 2}, positions={"a": 2}, blobs={"b": b"2"}))
        await frontier.find([f"https://a.test/{n}" for n in range(0, 400, 40)])

        async def urls():
            yield [f"https://a.test/{n}" for n in range(0, 400, 20)]

        await frontier.requeue(urls(), Checkpoint())
    finally:
        await frontier.aclose()


async def varied(path, clock):
    """A store that has something in every table."""
    frontier = await opened(path, clock)
    frontier.add([seed(f"https://{'ab'[n % 2]}.test/{n}", context=b"c" * (n % 5)) for n in range(400)])
    taken = await frontier.take([("a.test", 60)])
    await frontier.commit(
        Checkpoint(
            finished=tuple(Finished(request=request, outcome=Outcome.FAILED, reason="dns") for request in taken[:40]),
            snoozed=tuple(Snoozed(request=request, until=clock.monotonic()) for request in taken[40:]),
            hosts=(HostState(host_key="a.test", failures=3),),
            robots=(RobotsFile(origin="https://a.test", expires_at=1.0),),
            counters={"n": 1},
            positions={"a": 1},
            blobs={"b": b"1"},
        )
    )
    await frontier.find(["https://a.test/0"])
    while await frontier._thread.run(frontier._writer.index):
        pass
    await frontier.aclose()


def spoiled(content, draw):
    """Some bytes flipped, a page overwritten or zeroed, or the end missing."""
    content = bytearray(content)
    match draw.randrange(4):
        case 0:
            for _ in range(draw.choice([1, 1, 10, 100])):
                content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        case 1:
            page = draw.randrange(len(content) // 4096) * 4096
            content[page : page + 4096] = draw.choice([bytes(4096), draw.randbytes(4096)])
        case 2:
            start = draw.randrange(len(content))
            content[start : start + 64] = draw.choice([bytes(64), draw.randbytes(64)])[: len(content) - start]
        case 3:
            del content[draw.randrange(1, len(content)) :]
    return bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("checked_whole", [True, False])
async def test_store_spoiled_in_any_way_works_or_is_refused(path, clock, monkeypatch, checked_whole):
    if not checked_whole:  # as one too large for it
        monkeypatch.setattr(sqlite_schema, "_CHECKED_WHOLE_BYTES", 0)
    await varied(path, clock)
    whole = path.read_bytes()
    draw = random.Random(8)
    refused = 0
    for _ in range(150):
        for file in path.parent.iterdir():
            file.unlink()
        path.write_bytes(spoiled(whole, draw))
        try:
            await use(path, clock)
        except FrontierError as error:
            refused += 1
            assert str(path) in str(error)  # noqa: PT017 - none is fine too
    assert 30 < refused < 150


async def test_hosts_of_which_one_is_missing_are_damage(path, clock):
    await stored(path, clock)
    altered(path, "UPDATE host SET id = 5")
    assert "not numbered from 1 on: 1 is missing" in await refusal(path, clock)


async def test_missing_folder_is_an_error_that_names_the_path(tmp_path, clock):
    await refusal(tmp_path / "missing" / "crawl.db", clock)


@pytest.mark.slow
async def test_store_that_another_process_writes_to_is_refused(path, clock):
    await stored(path, clock)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert "locked by another process" in await refusal(path, clock)
    finally:
        other.close()


async def test_commit_that_fails_says_so_and_leaves_the_store_as_it_was(path, clock):
    await stored(path, clock, urls=1)
    frontier = await opened(path, clock)
    (request,) = await frontier.take([("a.test", 1)])
    altered(path, "INSERT INTO done VALUES (1, 'failed', 'dns', NULL, NULL, 1, 0, 0)")
    frontier.add([seed("https://a.test/new")])
    with pytest.raises(FrontierError, match="another process"):
        await frontier.commit(Checkpoint(finished=(Finished(request=request, outcome=Outcome.FETCHED),)))
    await frontier.aclose()
    frontier = await opened(path, clock)
    assert frontier.counts().admitted == 1
    await frontier.aclose()


async def test_sqlite_that_is_too_old_is_named_with_the_version_that_is_needed(path, clock, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert "needs SQLite 3.35 or later" in await refusal(path, clock)
    assert not path.exists()


async def test_empty_file_becomes_a_store(path, clock):
    path.touch()
    frontier = SqliteFrontier(path, clock)
    assert await frontier.open() == Restored()
    await frontier.aclose()
