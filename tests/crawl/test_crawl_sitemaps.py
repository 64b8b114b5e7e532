"""Sitemaps lead to pages, and pages say what robots may do with them."""

from __future__ import annotations

import gzip

import pytest

from tests.crawl.conftest import options
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = pytest.mark.slow

HTML = (("Content-Type", "text/html"),)


class Site:
    """Answers what it was given, by path, on any host; robots.txt allows all unless given, too."""

    def __init__(self, **replies):
        self.replies = replies

    def respond(self, host, path, visit=1):
        reply = self.replies.get(path, Reply(404))
        return Reply(200, HTML, reply.encode()) if isinstance(reply, str) else reply


def urlset(*locations):
    return "<urlset>" + "".join(f"<url>{location}</url>" for location in locations) + "</urlset>"


def file(body, content_type="text/xml"):
    return Reply(200, (("Content-Type", content_type),), body if isinstance(body, bytes) else body.encode())


INDEX = """<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>http://a.test/pages.xml.gz</loc><lastmod>2026-01-01</lastmod></sitemap>
<sitemap><loc>http://cdn.test/list.txt</loc></sitemap><sitemap><loc>/index.xml</loc></sitemap></sitemapindex>"""

MAPPED = Site(
    **{
        "/sitemap.xml": Reply(301, (("Location", "/index.xml"),)),
        "/index.xml": file(INDEX),
        "/pages.xml.gz": file(
            gzip.compress(
                urlset(
                    "<loc>http://a.test/shop/least</loc><priority>0.0</priority>",
                    "<loc>http://a.test/shop/most</loc><priority>1.0</priority><lastmod>2026-02-02</lastmod>",
                    "<loc>http://a.test/about</loc>",
                    "<loc>http://b.test/shop/</loc>",
                ).encode()
            ),
            "application/octet-stream",
        ),
        "/list.txt": file("http://a.test/shop/most\nhttp://a.test/shop/more\n", "text/plain"),
        "/shop/least": "",
        "/shop/most": "<a href=/shop/linked>",
        "/shop/more": "",
        "/shop/linked": "",
    }
)


@pytest.fixture(scope="module")
def mapped():
    with Server(MAPPED) as server:
        yield server


def test_an_index_leads_to_its_sitemaps_and_they_to_pages_each_once(crawler, mapped):
    settings = options(mapped, "export.sitemaps=true", 'scope.include=["*/shop/*"]', "limits.default.concurrency=1")
    ran = crawler("sitemap:http://a.test", *settings)
    assert ran.code == 0, ran.stderr
    depths = {page["url"].removeprefix("http://a.test/shop/"): page["depth"] for page in ran.pages}
    assert len(ran.pages) == len(depths)
    assert depths == {"most": 0, "more": 0, "least": 0, "linked": 1}
    assert {end: (outcome, reason) for end, (outcome, reason) in ran.endings().items() if reason or "xml" in end} == {
        "http://a.test/sitemap.xml": ("redirected", None),
        "http://a.test/index.xml": ("fetched", "sitemap"),
        "http://a.test/pages.xml.gz": ("fetched", "sitemap"),
        "http://cdn.test/list.txt": ("fetched", "sitemap"),
    }
    (seed,) = ran.seeds
    assert (seed["url"], seed["final_url"]) == ("http://a.test/sitemap.xml", "http://a.test/index.xml")
    assert (seed["outcome"], seed["reason"]) == ("fetched", "sitemap")
    assert "scope.stay_on: host" in ran.stderr
    pages = [hit.path for hit in mapped.log.hits if hit.path.startswith("/shop/")]
    assert pages.index("/shop/most") < pages.index("/shop/least")
    rows = [
        (row["sitemap"], row["kind"], row["url"], row["lastmod"], row["priority"])
        for row in ran.lines("sitemaps.jsonl")
    ]
    assert len(rows) == 9
    assert ("http://a.test/index.xml", "sitemap", "http://a.test/pages.xml.gz", "2026-01-01", None) in rows
    assert ("http://a.test/pages.xml.gz", "url", "http://a.test/shop/most", "2026-02-02", 1.0) in rows
    assert ("http://a.test/pages.xml.gz", "url", "http://b.test/shop/", None, None) in rows


NAMED = Site(
    **{
        "/robots.txt": file("User-agent: *\nDisallow: /private\nSitemap: /map.xml\nSitemap: http://b.test/map.xml"),
        "/map.xml": file(
            urlset(*(f"<loc>http://{host}.test/{page}</loc>" for host in "ab" for page in ("x", "private")))
        ),
        "/": "",
        "/x": "",
    }
)


def test_sitemaps_that_robots_txt_names_are_followed_where_asked_for(crawler):
    with Server(NAMED) as server:
        ran = crawler("http://a.test/", *options(server, "sitemaps.follow=true"))
    assert ran.code == 0, ran.stderr
    assert ran.endings() == {
        "http://a.test/": ("fetched", None),
        "http://a.test/x": ("fetched", None),
        "http://a.test/private": ("excluded", "robots"),
        "http://a.test/map.xml": ("fetched", "sitemap"),
        "http://b.test/map.xml": ("fetched", "sitemap"),
    }


def test_what_is_no_sitemap_fails_as_one_and_nothing_is_fetched(crawler, mapped):
    ran = crawler("sitemap:http://a.test/shop/most", *options(mapped))
    assert ran.code == 3, ran.stderr
    assert ran.endings() == {"http://a.test/shop/most": ("failed", "bad_sitemap")}


WISHES = Site(
    **{
        "/": "<a href=/hidden><a href=/closed><a href=/paid rel=sponsored><a href=/ad rel='ugc nofollow'>",
        "/hidden": Reply(200, (*HTML, ("X-Robots-Tag", "noindex")), b"<a href=/behind>"),
        "/behind": "",
        "/closed": "<meta name=robots content=nofollow><a href=/never><a href=/>",
        "/paid": "",
    }
)


def test_pages_wishes_are_granted_and_accounted_for(crawler):
    with Server(WISHES) as server:
        ran = crawler("http://a.test/", *options(server, "export.links=true"))
        assert ran.code == 0, ran.stderr
        assert {page["url"].removeprefix("http://a.test") for page in ran.pages} == {"/", "/behind", "/closed", "/paid"}
        (hidden,) = ran.outcomes
        assert (hidden["url"], hidden["outcome"], hidden["reason"]) == ("http://a.test/hidden", "excluded", "noindex")
        assert (hidden["status"], hidden["attempts"]) == (200, 1)
        asked = {hit.path for hit in server.log.hits}
        assert not asked & {"/never", "/ad"}
        assert "robots.nofollow" in ran.stderr
        assert "robots.skip_rel: nofollow" in ran.stderr
        sources = {line["source"].removeprefix("http://a.test") for line in ran.lines("links.jsonl")}
        assert sources == {"/", "/closed"}
        shown = crawler("http://a.test/hidden", *options(server, "limits.default.delay=0")[2:], command="try")
        assert shown.code == 3
        assert "excluded (noindex: the page itself asks not to be indexed" in shown.stderr
