import gzip
import json

import msgspec
import pytest

from crawler.config import ScopeConfig, UrlsConfig
from crawler.extract.page import Extractor, Settings, SitemapLine
from crawler.extract.sitemap_links import MAX_LEVELS
from crawler.models import NORMAL_PRIORITY, SITEMAP_PRIORITY, Kind, ParseFailure, Request, Response
from crawler.url import canonicalize, fingerprint, host, host_key
from tests.support.corpora import corpus

URL = "http://a.test/maps/sitemap.xml"


def request(url=URL, **fields):
    asked = {"scope_host": host(url), "kind": Kind.SITEMAP, "priority": SITEMAP_PRIORITY, **fields}
    return Request(url=url, host_key=host_key(url), **asked)


def page_of(body, asked=None, *, headers=(), status=200, **settings):
    asked = asked or request()
    raw = body.encode() if isinstance(body, str) else body
    response = Response(url=asked.url, status=status, headers=headers, body=raw)
    return Extractor(Settings(**settings)).page(asked, response)


def urlset(*locations):
    return f"<urlset>{''.join(f'<url><loc>{location}</loc></url>' for location in locations)}</urlset>"


def index(*locations):
    return urlset(*locations).replace("url>", "sitemap>").replace("urlset", "sitemapindex")


def urls(page):
    return [link.url for link in page.links]


def rules(page):
    return {refusal.rule: refusal.count for refusal in page.refusals}


def lines(page):
    ((sink, text),) = page.records
    assert sink == "sitemaps"
    return [json.loads(line) for line in text.splitlines()]


NAMED = request(via="http://a.test/robots.txt")  # by robots.txt, so that the host rule applies


def test_locations_of_the_shared_cases_are_those_expected():
    # The one case left out is a library's strict mode, refusing what its lenient mode and we accept: a namespace that
    # names the protocol as Google's.
    policy = {"cc/testSitemapWithWrongNamespace/43"}
    wrong = []
    cases = [json.loads(line) for line in corpus("sitemap_docs.jsonl").read_text().splitlines()]
    for case in cases:
        asked = request(canonicalize(case["url"]))
        headers = ((b"Content-Type", case["content_type"].encode()),)
        page = page_of(bytes.fromhex(case["body_hex"]), asked, headers=headers, sitemap_lines=True)
        kind = "sitemap" if case["kind"] == "index" else "url"
        expected = [(kind, canonicalize(entry["loc"])) for entry in case["entries"]]
        if [(line["kind"], line["url"]) for line in lines(page)] != expected:
            wrong.append(case["id"])
    assert len(cases) > 20
    assert set(wrong) == policy


def test_entries_become_links_by_their_priority_and_in_their_order():
    body = "".join(f"<url><loc>/{p}</loc><priority>{p}</priority></url>" for p in ("1", "0.5", "0.4", "0", "x"))
    page = page_of(f"<urlset>{body}</urlset>", fingerprint_key=7)
    assert [(link.url, link.priority) for link in page.links] == [
        ("http://a.test/1", 12),
        ("http://a.test/0.5", NORMAL_PRIORITY),
        ("http://a.test/0.4", 36),
        ("http://a.test/0", 52),
        ("http://a.test/x", NORMAL_PRIORITY),
    ]
    assert all(link.fingerprint == fingerprint(link.url, 7) for link in page.links)
    assert {(link.kind, link.host_key, link.context) for link in page.links} == {(Kind.PAGE, "a.test", b"")}
    assert (page.reason, page.records, page.refusals) == ("sitemap", (), ())


def test_each_url_is_taken_once_and_what_is_none_is_counted():
    page = page_of(
        urlset("/b?x=1", "http://A.test:80/b#c", "a.test/c", "mailto:x@a.test", "", "http://["),
        urls=UrlsConfig(drop_params=("x",)),
    )
    assert urls(page) == ["http://a.test/b", "http://a.test/c"]
    (refusal,) = page.refusals
    assert (refusal.rule, refusal.count) == ("bad_url", 3)
    assert refusal.examples == ("mailto:x@a.test", URL, "http://[")


def test_a_sitemap_speaks_for_its_own_host_and_for_those_that_vouch_for_it():
    asked = request("https://cdn.test:8443/sitemap.xml", scope_host="home.test", via="https://named.test/robots.txt")
    locations = [f"http://{name}/" for name in ("cdn.test", "home.test", "named.test:81", "www.home.test", "x.test")]
    page = page_of(urlset(*locations), asked, scope=ScopeConfig(stay_on="any"))
    assert urls(page) == locations[:3]
    (refusal,) = page.refusals
    assert (refusal.rule, refusal.count, refusal.examples) == ("sitemap: other host", 2, tuple(locations[3:]))


def test_a_sitemap_that_is_a_seed_is_judged_by_the_scope_alone():
    body = urlset("http://a.test/", "http://www.a.test/", "http://x.test/")
    assert len(page_of(body, scope=ScopeConfig(stay_on="any")).links) == 3
    assert urls(page_of(body, scope=ScopeConfig(stay_on="domain"))) == ["http://a.test/", "http://www.a.test/"]
    assert rules(page_of(body)) == {"scope.stay_on: host": 2}


