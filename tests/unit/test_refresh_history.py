"""What is learnt of each URL over generations, and that it is learnt once, however often it is told."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import msgspec
import pytest

from crawler.clock import SystemClock
from crawler.dataset.ledger import KnownUrls
from crawler.extract.lastmod import Said, moment
from crawler.frontier.sqlite import SqliteFrontier
from crawler.known import Known
from crawler.models import Checkpoint, Finished, Kind, Outcome, Request
from crawler.refresh.history import LIES, Lies, write_history
from crawler.refresh.lastmod import Lastmods
from crawler.url import fingerprint

FETCHED, UNCHANGED, FAILED = Outcome.FETCHED, Outcome.UNCHANGED, Outcome.FAILED
COLUMNS = "visits, changes, watched_s, checked_at, changed_at, gone_at, lastmod"


def url_of(name):
    return f"http://a.test/{name}"


class Generations:
    """One after another in `folder`, by what became of each URL: name -> (outcome, reason), or None while pending."""

    def __init__(self, folder):
        self.folder = folder
        self.stores = []

    def add(self, at, ends, *, changed=(), said=None, compares=True):
        """The next one, all of whose URLs end at `at`."""
        store = self.folder / f"{len(self.stores)}.db"
        self.base = self.stores[-1] if self.stores else None
        self.stores.append(store)
        key = asyncio.run(self._crawl(store, at, ends))
        self.memory = self.folder / f"{len(self.stores)}-refresh.db"
        if said:
            asyncio.run(self._say(key, said))
        if self.base is not None:
            self.told = [url_of(name) for name in changed]
            return self.tell(compares=compares)
        return None

    def tell(self, *, compares=True):
        return write_history(self.stores[-1], self.base, self.told, self.memory, compares=compares)

    def rows(self):
        with closing(sqlite3.connect(self.stores[-1])) as store:
            rows = store.execute(f"SELECT url, {COLUMNS} FROM history JOIN url USING (id)")
            return {url.rpartition("/")[2]: tuple(row) for url, *row in rows}

    async def _crawl(self, store, at, ends):
        frontier = SqliteFrontier(store, SystemClock())
        await frontier.open()
        known = await self._numbers(list(ends))
        frontier.add(
            [
                Request(
                    url=url_of(name),
                    host_key="a.test",
                    scope_host="a.test",
                    seed="a.test",
                    kind=Kind.SITEMAP if name.endswith("xml") else Kind.PAGE,
                    known=Known(id=known[name]) if name in known else None,
                )
                for name in ends
            ]
        )
        finished = [
            Finished(request=request, outcome=end[0], reason=end[1], at=at, has_page=end == (FETCHED, None))
            for request in await frontier.take([("a.test", 1_000)])
            if (end := ends[request.url.rpartition("/")[2]])
        ]
        await frontier.commit(Checkpoint(finished=tuple(finished)))
        key = frontier.key
        await frontier.aclose()
        return key

    async def _numbers(self, names):
        if self.base is None:
            return {}
        with KnownUrls(self.base) as ledger:
            return {known.url.rpartition("/")[2]: known.id for known in ledger.find(map(url_of, names)).values()}

    async def _say(self, key, said):
        sink = Lastmods(self.memory)
        await sink.open(None)
        lines = [Said(fingerprint(url_of(name), key), moment(text), text) for name, text in said.items()]
        await sink.append([msgspec.json.encode(lines)])
        await sink.aclose()


@pytest.fixture
def crawl(tmp_path):
    return Generations(tmp_path)


PAGE, FILE, SAME, LEFT = (FETCHED, None), (FETCHED, "not_html"), (UNCHANGED, "not_modified"), (UNCHANGED, "not_due")
GONE = (FAILED, "http_404")


def test_a_visit_to_what_was_visited_before_is_a_comparison_which_found_a_change_or_did_not(crawl):
    crawl.add(100.0, {"a": PAGE, "b": PAGE, "c": FILE, "d": PAGE})
    crawl.add(150.0, {"a": PAGE, "b": SAME, "c": FILE, "d": PAGE}, changed=["a"])
    assert crawl.rows() == {
        "a": (1, 1, 50.0, 150.0, 150.0, None, None),
        "b": (1, 0, 50.0, 150.0, None, None, None),
        "c": (1, 0, 50.0, 150.0, None, None, None),
        "d": (1, 0, 50.0, 150.0, None, None, None),
    }
    crawl.add(250.0, {"a": PAGE, "b": PAGE, "c": FILE, "d": SAME}, changed=["b"])
    assert crawl.rows()["a"] == (2, 1, 150.0, 250.0, 150.0, None, None)
    assert crawl.rows()["b"] == (2, 1, 150.0, 250.0, 250.0, None, None)


def test_what_was_not_visited_keeps_what_was_learnt_of_it_and_when_that_was(crawl):
    crawl.add(100.0, {"a": PAGE, "b": PAGE, "c": PAGE})
    crawl.add(150.0, {"a": PAGE, "b": LEFT, "c": PAGE}, changed=["a"], said={"a": "2026-01-01"})
    assert crawl.rows()["b"] == (0, 0, 0.0, 100.0, None, None, None)
    crawl.add(250.0, {"a": LEFT, "b": LEFT, "c": None}, said={"a": "2026-02-02"})
    assert crawl.rows() == {
        "a": (1, 1, 50.0, 150.0, 150.0, None, "2026-01-01"),
        "b": (0, 0, 0.0, 100.0, None, None, None),
        "c": (1, 0, 50.0, 150.0, None, None, None),
    }
    crawl.add(350.0, {"a": SAME, "b": SAME})
    assert crawl.rows() == {
        "a": (2, 1, 250.0, 350.0, 150.0, None, "2026-01-01"),
        "b": (1, 0, 250.0, 350.0, None, None, None),
    }


def test_what_is_gone_is_known_to_be_and_since_when_until_it_is_back(crawl):
    crawl.add(100.0, {"a": PAGE, "b": GONE, "map.xml": (FETCHED, "sitemap")})
    crawl.add(150.0, {"a": GONE, "b": GONE, "map.xml": (FETCHED, "sitemap")})
    assert crawl.rows() == {"a": (0, 0, 0.0, 150.0, None, 150.0, None)}
    crawl.add(250.0, {"a": GONE, "b": PAGE, "new": PAGE, "map.xml": SAME})
    assert crawl.rows() == {
        "a": (0, 0, 0.0, 250.0, None, 150.0, None),
        "b": (0, 0, 0.0, 250.0, None, None, None),
        "new": (0, 0, 0.0, 250.0, None, None, None),
    }
    crawl.add(350.0, {"a": PAGE, "b": PAGE, "new": PAGE})
    assert crawl.rows()["a"] == (0, 0, 0.0, 350.0, 350.0, None, None)
    crawl.add(450.0, {"a": PAGE, "b": PAGE, "new": PAGE})
    assert crawl.rows()["a"] == (1, 0, 100.0, 450.0, 350.0, None, None)


def test_where_records_are_made_otherwise_nothing_is_learnt_of_changes(crawl):
    crawl.add(100.0, {"a": PAGE})
    crawl.add(150.0, {"a": PAGE}, changed=["a"], compares=False)
    assert crawl.rows()["a"] == (0, 0, 0.0, 150.0, None, None, None)


def test_whoever_tells_it_again_changes_nothing(crawl):
    crawl.add(100.0, {"a": PAGE, "b": PAGE})
    first = crawl.add(150.0, {"a": PAGE, "b": GONE}, changed=["a"], said={"a": "1970-01-01T00:01:00Z"})
    rows = crawl.rows()
    assert crawl.tell() == first == (Lies({"a.test": 1}), Lies({"a.test": 1}))
    assert crawl.rows() == rows


def test_sitemaps_that_were_wrong_are_remembered_over_generations(crawl):
    early, late = "1970-01-01T00:01:00Z", "1970-01-01T00:04:00Z"  # 60 s, 240 s
    crawl.add(100.0, dict.fromkeys("abc", PAGE))
    lies = crawl.add(150.0, dict.fromkeys("abc", PAGE), changed=["a", "b"], said={"a": early, "b": late, "c": early})
    assert lies == (Lies({"a.test": 1}), Lies({"a.test": 1}))
    assert crawl.add(250.0, dict.fromkeys("abc", PAGE), changed=["b"], said={"b": late}) == (
        Lies(),
        Lies({"a.test": 1}),
    )
    lies = crawl.add(350.0, dict.fromkeys("abc", PAGE), changed=["c", "b"], said={"b": late, "c": early})
    assert lies == (Lies({"a.test": 2}), Lies({"a.test": 3}))
    with closing(sqlite3.connect(crawl.stores[-1])) as store:
        ((stored,),) = store.execute("SELECT content FROM blob WHERE name = ?", (LIES,))
    assert msgspec.json.decode(stored, type=Lies) == lies[1]


def test_a_base_that_lies_in_a_folder_of_its_own_is_left_as_it_is(crawl):
    crawl.add(100.0, {"a": PAGE})
    before = crawl.stores[0].read_bytes()
    crawl.add(150.0, {"a": PAGE})
    assert crawl.stores[0].read_bytes() == before
    assert sorted(path.name for path in crawl.folder.glob("0.db*")) == ["0.db"]
