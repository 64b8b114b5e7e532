"""Records of which only some keys are wanted."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.config import CrawlConfig, ExtractConfig, FeaturesConfig
from crawler.config.file import ConfigMistakesError, loads
from crawler.config.record_fields import CHOSEN, IDENTITY
from crawler.config.rules import problems
from crawler.config.schema import json_schema
from crawler.errors import ConfigError
from crawler.extract.describe import MAX_H1, MAX_LINE_CHARS
from crawler.extract.html import LARGE_BYTES, Document
from crawler.extract.page import Extractor, PageRecord, Settings
from crawler.extract.word_count import PARTING_TAGS, count_words
from crawler.models import HostKey, Page, Request, Response, Url
from crawler.resume import changes

URL = Url("https://www.example.org/a/b")
REQUEST = Request(url=URL, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed="example.org")
HEADERS = ((b"Content-Type", b"text/html; charset=utf-8"), (b"ETag", b"x"))
RICH = """<!doctype html><html lang=en><head><title>The  title</title><meta name=description content="What it is">
<link rel=canonical href=/c><link rel=alternate hreflang=de href=/de><meta property=og:title content=Shared>
<meta property=og:site_name content=Site><meta name=author content=Ann><meta property=twitter:card content=summary>
<meta property=article:published_time content=2021-05-06><meta property=article:modified_time content=2021-06-07>
<script type=application/ld+json>{"@type": "Article"}</script></head>
<body vocab=https://schema.org/ typeof=Article><h1>One</h1><h2>Two</h2><p property=name>A few words of <b>te</b>xt, and
 they are of use to us, as it is with words that the reader has to see in a text of this kind.</p>
