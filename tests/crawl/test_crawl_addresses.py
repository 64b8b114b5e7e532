"""Crawls by the command: links and redirects of strangers lead to no private address, and seeds of one's own do."""

from __future__ import annotations

import socket

import pytest

from crawler import crawl
from crawler.config.file import loads
from crawler.fetch import dns_cache
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

HTML = (("Content-Type", "text/html"),)
REFUSED = ("excluded", "private_address")


class Site:
    """Replies by host and path, given as ``host/path``; 404 for others."""

    def __init__(self, **replies):
        self.replies = replies

    def respond(self, host, path, visit=1):
        return self.replies.get(f"{host}{path}") or self.replies.get(path) or Reply(404)


class Anything:
    """What must not be asked: any path is a page, all of it allowed."""

    def respond(self, host, path, visit=1):
        return Reply(404) if path == "/robots.txt" else Reply(200, HTML, b"<title>inside</title>")


def linking(*urls, status=200):
    return Reply(status, HTML, "".join(f'<a href="{url}">x</a>' for url in urls).encode())


def moved(url):
    return Reply(302, (("Location", url),))


def spellings(port):
    """Ways to write an address of this machine, and what each is in a canonical URL."""
    return {
        f"http://{given}:{port}/{number}": f"http://{canonical}:{port}/{number}"
        for number, (given, canonical) in enumerate(
            [
                *((name, "127.0.0.1") for name in ("127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.")),
                *((f"[{name}]", "[::ffff:7f00:1]") for name in ("::ffff:127.0.0.1", "::ffff:7f00:1")),
                *((name, name) for name in ("localhost", "0.0.0.0", "[::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]")),
            ]
        )
    }


def no_answer(ran):
    """How everything but pages ended."""
    return {url: end for url, end in ran.endings().items() if end != ("fetched", None)}


@pytest.fixture
def inside():
    with Server(Anything()) as server:
        yield server


def test_links_of_a_page_lead_to_no_private_address_however_spelt(crawler, fast, inside):
    urls = spellings(inside.port)
    with Server(Site(**{"a.test/": linking(*urls)})) as outside:
        ran = crawler("http://a.test/", *fast(outside, "scope.stay_on=any"))
    assert ran.code == 0, ran.stderr
    assert no_answer(ran) == dict.fromkeys(urls.values(), REFUSED)
    assert len(inside.log.hits) == 0
    assert {line["attempts"] for line in ran.outcomes} == {0}
    told = f"  private_address  {len(urls)}  not at a public address, and neither its seed nor fetch.allow_addresses"
    assert told in ran.stderr


def test_redirects_lead_to_no_private_address_and_their_targets_say_why(crawler, fast, inside):
    urls = spellings(inside.port)
    replies = {f"a.test/{number}": moved(url) for number, url in enumerate(urls)}
    with Server(Site(**{"a.test/": linking(*map(str, range(len(urls)))), **replies})) as outside:
        ran = crawler("http://a.test/", *fast(outside, "scope.stay_on=any"))
    redirected = {f"http://a.test/{number}": ("redirected", None) for number in range(len(urls))}
    assert no_answer(ran) == redirected | dict.fromkeys(urls.values(), REFUSED)
    assert len(inside.log.hits) == 0


def test_a_seed_that_redirects_inside_is_a_strangers_word(crawler, fast, inside):
    with Server(Site(**{"a.test/": moved(f"http://127.0.0.1:{inside.port}/")})) as outside:
        ran = crawler("http://a.test/", *fast(outside))
    assert ran.endings() == {
        "http://a.test/": ("redirected", None),
        f"http://127.0.0.1:{inside.port}/": REFUSED,
    }
    assert ran.code == 3
    assert len(inside.log.hits) == 0


def test_scope_is_asked_first(crawler, fast, inside):
    url = f"http://127.0.0.1:{inside.port}/"
    with Server(Site(**{"a.test/": linking(url, "/b"), "a.test/b": moved(url)})) as outside:
        ran = crawler("http://a.test/", *fast(outside))
    assert no_answer(ran) == {"http://a.test/b": ("redirected", "out_of_scope")}


def test_robots_txt_and_its_sitemaps_lead_to_no_private_address(crawler, fast, inside):
    url = f"http://127.0.0.1:{inside.port}"
    replies = {
        "a.test/robots.txt": moved(f"{url}/robots.txt"),
        "b.test/robots.txt": Reply(200, (), f"Sitemap: {url}/sitemap.xml\nSitemap: /s.xml".encode()),
        "b.test/s.xml": moved(f"{url}/moved.xml"),
        "b.test/": linking(),
    }
    with Server(Site(**replies)) as outside:
        ran = crawler("http://a.test/", "http://b.test/", *fast(outside, "sitemaps.follow=true"))
    assert no_answer(ran) == {
        "http://a.test/": REFUSED,
        "http://b.test/s.xml": ("redirected", None),
        **dict.fromkeys((f"{url}/sitemap.xml", f"{url}/moved.xml"), REFUSED),
    }
    assert len(inside.log.hits) == 0


def test_a_private_seed_is_crawled_at_all_its_ports_and_no_other_private_host_is(crawler, fast, inside):
    elsewhere = f"http://[::1]:{inside.port}/"
    links = linking(
        "/next", f"http://127.0.0.1:{inside.port}/other-port", elsewhere, f"http://localhost:{inside.port}/"
    )
    with Server(Site(**{"/": links, "/next": moved(f"http://127.0.0.1:{inside.port}/moved")})) as seed:
        ran = crawler(f"http://127.0.0.1:{seed.port}", *fast(seed, "scope.stay_on=any"))
    ends = ran.endings()
    assert {url.rpartition("/")[2]: end for url, end in ends.items() if f":{inside.port}/" in url and "127" in url} == {
        "other-port": ("fetched", None),
        "moved": ("fetched", None),
    }
    assert {url for url, end in ends.items() if end == REFUSED} == {elsewhere, f"http://localhost:{inside.port}/"}
    assert sorted(hit.path for hit in inside.log.hits) == ["/moved", "/other-port", "/robots.txt"]


