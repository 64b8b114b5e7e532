"""Pages made to be slow: handled in time that grows with their size, and what was cut is named in their records."""

import gzip
import json
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.config import ExtractConfig
from crawler.config.extracting import FeaturesConfig
from crawler.extract import charset
from crawler.extract.flatten import flattened
from crawler.extract.flatten_page import MAX_ATTRIBUTES, MAX_DEPTH, Flattening
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, ParseFailure, Request, Response, Url
from tests.support.corpora import corpus

URL = Url("https://example.org/a/page")
ALL = ExtractConfig(features=FeaturesConfig(images=True, tables=True, microdata=True, rdfa=True))
CPU_S = 15.0
"""Far more than any takes, and far less than what grows with the square of the largest."""


def page_of(body, extract=ALL):
    request = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org")
    response = Response(url=URL, status=200, headers=((b"content-type", b"text/html"),), body=body)
    before = time.process_time()
    page = Extractor(Settings(extract=extract)).page(request, response)
    assert time.process_time() - before < CPU_S
    return page


def record_of(body, extract=ALL):
    page = page_of(body, extract)
    assert isinstance(page, Page), page
    return json.loads(dict(page.records)["pages"])


def depth_of(tree):
    deepest, stack = 0, [(tree.root, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        stack += [(child, depth + 1) for child in node.iter()]
    return deepest


N = 20_000
NESTED = {
    "div": b"<div>" * 100_000 + b"hello" + b"</div>" * 100_000,
    "div unclosed": b"<div>" * N + b"hello",
    "with attributes": b"<section class='one two' id=x>" * N + b"hello",
    "ul li": b"<ul><li>" * N + b"hello",
    "dl dd": b"<dl><dd>" * N + b"hello",
    "pre": b"<pre>x" * N + b"hello",
    "upper case": b"<DIV>" * N + b"hello" + b"</Div>" * N,
    "formatting": b"<a href=x><b><i><div>" * N + b"hello" + b"</a></b></i>" * N,
    "text in each": b"<div>some words here" * N + b"hello",
    "unknown elements": b"<x-y><div>" * N + b"hello",
    "closed in between": b"<div><b>x</b>" * N + b"hello",
    "late": b"<p>paragraph</p>\n" * N + b"<div>" * N + b"hello",
    "microdata": b"<div itemscope itemtype=http://x.test/y itemprop=z>" * N + b"hello",
    "rdfa": b"<div typeof=x property=y>" * N + b"hello",
}


@pytest.mark.slow
@pytest.mark.parametrize("blanks", [b" ", b"/", b"=", b"= ", b"=' "])
def test_a_tag_of_nothing_but_blanks_is_no_drain(blanks):
    assert record_of(b"<p>hello<a x" + blanks * 1_000_000)["text"].startswith("hello")


@pytest.mark.slow
@pytest.mark.parametrize("name", NESTED)
def test_elements_nested_far_too_deep_are_read_and_named(name):
    record = record_of(NESTED[name])
    assert "nesting" in record["truncated"]
    assert "hello" in (record["text"] if "text" not in record["truncated"] else "hello")


@pytest.mark.parametrize("name", ["div", "div unclosed", "ul li", "dl dd", "upper case", "unknown elements"])
def test_elements_are_never_nested_deeper_than_browsers_nest_them(name):
    utf8, cut = flattened(NESTED[name])
    assert cut == ("nesting",)
    assert depth_of(LexborHTMLParser(utf8)) <= MAX_DEPTH + 8


def test_what_is_nested_too_deep_keeps_text_links_and_the_rest_of_the_page():
    inner = b"".join(b"<div><a href=/%d>n%d</a>" % (number, number) for number in range(20_000)) + b"</div>" * 20_000
    page = page_of(b"<h1>before</h1><main>" + inner + b"</main><h2>after</h2><p>the end</p>", ExtractConfig(text="all"))
    record = json.loads(dict(page.records)["pages"])
    assert len(page.links) == 20_000
    assert record["h1"] == ["before"]
    assert record["text"].startswith("before\nn0\nn1\nn2\n")
    assert record["text"].endswith("n19999\nafter\nthe end")
    tree = LexborHTMLParser(flattened(inner + b"<i id=after></i>").utf8)
    assert tree.css_first("body > #after") is not None  # all that was opened is closed again


@pytest.mark.parametrize(
    "body",
    [
        b"<p>text" * 30_000,
        b"<ul>" + b"<li>text" * 30_000,
        b"<table>" + b"<tr><td>a<td>b" * 20_000,
        b"<dl>" + b"<dt>a<dd>b" * 20_000,
        b"<select>" + b"<option>a" * 30_000,
        b"<p>a<br>b<img src=c>" * 20_000,
        b"<a href=x>a" * 20_000,
        b"<svg>" + b"<path d=''/>" * 20_000 + b"</svg>",
        b"<script>" + b"'<div>'+" * 20_000 + b"</script>",
        b"<style>" + b"/* <div> */" * 20_000 + b"</style>",
        b"<textarea>" + b"<div>" * 20_000 + b"</textarea>",
        b"<!--" + b"<div>" * 20_000 + b"-->",
        b"<p title='" + b"<div>" * 20_000 + b"'>",
        b"<pre>" + b"plain text\n" * 20_000 + b"</pre>",
        b"<img src='data:image/png;base64," + b"QUJD" * 50_000 + b"'>",
        b"<div data-state='" + b'{"a": 1, "b": "c"} ' * 20_000 + b"'>",
        (b"<div>" * 200 + b"</div>" * 200) * 200,
    ],
)
def test_large_pages_that_are_not_deep_stay_as_they_are(body):
    assert flattened(body) == (body, ())
    assert Flattening(body, has_names=False).result() == (body, ())


@pytest.mark.slow
def test_real_pages_stay_as_they_are_even_if_looked_at_closely():
    for path in sorted(corpus("maintext").rglob("*.html.gz"))[::8]:
        page = charset.decode(gzip.decompress(path.read_bytes()), None).utf8
        assert Flattening(page, has_names=False).result() == (page, ()), path


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"<p id=x " + b" ".join(b"a%d" % n for n in range(1_000_000)) + b">hello", MAX_ATTRIBUTES),
        (b"<p id=x " + b" ".join(b"a%d='%d'" % (n, n) for n in range(100_000)) + b">hello", MAX_ATTRIBUTES),
    ],
)
def test_of_a_million_attributes_of_an_element_the_first_are_kept(body, kept):
    record = record_of(body)
    assert (record["text"], record["truncated"]) == ("hello", ["attributes"])
    (element,) = LexborHTMLParser(flattened(body).utf8).css("p")
    assert (element.id, len(element.attributes)) == ("x", kept)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"".join(b"<body a%d=1>" % number for number in range(30_000)) + b"hello",
        b"".join(b"<html a%d=1>" % number for number in range(30_000)) + b"hello",
        b"".join(b"<p a%d=1>x</p>" % number for number in range(200_000)) + b"hello",
    ],
)
def test_attributes_of_many_names_are_left_out(body):
    assert "attributes" in record_of(body)["truncated"]


