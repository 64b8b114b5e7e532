"""A finished crawl crawled again, from the command line: generations, what is carried over, and what is refused."""

from __future__ import annotations

import pytest

from tests.crawl.conftest import options
from tests.support.changing import ChangingWeb
from tests.support.server import Server

pytestmark = pytest.mark.slow

FIELDS = ("title", "text", "url", "fetched_at")


@pytest.fixture
def web():
    return ChangingWeb(hosts=3, pages_per_host=12, styles=("etag", "same", "noisy"))


@pytest.fixture
def server(web):
    with Server(web) as served:
        yield served


def crawled(crawler, web, server, *more):
    ran = crawler(*web.seeds(), *options(server, *more))
    assert ran.code == 0, ran.stderr
    return ran


def lines_by_url(path):
    import msgspec

    return {msgspec.json.decode(line)["url"]: line for line in path.read_bytes().splitlines()}


def test_a_refresh_reads_anew_what_changed_and_carries_over_what_did_not(crawler, web, server, tmp_path):
    crawled(crawler, web, server)
    before = lines_by_url(tmp_path / "crawl/pages.jsonl")
    web.move()
    web.change(0, 3, "text")
    web.change(1, 4, "text")
    web.remove(0, 5)
    new = web.url(0, web.add(0, 3))
    ran = crawler("--refresh")
    assert ran.code == 0, ran.stderr
    after = lines_by_url(tmp_path / "crawl/pages.jsonl")
    assert set(before) - {web.url(0, 5)} | {new} == set(after)
    same = {url for url in after if before.get(url) == after[url]}
    assert same == {web.url(host, page) for host in (0, 1) for page in range(12)} - {
        web.url(0, 3),
        web.url(0, 5),
        web.url(1, 4),
    }
    assert lines_by_url(tmp_path / "crawl@1/pages.jsonl") == before
    assert not (tmp_path / "crawl@2").exists()
