"""A user's own function, called with parsed pages."""

from __future__ import annotations

import json
import sys

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler import Follow, ParsedPage
from crawler.config import ExtractConfig
from crawler.config.file import loads
from crawler.errors import ConfigError
from crawler.extract import hook as hooks
from crawler.extract.hook import Hook, HookError, parted
from crawler.extract.page import Extractor, Settings
from crawler.extract.parsed import Parsed
from crawler.models import HostKey, ParseFailure, Request, Response, Url
from crawler.parse.trial import try_function

HTML = "<h1> Blue\n Lamp</h1><a class=next href='?p=2'>more</a><p>One</p><p>Two</p>"


def parsed(text=HTML, **fields):
    url = "https://shop.test/a"
    values = {
        "url": url,
        "base_url": url,
        "status": 200,
        "headers": ((b"ETag", b"x1"),),
        "fetched_at": "2026-11-25T08:00:00.000Z",
        "kind": "html",
        "text": text,
        "tree": LexborHTMLParser(text),
    }
    return Parsed(**(values | fields))


@pytest.fixture
def written(tmp_path, monkeypatch, request):
    """A function that writes a module of the user's; the name of `f` in it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = []

    def write(code):
        name = f"mine_{abs(hash(request.node.nodeid))}_{len(made)}"
        (tmp_path / f"{name}.py").write_text(code)
        made.append(name)
        return f"{tmp_path}/{name}:f"

    yield write
    for name in made:
        sys.modules.pop(name, None)


def called(written, body, page=None):
    lines = "\n    ".join(body.splitlines())
    hook = Hook(written(f"from crawler import Follow\ndef f(page):\n    {lines}\n"))
    return hook(page or parsed())


def records(yielded):
    return [msgspec.json.decode(line) for line in yielded.lines]


def test_it_sees_the_page_and_yields_records_and_links(written):
    body = """
for node in page.css("p"):
    yield {"name": page.first("h1"), "text": node.text(), "etag": page.header("etag")}
