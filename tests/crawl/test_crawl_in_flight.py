"""A page that kills the crawl does so three times at most, costs nothing else, and is told of."""

from __future__ import annotations

import signal
import textwrap
from collections import Counter

import pytest

from tests.crawl.conftest import options
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = pytest.mark.slow

PAGES = 60
DEADLY_PATH = "/17"
DEADLY = f"http://h0.test{DEADLY_PATH}"
ALL = {"http://h0.test/", *(f"http://h0.test/{number}" for number in range(PAGES))}

HOOK = """
    import os
    import signal
    from pathlib import Path

    
    MARKS = Path(__file__).parent / "crawl" / "in-flight"

    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    def fall(page):
        if page.url == "{deadly}" and {when}:
            {how}
"""


class Star:
    """A front page that leads to all others, which take a moment."""

    def __init__(self, hosts=1):
        self._hosts = hosts

    def respond(self, host, path, visit):
        if path == "/robots.txt":
            return Reply(404)
        links = "".join(f"<a href=/{number}>{number}</a>" for number in range(PAGES)) if path == "/" else ""
        html = (("content-type", "text/html"),)
        return Reply(200, html, f"<title>{path}</title>{links}".encode(), delay_s=0.002)


@pytest.fixture
def deadly(tmp_path):
    """Write a configuration whose pages are parsed by the crawl itself, with a function that ends it at one of them."""

    def write(how="kill()", when="True", backend="inline", deadly=DEADLY):
        code = textwrap.dedent(HOOK).format(how=how, when=when, deadly=deadly)
        (tmp_path / "mine.py").write_text(code)
        config = f"extract: {{python: 'mine:fall'}}\nparse: {{backend: {backend}, workers: 2}}\n"
        (tmp_path / "crawl.yaml").write_text(f"{config}seeds: [http://h0.test/]\n")
        return "-c", "crawl.yaml"

    return write


def died_of(number, ran):
    assert ran.code == -number, ran.stderr


@pytest.mark.parametrize(
    ("how", "number", "backend"),
    [
        ("kill()", signal.SIGKILL, "inline"),
        ("os.abort()", signal.SIGABRT, "thread"),
    ],
)
def test_page_that_kills_the_crawl_is_not_asked_for_a_fourth_time(crawler, deadly, how, number, backend):
    arguments = deadly(how, backend=backend)
    with Server(Star()) as server:
        died_of(number, crawler(*arguments, *options(server)))
        first_life = len(server.log.hits)
        for _ in range(2):
            died_of(number, crawler("--resume"))
        done = crawler("--resume")
        assert done.code == 0, done.stderr
        asked = Counter(hit.path for hit in server.log.hits[first_life:])
    assert asked.pop(DEADLY_PATH) == 2
    assert set(asked.values()) == {1}, "what had ended before it was taken is lost"
    endings = done.endings()
    assert endings.pop(DEADLY) == ("failed", "crashed_crawler")
    assert endings == dict.fromkeys(ALL - {DEADLY}, ("fetched", None))
    assert not (done.directory / "in-flight").exists()
    told = crawler("crawl", DEADLY, command="why")
    assert b"crashed_crawler" in told.stdout, told
