"""Extracting again gives what a crawl would have given, in the archive's order."""

from __future__ import annotations

import msgspec
import pytest

from crawler.archive.captures import Captures, Source
from crawler.archive.entry import Entry, encode
from crawler.config import ParseConfig
from crawler.dataset.draft import drafted, free_name
from crawler.dataset.reparse import Output, reparse
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError, CrawlerError
from crawler.export.warc import WarcSink
from crawler.extract.page import Settings
from crawler.models import HostKey, Kind, Outcome, Request, Response, Url
from crawler.outputs import line_file
from crawler.parse.inline import InlineParser

HTML = ((b"Content-Type", b"text/html"),)


def entry(path, status=200, body=b"<title>T</title>", outcome=Outcome.FETCHED, reason=None, **fields):
    url = Url(f"https://a.test/{path}")
    kind = fields.pop("kind", Kind.PAGE)
    headers = fields.pop("headers", HTML)
    response = Response(url=url, status=status, headers=headers, body=body, fetched_at=1.7e9, elapsed_s=1.0)
    request = Request(url=url, host_key=HostKey("a.test"), scope_host="a.test", seed="a.test", kind=kind)
    return encode(Entry(request=request, response=response, outcome=outcome, reason=reason, **fields))


@pytest.fixture
async def again(tmp_path):
    """Archive some entries and extract them again: how it went, and the new files' records by name."""

    async def run(*entries):
        sink = WarcSink(tmp_path / "warc", "x", software="test")
        await sink.open(None)
        await sink.append(entries)
        await sink.aclose()
        parser = InlineParser(Settings(), ParseConfig())
        await parser.start()

        def output():
            for path in tmp_path.glob("*.jsonl"):
                path.unlink()
            return Output(lambda name: line_file(tmp_path, name, "none"), ["pages", "outcomes", "some.rejects"])

        done = await reparse(parser, lambda: Captures([Source(tmp_path / "warc/x-00000.warc.gz")]), output)
        await parser.aclose()
        files = {
            path.stem: [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
            for path in tmp_path.glob("*.jsonl")
        }
        return done, files

    return run


async def test_every_answer_ends_as_in_a_crawl(again):
    done, files = await again(
        entry("page"),
        entry("gone", 404, outcome=Outcome.FAILED, reason="http_404"),
        entry("moved", 301, outcome=Outcome.REDIRECTED, reason="out_of_scope", target="https://b.test/"),
        entry("hidden", body=b"<meta name=robots content=noindex>", outcome=Outcome.EXCLUDED, reason="noindex"),
        entry("note", headers=((b"Content-Type", b"text/plain"),)),
        entry("map", kind=Kind.SITEMAP, body=b"<urlset></urlset>", headers=((b"Content-Type", b"text/xml"),)),
        entry("crashed", outcome=Outcome.FAILED, reason="parser_crashed"),
        entry("last"),
    )
    assert [page["url"][-4:] for page in files["pages"]] == ["page", "last", "shed"]
    ends = [(end["url"].rpartition("/")[2], end["outcome"], end["reason"], end["target"]) for end in files["outcomes"]]
    assert ends == [
        ("moved", "redirected", "out_of_scope", "https://b.test/"),
        ("hidden", "excluded", "noindex", None),
        ("note", "fetched", "not_html", None),
        ("map", "fetched", "sitemap", None),
        ("gone", "failed", "http_404", None),
    ]
    assert (done.answers, done.records) == (8, {"pages": 3})
    assert sorted(files) == ["outcomes", "pages"]


async def test_a_failure_that_was_mended_later_does_not_count(again):
    done, files = await again(
        entry("a", 503, outcome=Outcome.FAILED, reason="http_503"),
        entry("b", 503, outcome=Outcome.FAILED, reason="http_503"),
        entry("a", 500, outcome=Outcome.FAILED, reason="http_500"),
        entry("b"),
    )
    assert [page["url"] for page in files["pages"]] == ["https://a.test/b"]
    assert [(end["url"], end["status"]) for end in files["outcomes"]] == [("https://a.test/a", 500)]
    assert done.endings == {"failed: http_500": 1}


async def test_an_answer_that_failed_and_would_give_a_page_now_does_not_count_beside_a_later_one(again):
    done, files = await again(
        entry("a", body=b"<title>first</title>", outcome=Outcome.FAILED, reason="parser_crashed"),
        entry("b", body=b"<title>only</title>", outcome=Outcome.FAILED, reason="parse_deadline"),
        entry("a", body=b"<title>second</title>"),
    )
    assert [page["title"] for page in files["pages"]] == ["second", "only"]
    assert (done.answers, done.records, done.endings) == (3, {"pages": 2}, {})


async def test_of_a_url_that_a_repair_has_fetched_again_the_last_answer_counts(again):
    done, files = await again(
        entry("a", body=b"<title>first</title>"),
        entry("gone", 404, outcome=Outcome.FAILED, reason="http_404"),
        entry("b", body=b"<title>only</title>"),
        entry("a", body=b"<title>second</title>"),
        entry("gone", 404, outcome=Outcome.FAILED, reason="http_404"),
        entry("a", 404, outcome=Outcome.FAILED, reason="http_404"),
        entry("a", body=b"<title>last</title>"),
    )
    assert [page["title"] for page in files["pages"]] == ["only", "last"]
    assert [end["url"] for end in files["outcomes"]] == ["https://a.test/gone"]
    assert (done.answers, done.records, done.endings) == (3, {"pages": 2}, {"failed: http_404": 1})
    assert done.passed_over == {"answer of a URL that was fetched again later": 4}


async def test_many_answers_keep_the_order_of_the_archive(again):
    _, files = await again(*(entry(number, body=b"<p>%d" % number) for number in range(60)))
    assert [page["url"] for page in files["pages"]] == [f"https://a.test/{number}" for number in range(60)]


def test_a_draft_takes_its_place_whole(tmp_path):
    with drafted(tmp_path / "new") as folder:
        (folder / "x").write_text("x")
        assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x"]
    assert free_name(tmp_path, "new").name == "new-1"


def test_a_draft_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), drafted(tmp_path / "new"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_draft_is_refused_a_place_that_is_taken_or_in_work(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    (tmp_path / "file").touch()
    for name in ("full", "file", "no/where"):
        with pytest.raises(ConfigError), drafted(tmp_path / name):
            pass
    with (
        CrawlDirectory(tmp_path / "new.crawl-new").lock(),
        pytest.raises(CrawlerError, match="in this directory"),
        drafted(tmp_path / "new"),
    ):
        pass
    (tmp_path / "empty").mkdir()
    with drafted(tmp_path / "empty"):
        pass