yield Follow(page.tree.css_first("a.next").attributes["href"], priority=3, carry={"n": 1})"""
    yielded = called(written, body)
    ours = {"_url": "https://shop.test/a", "_fetched_at": "2026-11-25T08:00:00.000Z", "_rule": "f"}
    assert records(yielded) == [
        {**ours, "name": "Blue Lamp", "text": "One", "etag": "x1"},
        {**ours, "name": "Blue Lamp", "text": "Two", "etag": "x1"},
    ]
    (link,) = yielded.links
    assert (link.rule, link.href, link.priority, link.context) == ("f", "?p=2", 3, b'{"n":1}')


def test_values_of_json_and_what_was_carried_are_at_hand(written):
    page = parsed("{}", kind="json", tree=None, value={"sku": 7}, carried={"list": "a"})
    yielded = called(written, 'return {**page.value, **page.carried, "css": page.css("p"), "h": page.first("h")}', page)
    assert [{k: v for k, v in record.items() if k[0] != "_"} for record in records(yielded)] == [
        {"sku": 7, "list": "a", "css": [], "h": None}
    ]


@pytest.mark.parametrize(
    ("body", "count"),
    [("return None", 0), ("return []", 0), ("return {}", 1), ("return [{}, {}]", 2), ("return Follow('x')", 0)],
)
def test_it_may_return_instead_of_yielding(written, body, count):
    assert len(called(written, body).lines) == count


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("yield 5", "yielded 5; expected a record"),
        ("yield 'https://a.test/'", "yielded 'https://a.test/'; expected a record (a dict) or Follow(url)"),
        ("return 'text'", "returned 'text'; expected records"),
        ("return 5", "returned 5; expected records"),
        ("yield {'_url': 1}", "yielded a record with the key '_url'"),
        ("yield {1: 1}", "yielded a record with the key 1"),
        ("yield {'a': object}", "yielded a record that is no JSON: "),
        ("yield Follow('a', carry={'x': object})", "yielded Follow('a', 32), which carries what is no JSON: "),
        ("yield Follow('a', carry={'x': 'y' * 20_000})", "which carries over 16,384 bytes"),
        ("for n in range(100_001):\n    yield Follow('a')", "f yields over 100,000 links for one page"),
        ("yield Follow(None)", "Follow: url is None; expected a text"),
        ("yield Follow('a', 64)", "Follow: priority is 64; expected 0 (first) to 63 (last)"),
        ("import sys\nsys.exit('bye')", "SystemExit: bye at "),
        ("a = {}\na['a'] = a\nyield a", "yielded a record that is no JSON: "),
    ],
)
def test_what_is_neither_record_nor_link_fails_the_page_and_is_named(written, body, told):
    with pytest.raises(HookError) as caught:
        called(written, body)
    assert told in str(caught.value)


def test_an_exception_is_told_with_where_it_comes_from(written):
    with pytest.raises(HookError) as caught:
        called(written, "def inner(x):\n    return float(x)\nyield {'price': inner('dear')}")
    text = str(caught.value)
    assert text.startswith("ValueError: could not convert string to float: 'dear' at ")
    assert ".py:4 in inner: return float(x) < " in text
    assert text.endswith(".py:5 in f: yield {'price': inner('dear')}")
    assert "hook.py" not in text


def test_an_endless_recursion_is_told_in_short(written):
    with pytest.raises(HookError) as caught:
        called(written, "def down(n):\n    return down(n + 1)\nyield down(0)")
    assert "RecursionError" in str(caught.value)
    assert len(str(caught.value)) <= hooks.MAX_DETAIL


def test_running_out_of_memory_is_not_the_functions_own_error(written):
    with pytest.raises(MemoryError):
        called(written, "raise MemoryError")


def test_a_function_that_never_stops_yielding_is_stopped(written, monkeypatch):
    monkeypatch.setattr(hooks, "MAX_BYTES", 10_000)
    with pytest.raises(HookError, match="over 10,000 bytes of records for one page"):
        called(written, "while True:\n    yield {'a': 'b'}")


def test_lone_surrogates_and_line_ends_are_written_safely(written):
    page = parsed("{}", kind="json", tree=None, value=json.loads(r'{"a": "x\ud800y", "\udc00": ["\u2028", 1]}'))
    (line,) = called(written, "yield page.value", page).lines
    record = msgspec.json.decode(line)
    assert [value for key, value in record.items() if key[0] != "_"] == ["x\ufffdy", ["\u2028", 1]]
    assert len(line.decode().splitlines()) == 1


def test_names_have_an_optional_folder():
    assert parted("shop.pages:offers") == ("", "shop.pages", "offers")
    assert parted("/home/me/a b/shop:offers") == ("/home/me/a b", "shop", "offers")


@pytest.mark.parametrize(
    "name", ["", "shop", "shop:", ":f", "shop.py", "a b:f", "shop:f.g", "a/:f", "__main__:f", "1a:f"]
)
def test_what_is_no_functions_name_is_refused(name):
    with pytest.raises(ConfigError, match=r"^extract\.python: .*expected package\.module:function"):
        parted(name)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "No module named 'missing_module' (looked in "),
        ("g = 1", "has no f (looked in "),
        ("f = 1", "f is int; expected a function or generator"),
        ("async def f(page): ...", "f is an async function; expected a function or generator"),
        ("async def f(page): yield 1", "f is an async function; expected a function or generator"),
        ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("def f(page):\n  return 1 +", "SyntaxError: "),
        ("x = 1 / 0", ".py:1 in <module>: x = 1 / 0"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
    ],
)
def test_what_cannot_be_loaded_is_told(written, tmp_path, code, told):
    name = written(code) if code else f"{tmp_path}/missing_module:f"
    with pytest.raises(ConfigError) as caught:
        Hook(name)
    assert str(caught.value).startswith(f"extract.python: {name}: ")
    assert told in str(caught.value)


@pytest.mark.slow
def test_a_function_is_tried_in_a_process_of_its_own(written, tmp_path):
    name = written("print('hello')\ndef f(page): ...")
    try_function(name)
    assert parted(name).module not in sys.modules
    with pytest.raises(ConfigError, match="No module named 'missing_module'"):
        try_function(f"{tmp_path}/missing_module:f")
    with pytest.raises(ConfigError, match=r"its import takes over 0\.5 s"):
        try_function(written("import time\ntime.sleep(60)"), deadline_s=0.5)
    with pytest.raises(ConfigError, match="its import ends the process: exit status 7"):
        try_function(written("import os\nos._exit(7)"))


URL = Url("https://shop.test/a")
REQUEST = Request(url=URL, host_key=HostKey("shop.test"), scope_host="shop.test", seed="shop.test")


def page_of(body, name, *, content_type="text/html", headers=(), request=REQUEST):
    sent = ((b"Content-Type", content_type.encode()), *headers)
    response = Response(url=request.url, status=200, headers=sent, body=body.encode())
    return Extractor(Settings(extract=ExtractConfig(python=name))).page(request, response)


def test_an_extractor_calls_it_with_html_json_and_xml(written):
    name = written("def f(page):\n    yield {'kind': page.kind, 'value': page.value, 'h1': page.first('h1')}")
    found = {}
    for kind, body in (("html", "<h1>x</h1>"), ("json", '{"a":1}'), ("xml", "<a>1</a>")):
        page = page_of(body, name, content_type="text/html" if kind == "html" else f"application/{kind}")
        assert [sink for sink, _ in page.records] == ["pages"] * (kind == "html") + ["f"]
        record = msgspec.json.decode(page.records[-1][1])
        found[record["kind"]] = record["value"] or record["h1"]
        assert [(fill.rule, fill.records) for fill in page.fills] == [("f", 1)]
    assert found == {"html": "x", "json": {"a": 1}, "xml": {"a": "1"}}


def test_its_links_are_judged_like_any_other_and_their_priority_counts(written):
    code = """
