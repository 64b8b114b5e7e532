"""Crawls that keep only some keys of each record."""

from __future__ import annotations

import msgspec
import pytest

from crawler.config.record_fields import IDENTITY
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

WEB = Web(seed=5, hosts=2, pages_per_host=20)
FEW = ("--set=extract.text=none", "--set=extract.links=false", "--set=extract.fields=[title, n_links]")
OF_TIME_AND_ORDER = ("fetched_at", "elapsed_s", "via", "depth", "seed", "redirected_from")


def records(path):
    found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    by_url = {record["url"]: record for record in found}
    assert len(by_url) == len(found)
    for record in found:
        for key in OF_TIME_AND_ORDER:
            record.pop(key)
    return by_url


@pytest.fixture(scope="module")
def server():
    with Server(WEB) as server:
        yield server


def test_a_crawl_for_few_keys_finds_the_same_pages_and_goes_on_after_a_repair(server, crawler, fast):
    arguments = [*WEB.seeds(), *fast(server, "scope.stay_on=any")]
    whole = records(crawler(*arguments, directory="whole").directory / "pages.jsonl")
    ran = crawler(*arguments, *FEW)
    found = records(ran.directory / "pages.jsonl")
    kept = {"title", "n_links", *IDENTITY}
    assert found == {
        url: {key: value if key in kept else None for key, value in record.items()} for url, record in whole.items()
    }
    (ran.directory / "crawl.db").unlink()
    assert crawler("--repair").code == 0
    assert records(ran.directory / "pages.jsonl") == found
    refused = crawler("--resume", "--set=extract.fields=[title]")
    assert refused.code == 2
    assert "extract.fields: is" in refused.stderr


def test_an_archive_is_extracted_again_for_other_keys(server, crawler, fast):
    ran = crawler(*WEB.seeds(), *fast(server, "scope.stay_on=any", "export.warc=true"), *FEW)
    again = crawler(ran.directory, "--set=extract.fields=[h1, word_count]", command="reparse")
    assert again.code == 0, again.stderr
    found = records(ran.directory / "reparse-1" / "pages.jsonl")
    assert all(record["word_count"] and record["title"] is None for record in found.values())
    whole = crawler(ran.directory, "--set=extract.fields=null", "--set=extract.text=all", command="reparse")
    assert whole.code == 0, whole.stderr
    texts = records(ran.directory / "reparse-2" / "pages.jsonl")
    assert {url: record["word_count"] for url, record in texts.items()} == {
        url: record["word_count"] for url, record in found.items()
    }
