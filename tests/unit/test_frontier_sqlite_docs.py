"""docs/crawl-db.md: its queries are run, its tables and columns compared with those of a store."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Link, Outcome, Request, Snoozed
from crawler.url import fingerprint
from tests.support.clock import FakeClock

PAGE = (Path(__file__).parents[2] / "docs/crawl-db.md").read_text()
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def store(tmp_path):
    """A crawl of one seed: its page, a dead link, a snoozed and a pending one."""
    path = tmp_path / "crawl.db"
    frontier = SqliteFrontier(path, FakeClock())
    await frontier.open()
    frontier.add([Request(url="https://a.test/", host_key="a.test", scope_host="a.test", seed="a.test")])
    (home,) = await frontier.take([("a.test", 1)])
    urls = [f"https://a.test/{name}" for name in ("dead", "busy", "later")]
    frontier.discover(
        home, [Link(url=url, host_key="a.test", fingerprint=fingerprint(url, frontier.key)) for url in urls]
    )
    dead, busy = await frontier.take([("a.test", 2)])
    at = 1_700_000_000.0
    await frontier.commit(
        Checkpoint(
            finished=(
                Finished(request=home, outcome=Outcome.FETCHED, status=200, at=at, has_page=True),
                Finished(request=dead, outcome=Outcome.FAILED, reason="http_404", status=404, at=at),
            ),
            snoozed=(Snoozed(request=replace(busy, attempt=2), until=2_000.0, reason="http_503"),),
        )
    )
    await frontier.aclose()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO history VALUES (?, 4, 1, 172800.0, ?, ?, NULL, NULL)", (home.id, at, at))
    yield connection
    connection.close()


ANSWERS = [
    [("failed", 1), ("fetched", 1), ("excluded", 0), ("redirected", 0), ("unchanged", 0)],
    [("failed", "http_404", 1)],
    [("a.test", 2)],
    [],  # no host has waited
    [("https://a.test/", "https://a.test/dead")],
    [("a.test", 4, 1, 1, "2023-11-14 22:13:20")],
    [],  # it is no refresh
    [("https://a.test/", 1, 4, 2.0, "2023-11-14 22:13:20")],
]


@pytest.mark.parametrize(("query", "rows"), list(zip(QUERIES, ANSWERS, strict=True)))
async def test_query_of_the_page_answers_its_question(store, query, rows):
    assert sorted(store.execute(query).fetchall()) == sorted(rows)


async def test_ledger_has_one_row_a_url_with_its_end_and_origin(store):
    rows = store.execute("SELECT url, outcome, reason, attempts, via, kind FROM ledger ORDER BY id").fetchall()
    assert rows == [
        ("https://a.test/", "fetched", None, 1, None, "page"),
        ("https://a.test/dead", "failed", "http_404", 1, "https://a.test/", "page"),
        ("https://a.test/busy", "snoozed", "http_503", 1, "https://a.test/", "page"),
        ("https://a.test/later", "pending", None, 0, "https://a.test/", "page"),
    ]
    assert store.execute("SELECT DISTINCT seed, scope_host FROM ledger").fetchall() == [("a.test", "a.test")]


async def test_page_names_each_table_and_column(store):
    documented = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", PAGE, re.MULTILINE))
    tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(documented) == tables
    for table, description in documented.items():
        columns = {row[1] for row in store.execute(f"PRAGMA table_info({table})")}
        assert columns <= set(re.findall(r"`(\w+)`", description)), table


async def test_page_names_each_column_of_the_ledger(store):
    section = PAGE.partition("## The view")[2].partition("###")[0]
    columns = {row[1] for row in store.execute("PRAGMA table_info(ledger)")}
    assert columns <= set(re.findall(r"`(\w+)`", section))
