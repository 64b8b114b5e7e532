"""`crawler try`: one page's record, or in words why there is none."""

from __future__ import annotations

import signal
import subprocess
import threading

import pytest

from tests.crawl.conftest import COMMAND, environment, options
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = pytest.mark.slow


class Site:
    """A page that is not there, one that leads to it, one that is no page, one that takes for ever."""

    def __init__(self):
        self.slow_asked = threading.Event()

    def respond(self, host, path, visit=1):
        if path == "/slow":
            self.slow_asked.set()
        replies = {
            "/missing": Reply(404),
            "/moved": Reply(301, (("Location", "/missing"),)),
            "/data": Reply(200, (("Content-Type", "text/csv"),), b"a,b"),
            "/slow": Reply(200, (("Content-Type", "text/html"),), b"<p>", delay_s=30.0),
        }
        return replies.get(path, Reply(404))


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def settings(site):
    """Options of `try` for a site on loopback."""
    with Server(site) as server:
        yield options(server, "limits.default.delay=0")[2:]


@pytest.mark.parametrize(
    ("path", "told", "printed"),
    [
        ("missing", "http://a.test/missing failed (http_404: Not Found)", 1),
        ("moved", "http://a.test/missing failed (http_404: Not Found)", 2),
        ("data", "http://a.test/data fetched (not_html: a 2xx answer that is not HTML)", 1),
    ],
)
def test_a_url_without_a_record_is_explained_beside_its_json(crawler, settings, path, told, printed):
    ran = crawler(f"http://a.test/{path}", *settings, command="try")
    assert ran.code == 3
    assert ran.stderr == f"No page record: {told}\n"
    assert ran.stdout.count(b'"outcome"') == printed


@pytest.mark.parametrize("item", ["list.txt", "-", "ftp://x/y", "two words", "missing.txt"])
def test_anything_but_one_url_or_host_is_a_usage_error(crawler, tmp_path, item):
    (tmp_path / "list.txt").write_text("http://a.test/\n")
    ran = crawler(item, command="try")
    assert ran.code == 2
    assert ran.stdout == b""
    assert repr(item) in ran.stderr


def test_an_interrupted_try_exits_130(site, settings, tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "try", "http://a.test/slow", *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
    )
    assert site.slow_asked.wait(30)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # another one, as two of a kind may arrive as one
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