MIB = 1024**2
BROAD = {
    "empty elements": b"<i></i>" * 200_000,
    "links": b"".join(b"<a href=%d>x</a>" % number for number in range(20_000)),
    "attributes on many": b"<p a=1 b=2 c=3 d=4>" * 50_000,
    "long title": b"<title>" + b"x " * MIB,
    "long h1": b"<h1>" + b"x " * MIB,
    "json-ld of brackets": b'<script type="application/ld+json">' + b"[" * 1_000_000 + b"</script>",
    "json-ld of objects": b'<script type="application/ld+json">' + b'{"a":' * 180_000 + b"</script>",
    "json-ld of commas": b'<script type="application/ld+json">[' + b", " * 500_000 + b"</script>",
    "json-ld of comments": b'<script type="application/ld+json">' + b"/*" * 500_000 + b"</script>",
    "json-ld of quotes": b'<script type="application/ld+json">' + b'"\\' * 500_000 + b"</script>",
    "meta elements": b"<meta name=a content=x>" * 50_000,
    "cells": b"<table>" + (b"<tr>" + b"<td>x" * 100) * 500,
    "spans": b"<table>" + b"<tr><td colspan=1000 rowspan=65534>x" * 10_000,
    "srcset": b"<img srcset='" + b"a 1x, " * MIB + b"'>",
    "parent folders": b"<a href='" + b"../" * MIB + b"'>x</a>" + b"<a href=x>y</a>",
    "base of parent folders": b"<base href='/" + b"../" * MIB + b"'>" + b"<a href=x>y</a>" * 1000,
    "bases": b"<base href=x>" * 100_000,
    "one word": b"x" * (2 * MIB),
    "one word of others": "é".encode() * MIB,
    "ideographs": "漢".encode() * MIB,
    "full stops": b"." * (2 * MIB),
    "spaces": b"<p>x" + b" " * (2 * MIB) + b"x",
    "cdata": b"<svg><![CDATA[" + b"]]" * MIB,
    "comments": b"<!-->" * 200_000,
    "open comment": b"<!--" + b"-" * MIB,
    "less-than signs": b"<" * MIB,
    "ampersands": b"&" * MIB,
    "end tags": b"</p>" * 200_000,
    "scripts in scripts": b"<script><!--" + b"<script>" * 100_000,
    "images in a link": b"<a href=x>" + b"<img alt=x>" * 50_000,
    "byline": b"<p class=byline>" + b"By " * MIB,
    "dates": b"<p class=date>" + b"1 January " * 200_000,
    "itemref": b"<div itemscope itemref='" + b" ".join(b"a%d" % n for n in range(200_000)) + b"'></div>",
    "itemref in circles": b"".join(
        b"<div id=a%d itemscope itemprop=x itemref='a%d a%d'></div>" % (n, (n + 1) % 5000, n * 7 % 5000)
        for n in range(5000)
    ),
    "prefix without colon": b"<div prefix='" + b"a" * MIB + b"'>",
    "prefixes": b"<div prefix='" + b"a: http://x/ " * 100_000 + b"'>",
    "code": b"<pre><code class='" + b"language- " * 200_000 + b"'>",
    "hosts": b"".join(b"<a href=//h%d.com/>x</a>" % number for number in range(15_000)),
    "bad hosts": b"".join(b"<a href=http://[%d>x</a>" % number for number in range(20_000)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROAD)
def test_pages_of_too_much_of_one_thing_have_records(name):
    extract = ExtractConfig(text="markdown", features=ALL.features)  # which is made of the main text
    assert record_of(BROAD[name], extract)["url"] == URL


def test_a_tree_there_is_no_memory_for_is_out_of_memory(monkeypatch):
    def fail(_utf8):
        raise __import__("selectolax.lexbor").lexbor.SelectolaxError("Can't parse HTML.")

    monkeypatch.setattr("crawler.extract.html.LexborHTMLParser", fail)
    assert page_of(b"<p>x") == ParseFailure(reason="parse_memory", detail="out of memory in the parser")
