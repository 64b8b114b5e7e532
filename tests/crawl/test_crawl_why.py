"""`crawler why`: asked of crawls that have ended, that run, and that were killed."""

from __future__ import annotations

import os
import signal
import threading

import msgspec
import pytest

from tests.crawl.conftest import in_folder, options, start
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = pytest.mark.slow

PAGES = {
    "/": ["/about", "/private/x", "/old", "/away", "/dead", "/data", "/logout", "http://b.test/"],
    "/about": ["/deep", "/slow"],
    "/deep": [],
    "/new": [],
}


class Site:
    """A few pages, one for each kind of end, and one that takes for ever."""

    def __init__(self):
        self.slow_asked = threading.Event()

    def respond(self, host, path, visit=1):
        if path == "/slow":
            self.slow_asked.set()
            return Reply(200, body=b"<p>", delay_s=30.0)
        if path in PAGES:
            body = "".join(f'<a href="{link}">' for link in PAGES[path]).encode()
            return Reply(200, (("Content-Type", "text/html"),), body)
        return {
            "/robots.txt": Reply(200, (("Content-Type", "text/plain"),), b"User-agent: *\nDisallow: /private/\n"),
            "/old": Reply(301, (("Location", "/new"),)),
            "/away": Reply(302, (("Location", "http://b.test/"),)),
            "/data": Reply(200, (("Content-Type", "text/csv"),), b"a,b"),
        }.get(path, Reply(404))


STORE = "frontier=sqlite"
EXCLUDES = 'scope.exclude=["*/logout*", "*/slow"]'


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """A folder with a crawl that has ended."""
    folder = tmp_path_factory.mktemp("why")
    with Server(Site()) as server:
        ran = in_folder(folder)("http://a.test/", "two words", *options(server, STORE, EXCLUDES), "-q")
    assert ran.code == 0, ran.stderr
    return folder


@pytest.fixture
def asked(crawled):
    """Ask about a URL of the crawl that has ended."""
    return lambda *arguments: in_folder(crawled)("crawl", *arguments, command="why")


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        ("a.test", ["fetched, status 200", "in pages.jsonl", "from the seed http://a.test/"]),
        ("http://a.test/deep", ["on http://a.test/about\n            on http://a.test/\n            from the seed"]),
        ("http://a.test/private/x", ["excluded", "robots.txt  Disallow: /private/", "http://a.test/robots.txt"]),
        ("http://a.test/old", ["redirected, status 301", "Leads to    fetched  http://a.test/new"]),
        ("http://a.test/new", ["Found       by the redirect of http://a.test/old"]),
        ("http://a.test/away", ["Leads to    unknown  http://b.test/", "kept out by scope.stay_on: host"]),
        ("http://a.test/dead", ["failed", "http_404: Not Found"]),
        ("http://a.test/data", ["not_html", "none in pages.jsonl"]),
    ],
)
def test_what_happened_to_a_known_url_is_told(asked, url, lines):
    ran = asked(url)
    assert (ran.code, ran.stderr) == (0, "")
    for line in lines:
        assert line in ran.stdout.decode()


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        ("http://a.test/logout", ["scope.exclude: */logout* keeps it out"]),
        (
            "http://b.test/",
            ["scope.stay_on: host keeps it out", "http://a.test/away leads to it", "Known hosts a.test"],
        ),
        ("https://www.a.test/About/", ["Nearest     fetched  http://a.test/about"]),
        ("two words", ["no URL could be made of it", "Bad seed    argument 2: "]),
    ],
)
def test_why_a_url_is_unknown_is_told_with_code_3(asked, url, lines):
    ran = asked(url)
    assert (ran.code, ran.stderr) == (3, "")
    for line in lines:
        assert line in ran.stdout.decode()


def test_json_holds_the_same_facts(asked):
    ran = asked("--json", "http://a.test/deep")
    facts = msgspec.json.decode(ran.stdout)
    assert (ran.code, facts["known"], facts["outcome"], facts["seed"]) == (0, True, "fetched", "http://a.test/")
    assert [step["url"] for step in facts["found"]] == ["http://a.test/about", "http://a.test/"]
    assert asked("--json", "http://a.test/nothing").code == 3


def test_asking_leaves_the_directory_as_it_is(crawled, asked):
    before = sorted(path.name for path in (crawled / "crawl").iterdir())
    asked("http://a.test/")
    assert sorted(path.name for path in (crawled / "crawl").iterdir()) == before


@pytest.mark.parametrize(
    ("directory", "url", "told"),
    [("crawl", "//", "neither a URL nor a host"), ("nowhere", "a.test", "nowhere: holds no crawl")],
)
def test_what_cannot_be_asked_is_a_usage_error(crawled, directory, url, told):
    ran = in_folder(crawled)(directory, url, command="why")
    assert (ran.code, ran.stdout) == (2, b"")
    assert told in ran.stderr


def test_a_crawl_is_asked_while_it_runs_and_after_it_was_killed(tmp_path):
    site, why = Site(), in_folder(tmp_path)
    with Server(site) as server:
        settings = options(server, STORE, "checkpoint.every=50ms", "budget.pages=100")
        crawl = start(tmp_path, "http://a.test/", *settings, "-q", "-d", "crawl")
        try:
            assert site.slow_asked.wait(10)
            told = b""
            while b"fetched" not in told:  # the page before it may not be committed yet
                told = why("crawl", "http://a.test/about", command="why").stdout
            running = why("crawl", "http://a.test/slow", command="why")
        finally:
            os.kill(crawl.pid, signal.SIGKILL)
            crawl.communicate(timeout=30)
    log = (tmp_path / "crawl" / "crawl.db-wal").stat().st_size
    killed = why("crawl", "http://a.test/slow", command="why")
    for ran in (running, killed):
        assert (ran.code, ran.stderr) == (0, "")
        assert b"pending: no attempt has been recorded" in ran.stdout
        assert b"Found       on http://a.test/about" in ran.stdout
    assert (tmp_path / "crawl" / "crawl.db-wal").stat().st_size == log > 0


def test_a_crawl_in_memory_is_told_from_its_files(crawler, fast):
    with Server(Site()) as server:
        crawler("http://a.test/", *fast(server, "frontier=memory", EXCLUDES), "-q")
    about = crawler("crawl", "http://a.test/about", command="why")
    dead = crawler("crawl", "http://a.test/dead", command="why")
    nothing = crawler("crawl", "http://a.test/nothing", command="why")
    assert (about.code, dead.code, nothing.code) == (0, 0, 3)
    assert b"in pages.jsonl" in about.stdout
    assert b"http_404: Not Found" in dead.stdout
    assert b"keeps no account" in nothing.stdout
