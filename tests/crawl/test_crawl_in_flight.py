"""A page that kills the crawl does so three times at most, costs nothing else, and is told of."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import textwrap
import time
from collections import Counter

import pytest

from crawler.cli import run
from crawler.in_flight import MOST_DEATHS
from tests.crawl.conftest import options, start
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PAGES = 60
DEADLY_PATH = "/17"
DEADLY = f"http://h0.test{DEADLY_PATH}"
SITEMAP = "sitemap.xml"
ALL = {"http://h0.test/", *(f"http://h0.test/{number}" for number in range(PAGES))}

HOOK = """
    import os
    import signal
    from pathlib import Path

    from crawler.in_flight import read_left

    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    def has_company():
        return len(read_left((Path(__file__).parent / "crawl" / "in-flight").read_bytes()).in_hand) > 1

    def fall(page):
        if page.url == {deadly!r} and {when}:
            {how}
"""


class Star:
    """A front page that leads to all others, which take a moment."""

    def __init__(self, pages=PAGES, takes_s=0.002):
        self.links = "".join(f"<a href=/{number}>{number}</a>" for number in range(pages))
        self.takes_s = takes_s

    def respond(self, host, path, visit):
        if path == "/robots.txt":
            return Reply(404)
        html = (("content-type", "text/html"),)
        body = f"<title>{path}</title>{self.links if path == '/' else ''}"
        return Reply(200, html, body.encode(), delay_s=self.takes_s)


@pytest.fixture
def deadly(tmp_path):
    """Write a configuration whose pages are parsed by the crawl itself, with a function that ends it at one of them."""

    def write(how="kill()", when="True", backend="inline", deadly=DEADLY):
        (tmp_path / "mine.py").write_text(textwrap.dedent(HOOK).format(how=how, when=when, deadly=deadly))
        config = f"extract: {{python: 'mine:fall'}}\nparse: {{backend: {backend}, workers: 2}}\n"
        (tmp_path / "crawl.yaml").write_text(f"{config}seeds: [http://h0.test/]\n")
        return "-c", "crawl.yaml"

    return write


def died_of(number, ran):
    assert ran.code == -number, ran.stderr


def alone(log, url):
    """Whether nothing else was in flight from when the latest request for it came until it was answered."""
    [*_, hit] = [hit for hit in log.hits if f"http://{hit.host}{hit.path}" == url]
    others = [other for other in log.hits if other is not hit and other.at < hit.ended]
    return not [other for other in others if hit.at < (other.ended or other.gone)]


def test_page_that_kills_the_crawl_is_not_asked_for_a_fourth_time(crawler, deadly, capsys):
    arguments = deadly()
    with Server(Star()) as server:
        died_of(signal.SIGKILL, crawler(*arguments, *options(server)))
        first_life = len(server.log.hits)
        for _ in range(2):
            died_of(signal.SIGKILL, crawler("--resume"))
            assert alone(server.log, DEADLY)
        done = crawler("--resume")
        assert done.code == 0, done.stderr
        asked = Counter(hit.path for hit in server.log.hits[first_life:])
        assert asked.pop(DEADLY_PATH) == 2
        assert set(asked.values()) == {1}, "what had ended before it was taken is lost"
        endings = done.endings()
        assert endings.pop(DEADLY) == ("failed", "crashed_crawler")
        assert endings == dict.fromkeys(ALL - {DEADLY}, ("fetched", None))
        assert not (done.directory / "in-flight").exists()
        assert run(["why", str(done.directory), DEADLY]) == 0
        assert "crashed_crawler" in capsys.readouterr().out

        deadly(how="pass")
        mended = crawler(*arguments, *options(server), "--retry-failed")
        assert mended.endings() == dict.fromkeys(ALL, ("fetched", None)), "a chance that is not fresh"


def test_page_that_kills_only_in_company_is_cleared_by_being_taken_alone(crawler, deadly):
    with Server(Star()) as server:
        died_of(signal.SIGKILL, crawler(*deadly(when="has_company()"), *options(server)))
        done = crawler("--resume")
        assert done.code == 0, done.stderr
        assert alone(server.log, DEADLY)
    assert done.endings() == dict.fromkeys(ALL, ("fetched", None))
    assert not (done.directory / "in-flight").exists()


def killed_after(hits, log, process):
    """Kill a crawl once the server has seen so many more requests of it; whether it lived as long."""
    seen = len(log.hits)
    while len(log.hits) < seen + hits and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    return process.wait(50) == -signal.SIGKILL


def test_being_killed_from_outside_again_and_again_fails_nobody(crawler, tmp_path, deadly):
    draw = random.Random(7)
    pages = 200
    arguments = deadly(how="pass")
    with Server(Star(pages, takes_s=0.01)) as server:
        for life in range(MOST_DEATHS + 2):
            again = ("--resume",) if life else ()
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = start(tmp_path, *arguments, *options(server), "-d", "crawl", *again, **quiet)
            assert killed_after(draw.randint(2, 30), server.log, process)
        done = crawler("--resume")
        assert done.code == 0, done.stderr
        last_life = (done.directory / "crawl.log").read_text().rpartition("The last run died")[2]
        suspects = re.findall("taken alone url=(\\S+)", last_life)
        assert suspects
        assert all(alone(server.log, url) for url in suspects)
    assert done.endings() == {f"http://h0.test/{path}": ("fetched", None) for path in ("", *range(pages))}


class Extras(Star):
    """The same on two hosts, with a robots.txt and a sitemap that name a word."""

    def respond(self, host, path, visit):
        if path == f"/{SITEMAP}":
            text = "<urlset><!-- deadly sitemap --><url><loc>http://h0.test/5</loc></url></urlset>"
            return Reply(200, (("content-type", "text/xml"),), text.encode())
        if path == "/robots.txt" and host == "h1.test":
            return Reply(200, (("content-type", "text/plain"),), b"user-agent: *\n# deadly robots\ndisallow: /3\n")
        return super().respond(host, path, visit)


@pytest.mark.parametrize(
    ("patched", "backend", "how", "number", "expected"),
    [
        ("robots", "thread", "os.abort()", signal.SIGABRT, {"http://h1.test/": ("excluded", "robots_unreachable")}),
        ("sitemap", "inline", "kill()", signal.SIGKILL, {f"http://h0.test/{SITEMAP}": ("failed", "crashed_crawler")}),
    ],
)
def test_robots_txt_and_sitemaps_may_kill_three_times_as_well(
    crawler, deadly, tmp_path, patched, backend, how, number, expected
):
    arguments = deadly(how="pass", backend=backend)
    patch = f"""
        from crawler.extract import {patched} as patched
        parse = patched.parse
        patched.parse = lambda body, *more, **named: {how} if b"deadly" in body else parse(body, *more, **named)
    """
    with (tmp_path / "mine.py").open("a") as file:
        file.write(textwrap.dedent(patch))
    seeds = ("http://h0.test/", "http://h1.test/", f"sitemap:http://h0.test/{SITEMAP}")
    with Server(Extras()) as server:
        died_of(number, crawler(*seeds, *arguments, *options(server)))
        for _ in range(2):
            died_of(number, crawler("--resume"))
        done = crawler("--resume")
        assert done.code in (0, 4), done.stderr
        killer = "http://h1.test/robots.txt" if patched == "robots" else f"http://h0.test/{SITEMAP}"
        assert server.log.counts()[killer] == 3
    endings = done.endings()
    assert {url: endings[url] for url in expected} == expected
    assert {url: endings[url] for url in ALL} == dict.fromkeys(ALL, ("fetched", None))
    assert "the crawl died of it" in (done.directory / "crawl.log").read_text()