def test_scope_patterns_are_about_pages_and_not_about_sitemaps():
    scope = ScopeConfig(include=("*/shop/*",), exclude=("*.xml",))
    body = index("http://a.test/1.xml").replace("</sitemapindex>", urlset("/shop/1", "/blog", "/shop/a.xml")[8:])
    page = page_of(f"{body}", scope=scope)
    assert urls(page) == ["http://a.test/1.xml", "http://a.test/shop/1"]
    assert rules(page) == {"scope.include": 1, "scope.exclude: *.xml": 1, "sitemap: broken off": 1}


@pytest.mark.parametrize("limit", [0, 1])
def test_entries_are_as_deep_as_their_sitemap(limit):
    scope = ScopeConfig(max_depth=limit)
    assert len(page_of(urlset("/a"), request(depth=limit), scope=scope).links) == 1
    assert rules(page_of(urlset("/a"), request(depth=limit + 1), scope=scope)) == {f"scope.max_depth: {limit}": 1}


def test_sitemaps_of_an_index_are_requested_as_such_and_first():
    (link,) = page_of(index("/2.xml")).links
    assert (link.url, link.kind, link.priority) == ("http://a.test/2.xml", Kind.SITEMAP, SITEMAP_PRIORITY)
    assert len(link.context) == 1


@pytest.mark.parametrize("via", [None, "http://a.test/robots.txt"])
def test_sitemaps_nest_no_deeper_than_allowed(via):
    asked = request(via=via)
    for _ in range(MAX_LEVELS - 1):
        (link,) = page_of(index("/next.xml"), asked).links
        asked = request(link.url, via=asked.url, context=link.context)
    page = page_of(index("/deep.xml").replace("</sitemapindex>", "<url><loc>/page</loc></url></sitemapindex>"), asked)
    assert urls(page) == ["http://a.test/page"]
    assert rules(page) == {f"sitemap: below level {MAX_LEVELS}": 1}


def test_sitemaps_inherit_whom_they_may_speak_for():
    anywhere = ScopeConfig(stay_on="any")
    (link,) = page_of(index("http://cdn.test/1.xml"), scope=anywhere).links
    below = request(link.url, via=URL, context=link.context, scope_host="a.test")
    assert urls(page_of(urlset("http://x.test/"), below, scope=anywhere)) == ["http://x.test/"]
    assert rules(page_of(index("http://cdn.test/1.xml"), NAMED, scope=anywhere)) == {"sitemap: other host": 1}


def test_lines_list_what_is_followed_and_what_is_not():
    body = (
        "<urlset><url><loc>/a\u2028</loc><lastmod>2005-01-01</lastmod><changefreq>daily</changefreq>"
        "<priority>0.25</priority><xhtml:link rel='alternate' hreflang='de' href='/de'/></url>"
        "<url><loc>http://x.test/</loc></url><sitemap><loc>/2.xml</loc></sitemap></urlset>"
    )
    page = page_of(body, NAMED, sitemap_lines=True)
    nothing = {"lastmod": None, "changefreq": None, "priority": None}
    assert [list(line.items()) for line in lines(page)] == [
        list({"sitemap": URL, **line}.items())
        for line in (
            {"kind": "url", "url": "http://a.test/a", "lastmod": "2005-01-01", "changefreq": "daily", "priority": 0.25},
            {"kind": "alternate", "url": "http://a.test/de", **nothing},
            {"kind": "url", "url": "http://x.test/", **nothing},
            {"kind": "sitemap", "url": "http://a.test/2.xml", **nothing},
        )
    ]
    assert urls(page) == ["http://a.test/a", "http://a.test/de", "http://a.test/2.xml"]


def test_every_field_of_a_sitemap_line_is_documented_in_the_schema():
    schema = msgspec.json.schema(SitemapLine)["$defs"]["SitemapLine"]
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema["required"] == list(schema["properties"])


def test_what_was_not_read_is_told(monkeypatch):
    monkeypatch.setattr("crawler.extract.sitemap_entries.MAX_ENTRIES", 1)
    page = page_of(urlset("/a", "/b", "/c")[:-4])
    beyond, broken = page.refusals
    assert (beyond.count, beyond.examples) == (2, (URL,))
    assert (broken.rule, broken.count) == ("sitemap: broken off", 1)
    assert broken.examples[0].startswith(f"{URL}: unclosed token: line 1")


def test_a_body_that_was_cut_at_max_body_is_told_and_its_last_line_not_taken():
    body = b"http://a.test/1\nhttp://a.test/22"
    page = page_of(body, max_body_bytes=len(body))
    assert urls(page) == ["http://a.test/1"]
    assert page.refusals[0].examples == (f"{URL}: it ends early",)
    assert len(page_of(body, max_body_bytes=len(body) + 1).links) == 2


def test_the_content_decides_and_not_its_label():
    for label in (b"text/html", b"image/png", b""):
        assert len(page_of(urlset("/a"), headers=((b"Content-Type", label),)).links) == 1
    packed = gzip.compress(gzip.compress(urlset("/a").encode()))
    assert len(page_of(packed, headers=((b"Content-Encoding", b"gzip"),), max_body_bytes=1000).links) == 1


def test_what_is_no_sitemap_fails():
    failure = page_of("<!DOCTYPE html><html><body>Not here", headers=((b"Content-Type", b"text/xml"),))
    assert failure == ParseFailure(reason="bad_sitemap", detail="an HTML page")
    assert page_of("", status=204).reason == "empty"


def test_a_sitemap_asked_for_as_a_page_is_none():
    assert page_of(urlset("/a"), request(kind=Kind.PAGE), headers=((b"Content-Type", b"text/xml"),)).links == ()
