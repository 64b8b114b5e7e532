"""The main job, measured from outside: what the server saw, and what the files hold."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.crawl.conftest import in_folder, options
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

MIXED = Web(
    seed=7,
    hosts=4,
    pages_per_host=60,
    error_share=0.05,
    redirect_share=0.08,
    private_share=0.06,
    flaky_share=0.04,
    file_share=0.04,
    slow_share=0.03,
    slow_s=0.05,
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    with Server(MIXED) as server:
        ran = in_folder(tmp_path_factory.mktemp("mixed"))(*MIXED.seeds(), *options(server, "scope.stay_on=any"))
        yield ran, server


def test_every_url_of_a_mixed_web_ends_once_and_as_it_must(mixed):
    ran, server = mixed
    assert ran.code == 0, ran.stderr
    expected = MIXED.expected()
    ended = ran.endings()
    assert set(ended) == set(expected)
    for url, (outcome, reason) in ended.items():
        assert outcome == expected[url].outcome, url
        assert expected[url].reason in (None, reason), url
    counts = server.log.counts()
    asked_twice = {url for url, times in counts.items() if times > 1}
    assert asked_twice <= {url for url in expected if counts[url] == 2 and flaky(url)}
    assert not [url for url in counts if "/private/" in url]


def flaky(url):
    host, number = url.removeprefix("http://h").split(".test/pages/")
    return MIXED.role(int(host), int(number)) == "flaky"


def test_robots_txt_is_asked_once_per_host_and_first(mixed):
    _, server = mixed
    for host in server.log.hosts():
        paths = [hit.path for hit in server.log.of(host)]
        assert paths[0] == "/robots.txt"
        assert paths.count("/robots.txt") == 1


def test_summary_counts_add_up_to_the_files(mixed):
    ran, _ = mixed
    import msgspec

    summary = msgspec.json.decode((ran.directory / "summary.json").read_bytes())
    assert summary["complete"] is True
    assert summary["pending"] == 0
    assert summary["admitted"] == sum(summary["outcomes"].values()) == len(ran.pages) + len(ran.outcomes)


def test_records_tell_where_each_page_was_found(mixed):
    ran, _ = mixed
    pages = {page["url"]: page for page in ran.pages}
    ended = ran.endings()
    for page in pages.values():
        assert (page["via"] is None) == (page["depth"] == 0)
        if page["depth"] and not page["redirected_from"]:
            assert page["url"] in {link["url"] for link in pages[page["via"]]["links"]}
            assert pages[page["via"]]["depth"] == page["depth"] - 1
        assert page["seed"] in MIXED.seeds()
        for hop in page["redirected_from"]:
            assert ended[hop][0] == "redirected"


def test_gap_and_concurrency_hold_at_the_server_while_it_is_slow_redirects_and_fails(crawler, fast):
    web = Web(
        seed=3,
        hosts=3,
        pages_per_host=14,
        redirect_share=0.2,
        flaky_share=0.1,
        error_share=0.1,
        latency_s=0.03,
        slow_share=0.2,
        slow_s=0.2,
    )
    with Server(web) as server:
        options = fast(server, "scope.stay_on=any", "limits.default.concurrency=2", "limits.default.delay=60ms")
        ran = crawler(*web.seeds(), *options[2:])
        assert ran.code == 0, ran.stderr
        assert set(ran.endings()) == set(web.expected())
        for host in server.log.hosts():
            assert server.log.smallest_gap_s(host) >= 0.060
            assert server.log.max_in_flight(host) <= 2


def test_crawl_delay_of_robots_txt_raises_the_delay(crawler, fast):
    class Slow(Web):
        def respond(self, host, path, visit=1):
            if path == "/robots.txt":
                return Reply(200, (), b"User-agent: *\nCrawl-delay: 0.15\n")
            return super().respond(host, path, visit)

    web = Slow(pages_per_host=6)
    with Server(web) as server:
        ran = crawler(*web.seeds(), *fast(server))
        assert ran.code == 0, ran.stderr
        assert len(ran.pages) == 6
        starts = [hit.at for hit in server.log.of("h0.test")]
        assert min(b - a for a, b in pairwise(starts)) >= 0.15


class Moved:
    """A seed that moves to another host, where the site is."""

    def respond(self, host, path, visit=1):
        html = (("Content-Type", "text/html"),)
        if path == "/robots.txt":
            return Reply(404)
        if host == "shop.test":
            return Reply(301, (("Location", f"http://www.shop.test{path}"),))
        if host == "www.shop.test" and path == "/":
            return Reply(200, html, b"<title>Shop</title><a href=/a>a</a><a href=http://other.test/>elsewhere</a>")
        return Reply(200, html, b"<title>A</title><a href=http://shop.test/old>old address</a>")


def test_a_seed_that_redirects_to_another_host_is_crawled_there(crawler, fast):
    with Server(Moved()) as server:
        ran = crawler("http://shop.test/", *fast(server))
        assert ran.code == 0, ran.stderr
        assert {page["url"] for page in ran.pages} == {"http://www.shop.test/", "http://www.shop.test/a"}
        assert ran.endings()["http://shop.test/"] == ("redirected", None)
        assert ran.seeds[0]["final_url"] == "http://www.shop.test/"
        assert ran.seeds[0]["outcome"] == "fetched"
        assert "other.test" not in server.log.hosts()


def test_depth_limit_and_page_budget_stop_where_they_say(crawler, fast):
    web = Web(pages_per_host=60)
    with Server(web) as server:
        shallow = crawler(*web.seeds(), "--depth", "1", *fast(server), directory="shallow")
        assert {page["depth"] for page in shallow.pages} == {0, 1}
        few = crawler(*web.seeds(), "--max-pages", "7", *fast(server), directory="few")
        assert few.code == 0, few.stderr
        assert len(few.pages) == 7
        assert "budget.pages" in few.stderr


@pytest.mark.parametrize("backend", ["process", "thread", "inline"])
def test_parser_backends_write_the_same_records(crawler, fast, backend):
    web = Web(pages_per_host=12)
    with Server(web) as server:
        ran = crawler(*web.seeds(), *fast(server, f"parse.backend={backend}"))
        assert ran.code == 0, ran.stderr
        assert {page["url"] for page in ran.pages} == {u for u, e in web.expected().items() if e.outcome == "fetched"}
