"""A refresh of webs that change: it tells all that was planted and nothing else, for a part of the bytes, and where it
chooses what to visit, it finds more than chance does.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.crawl.conftest import in_folder, options
from tests.support.changing import STYLES, ChangingWeb
from tests.support.changing_pages import RULES
from tests.support.refreshes import age, content, history, told
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WEEK_S = 7 * 86_400.0
HONEST = ("etag", "modified", "both", "weak")


class Refreshed:
    """A crawl of a web in `folder`, and what comes of visiting it again."""

    def __init__(self, folder, server, web, *settings, delay="0"):
        self._server, self._web = server, web
        (folder / "rules.yaml").write_text(RULES)
        self._run = in_folder(folder)
        self.options = ["--delay", delay, *options(server, *settings)[2:]]
        self.first = self._run(*web.seeds(), "-c", "rules.yaml", *self.options)
        assert self.first.code == 0, self.first.stderr

    def refresh(self, *more):
        """The refresh, and what the server saw of it."""
        place = len(self._server.log.hits)
        ran = self._run("--refresh", *more)
        assert ran.code == 0, ran.stderr
        return ran, self._server.log.since(place)

    def anew(self):
        """A first crawl of the web as it is now."""
        return self._run(*self._web.seeds(), "-c", "rules.yaml", *self.options, directory="anew")


@pytest.mark.parametrize("seed", range(3))
def test_every_planted_change_is_told_and_no_unchanged_page(tmp_path, seed):
    web = ChangingWeb(hosts=2 * len(STYLES), pages_per_host=60)
    with Server(web) as server:
        crawl = Refreshed(tmp_path, server, web)
        for step in range(3):
            web.move()
            web.plant(10 * seed + step, share=0.1, gone=0.03, new=0.03)
            gone = [
                (host, number)
                for host in range(web.hosts)
                for number in web.numbers(host)
                if web.leaf(host, number).gone is not None and web.leaf(host, number).step < web.step
            ]
            for page in random.Random(seed).sample(gone, len(gone) // 3):
                web.restore(*page)
            ran, log = crawl.refresh()
            expected = web.expected()
            assert told(ran) == expected
            reasons = Counter(row["reason"] for row in ran.lines("changes.jsonl"))
            assert reasons["not_modified"] == sum(hit.status == 304 for hit in log.hits)
        assert Counter(planted.change for planted in expected.values()).keys() >= {"new", "changed", "gone", "back"}
        anew, known = content(crawl.anew()), content(ran)
        assert {url: known[url] for url in anew} == anew
        assert len(known) == len(web.pages())


def test_where_a_twentieth_changed_the_server_sends_less_than_15_percent_of_a_full_crawl(tmp_path):
    web = ChangingWeb(hosts=4, pages_per_host=250, styles=HONEST, words=600)
    with Server(web) as server:
        crawl = Refreshed(tmp_path, server, web)
        full = server.log.sent_bytes()
        web.move()
        web.plant(1, share=0.05, gone=0, new=0)  # and the boilerplate of as many pages
        ran, log = crawl.refresh()
    share = log.sent_bytes() / full
    print(
        f"{log.sent_bytes():,} of {full:,} bytes: {share:.1%}; {sum(hit.status == 304 for hit in log.hits):,} times 304"
    )
    assert share < 0.15
    assert told(ran) == web.expected()
    assert sum(hit.is_conditional for hit in log.hits) == 1000
    assert sum(hit.status == 304 for hit in log.hits) == 900


def test_a_host_is_left_its_delay_across_generations_and_asked_robots_txt_once(tmp_path):
    delay_s = 3.0  # longer than a process takes to come up and ask, so that only what was carried over keeps to it
    web = ChangingWeb(hosts=2, pages_per_host=2, styles=("etag", "same"))
    with Server(web) as server:
        crawl = Refreshed(tmp_path, server, web, delay=f"{delay_s}s")
        for _ in range(2):
            web.move()
            web.change(0, 1, "text")
            crawl.refresh()
        log = server.log
    for host in ("h0.test", "h1.test"):
        assert len(log.of(host, robots=False)) == 6
        assert len(log.of(host)) == 7
        assert log.smallest_gap_s(host) >= delay_s
        assert log.max_in_flight(host) == 1


def test_over_weeks_due_visits_find_more_changes_than_as_many_at_random(tmp_path):
    """Of 120 pages 12 change every week, 24 each third week, the others never."""
    web = ChangingWeb(hosts=3, pages_per_host=40, styles=("etag",))
    drawn = random.Random(7)
    pages = drawn.sample(web.pages(), 36)
    weekly, monthly = pages[:12], pages[12:]
    found = planted = visits = 0
    with Server(web) as server:
        crawl = Refreshed(tmp_path, server, web)
        for week in range(12):
            age(crawl.first.directory, WEEK_S)
            web.move()
            for page in (*weekly, *(page for at, page in enumerate(monthly) if (week + at) % 3 == 0)):
                web.change(*page, "text")
            ran, log = crawl.refresh(*(["--due"] if week >= 4 else []))
            if week < 6:
                continue
            visits += sum(not hit.path.endswith(".txt") for hit in log.hits)
            found += sum(row.change == "changed" for row in told(ran).values())
            planted += sum(page.change == "changed" for page in web.expected().values())
        assert max(seen for seen, _ in history(ran.directory).values()) == 12
    share = visits / (6 * len(web.pages()))
    print(f"{visits} visits ({share:.0%} of all) found {found} of {planted} changes")
    assert share < 0.6
    assert found > 1.6 * share * planted  # which is what visits at random find
