"""`crawler diff` and the pages on what changed tell what is different, and obey nothing that pages say."""

from __future__ import annotations

import json

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.cli import run
from crawler.dataset.lines import Lines
from crawler.diff.changes import write_changes
from crawler.diff.record import DiffRecord
from crawler.models import Outcome
from crawler.report.collect import collect
from crawler.report.collect_changes import MAX_SHOWN
from crawler.report.page import html
from tests.support.two_crawls import OFFER, PRODUCT, OneCrawl, at

EVIL = "<script>alert(1)</script>\0\n\u202eevil\x1b]0;x\x07"


@pytest.fixture
def two(tmp_path):
    before = OneCrawl(tmp_path / "shop@1", rules=[PRODUCT, OFFER])
    after = OneCrawl(tmp_path / "shop", rules=[PRODUCT, OFFER])
    before.page("same", links=("x",)).page("other", title=EVIL, text=EVIL * 40).page("lost").page("moved")
    after.page("same", links=("y",)).page("other", title="b", text=EVIL * 41, fingerprint=None).page("new", title=EVIL)
    after.end("lost", Outcome.FAILED, "http_404", 404).end("moved", Outcome.REDIRECTED, None, 301, at("new"))
    before.item("product", "same", sku="1", name=EVIL, price=1).item("product", "lost", sku="2", name="b", price=2)
    after.item("product", "same", sku="1", name=EVIL, price=3)
    return before.write(), after.write()


def lines(text):
    return [msgspec.json.decode(line, type=DiffRecord) for line in text.splitlines()]


