"""The texts of a record: what words they hold, and where these are kept apart."""

import json

import pytest

from crawler.config import ExtractConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Request, Response, Url

URL = Url("https://example.org/")
REQUEST = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org")
HEADERS = ((b"Content-Type", b"text/html; charset=utf-8"),)
WITH_TEXT = Settings(extract=ExtractConfig(text="all"))
WITHOUT_TEXT = Settings(extract=ExtractConfig(text="none"))


def record_of(body, settings=WITH_TEXT):
    response = Response(url=URL, status=200, headers=HEADERS, body=body.encode(), fetched_at=1.5)
    ((_, line),) = Extractor(settings).page(REQUEST, response).records
    return json.loads(line)


def link_texts(body, settings=WITH_TEXT):
    return [link["text"] for link in record_of(body, settings)["links"]]


ELEMENTS = [
    ("plain", "plain"),
    ("", ""),
    ("a <b>b</b>old  \n word", "a bold word"),
    ("Hi<style>.a{color:red}</style> <script>var x=1</script>there", "Hi there"),
    ("<style>.b{}</style>One<div>block</div>two", "One block two"),
    ("Head<br>line", "Head line"),
    ("<span><i>Head</i><br></span>line", "Head line"),
    ("one<b><img></b>two<iframe>no</iframe>", "one two"),
    ("one<svg><style>.c{}</style><title>no</title><text>no</text></svg>two", "one two"),
    ("one<template>no</template><!-- no -->two", "onetwo"),
]


@pytest.mark.parametrize("settings", [WITH_TEXT, WITHOUT_TEXT])
@pytest.mark.parametrize(("body", "text"), ELEMENTS)
def test_a_heading_and_a_link_read_as_they_do_in_the_text(body, text, settings):
    assert record_of(f"<h1>{body}</h1>", settings)["h1"] == [text] * bool(text)
    assert link_texts(f"<a href=/0>before</a><div><a href=/1>{body}</a></div>after<hr>", settings) == ["before", text]


def test_every_link_is_read_as_a_reader_would_wherever_it_stands():
    body = (
        "<a href=/1>a<object><a href=/2>b<br>c</a><br>d</object><br>e</a><p></p><a href=/3>f<br>g</a>"
        "<template><a href=/4>h<br>i</a></template><a href=/5>j</a>k<br>"
    )
    assert link_texts(body) == ["ab c d e", "b c", "f g", "h i", "j"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Icon<svg><title>no</title><text>no</text><text>no</text></svg>After", "Icon After"),
        ("a<svg><svg><text>no</text></svg><style>no</style><text>no</text></svg>b<p>c", "a b\nc"),
        ("a<svg><foreignObject><p>no<pre>no</pre></foreignObject></svg>b", "a b"),
        ("a<svg/>b<svg></svg>c", "a b c"),
        ("1 <math><mi>x</mi><mo>=</mo><mn>2</mn></math>", "1 x=2"),
        ("noscr<noscript>ipt</noscript>", "noscr ipt"),
        ("lazy<noscript><img></noscript> image", "lazy image"),
    ],
)
def test_drawings_and_fallbacks_do_not_run_into_the_words_around_them(body, text):
    record = record_of(f"<body>{body}")
    assert (record["text"], record["word_count"]) == (text, len(text.split()))


def test_links_within_a_drawing_are_links():
    assert link_texts("<svg><a href=/1><text>one</text></a></svg><a href=/2>two</a>") == ["one", "two"]


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("<a href=/><img alt='The  shop'></a>", "The shop"),
        ("<a href=/> <picture><source><img alt=One></picture> <span><img><img alt=two></span></a>", "One two"),
        ("<a href=/ title=Title><img alt=Picture>and text</a>", "and text"),
        ("<a href=/ title=Title aria-label='The label'><img alt=Picture></a>", "Picture"),
        ("<a href=/ title=Title aria-label='The\nlabel'><img alt=' '></a>", "The label"),
        ("<a href=/ title=Title aria-label><img></a>", "Title"),
        ("<a href=/ title=Title><svg><title>Drawing</title><text>no</text></svg></a>", "Drawing"),
        ("<a href=/ alt=no><img></a>", ""),
        ("<map><area href=/ alt='The coast' title=no></map>", "The coast"),
        ("<map><area href=/ title=Title></map>", "Title"),
        ("<map><area href=/></map>", ""),
    ],
)
def test_a_link_without_text_is_called_what_its_pictures_are_or_what_it_says_of_itself(link, text):
    assert link_texts(link) == [text]


