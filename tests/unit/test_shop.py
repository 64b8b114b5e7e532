"""The demo's shop is a site worth scraping, with just the troubles it promises."""

from __future__ import annotations

import http.client
import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from crawler.demo.catalogue import CATEGORIES
from crawler.demo.serve import running_shop
from crawler.demo.shop import respond

SITE = "http://shop.test"


class Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.links: set[str] = set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "base":
            self.base = urljoin(self.base, given["href"])
        if tag == "a":
            self.links.add(urljoin(self.base, given["href"]).removeprefix(SITE))


@pytest.fixture(scope="module")
def site():
    """Path -> (status, headers, text, links) of everything reachable, basket included, at the second visit."""
    found, queue = {}, ["/"]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        status, headers, body, _ = respond(path, visit=2)
        headers = dict(headers)
        reader = Reader(SITE + path)
        text = body.decode(headers.get("Content-Type", "charset=utf-8").partition("charset=")[2])
        reader.feed(text)
        links = reader.links | ({headers["Location"]} if "Location" in headers else set())
        found[path] = (status, headers, text, links)
        queue += links
    return found


def test_shop_has_about_seventy_pages_and_its_troubles(site):
    statuses = {path: status for path, (status, *_) in site.items()}
    assert 65 <= list(statuses.values()).count(200) <= 80
    assert {path for path, status in statuses.items() if status == 404} == {"/products/iron-gall-ink"}
    assert {path for path, status in statuses.items() if status == 301} == {
        "/old-shop",
        "/old-shop/welcome",
        "/products/pocket-notebook-a6",
    }


def test_every_product_is_reachable_and_carries_its_price_as_data(site):
    for category, (_, goods) in CATEGORIES.items():
        for product in goods:
            _, _, text, links = site[f"/products/{product.slug}"]
            data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text)[1])
            assert data["offers"]["price"] == f"{product.price_cents / 100:.2f}"
            assert f"€{data['offers']['price']}" in text
            assert f"/category/{category}" in links


def test_listings_split_over_pages_that_link_each_other(site):
    assert "/category/pens?page=2" in site["/category/pens"][3]
    assert "/category/pens" in site["/category/pens?page=2"][3]
    assert respond("/category/pens?page=3").status == 404
    assert respond("/journal?page=0").status == 404


def test_stock_page_fails_once_and_then_heals():
    assert [respond("/stock", visit).status for visit in (1, 2, 3)] == [500, 200, 200]


def test_pictures_of_products_are_there(site):
    source = re.search('<img src="(.*?)" alt="Pocket Notebook">', site["/products/pocket-notebook"][2])[1]
    answer = respond(source)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (200, "image/svg+xml")
    assert b">P</text>" in answer.body


def test_imprint_is_latin1_and_would_be_mojibake_otherwise():
    answer = respond("/imprint")
    assert "Zürich" in answer.body.decode("latin-1")
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()


def test_titles_are_unique_and_nothing_else_fails(site):
    titles = [re.search("<title>(.*?)</title>", text)[1] for status, _, text, _ in site.values() if status == 200]
    assert len(set(titles)) == len(titles)


def test_running_shop_answers_over_a_kept_connection_and_stops():
    with running_shop() as base:
        parts = urlsplit(base)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        statuses = []
        for path in ("/", "/stock", "/stock", "/robots.txt", "/nothing"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        assert statuses == [200, 500, 200, 200, 404]
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(parts.hostname, parts.port, timeout=5).connect()