def test_each_difference_is_a_line_and_the_summary_adds_up(two, capfd):
    assert run(["diff", *(str(side.path) for side in two)]) == 0
    out, err = capfd.readouterr()
    assert [(record.what, record.change, record.url.rpartition("/")[2]) for record in lines(out)] == [
        *(("page", "removed", "lost"), ("page", "removed", "moved"), ("page", "added", "new")),
        ("page", "changed", "other"),
        *(("item", "changed", "same"), ("item", "removed", "lost")),
        *(("link", "added", "same"), ("link", "removed", "same")),
    ]
    assert [" ".join(line.split()) for line in err.splitlines()] == [
        "Pages 4 before, 3 after: 1 added, 2 removed, 1 changed, 1 unchanged",
        "title in 1, text in 1",
        "Items product: 2 before, 1 after: 1 removed, 1 changed",
        "price in 1",
        "Items offer: 0 before, 0 after: no difference",
        "Links 1 before, 1 after: 1 added, 1 removed",
    ]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_lines_go_to_a_file_of_any_packing(two, tmp_path, capfd, suffix):
    path = tmp_path / f"out.jsonl{suffix}"
    assert run(["diff", *(str(side.path) for side in two), "--to", str(path), "--only", "pages,links"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "Items" not in err
    assert {json.loads(line)["what"] for line in Lines(path)} == {"page", "link"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--only", "page"], "'page' is none of pages, items, links"),
        (["--to", "out.csv"], "expected a name that ends with .jsonl"),
        (["--to", "none/out.jsonl"], "there is no folder"),
        (["--to", "shop/pages.jsonl"], "is a file of the crawl itself"),
        (["--report", "shop/crawl.yaml"], "is no HTML page"),
        (["--report", "none/page.html"], "there is no folder"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(two, tmp_path, monkeypatch, capfd, more, told):
    monkeypatch.chdir(tmp_path)
    content = {path: path.read_bytes() for path in (tmp_path / "shop").iterdir()}
    assert run(["diff", "shop@1", "shop", *more]) == 2
    out, err = capfd.readouterr()
    assert told in err
    assert out == ""
    assert {path: path.read_bytes() for path in (tmp_path / "shop").iterdir()} == content


def test_no_crawl_and_the_same_one_twice_are_usage_errors(two, tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    for other, told in (("empty", "holds no crawl"), ("none", "there is no such folder"), ("shop/", "same directory")):
        assert run(["diff", str(two[1].path), f"{tmp_path}/{other}"]) == 2
        assert told in capfd.readouterr().err


def test_a_damaged_crawl_fails_and_leaves_no_file(two, tmp_path, capfd):
    pages = two[0].records("pages")
    pages.write_bytes(pages.read_bytes()[:-3])
    path = tmp_path / "out.jsonl"
    assert run(["diff", *(str(side.path) for side in two), "--to", str(path)]) == 1
    assert "some of it is lost" in capfd.readouterr().err
    assert not [file for file in tmp_path.iterdir() if "out" in file.name]


def test_the_page_tells_the_same_and_holds_no_markup_of_others(two, tmp_path, capfd):
    path = tmp_path / "page.html"
    assert run(["diff", *(str(side.path) for side in two), "--report", str(path)]) == 0
    assert capfd.readouterr().out == ""
    text = path.read_text("utf-8")
    page = LexborHTMLParser(text)
    assert len(page.css("script")) == 1
    assert "\0" not in text
    assert "\u202e" not in text
    assert [heading.text() for heading in page.css("h2")] == [
        *("Counts", "Pages changed", "Pages added", "Pages removed"),
        *("Records of product", "Links"),
    ]
    removed = page.css_first("#removed")
    assert "http_404" in removed.text()
    assert {node.attributes["href"] for node in removed.css("a.url")} == {at("lost"), at("moved"), at("new")}
    assert "<script>alert(1)" in page.css_first("#changed").text()
    assert run(["diff", *(str(side.path) for side in two), "--report", str(path)]) == 0  # its own page is replaced


def test_lines_of_a_text_are_shown_as_a_text(tmp_path, capfd):
    for side, word in (("a", "old"), ("b", "new")):
        crawl = OneCrawl(tmp_path / side)
        crawl.page("p", text=f"The {word}\nline\tand more")
        crawl.write()
    path = tmp_path / "page.html"
    assert run(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--report", str(path)]) == 0
    shown = LexborHTMLParser(path.read_text("utf-8")).css_first("#changed").text()
    assert "The old line and more" in shown
    assert "The new line and more" in shown


def test_a_huge_comparison_makes_a_page_that_opens(tmp_path, capfd):
    before, after = (OneCrawl(tmp_path / side, rules=[OFFER]) for side in "ab")
    for number in range(400):
        before.page(f"{number}/" + "x" * 1_500, title="t" * 5_000)
        after.page(f"{number}/" + "x" * 1_500, title="u" * 5_000)
        after.item("offer", f"{number}/" + "x" * 1_500, title="v" * 9_000, cost=["w" * 9_000] * 9)
    before.write(), after.write()
    path = tmp_path / "page.html"
    assert run(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--report", str(path)]) == 0
    assert path.stat().st_size < 3_000_000
    assert "of 400 changed pages" in path.read_text("utf-8")


def test_a_refreshed_crawls_report_shows_what_changed(two):
    write_changes(*two)
    report = collect(two[1].path, now=0.0)
    found = report.changes
    assert (found.new, found.changed, found.unchanged, found.gone, found.back) == (1, 2, 0, 2, 0)
    assert found.fields == {"product": 1, "text": 1, "title": 1}
    assert {page.url: page.items for page in found.changed_pages} == {
        at("same"): ("product: 1 changed (price)",),
        at("other"): (),
    }
    page = LexborHTMLParser(html(report))
    section = page.css_first("#changes")
    assert "http_404" in section.text()
    assert {node.attributes["href"] for node in section.css("a.url")} == {
        at(name) for name in ("same", "other", "lost", "moved", "new")
    }


def test_a_first_generation_says_nothing_of_changes(two):
    report = collect(two[0].path, now=0.0)
    assert report.changes is None
    assert b"hat changed" not in html(report)


def test_more_changes_than_are_shown_are_counted(tmp_path):
    before, after = OneCrawl(tmp_path / "a"), OneCrawl(tmp_path / "b")
    for number in range(MAX_SHOWN + 50):
        after.page(f"p{number}")
    write_changes(before.page("x").write(), after.write())
    report = collect(tmp_path / "b", now=0.0)
    assert (report.changes.new, len(report.changes.new_urls)) == (MAX_SHOWN + 50, MAX_SHOWN)
    assert f"The first {MAX_SHOWN} of {MAX_SHOWN + 50} URLs".encode() in html(report)


def test_lines_of_changes_that_are_none_become_a_remark(two):
    write_changes(*two)
    path = two[1].records("changes")
    path.write_bytes(path.read_bytes() + b"{}\n")
    report = collect(two[1].path, now=0.0)
    assert any("changes.jsonl: 1 line is no record" in remark for remark in report.remarks)
    assert report.changes.urls == 5


def test_the_lines_and_the_file_have_their_schemas(capfd):
    for kind in ("diff", "changes"):
        assert run(["schema", kind]) == 0
        assert json.loads(capfd.readouterr().out)["$id"].startswith(f"urn:crawler:schema:{kind}:")
