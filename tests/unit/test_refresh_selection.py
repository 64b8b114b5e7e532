"""Which pages are passed over: by rates, by sitemaps, within budgets; the same ones after a kill."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tracemalloc
from contextlib import closing

import msgspec

from crawler.clock import SystemClock
from crawler.extract.lastmod import Said, moment
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Kind, Request
from crawler.refresh.lastmod import Lastmods
from crawler.refresh.rates import Seen, rate, rate_of_all, worth
from crawler.refresh.selection import Counts, Selection, Terms
from crawler.url import fingerprint

DAY = 86_400.0
NOW = 1_800_000_000.0
KEY = 5
DUE = Terms(due=0.5)


def page(name, host=0, *, visits=None, changes=0, days=None, ago=10.0, **fields):
    """A row of a base: compared `visits` times in `days`, the last time `ago` days ago."""
    return {
        "url": f"http://h{host}.test/{name}",
        "visits": visits,
        "changes": changes,
        "watched_s": (visits if days is None else days) * DAY if visits is not None else None,
        "at": NOW - ago * DAY,
        "outcome": "fetched",
        "kind": "page",
        **fields,
    }


def base(folder, rows):
    """A store with these URLs, in the order of ids from 1."""
    store = folder / "crawl.db"

    async def make():
        frontier = SqliteFrontier(store, SystemClock())
        await frontier.open()
        hosts = {row["url"].split("/")[2] for row in rows}
        frontier.add([_request(f"http://{host}/", host) for host in sorted(hosts)])
        frontier.add([_request(row["url"], row["url"].split("/")[2], Kind(row["kind"])) for row in rows])
        await frontier.commit(Checkpoint())
        await frontier.aclose()

    asyncio.run(make())
    with closing(sqlite3.connect(store)) as connection:
        ids = dict(connection.execute("SELECT url, id FROM url"))
        for row in rows:
            number = ids[row["url"]]
            done = (number, row["outcome"], None, 200, None, 1, row["at"], row["outcome"] == "fetched")
            if row["outcome"]:
                connection.execute("INSERT INTO done VALUES (?, ?, ?, ?, ?, ?, ?, ?)", done)
            if row["visits"] is not None:
                history = (number, row["visits"], row["changes"], row["watched_s"], row["at"], None, None, None)
                connection.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", history)
        connection.commit()
    return store, ids


def _request(url, host, kind=Kind.PAGE):
    return Request(url=url, host_key=host, scope_host=host, seed=host, kind=kind)


def say(memory, **lastmods):
    """As sitemaps of h0 would."""
    said = [Said(fingerprint(f"http://h0.test/{name}", KEY), moment(text), text) for name, text in lastmods.items()]

    async def append():
        sink = Lastmods(memory)
        await sink.open(None)
        await sink.append([msgspec.json.encode(said)])
        await sink.sync(fsync=True)
        await sink.aclose()

    asyncio.run(append())


def passed_over(folder, rows, terms, *, now=NOW, made=None):
    """Name -> reason of what is skipped, and the counts."""
    store, ids = made or base(folder, rows)
    selection = Selection(folder / "refresh.db", terms)
    counts = selection.decide(store, KEY, now)
    skipped = {url: selection.skip(number) for url, number in sorted(ids.items(), key=lambda pair: pair[1])}
    return {url.rpartition("/")[2]: reason for url, reason in skipped.items() if reason}, counts


def test_what_changes_often_is_due_and_what_hardly_does_is_not(tmp_path):
    rows = [page("news", visits=10, changes=9), page("old", visits=10, changes=0, ago=1.0), page("never")]
    assert passed_over(tmp_path, rows, DUE) == ({"old": "not_due"}, Counts(visited=2, not_due=1))


def test_what_was_passed_over_for_long_is_due_again(tmp_path):
    rows = [page("old", visits=4, ago=5.0), page("other", visits=4, changes=2, ago=5.0), page("new", visits=1, ago=0.1)]
    made = base(tmp_path, rows)
    assert passed_over(tmp_path, rows, DUE, made=made)[0] == {"old": "not_due", "new": "not_due"}
    (tmp_path / "refresh.db").unlink()
    assert passed_over(tmp_path, rows, DUE, made=made, now=NOW + 60 * DAY)[0] == {}


def test_a_page_with_hardly_a_history_is_judged_by_its_host(tmp_path):
    busy = [page(f"b{n}", 0, visits=10, changes=8) for n in range(20)]
    quiet = [page(f"q{n}", 1, visits=10, changes=0, ago=1.0) for n in range(20)]
    rows = [*busy, *quiet, page("b", 0, visits=1, days=0.01, ago=2.0), page("q", 1, visits=1, days=0.01, ago=2.0)]
    skipped, _ = passed_over(tmp_path, rows, DUE)
    assert "q" in skipped
    assert "b" not in skipped


def test_only_pages_with_content_are_passed_over_and_sitemaps_are_not(tmp_path):
    quiet = {"visits": 50, "ago": 0.1}
    rows = [
        page("failed", outcome="failed", **quiet),
        page("pending", outcome=None, **quiet),
        page("moved", outcome="redirected", **quiet),
        page("map", kind="sitemap", **quiet),
        page("same", outcome="unchanged", **quiet),
        page("page", **quiet),
    ]
    assert passed_over(tmp_path, rows, DUE)[0] == {"same": "not_due", "page": "not_due"}


def test_without_due_and_trust_everything_is_visited_and_nothing_is_looked_up(tmp_path):
    selection = Selection(tmp_path / "nowhere" / "refresh.db", Terms())
    assert selection.skip(1) is None


def test_before_it_is_decided_nothing_is_passed_over(tmp_path):
    assert Selection(tmp_path / "refresh.db", DUE).skip(1) is None


def test_a_sitemap_that_calls_a_page_newer_makes_it_due_and_one_that_does_not_makes_it_passed_over_if_trusted(tmp_path):
    quiet = {"visits": 50, "ago": 2.0}
    rows = [page(name, **quiet) for name in ("newer", "older", "today", "silent")]
    made = base(tmp_path, rows)
    # NOW is 2027-01-15T08:00Z, the last visit two days before
    say(tmp_path / "refresh.db", newer="2027-01-14T00:00:00Z", older="2027-01-01", today="2027-01-13")
    passed = passed_over(tmp_path, rows, DUE, made=made)[0]
    assert passed == {"older": "not_due", "silent": "not_due"}
    passed = passed_over(tmp_path, rows, Terms(lastmod="trust"), made=made)
    assert passed == ({"older": "lastmod"}, Counts(visited=3, lastmod=1))
    passed = passed_over(tmp_path, rows, Terms(due=0.5, lastmod="trust"), made=made)[0]
    assert passed == {"older": "lastmod", "silent": "not_due"}
    passed = passed_over(tmp_path, rows, Terms(due=0.5, lastmod="ignore"), made=made)[0]
    assert passed == dict.fromkeys(("newer", "older", "today", "silent"), "not_due")


def test_of_several_sitemaps_the_latest_counts(tmp_path):
    made = base(tmp_path, rows := [page("a", visits=50, ago=2.0)])
    say(tmp_path / "refresh.db", a="2027-01-14T00:00:00Z")
    say(tmp_path / "refresh.db", a="2020-01-01")
    assert passed_over(tmp_path, rows, Terms(lastmod="trust"), made=made)[0] == {}


def test_budgets_are_spent_where_a_visit_is_worth_most(tmp_path):
    drawn = random.Random(4)
    rows = [page(f"p{n}", n % 3, visits=20, changes=drawn.randint(2, 20), ago=drawn.uniform(5, 40)) for n in range(300)]
    made = base(tmp_path, rows)
    skipped, counts = passed_over(tmp_path, rows, Terms(due=0.0, pages=100), made=made)
    assert counts == Counts(visited=100, beyond=200)
    gains = _gains(rows)
    kept = [gain for name, gain in gains.items() if name not in skipped]
    assert len(kept) == 100
    assert min(kept) >= max(gains[name] for name in skipped)
    skipped, counts = passed_over(tmp_path, rows, Terms(due=0.0, pages=50, pages_per_host=20), made=made)
    assert counts == Counts(visited=50, beyond=250)
    of_hosts = [int(row["url"][8]) for row in rows if row["url"].rpartition("/")[2] not in skipped]
    assert max(of_hosts.count(host) for host in range(3)) <= 20


def _gains(rows):
    """What visits are worth by the formula, as far as its order goes: rates by hand."""
    total, hosts = Seen(), {}
    for row in rows:
        seen = (row["visits"], row["changes"], row["watched_s"])
        total = total.plus(*seen)
        hosts[row["url"][8]] = hosts.get(row["url"][8], Seen()).plus(*seen)
    gains = {}
    for row in rows:
        host = hosts[row["url"][8]]
        among = rate(host.visits, host.changes, host.watched_s, rate_of_all(total))
        own = rate(row["visits"], row["changes"], row["watched_s"], among)
        gains[row["url"].rpartition("/")[2]] = worth(own, NOW - row["at"])
    return gains


def test_where_nothing_has_a_history_the_budget_goes_to_what_was_not_visited_for_longest(tmp_path):
    rows = [page(f"p{n}", ago=n) for n in range(1, 11)]
    skipped, counts = passed_over(tmp_path, rows, Terms(due=0.5, pages=4))
    assert sorted(skipped) == sorted(f"p{n}" for n in range(1, 7))
    assert counts == Counts(visited=4, beyond=6)


def test_a_killed_refresh_goes_on_with_what_was_decided_unless_its_terms_change(tmp_path):
    rows = [page(f"p{n}", visits=3, changes=n % 3, ago=float(n)) for n in range(1, 30)]
    made = base(tmp_path, rows)
    first = passed_over(tmp_path, rows, DUE, made=made)
    assert first[0]
    assert passed_over(tmp_path, rows, DUE, made=made, now=NOW + 1_000 * DAY) == first
    wider = passed_over(tmp_path, rows, Terms(due=0.4), made=made, now=NOW + 1_000 * DAY)
    assert 0 < len(wider[0]) < len(first[0])


def test_a_page_visited_in_the_future_is_not_due(tmp_path):
    rows = [page("a", visits=3, changes=3, ago=-5.0), page("b", visits=3, changes=3)]
    assert passed_over(tmp_path, rows, DUE)[0] == {"a": "not_due"}


def test_what_is_skipped_takes_no_memory_by_the_number_of_pages(tmp_path):
    selection = Selection(tmp_path / "refresh.db", DUE)
    store, _ = base(tmp_path, [page("a", visits=50, ago=0.1)])
    selection.decide(store, KEY, NOW)
    with closing(sqlite3.connect(tmp_path / "refresh.db")) as memory:
        memory.execute(
            "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 2 FROM n WHERE i < 40000) "
            "INSERT INTO skipped SELECT i, 'not_due' FROM n"
        )
        memory.commit()
    tracemalloc.start()
    skipped = sum(selection.skip(number) is not None for number in range(1, 40_002))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert skipped == 19_997
    assert peak < 1_000_000