<a href=x rel=nofollow>in</a><a href=https://www.example.com/>out</a><img src=i.png alt=i>
<div itemscope itemtype=https://schema.org/Thing><span itemprop=name>N</span></div>
<table><tr><td>1<td>2<tr><td>3<td>4</table></body></html>"""
EVERYTHING = ExtractConfig(
    html=True, headers=("etag",), features=FeaturesConfig(images=True, tables=True, microdata=True, rdfa=True)
)
OFF = FeaturesConfig(**dict.fromkeys(FeaturesConfig.__struct_fields__, False))


def page_of(body, extract, **settings):
    response = Response(url=URL, status=200, headers=HEADERS, body=body.encode(), fetched_at=1.7e9, elapsed_s=0.25)
    page = Extractor(Settings(extract=extract, **settings)).page(REQUEST, response)
    assert isinstance(page, Page), page
    return page


def record_of(body, extract, **settings):
    return json.loads(dict(page_of(body, extract, **settings).records)["pages"])


def mistakes(text):
    with pytest.raises(ConfigMistakesError) as caught:
        loads(f"extract: {{{text}}}", "c.yaml")
    return str(caught.value)


def test_the_names_are_the_keys_of_a_record_in_its_order():
    keys = PageRecord.__struct_fields__
    assert tuple(key for key in keys if key in IDENTITY) == IDENTITY
    assert tuple(key for key in keys if key not in IDENTITY) == CHOSEN


@pytest.mark.parametrize("name", CHOSEN)
def test_a_key_that_is_listed_alone_says_what_the_whole_record_says_and_all_others_are_null(name):
    whole = record_of(RICH, EVERYTHING)
    assert whole[name] is not None
    asked = ExtractConfig(html=name == "html", headers=("etag",) * (name == "headers"), features=OFF, fields=(name,))
    assert not list(problems(CrawlConfig(extract=asked)))
    record = record_of(RICH, asked)
    assert list(record) == list(PageRecord.__struct_fields__)
    assert record == {key: value if key in (*IDENTITY, name) else None for key, value in whole.items()}


def test_all_keys_listed_make_the_whole_record():
    asked = msgspec.structs.replace(EVERYTHING, features=OFF, fields=CHOSEN)
    assert record_of(RICH, asked) == record_of(RICH, EVERYTHING)


@pytest.mark.parametrize("text", ["main", "all", "markdown", "none"])
def test_words_are_those_of_the_text_or_of_all_of_it_where_there_is_none(text):
    whole = record_of(RICH, ExtractConfig(text="all" if text == "none" else text))
    record = record_of(RICH, ExtractConfig(text=text, fields=("word_count",)))
    assert record["word_count"] == whole["word_count"]
    assert record["text"] is None


def test_links_are_followed_and_listed_in_their_own_file_all_the_same():
    asked = ExtractConfig(text="none", links=False, fields=("title",))
    page, whole = page_of(RICH, asked, link_lines=True), page_of(RICH, EVERYTHING, link_lines=True)
    assert page.links == whole.links
    assert page.refusals == whole.refusals
    assert dict(page.records)["links"] == dict(whole.records)["links"]


def test_what_is_not_listed_is_not_named_as_cut_either():
    body = f"<title>{'t' * (MAX_LINE_CHARS + 1)}</title>" + "<h1>x</h1>" * (MAX_H1 + 1)
    assert record_of(body, ExtractConfig(fields=("title",)))["truncated"] == ["title"]
    assert record_of(body, ExtractConfig(fields=("h1",)))["truncated"] == ["h1"]
    assert record_of(body, ExtractConfig(fields=("lang",)))["truncated"] == []


def test_pictures_are_found_wherever_they_stand_though_words_are_counted():
    body = "<p>one</p><svg><foreignObject><img src=i.png></foreignObject></svg>two"
    asked = ExtractConfig(text="none", links=False, fields=("word_count",))
    assert page_of(body, asked, files=("image/*",)).links == page_of(body, ExtractConfig(), files=("image/*",)).links
    assert len(page_of(body, asked, files=("image/*",)).links) == 1


def test_rules_see_the_document_as_it_came():
    rules = "rules: [{name: scripts, fields: {n: {css: body, take: html}}}]"
    asked = loads(f"extract: {{text: none, links: false, fields: [word_count], {rules}}}", "c").config.extract
    body = "<body><p>one</p>two<script>three</script>"
    record = dict(page_of(body, asked).records)
    assert json.loads(record["pages"])["word_count"] == 2
    assert json.loads(record["scripts"])["n"] == "<body><p>one</p>two<script>three</script></body>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "fields: [titel]",
            'c.yaml:1:20: extract.fields[0]: "titel": expected a key of a page record (did you mean title?)',
        ),
        ("fields: [Title]", "(did you mean title?)"),
        ("fields: [qqqq]", 'extract.fields[0]: "qqqq": expected a key of a page record, one of charset, '),
        ("fields: [h1, h1]", "extract.fields[1]: h1: expected each key once, not 2 times"),
        ("fields: []", "extract.fields: []: expected keys of a page record, such as [title, h1]"),
        ("fields: title", "extract.fields: title: expected a list, such as [title]"),
        ('fields: "title, h1"', 'extract.fields: "title, h1": expected a list, such as [title, h1]'),
        (
            "fields: [text], text: none",
            "extract.fields[0]: text: is asked for here, but extract.text is none: ",
        ),
        (
            "fields: [h1, links], links: false",
            "extract.fields[1]: links: is asked for here, but extract.links is",
        ),
        ("fields: [html]", "extract.fields[0]: html: is asked for here, but extract.html is false: set it to true"),
        ("fields: [headers]", "extract.fields[0]: headers: is asked for here, but extract.headers names none"),
        ("fields: [h1], html: true", "extract.html: true: is asked for here, but extract.fields does not list html"),
        ("fields: [h1], headers: [etag]", "extract.headers: a list: is asked for here, but extract.fields does not"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_a_way_out(text, expected):
    assert expected in mistakes(text)


def test_what_every_record_has_may_be_listed_and_changes_nothing():
    with_url = record_of(RICH, loads("extract: {fields: [url, status, h1]}", "c").config.extract)
    assert with_url == record_of(RICH, ExtractConfig(fields=("h1",)))


def test_fields_are_set_from_the_command_line_and_null_is_every_key():
    text = "extract: {text: none, fields: [h1]}"
    assert loads(text, "c", ["extract.fields=[title, word_count]"]).config.extract.fields == ("title", "word_count")
    assert loads(text, "c", ["extract.fields=null"]).config.extract.fields is None


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("", "extract: {fields: [h1]}", "extract.fields=null"),
        ("extract: {fields: [h1]}", "", "'extract.fields=[\"h1\"]'"),
        ("extract: {fields: [h1]}", "extract: {fields: [title]}", "'extract.fields=[\"h1\"]'"),
    ],
)
def test_the_list_may_not_change_at_a_resume(before, now, told):
    with pytest.raises(ConfigError, match=r"^extract\.fields: is .* that cannot change at a resume") as caught:
        changes(loads(before, "c").config, loads(now, "c").config)
    assert f"--set {told} goes on as before" in str(caught.value)


def test_the_schema_of_the_configuration_knows_the_names():
    fields = json_schema()["properties"]["extract"]["properties"]["fields"]
    assert [kind["type"] for kind in fields["anyOf"]] == ["array", "null"]
    assert fields["anyOf"][0]["items"]["enum"] == [*IDENTITY, *CHOSEN]


def test_the_schema_of_records_allows_null_for_all_that_may_be_left_out():
    properties = msgspec.json.schema(PageRecord)["$defs"]["PageRecord"]["properties"]
    never = {name for name, schema in properties.items() if {"type": "null"} not in schema.get("anyOf", ())}
    assert never == set(IDENTITY) - {"via", "content_type"}
    record = page_of(RICH, ExtractConfig(fields=("title",))).records[0][1]
    assert msgspec.json.decode(record, type=PageRecord).h1 is None


TAGS = [
    "a",
    "area",
    "b",
    "p",
    "div",
    "pre",
    "textarea",
    "svg",
    "math",
    "script",
    "style",
    "template",
    "br",
    "img",
    "table",
    "td",
    "li",
    "title",
    "h1",
    "meta",
    "base",
    "link",
    "frame",
]
MARKUP = st.lists(
    st.one_of(
        st.sampled_from(["a", " ", "b c", "\n", "&nbsp;", "\u00ad", "<!-- -->", "\u65e5"]),
        st.builds("</{}>".format, st.sampled_from(TAGS)),
        st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(["", " href=x", " href=y content=noindex"])),
    ),
    max_size=25,
).map("".join)


@given(MARKUP)
@example("<p>one</p>two<br>three<b> four</b>five")
@example("one<script>two</script>three<svg><title>four</title></svg>five<!-- --><p>six</p><!-- -->seven")
@example("<pre>one<textarea>\ntwo</textarea><!-- -->three</pre><!-- -->four")
@example("<math><style>one<b>two</b></style></math>three<frameset>")
def test_words_are_counted_as_the_text_has_them(body):
    utf8 = body.encode()
    expected = Document(utf8, want_text=True).blocks()[1]
    assert count_words(utf8, LexborHTMLParser(utf8)) == expected
    skimmed = Document(utf8, want_text=False, want_link_texts=False, marked_tags=PARTING_TAGS)
    assert count_words(utf8, skimmed.tree, skimmed.marked) == expected


@given(MARKUP)
@example("<template><a href=x>x</a></template><a href=y>y</a>")
@example("<svg><a href=x xlink:href=y content=z><title>t</title></a></svg><meta href=x name=robots content=noindex>")
def test_what_is_found_without_a_walk_is_what_a_walk_finds(body):
    names = frozenset(("robots",))
    small, large = body.encode(), b" " * LARGE_BYTES + body.encode()
    documents = (
        Document(utf8, want_text=False, want_link_texts=texts, marked_tags=tags)
        for utf8, texts, tags in (
            (small, True, frozenset()),
            (small, False, frozenset()),
            (large, False, frozenset()),
            (large, False, PARTING_TAGS),
        )
    )
    told = [
        (
            [link.html for link in document.hyperlinks if "href" in link.attributes],
            [link.html for link in document.areas if "href" in link.attributes],
            [h1.html for h1 in document.h1s],
            [script.html for script in document.scripts],
            (head := document.head(names)).title,
            (head.base_href, head.canonical_href, head.description, head.lang, head.robots, head.metas),
        )
        for document in documents
    ]
    assert told == [told[0]] * 4
