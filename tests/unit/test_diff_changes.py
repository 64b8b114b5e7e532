"""What changes.jsonl tells of two generations is what became of each URL between them."""

from __future__ import annotations

import msgspec
import pytest

from crawler.clock import rfc3339
from crawler.dataset.records import changes
from crawler.diff.changes import ChangeCounts, rows, write_changes
from crawler.errors import ConfigError, CrawlerError
from crawler.models import Outcome
from tests.support.two_crawls import AT, OFFER, PRODUCT, OneCrawl, at

WORDS = "a text of some words that goes on for a while so that it has what is needed"


@pytest.fixture
def crawls(tmp_path):
    made = iter(("before", "after"))

    def make(**options):
        return OneCrawl(tmp_path / next(made), **options)

    return make


def told(before, after):
    """Page -> its row."""
    counts = write_changes(before.write(), after.write())
    found = list(changes(after.directory.path))
    assert counts.rows == len(found)
    assert [row.url for row in found] == sorted({row.url for row in found})
    return {row.url.rpartition("/")[2]: row for row in found}


def test_each_change_has_its_row(crawls):
    before, after = crawls(), crawls()
    for name in ("same", "other", "lost", "moved", "shut", "slow"):
        before.page(name, text=WORDS)
    before.end("was_gone", Outcome.FAILED, "http_404", 404).end("was_bad", Outcome.FAILED, "timeout")
    before.gone_at["was_gone"] = AT - 86_400
    after.page("same", text=WORDS).page("other", text=WORDS + "!").page("new").page("was_gone").page("was_bad")
    after.end("lost", Outcome.FAILED, "http_410", 410).end("moved", Outcome.REDIRECTED, None, 301, at("other"))
    after.end("shut", Outcome.EXCLUDED, "robots").end("slow", Outcome.FAILED, "timeout")
    found = told(before, after)
    assert {name: row.change for name, row in found.items()} == {
        "same": "unchanged",
        "other": "changed",
        "new": "new",
        "was_bad": "new",
        "was_gone": "back",
        **dict.fromkeys(("lost", "moved", "shut", "slow"), "gone"),
    }
    assert found["other"].fields == ("text",)
    assert [(row.outcome, row.reason, row.status, row.target) for row in map(found.get, ("lost", "moved", "shut"))] == [
        ("failed", "http_410", 410, None),
        ("redirected", None, 301, at("other")),
        ("excluded", "robots", None, None),
    ]
    assert (found["lost"].before_at, found["lost"].after_at) == ("2026-11-25T08:00:00.000Z", rfc3339(AT))
    assert (found["new"].before_at, found["new"].similarity) == (None, None)


@pytest.mark.parametrize(
    ("field", "was", "now"),
    [
        ("title", "a", "b"),
        ("description", None, "b"),
        ("h1", ("a",), ("a", "b")),
        ("text", "a b c", "a b d"),
        ("lang", "en", "en-GB"),
        ("canonical", "http://a.test/1", "http://a.test/2"),
    ],
)
def test_what_readers_see_makes_a_page_changed(crawls, field, was, now):
    before, after = crawls().page("p", **{field: was}), crawls().page("p", **{field: now})
    assert told(before, after)["p"].fields == (field,)


def test_what_only_moves_around_it_does_not(crawls):
    before, after = crawls(), crawls()
    before.page("p", text="a  b\nc", links=("x", "y"), content_digest="sha256:1", body_bytes=10, word_count=3)
    after.page("p", text="a b c", links=("x", "z", "q"), content_digest="sha256:2", body_bytes=99, word_count=4)
    after.pages["p"] |= {"fetched_at": "2026-12-01T08:00:00.000Z", "elapsed_s": 9.0, "published": "2026-12-01"}
    row = told(before, after)["p"]
    assert (row.change, row.fields, row.items) == ("unchanged", (), {})
    assert (row.before_at, row.after_at) == ("2026-11-25T08:00:00.000Z", "2026-12-01T08:00:00.000Z")


def test_a_page_that_was_not_read_anew_is_unchanged(crawls):
    before, after = crawls(rules=[OFFER]), crawls(rules=[OFFER])
    for crawl in (before, after):
        crawl.page("p", text=WORDS).item("offer", "p", title="x", cost=1)
    after.end("p", Outcome.UNCHANGED, "not_modified", 304)
    row = told(before, after)["p"]
    assert (row.change, row.outcome, row.reason, row.status) == ("unchanged", "unchanged", "not_modified", 304)


def test_urls_that_were_not_visited_have_no_row_and_are_counted(crawls):
    before, after = crawls().page("a").page("b").page("c").end("bad", Outcome.FAILED, "timeout"), crawls().page("a")
    after.pending = ["b", "bad"]  # c was never admitted
    counts = write_changes(before.write(), after.write())
    assert (counts.rows, counts.unchanged, counts.not_visited) == (1, 1, 2)


