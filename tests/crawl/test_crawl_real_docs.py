"""Real documentation, served by a real server, is crawled whole: each page once, each dead link named.

What must be found is computed without the crawler's code: for python3.11-doc here, with the standard library; for the
other two beforehand, with an HTML5 parser and WHATWG URLs.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.corpora import corpus
from tests.support.debian import site_root
from tests.support.nginx import Nginx, nginx_binary

if TYPE_CHECKING:
    from pathlib import Path

START = "/index.html"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed: run .ci/run once"),
]


@dataclass
class Closure:
    """Paths a crawl from START must end with."""

    pages: set[str]
    files: set[str]  #: answered, but not HTML
    missing: set[str]  #: 404


def hrefs(html: str) -> set[str]:
    """What the page's `<a href>` say, fragments cut. The parser sees only those tags: whole pages take it ten times
    as long, and nothing in this documentation hides a tag but comments."""
    reader = Hrefs()
    reader.feed("".join(re.findall(r"<a\s[^>]*>", re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))))
    return {href.partition("#")[0] for href in reader.found}


class Hrefs(HTMLParser):
    """Collects what `<a href>` says."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found |= {value for name, value in attrs if name == "href" and value is not None}


def closure_by_reading(base: str) -> Closure:
    """What a patient reader with the standard library reaches, redirects followed."""
    closure, known, queue = Closure(set(), set(), set()), {START}, [START]
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    while queue:
        path = queue.pop()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        targets = set()
        if answer.status == 404:
            closure.missing.add(path)
        elif answer.status in (301, 302):
            targets = {answer.headers["Location"]}
        elif answer.headers.get_content_type() == "text/html":
            closure.pages.add(path)
            targets = hrefs(body.decode())
        else:
            closure.files.add(path)
        for target in targets:
            absolute = urljoin(base + path, target.strip())
            local = absolute.removeprefix(base)
            if local != absolute and local not in known:
                known.add(local)
                queue.append(local)
    connection.close()
    return closure


def closure_from_corpus(package: str) -> Closure:
    """The closure stored with the test data."""
    stored = json.loads(gzip.decompress(corpus(f"sites/{package}.json.gz").read_bytes()))
    assert stored["start"] == START
    paths = [{urlsplit(url).path for url in stored[key]} for key in ("html", "other", "not_found")]
    return Closure(*paths)


def crawl(url: str, folder: Path) -> None:
    """Crawl as a user would, as fast as it goes."""
    command = [sys.executable, "-m", "crawler", "crawl", url, "--delay", "0", "-d", str(folder), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr


def rows(path: Path) -> list[dict]:
    """Every line of a JSONL file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def assert_crawled_whole(folder: Path, server: Nginx, expected: Closure) -> None:
    """The files of the crawl, and the server's log, hold what `expected` says and nothing twice."""
    pages = [row["url"].removeprefix(server.base) for row in rows(folder / "pages.jsonl")]
    outcomes = rows(folder / "outcomes.jsonl")
    ended = {
        reason: {row["url"].removeprefix(server.base) for row in outcomes if row["reason"] == reason}
        for reason in ("http_404", "not_html")
    }
    repeated = [path for path, count in Counter(hit.path for hit in server.hits()).items() if count > 1]
    assert len(pages) == len(set(pages))
    assert set(pages) == expected.pages
    assert ended == {"http_404": expected.missing, "not_html": expected.files}
    assert {row["outcome"] for row in outcomes} <= {"failed", "fetched", "redirected"}
    assert len(outcomes) == len({row["url"] for row in outcomes})
    assert repeated == []


def test_python_documentation_is_crawled_whole(tmp_path):
    root = site_root("python3.11-doc")
    with Nginx(root, tmp_path / "reference") as reference:
        expected = closure_by_reading(reference.base)
    assert len(expected.pages) > 500, "the package changed its shape: the test would prove little"
    with Nginx(root, tmp_path / "nginx") as server:
        crawl(server.base + START, tmp_path / "crawl")
        assert_crawled_whole(tmp_path / "crawl", server, expected)


@pytest.mark.parametrize("package", ["sqlite3-doc", "postgresql-doc-15"])
def test_documentation_with_a_known_closure_is_crawled_whole(package, tmp_path):
    root, expected = site_root(package), closure_from_corpus(package)
    with Nginx(root, tmp_path / "nginx") as server:
        crawl(server.base + START, tmp_path / "crawl")
        assert_crawled_whole(tmp_path / "crawl", server, expected)