from crawler import Follow
def f(page):
    yield Follow("/b", 3, carry={"sku": 7})
    yield Follow("/new", 5)
    yield Follow("https://elsewhere.test/")
    yield Follow("mailto:x@shop.test")
"""
    page = page_of("<a href=/b>b</a><a href=/c>c</a>", written(code))
    links = [(link.url.removeprefix("https://shop.test"), link.priority, link.context) for link in page.links]
    assert links == [("/b", 3, b'{"sku":7}'), ("/c", 32, b""), ("/new", 5, b"")]
    assert {refusal.rule: refusal.count for refusal in page.refusals}["scope.stay_on: host"] == 1
    nofollow = page_of("", written(code), headers=((b"X-Robots-Tag", b"nofollow"),))
    assert nofollow.links == ()


def test_a_page_that_is_not_to_be_indexed_gives_links_and_no_records(written):
    name = written("from crawler import Follow\ndef f(page):\n    yield {}\n    yield Follow('/new')")
    page = page_of("<p>x", name, headers=((b"X-Robots-Tag", b"noindex"),))
    assert (page.reason, page.records, len(page.links), page.fills) == ("noindex", (), 1, ())


def test_its_error_fails_the_page_with_where_it_comes_from(written):
    failure = page_of("<p>x", written("def f(page):\n    yield {'a': 1}\n    raise KeyError('sku')"))
    assert isinstance(failure, ParseFailure)
    assert failure.reason == "parse_error"
    assert failure.detail.startswith("KeyError: 'sku' at ")
    assert ".py:3 in f: raise KeyError('sku')" in failure.detail


@pytest.mark.parametrize("name", ["shop.pages", "m:pages", "m:Files", "__main__:f", "m:item"])
def test_names_that_cannot_be_are_found_when_the_configuration_is_read(name):
    with pytest.raises(ConfigError, match=r"test:2:11: extract\.python: "):
        loads(f"extract:\n  python: '{name}'\n  rules: [{{name: item, fields: {{a: h1}}}}]", "test")


def test_public_words_are_at_hand():
    assert repr(Follow("a")) == "Follow('a', 32)"
    assert repr(ParsedPage(parsed())) == "<html page https://shop.test/a>"