def test_other_content_is_told_apart_from_pages_and_by_its_validators(crawls):
    before, after = crawls(), crawls()
    for name in ("tagged", "dated", "bare", "becomes_page"):
        before.end(name, Outcome.FETCHED, "not_html", 200)
        after.end(name, Outcome.FETCHED, "not_html", 200)
    before.end("empty", Outcome.FETCHED, "empty", 204).page("becomes_pdf").end("map", Outcome.FETCHED, "sitemap", 200)
    after.end("becomes_pdf", Outcome.FETCHED, "not_html", 200).end("kept", Outcome.FETCHED, "not_html", 200)
    after.end("empty", Outcome.UNCHANGED, "not_modified", 304).end("map", Outcome.FETCHED, "sitemap", 200)
    del after.ends["becomes_page"]
    after.page("becomes_page")
    before.validators = {"tagged": ('"1"', None), "dated": (None, "Mon")}
    after.validators = {"tagged": ('"2"', None), "dated": (None, "Mon")}
    found = told(before, after)
    assert {name: (row.change, row.fields) for name, row in found.items()} == {
        "tagged": ("changed", ("body",)),
        "dated": ("unchanged", ()),
        "bare": ("unchanged", ()),
        "empty": ("unchanged", ()),
        "becomes_page": ("changed", ("page",)),
        "becomes_pdf": ("changed", ("page",)),
        "kept": ("new", ()),
    }


def test_records_of_rules_count_by_what_they_say(crawls):
    before, after = crawls(rules=[PRODUCT, OFFER]), crawls(rules=[PRODUCT, OFFER])
    for crawl in (before, after):
        crawl.page("p", text=WORDS).page("q", text=WORDS)
    before.item("product", "p", sku="1", name="a", price=1).item("product", "p", sku="2", name="b", price=2)
    after.item("product", "p", sku="2", name="b", price=9).item("product", "p", sku="3", name="a", price=1)
    before.item("offer", "q", title="x", cost=1).item("offer", "q", title="y", cost=2)
    after.item("offer", "q", title="y", cost=2, _at="now").item("offer", "q", title="x", cost=1)
    found = told(before, after)
    assert found["p"].change == "changed"
    assert msgspec.to_builtins(found["p"].items) == {
        "product": {"added": 1, "removed": 1, "changed": 1, "fields": ("price",)}
    }
    assert found["q"].change == "unchanged"


@pytest.mark.parametrize("text", ["all", "markdown"])
def test_all_text_and_markdown_are_compared_as_they_are(crawls, text):
    before, after = crawls(text=text).page("p", text="one"), crawls(text=text).page("p", text="two")
    assert told(before, after)["p"].fields == ("text",)


def test_without_texts_fingerprints_are_compared_and_that_is_said(crawls):
    before, after = crawls(text="none"), crawls(text="none")
    before.page("p", text=None, fingerprint="0" * 16).page("q", text=None, fingerprint="0" * 16)
    after.page("p", text=None, fingerprint="0" * 15 + "f").page("q", text=None, fingerprint="0" * 16)
    counts = ChangeCounts()
    found = list(rows(before.write(), after.write(), counts))
    assert [(row.change, row.fields, row.similarity) for row in found] == [
        ("changed", ("text",), 0.938),
        ("unchanged", (), 1.0),
    ]
    assert any("fingerprints" in note for note in counts.notes)


def test_fields_that_one_crawl_leaves_out_are_not_compared_and_that_is_said(crawls):
    before = crawls(fields=("text", "fingerprint")).page("p", title=None, text=WORDS)
    after = crawls().page("p", title="now", text=WORDS)
    counts = ChangeCounts()
    (row,) = rows(before.write(), after.write(), counts)
    assert row.change == "unchanged"
    assert any(note.startswith("title: not compared") for note in counts.notes)


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_it_is_packed_as_the_crawl_is_and_written_the_same_each_time(crawls, compress):
    before, after = crawls(compress=compress), crawls(compress=compress)
    for number in range(20):
        before.page(f"p{number}", text=WORDS)
        after.page(f"p{number}", text=WORDS + "!" * (number % 2))
    before.write(), after.write()
    stale = after.directory.records("changes", ".gz" if compress != "gzip" else "")
    stale.write_bytes(b"old")
    counts = write_changes(before.directory, after.directory)
    (path,) = after.directory.spellings("changes")
    content = path.read_bytes()
    assert (counts.changed, counts.unchanged) == (10, 10)
    assert write_changes(before.directory, after.directory) == counts
    assert path.read_bytes() == content
    assert not list(after.directory.path.glob("*.crawl-new"))


def test_what_is_beyond_the_last_checkpoint_does_not_count(crawls):
    before, after = crawls().page("p"), crawls().page("p")
    after.torn = b'{"url":"http://a.test/q"}\n{"url'
    assert list(told(before, after)) == ["p"]


def test_a_file_that_has_lost_something_is_an_error_and_leaves_no_draft(crawls):
    before, after = crawls().page("p").page("q"), crawls().page("p")
    pages = before.write().records("pages")
    after.write()
    pages.write_bytes(pages.read_bytes()[:-10])
    with pytest.raises(CrawlerError, match="some of it is lost"):
        write_changes(before.directory, after.directory)
    assert not [path for path in after.directory.path.iterdir() if "changes" in path.name]


def test_a_line_that_is_no_record_is_named(crawls):
    before, after = crawls().page("p").page("q"), crawls().page("p")
    pages = before.write().records("pages")
    after.write()
    first, second = pages.read_bytes().splitlines()
    pages.write_bytes(first + b"\n" + b"x" * len(second) + b"\n")
    with pytest.raises(CrawlerError, match=r"pages\.jsonl:2: not a record of pages"):
        list(rows(before.directory, after.directory))


def test_without_a_store_or_a_crawl_there_is_nothing_to_tell(crawls, tmp_path):
    before, after = crawls(store=False).page("p"), crawls().page("p")
    with pytest.raises(CrawlerError, match=r"crawl\.db: is not there"):
        list(rows(before.write(), after.write()))
    with pytest.raises(ConfigError, match="holds no crawl"):
        list(rows(type(before.directory)(tmp_path), after.directory))
