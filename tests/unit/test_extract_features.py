"""The features of a page: what each says, that each can be switched off, and that no page can make them misbehave."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from crawler.config import ExtractConfig, FeaturesConfig
from crawler.extract.counts import reading_s, sentences
from crawler.extract.page import Extractor, PageRecord, Settings
from crawler.models import HostKey, Page, Request, Response, Url

URL = Url("https://www.example.co.uk/news/page.html")
HEADERS = ((b"Content-Type", b"text/html; charset=utf-8"), (b"ETag", b'"1"'), (b"Vary", b"a"), (b"Vary", b"b"))
NAMES = FeaturesConfig.__struct_fields__
ALL = msgspec.convert(dict.fromkeys(NAMES, True), FeaturesConfig)
NONE = msgspec.convert(dict.fromkeys(NAMES, False), FeaturesConfig)
NOVEMBER_2025 = 1_764_000_000.0


def page_of(body, url=URL, **extract):
    request = Request(url=url, host_key=HostKey("www.example.co.uk"), scope_host="www.example.co.uk", seed="x")
    raw = body.encode() if isinstance(body, str) else body
    response = Response(url=url, status=200, headers=HEADERS, body=raw, fetched_at=NOVEMBER_2025)
    page = Extractor(Settings(extract=ExtractConfig(**{"features": ALL, "text": "all", **extract}))).page(
        request, response
    )
    assert isinstance(page, Page), page
    return page


def record_of(body, **arguments):
    return json.loads(page_of(body, **arguments).records[0][1])


KEYS = {
    "meta": ("site_name", "author", "published", "modified", "hreflang", "feeds"),
    "language": ("lang_detected",),
    "fingerprint": ("fingerprint",),
    "counts": ("sentence_count", "reading_s", "text_ratio", "n_internal", "n_external", "n_nofollow"),
    "headings": ("headings",),
    "json_ld": ("json_ld",),
    "opengraph": ("opengraph", "twitter"),
    "images": ("images",),
    "tables": ("tables",),
    "microdata": ("microdata",),
    "rdfa": ("rdfa",),
}
FULL = (
    "<html lang=en><title>A page</title><meta property=og:site_name content=Site><meta name=author content=Ann>"
    "<meta property=article:published_time content=2023-05-06><meta property=article:modified_time content=2023-05-07>"
    "<h1>A page</h1><p>"
    + "It was the best of times and it was the worst of times, and that is what they said of it. "
    * 5
)


def test_each_feature_is_there_where_it_is_on_and_null_where_it_is_off():
    assert set(KEYS) == set(NAMES)
    for name, keys in KEYS.items():
        on = record_of(FULL, features=msgspec.structs.replace(NONE, **{name: True}))
        off = record_of(FULL, features=msgspec.structs.replace(ALL, **{name: False}))
        for key in keys:
            assert off[key] is None, key
            assert on[key] is not None, key


@pytest.mark.parametrize("text", ["main", "all", "markdown", "none"])
def test_what_the_main_text_tells_does_not_depend_on_which_text_is_kept(text):
    kept, plain = record_of(FULL, text=text), record_of(FULL, text="main")
    assert (kept["text"] is None, kept["word_count"] is None) == (text == "none", text == "none")
    for key in ("lang_detected", "fingerprint", "sentence_count", "reading_s", "text_ratio"):
        assert kept[key] == plain[key], key


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("<title> </title><title>second</title><meta property=og:title content=og><h1>h</h1>", "second"),
        ("<title></title><meta property=og:title content=' og\n title '><h1>h</h1>", "og title"),
        ("<h1> </h1><h1>One\u00ad two</h1>", "One two"),
        ("<title></title>", ""),
        ("<p>text", None),
    ],
)
def test_a_title_is_the_title_element_or_open_graph_or_the_first_heading(body, title):
    assert record_of(body)["title"] == title


def test_a_description_falls_back_to_open_graph():
    assert record_of("<meta name=description content=''><meta property=og:description content=d>")["description"] == "d"
    assert record_of("<meta name=description content=m><meta property=og:description content=d>")["description"] == "m"


def test_translations_and_feeds_are_resolved_and_each_once():
    record = record_of(
        "<link rel=alternate hreflang=de href=/de><link rel='Alternate' hreflang=de href=/de#x>"
        "<link rel=alternate hreflang=x-default href=https://other.test/><link rel=alternate hreflang=fr href=mailto:x>"
        "<link rel=alternate type='application/RSS+xml; charset=x' title=' All\n posts' href=/feed>"
        "<link rel='alternate stylesheet' type=text/css href=/css><link rel=alternate type=application/json href=/api>"
    )
    assert record["hreflang"] == [
        {"lang": "de", "url": "https://www.example.co.uk/de"},
        {"lang": "x-default", "url": "https://other.test/"},
    ]
    assert record["feeds"] == [
        {"url": "https://www.example.co.uk/feed", "type": "application/rss+xml", "title": "All posts"}
    ]


def test_headings_make_an_outline():
    body = "<h1>A<a class=headerlink href=#a>¶</a></h1><h3><b>B</b> c</h3><h2> </h2><div><h2>D</h2></div>"
    outline = [{"level": 1, "text": "A"}, {"level": 3, "text": "B c"}, {"level": 2, "text": "D"}]
    assert record_of(body)["headings"] == outline
    assert record_of(body, text="none", features=msgspec.structs.replace(NONE, headings=True))["headings"] == outline


def test_links_are_counted_by_registrable_domain_repetitions_included():
    record = record_of(
        "<a href=/a>1</a><a href=/a rel='NoFollow ugc'>2</a><a href=https://shop.example.co.uk:8080/>3</a>"
        "<a href=https://other.co.uk/ rel=nofollow>4</a><a href=mailto:x>5</a><a>6</a><a href='http://[::1]/'>7</a>"
    )
    assert (record["n_links"], record["n_internal"], record["n_external"], record["n_nofollow"]) == (6, 3, 2, 2)


def test_images_are_listed_with_their_alternative_texts_and_those_that_load_late():
    record = record_of(
        "<img src=a.png alt=' a  b '><img src=a.png><img src=b.png><img src=c.png alt=''><img src='data:x' alt=no>"
        "<img src=blank.gif data-src=d.png><img srcset='e.png 2x, f.png'><img>"
    )
    base = "https://www.example.co.uk/news/"
    assert record["images"] == [
        {"url": f"{base}{name}", "alt": alt}
        for name, alt in (("a.png", "a b"), ("b.png", None), ("c.png", ""), ("d.png", None), ("e.png", None))
    ]


def test_tables_are_rows_in_which_cells_that_span_stand_wherever_they_reach():
    record = record_of(
        "<table><caption>Ca <b>pt</b></caption><thead><tr><th rowspan=2>a<th colspan=2>b<tr><th>c<th>d</thead>"
        "<tr><td>1<td>2<tr><td colspan=0>3</table>"
    )
    rows = [["a", "b", "b"], ["a", "c", "d"], ["1", "2", ""], ["3", "", ""]]
    assert record["tables"] == [{"caption": "Ca pt", "rows": rows}]


@pytest.mark.parametrize(
    "body",
    [
        "<table><tr><td>one row<td>of two</table>",
        "<table><tr><td>one<tr><td>column</table>",
        "<table role=presentation><tr><td>a<td>b<tr><td>c<td>d</table>",
        "<table><tr><td> <td><tr><td><td></table>",
        "<table></table>",
    ],
)
def test_layout_is_no_table(body):
    assert record_of(body)["tables"] == []


def test_of_nested_tables_the_innermost_counts():
    inner = "<table><tr><td>a<td>b<tr><td>c<td>d</table>"
    record = record_of(f"<table><tr><td>menu<td>{inner}<tr><td>x<td>y</table>")
    assert [table["rows"] for table in record["tables"]] == [[["a", "b"], ["c", "d"]]]


def test_spans_cannot_make_a_table_huge():
    cells = "<td rowspan=99999999 colspan=99999999>" + "x" * 1000
    record = record_of(f"<table><tr>{cells * 300}" + "<tr><td>y" * 5_000 + "</table>")
    assert "tables" in record["truncated"]
    assert len(json.dumps(record["tables"])) < 3_000_000


def test_sentences_and_reading_time():
    assert sentences("Title\nOne two. Three four? Five!\nSix") == 5
    assert sentences("这是一座大房子。没有花园。\n标题") == 3
    assert sentences("") == 0
    assert reading_s("word " * 238, 238, "en") == reading_s("这" * 260, 1, "zh") == 60


def test_headers_are_kept_as_asked_for():
    assert record_of("x", headers=())["headers"] is None
    assert record_of("x", headers=("Etag", "vary", "absent"))["headers"] == {"etag": '"1"', "vary": "a, b"}
    assert list(record_of("x", headers=("*",))["headers"]) == ["content-type", "etag", "vary"]


def test_html_is_kept_as_it_was_decoded():
    assert record_of("<p>caf\u00e9", html=True)["html"] == "<p>caf\u00e9"
    assert record_of("<p>caf\u00e9")["html"] is None


@pytest.mark.parametrize(
    "body",
    [
        "<div id=root></div><script src=/app.js></script>",
        "<body><noscript>You need to enable JavaScript to run this.</noscript><div></div><script src=/a.js></script>",
        "<body><noscript>Bitte aktivieren Sie JavaScript.</noscript><script>1</script>",
        "<app-root>Loading…</app-root><script type=module src=/main.js></script>",
    ],
)
def test_an_empty_shell_needs_javascript(body):
    page = page_of(body)
    assert page.needs_js
    assert json.loads(page.records[0][1])["needs_js"] is True
    assert page_of(body, text="none", features=NONE).needs_js


@pytest.mark.parametrize(
    "body",
    [
        "<div id=root></div>",
        "<script src=/a.js></script><p>Nothing here yet.</p>",
        "<div id=root>" + "words " * 100 + "</div><script src=/a.js></script>",
        "<body><noscript>enable JavaScript</noscript><script>1</script>" + "<a href=/>link</a>" * 20,
        "<noscript><img src=/pixel></noscript><script>1</script><p>short",
    ],
)
def test_a_page_that_has_something_to_say_is_no_shell(body):
    assert not page_of(body).needs_js


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "<span>" * 50_000 + "text",
        "<table><tr><td>" * 5_000,
        "<b " + " ".join(f"a{n}=x" for n in range(10_000)) + ">text",
        "<h1>" * 20_000,
        "<meta name=x content=y>" * 20_000,
        "<link rel=alternate hreflang=de href=/x>" * 20_000,
        "<img src=x>" * 20_000,
        "<time>" * 20_000 + "2023-05-06",
        "<noscript>" * 20_000 + "enable JavaScript<script></script>",
        "\0\ufffd<p>\0" * 10_000,
        '<script type="application/ld+json">' + '{"@graph":[' * 20_000,
        '<script type="application/ld+json">["' + "9" * 100_000 + '"]</script><article class=date>' + "1/" * 10_000,
    ],
)
def test_no_page_makes_them_raise_or_hang(body):
    assert page_of(body, headers=("*",), html=True).records
    assert page_of(body, text="markdown").records


def test_bytes_that_are_no_text_give_a_record_too():
    assert record_of(bytes(range(256)) * 50)["truncated"] == []


def test_the_documentation_names_every_key_and_every_switch():
    page = (Path(__file__).parents[2] / "docs/records.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    assert set(PageRecord.__struct_fields__) <= named
    assert set(NAMES) <= named
