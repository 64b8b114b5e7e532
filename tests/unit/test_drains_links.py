"""What a page's links cost is bounded, and what is left out is counted by the rule that left it out."""

import json

import pytest

from crawler.extract.links import MAX_TARGET_CHARS, TARGET_CHARS, TOO_MANY
from crawler.extract.page import Extractor, Settings
from crawler.extract.sitemap_links import MAX_URL_CHARS, TOO_LONG
from crawler.models import HostKey, Kind, Request, Response, Url

PATH = "y" * 16_000
WAYS = 1_000 * 16_384
"""What a stretch of links may hold, after which is looked."""


def page_of(body, *, path="/", kind=Kind.PAGE, **settings):
    url = Url(f"https://example.org{path}")
    request = Request(url=url, host_key=HostKey("example.org"), scope_host="example.org", kind=kind)
    response = Response(url=url, status=200, headers=((b"content-type", b"text/html"),), body=body.encode())
    return Extractor(Settings(**settings)).page(request, response)


def record_of(page):
    return json.loads(dict(page.records)["pages"])


def refused(page):
    return {refusal.rule: refusal.count for refusal in page.refusals}


@pytest.mark.slow
def test_a_base_of_16_kb_does_not_multiply_short_links():
    page = page_of(f"<base href=/{PATH}/>" + "".join(f"<a href={number}>x</a>" for number in range(20_000)))
    kept = sum(len(link.url) + TARGET_CHARS for link in page.links)
    assert MAX_TARGET_CHARS < kept < MAX_TARGET_CHARS + WAYS
    assert refused(page) == {TOO_MANY: 20_000 - len(page.links)}
    assert "links" in record_of(page)["truncated"]
    assert record_of(page)["n_links"] == 20_000


@pytest.mark.slow
def test_links_of_16_kb_each_are_a_thousand_or_two_and_a_count():
    page = page_of("".join(f"<a href=/{number}{PATH}>x</a>" for number in range(4_000)), max_body_bytes=1 << 30)
    assert len(page.links) == 2_000
    assert refused(page) == {TOO_MANY: 2_000}
    assert record_of(page)["truncated"] == ["links"]


@pytest.mark.slow
def test_of_a_million_links_those_that_fit_are_followed_and_the_rest_counted():
    links = "".join(f"<a href={number}>x</a>" for number in range(150_000))
    page = page_of(links + "<a href=1>again</a><a href=mailto:x>mail</a>")
    assert len(page.links) > 100_000
    assert refused(page) == {TOO_MANY: 150_000 + 1 - len(page.links)}  # one for mail, of which nothing is known yet
    assert record_of(page)["truncated"] == ["links"]


def test_a_page_of_ten_thousand_usual_links_lacks_none():
    links = "".join(f"<a href=/catalogue/category-{number}/{'x' * 100}>x</a>" for number in range(10_000))
    page = page_of(links)
    assert (len(page.links), page.refusals, record_of(page)["truncated"]) == (10_000, (), [])


def test_a_rel_is_as_long_as_a_text_at_most():
    (link,) = record_of(page_of(f"<a href=x rel='{'a ' * 100_000}'>x</a>"))["links"]
    assert len(link["rel"]) == 200


def test_a_sitemap_in_a_folder_of_16_kb_is_cut_and_says_so():
    lines = "\n".join(f"<url><loc>{number}</loc></url>" for number in range(10_000))
    page = page_of(f"<urlset>{lines}</urlset>", path=f"/{PATH}/a.xml", kind=Kind.SITEMAP)
    assert sum(len(link.url) for link in page.links) < MAX_URL_CHARS + 2 * 16_384
    assert refused(page) == {TOO_LONG: 10_000 - len(page.links)}