def test_every_target_followed_is_listed_and_areas_do_not_count_as_links():
    body = "<area href=/1 alt=one rel=nofollow><a href=/1>later</a><a href=/2>two</a><area href=/2><area>"
    record = record_of(body)
    assert record["links"] == [
        {"url": "https://example.org/1", "text": "one", "rel": "nofollow"},
        {"url": "https://example.org/2", "text": "two", "rel": None},
    ]
    assert record["n_links"] == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>See\n this:<pre>def f():\n    return 1\n</pre>\nand more", "See this:\ndef f():\n    return 1\nand more"),
        ("<pre>\n\n  a  b \t\n\n\tc\r\n \n</pre>", "  a  b\n\n\tc"),
        ("<pre><span>if x:</span>\n<span>    </span><b>y</b>()</pre>after", "if x:\n    y()\nafter"),
        (
            "<pre>a<br>b<div>c\n</div><div>  d</div>e<script>no</script><svg><text>no</text></svg></pre>",
            "a\nb\nc\n  d\ne",
        ),
        ("<pre>a\n<pre>  b\n</pre>c</pre>d\ne", "a\n  b\nc\nd e"),
        ("<pre> \n</pre>a\nb<pre></pre>c", "a b\nc"),
        ("<label>Say: <textarea>one\n  two &lt;b&gt;\n</textarea> three</label>", "Say:\none\n  two <b>\nthree"),
        ("<pre>a\u00a0=\u00a01</pre>", "a = 1"),
        ("<ul><li>a\n<li><pre>\n b\n c</pre><li>d</ul>", "a\n b\n c\nd"),
        ("<svg><foreignObject><pre>no\nno</pre></foreignObject></svg>a", "a"),
    ],
)
def test_code_keeps_its_lines_and_their_indentation(body, text):
    record = record_of(f"<body>{body}")
    assert (record["text"], record["word_count"]) == (text, len(text.split()))


def test_what_stands_in_code_is_found_all_the_same():
    record = record_of("<pre>\n<a href=/1>  one\n two</a>\n<h1>Head\n line</h1></pre><a href=/2>three</a>")
    assert ([link["text"] for link in record["links"]], record["h1"]) == (["one two", "three"], ["Head line"])


@pytest.mark.parametrize(
    ("attributes", "lang"),
    [
        ("xml:lang=fr", "fr"),
        ("xml:lang=fr lang=de", "de"),
        ("xml:lang=fr lang", "fr"),
        ("xml:lang", None),
        ("", None),
    ],
)
def test_the_language_may_be_told_the_xml_way(attributes, lang):
    assert record_of(f"<html {attributes}>")["lang"] == lang


@pytest.mark.parametrize("invisible", ["\u00ad", "\u200b", "\u2060", "\ufeff", "&shy;", "\u200b\u00ad\u200b"])
@pytest.mark.parametrize("beside", ["", "\u0107", "\u4e2d", "\U0001f517"])
def test_characters_that_only_say_where_a_line_may_break_are_left_out(invisible, beside):
    word, clean = f"{invisible}hy{invisible}phen{beside} {invisible} ation{invisible}", f"hyphen{beside} ation"
    record = record_of(
        f"<title>{word}</title><h1>{word}</h1><h1>{word}<br></h1><p>{word}<p>{invisible}<p>{beside}{invisible}<pre>"
        f"\n  {word}\n{invisible}</pre><a href=/1>{word}</a><a href=/2>{word}<br></a><a href=/3><img alt='{word}'></a>"
    )
    assert record["title"] == clean
    assert record["h1"] == [clean, clean]
    assert record["text"].split("\n")[:3] == [clean, clean, clean]
    assert f"  hyphen{beside}  ation" in record["text"].split("\n")
    assert record["word_count"] == len(record["text"].split())
    assert [link["text"] for link in record["links"]] == [clean] * 3


def test_joiners_stay_for_they_carry_meaning():
    word = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f4bb"
    record = record_of(f"<title>{word}</title><h1>{word}</h1><pre>{word}</pre>")
    assert (record["title"], record["h1"], record["text"]) == (word, [word], f"{word}\n{word}")


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Queues<a class=headerlink href=#queues title=Link>\u00b6</a>", "Queues"),
        ("<span>Queues <a href=#queues>#</a>\n</span> ", "Queues"),
        ("Queues <a class='x anchor' href=/page#queues> \u00a7 </a><!-- -->", "Queues"),
        ("Queues<a href=#queues>\U0001f517</a>", "Queues"),
        ("Queues<a class=headerlink href=#queues>\uf0c1</a>", "Queues"),
        ("<a href=#queues>Queues \u00b6</a>", "Queues \u00b6"),
        ("Learn C<a href=/sharp>#</a>", "Learn C#"),
        ("Learn C#", "Learn C#"),
        ("<a href=#x>#</a> Queues #", "# Queues #"),
        ("<a href=#x>#</a> Queues <b>#</b>", "# Queues #"),
        ("Queues<a href=#queues>\u00b6</a>: <b></b>", "Queues\u00b6:"),
    ],
)
def test_a_permalink_after_a_heading_is_no_part_of_it(heading, text):
    record = record_of(f"<h1>{heading}</h1>")
    assert record["h1"] == [text]


def test_a_heading_of_a_permalink_alone_is_none_and_links_and_text_keep_it():
    record = record_of("<h1><a href=#top>\u00b6</a></h1><h1><a href=#top>\u00a7</a></h1>")
    assert (record["h1"], record["links"][0]["text"], record["text"]) == ([], "\u00b6", "\u00b6\n\u00a7")
