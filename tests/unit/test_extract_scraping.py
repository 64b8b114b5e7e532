"""What an extractor makes of responses under rules: lines, links, refusals, fills; HTML, JSON and XML."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest

from crawler.config import ExtractConfig, ScopeConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url
from tests.support.rules import configured

URL = Url("https://shop.test/list/a")
REQUEST = Request(url=URL, host_key=HostKey("shop.test"), scope_host="shop.test", seed="shop.test")
RULE = "name: items\nfields: {name: {css: h1, required: true}}"
API = "name: api\neach: items\nfields: {id: {json: id, type: int, required: true}}\nfollow: [{json: next}]"
FEED = """
    name: feed
    each: rss.channel.item
    fields: {title: {json: title}, kind: {json: '"@kind"'}, link: {json: link, type: url}}
    follow: [{json: '[rss.channel.item][].link'}]
"""


def page_of(body, rules, *, content_type="text/html", headers=(), request=REQUEST, **settings):
    raw = body if isinstance(body, bytes) else body.encode()
    sent = ((b"Content-Type", content_type.encode()), *headers)
    response = Response(url=request.url, status=200, headers=sent, body=raw, fetched_at=1.5)
    told = Settings(extract=ExtractConfig(rules=configured(rules)), **settings)
    again = msgspec.msgpack.decode(
        msgspec.msgpack.encode(told, enc_hook=str), type=Settings, dec_hook=lambda t, v: t(v)
    )
    return Extractor(again).page(request, response)


def lines_of(page):
    return [(sink, json.loads(line)) for sink, lines in page.records if sink != "pages" for line in lines.split(b"\n")]


def links_of(page):
    return [(link.url.removeprefix("https://shop.test"), link.priority, link.context) for link in page.links]


def refused(page):
    return {refusal.rule: refusal.count for refusal in page.refusals}


def test_a_record_is_a_line_of_its_rule_after_that_of_the_page():
    page = page_of("<h1>Lamp\u2028</h1>", RULE)
    assert [sink for sink, _ in page.records] == ["pages", "items"]
    assert list(lines_of(page)[0][1].items()) == [
        ("_url", URL),
        ("_fetched_at", "1970-01-01T00:00:01.500Z"),
        ("_rule", "items"),
        ("name", "Lamp"),
    ]
    assert [(fill.rule, fill.records, fill.filled) for fill in page.fills] == [("items", 1, {"name": 1})]


def test_a_reject_is_a_line_of_its_own_file():
    page = page_of("<h2>x", RULE)
    error = {"field": "name", "value": None, "expected": "a value"}
    assert lines_of(page) == [
        (
            "items.rejects",
            {
                "_url": URL,
                "_fetched_at": "1970-01-01T00:00:01.500Z",
                "_rule": "items",
                "_errors": [error],
                "name": None,
            },
        )
    ]
    assert [(fill.records, fill.rejects) for fill in page.fills] == [(0, 1)]


def test_several_records_of_a_rule_are_lines_of_one_block():
    page = page_of("<i>a</i><i>b</i>", "name: x\neach: i\nfields: {a: {css: ''}}")
    ((_, block),) = page.records[1:]
    assert [json.loads(line)["a"] for line in block.split(b"\n")] == ["a", "b"]


def test_a_page_that_wants_no_record_has_no_rule_records_but_may_lead_on():
    body = "<meta name=robots content=noindex><h1>x</h1><a href=/b>b</a>"
    page = page_of(body, RULE)
    assert (page.records, page.fills, page.reason, links_of(page)) == ((), (), "noindex", [("/b", 32, b"")])
    assert lines_of(page_of(body, RULE, noindex=False))


def test_links_that_rules_follow_pass_the_scope_and_have_priority_and_context():
    rules = "name: r\nfields: {t: h1}\nfollow: [{css: .d, priority: 3, carry: [t]}, {css: .n, priority: 60}]"
    body = (
        "<h1>T</h1><a class=d href=/1>1</a><a class=d href=https://other.test/>2</a><a class=n href=/1#x>3</a>"
        "<a class=n href=/2>4</a><a href=/3>5</a><a class=d href=mailto:a@b.test>6</a>"
        "<a class=n rel=nofollow href=/4>7</a><link class=n href=/5>"
    )
    page = page_of(body, rules)
    assert links_of(page) == [("/1", 3, b'{"t":"T"}'), ("/2", 60, b""), ("/5", 60, b"")]
    assert refused(page) == {
        "scheme: mailto": 1,
        "scope.stay_on: host": 1,
        "robots.skip_rel: nofollow": 1,
        "rules.r.follow": 1,
    }


def test_what_a_rule_skips_is_counted_and_the_rest_is_followed_as_ever():
    page = page_of("<a href=/a>a</a><a href=/b>b</a><nav><a href=/c>c</a></nav>", "name: r\nskip: ['*/b', {css: nav}]")
    assert (links_of(page), refused(page)) == ([("/a", 32, b"")], {"rules.r.skip": 2})


def test_a_page_that_wants_no_link_followed_is_obeyed_by_rules_too():
    page = page_of("<meta name=robots content=nofollow><a href=/a>a</a>", "name: r\nfollow: [a]")
    assert (page.links, refused(page)) == ((), {"robots.nofollow": 1})


def test_a_link_that_would_carry_too_much_is_kept_out_and_counted():
    page = page_of(
        f"<h1>{'x' * 17000}</h1><a href=/a>a</a>", "name: r\nfields: {t: h1}\nfollow: [{css: a, carry: [t]}]"
    )
    assert (page.links, refused(page)) == ((), {"rules.r.carry": 1})


def test_what_was_carried_reaches_the_page():
    request = msgspec.structs.replace(REQUEST, context=b'{"name":"Lamp"}')
    page = page_of("<p>", "name: r\nfields: {name: {carried: name}}", request=request)
    assert lines_of(page)[0][1]["name"] == "Lamp"
    for other in (b"\x80", b"[1]", b"[" * 9999):
        request = msgspec.structs.replace(REQUEST, context=other)
        assert (
            lines_of(page_of("<p>", "name: r\nfields: {name: {carried: name}}", request=request))[0][1]["name"] is None
        )


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.api+json; charset=utf-8", "text/json"])
def test_json_gives_records_and_links_but_no_page(content_type):
    page = page_of('\ufeff{"items": [{"id": 1}, {"id": "x"}], "next": "?p=2"}', API, content_type=content_type)
    assert page.reason == "not_html"
    assert [(sink, line["id"]) for sink, line in lines_of(page)] == [("api", 1), ("api.rejects", None)]
    assert links_of(page) == [("/list/a?p=2", 32, b"")]
    assert [sink for sink, _ in page.records] == ["api", "api.rejects"]


def test_xml_gives_records_and_links_in_whatever_encoding_it_declares():
    body = (
        '<?xml version="1.0" encoding="iso-8859-1"?><rss xmlns:x="u"><channel><item x:kind="k"><title>Blå</title>'
        "<link>/1</link></item><item><title><![CDATA[<b>]]></title><link>https://other.test/</link></item></channel></rss>"
    ).encode("latin-1")
    page = page_of(body, FEED, content_type="application/rss+xml")
    records = [(line["title"], line["kind"], line["link"]) for _, line in lines_of(page)]
    assert records == [("Blå", "k", "https://shop.test/1"), ("<b>", None, "https://other.test/")]
    assert (links_of(page), refused(page)) == ([("/1", 32, b"")], {"scope.stay_on: host": 1})


def test_broken_xml_counts_up_to_the_break_and_says_so():
    page = page_of("<rss><channel><item><title>a</title></item><item><title>b</x>", FEED, content_type="text/xml")
    assert [(line["title"], line["_truncated"]) for _, line in lines_of(page)] == [("a", ["body"]), ("b", ["body"])]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [("{", "application/json", "JSON: "), ("", "application/json", "JSON: "), ("no xml", "application/xml", "XML: ")],
)
def test_what_cannot_be_read_is_a_reject_of_the_rules_for_it(body, content_type, expected):
    rules = (
        "- {name: a, fields: {a: {json: a}}}\n- {name: b, match: '*/other/*', fields: {a: {json: a}}}\n"
        "- {name: c, fields: {a: h1}}"
    )
    ((sink, line),) = lines_of(page_of(body, rules, content_type=content_type))
    assert sink == "a.rejects"
    assert line["_errors"][0]["expected"].startswith(expected)


def test_without_a_rule_for_it_a_response_that_is_not_html_is_left_alone():
    assert page_of("{}", RULE, content_type="application/json") == Page(reason="not_html", body_bytes=2)
    assert page_of("x", API, content_type="text/plain") == Page(reason="not_html", body_bytes=1)


def test_headers_that_want_no_record_hold_for_json():
    headers = ((b"X-Robots-Tag", b"noindex, nofollow"),)
    page = page_of('{"items":[{"id":1}],"next":"/2"}', API, content_type="application/json", headers=headers)
    assert (page.reason, page.records, page.links, refused(page)) == ("noindex", (), (), {"robots.nofollow": 1})


def test_a_body_that_was_cut_marks_the_records():
    body = gzip.compress(b"<h1>Lamp</h1>" + bytes(range(256)) * 99)[:-200]
    page = page_of(body, RULE, headers=((b"Content-Encoding", b"gzip"),))
    assert lines_of(page)[0][1]["_truncated"] == ["body"]


def test_lone_surrogates_never_break_a_line():
    page = page_of(
        '{"items": [{"id": "\\ud800x"}]}', "name: a\neach: items\nfields: {id: {json: id}}", content_type="a/json"
    )
    assert lines_of(page)[0][1]["id"] == "\ufffdx"


def test_what_is_more_than_a_page_may_give_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr("crawler.extract.rule_lines.MAX_BYTES", 350)
    page = page_of("<i>a</i>" * 9, "name: x\neach: i\nfields: {a: {css: ''}}")
    sinks = [sink for sink, _ in lines_of(page)]
    assert sinks == ["x", "x", "x", "x.rejects"]
    assert "at most 350 bytes" in lines_of(page)[-1][1]["_errors"][0]["expected"]


def test_rules_leave_the_page_record_as_it_was():
    body = "<title>t</title><h1>x</h1><a href=/a>a</a>"
    plain = page_of(body, "name: r\nmatch: '*/other/*'\nfields: {t: h1}", scope=ScopeConfig())
    assert page_of(body, RULE).records[0] == plain.records[0]