def test_allowed_addresses_may_be_found_and_what_was_refused_is_tried_again(crawler, fast, inside):
    url = f"http://127.0.0.1:{inside.port}/"
    with Server(Site(**{"a.test/": linking(url)})) as outside:
        arguments = fast(outside, "scope.stay_on=any")
        ran = crawler("http://a.test/", *arguments)
        assert ran.endings()[url] == REFUSED
        told = crawler("crawl", url, command="why", directory=None).stdout.decode()
        assert "Address     127.0.0.1 is not public: loopback\n" in told
        assert "fetch.allow_addresses: [127.0.0.1]" in told
        again = [*arguments, "--set=fetch.allow_addresses=[127.0.0.0/8]", "--resume", "--retry-failed"]
        ran = crawler(*again)
    assert ran.endings()[url] == ("fetched", None), ran.stderr


def test_what_a_seed_was_at_first_is_remembered_over_a_resume(crawler, fast, inside):
    """The seed `localhost` is private at first: after a resume what it links to at another port is crawled still."""
    with Server(Site(**{"/": linking(f"http://localhost:{inside.port}/x")})) as seed:
        arguments = fast(seed, "scope.stay_on=any", "limits.concurrency=1")
        ran = crawler(f"http://localhost:{seed.port}/", *arguments, "--max-pages", "1")
        assert len(ran.pages) == 1
        ran = crawler(*arguments, "--resume", "--set=budget.pages=null")
    assert ran.endings()[f"http://localhost:{inside.port}/x"] == ("fetched", None), ran.stderr


OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
"""The first stands for a public address: the configuration allows it."""


@pytest.fixture
def names(monkeypatch):
    """Where names are, to be changed at will: rebinding."""
    where = {}

    def getaddrinfo(name, *_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where[name], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return where


def config(**overrides):
    settings = {"fetch.allow_addresses": f"[{OUTSIDE}]", "limits.default": "{delay: 0s}", **overrides}
    return loads("", "test", [f"{key}={value}" for key, value in settings.items()]).config


def test_a_seed_that_was_public_and_turns_private_is_refused_after_a_resume(names, tmp_path):
    site = Site(**{"/": linking("/1", "/2")})
    with Server(site, addresses=(OUTSIDE, INSIDE)) as server:
        names["a.test"] = OUTSIDE
        seeds = [f"http://a.test:{server.port}/"]
        crawl(seeds, config(**{"budget.pages": 1}), directory=tmp_path / "d")
        names["a.test"] = INSIDE
        ran = crawl(config=config(), directory=tmp_path / "d", resume=True)
    assert {hit.address for hit in server.log.hits} == {OUTSIDE}
    assert ran.ending.complete
    assert (tmp_path / "d/outcomes.jsonl").read_text().count("private_address") == 2


class Turning:
    """A page that moves its name inside as soon as it is asked for, and links to what is there then."""

    def __init__(self, names):
        self.names = names

    def respond(self, host, path, visit=1):
        if path != "/":
            return Reply(404)
        self.names[host.partition(":")[0]] = INSIDE
        return Reply(200, (*HTML, ("Connection", "close")), linking("/secret").body)


def test_a_name_that_turns_private_during_a_crawl_is_refused(names, tmp_path, monkeypatch):
    monkeypatch.setattr(dns_cache, "ANSWER_S", 0.0)  # so that every connection has it looked up
    names["a.test"] = OUTSIDE
    with Server(Turning(names), addresses=(OUTSIDE, INSIDE)) as server:
        ran = crawl([f"http://a.test:{server.port}/"], config(), directory=tmp_path / "d")
    assert [hit.path for hit in server.log.hits] == ["/robots.txt", "/"]
    assert {hit.address for hit in server.log.hits} == {OUTSIDE}
    assert '"private_address"' in (tmp_path / "d/outcomes.jsonl").read_text()
    assert ran.ending.complete


def test_dry_run_asks_no_private_host_for_others(crawler, fast, inside):
    url = f"http://127.0.0.1:{inside.port}"
    replies = {
        "a.test/robots.txt": moved(f"{url}/robots.txt"),
        "b.test/robots.txt": Reply(200, (), f"Sitemap: {url}/sitemap.xml".encode()),
    }
    with Server(Site(**replies)) as outside:
        ran = crawler("http://a.test/", "http://b.test/", "--dry-run", *fast(outside, "sitemaps.follow=true"))
    assert b"private_address" in ran.stdout, ran.stdout + ran.stderr.encode()
    assert len(inside.log.hits) == 0
    with Server(Anything()) as seed:
        ran = crawler(f"http://127.0.0.1:{seed.port}/", "--dry-run", *fast(seed))
        assert len(seed.log.hits) == 1
    assert ran.code == 0


def test_try_takes_a_typed_address_and_follows_no_redirect_to_another(crawler, fast, inside):
    url = f"http://127.0.0.1:{inside.port}/"
    with Server(Site(**{"a.test/": moved(url)})) as outside:
        settings = [*fast(outside)[2:], "--set=limits.default.delay=0"]
        assert crawler(url, *settings, command="try").code == 0
        before = len(inside.log.hits)
        ran = crawler("http://a.test/", *settings, command="try")
    assert ran.code != 0
    assert "private_address" in ran.stderr + ran.stdout.decode()
    assert len(inside.log.hits) == before
