"""Links left out by workers as known: what is in the frontier is the same as if they had not been."""

import random

import pytest

from crawler.config import ScopeConfig
from crawler.extract.page import Settings
from crawler.models import Checkpoint, Page, Response
from crawler.parse.base import Job
from crawler.parse.inline import InlineParser
from crawler.parse.process import ProcessParser
from tests.support.frontiers import BACKENDS, crash, finished, link, seed, take_all, urls
from tests.support.stunt_extractor import parse_config

HOSTS = ("a.test", "b.test", "c.test")
PAGES = 90
MAX_DEPTH = 6


class Unconfirmed(ProcessParser):
    """As if nothing ever were in the frontier."""

    def confirm(self, result):
        pass


def response(url):
    """Eight links: most to others of its host, some to other hosts, and one that all pages of a host have."""
    draw = random.Random(url)
    numbers = [draw.randrange(PAGES) for _ in range(7)]
    hrefs = [f"http://{draw.choice(HOSTS)}/{number}" if number % 3 == 0 else f"/{number}" for number in numbers]
    body = "".join(f'<a href="{href}">to</a>' for href in [*hrefs, "/0"])
    return Response(url=url, status=200, headers=((b"content-type", b"text/html"),), body=body.encode())


async def crawled(parser, frontier):
    """Crawl deepest first, so that many a link is refused for its depth before it is found less deep.

    Returns all requests in the order they were taken, what was refused on each, and how many links pages brought.
    """
    taken, refusals, links = [], [], 0
    frontier.add([seed("http://a.test/0")])
    while requests := await take_all(frontier, *HOSTS, count=2):
        pages = await parser.parse([Job(request=request, response=response(request.url)) for request in requests])
        for request, page in zip(requests, pages, strict=True):
            assert isinstance(page, Page), page
            frontier.discover(request, page.links)
            parser.confirm(page)
            refusals.append(page.refusals)
            links += len(page.links)
        taken += requests
        await frontier.commit(Checkpoint(finished=tuple(map(finished, requests))))
    return taken, refusals, links


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
@pytest.mark.parametrize("stay_on", ["any", "host"])
async def test_the_same_urls_are_admitted_with_and_without_the_filter(backend, stay_on, clock, tmp_path):
    scope = ScopeConfig(stay_on=stay_on, max_depth=MAX_DEPTH)
    crawls = []
    for parsing in (ProcessParser, Unconfirmed, InlineParser):
        frontier = BACKENDS[backend](clock, tmp_path / parsing.__name__)(deepest_first=True)
        await frontier.open()
        parser = parsing(Settings(scope=scope, fingerprint_key=frontier.key), parse_config(workers=2))
        await parser.start()
        try:
            crawls.append(await crawled(parser, frontier))
        finally:
            await parser.aclose()
            await frontier.aclose()
    filtered, whole, inline = crawls
    assert filtered[:2] == whole[:2] == inline[:2]
    assert any(refusal.rule.startswith("scope.max_depth") for page in filtered[1] for refusal in page)
    assert len(filtered[0]) > 50
    assert filtered[2] < whole[2] / 2
    assert whole[2] == inline[2]


async def test_a_known_link_changes_nothing_whatever_else_it_says(frontier):
    frontier.add([seed()])
    (parent,) = await take_all(frontier)
    first = link(frontier, "https://a.test/x", priority=40, context=b"first")
    assert frontier.discover(parent, [first]) == ["a.test"]
    again = link(frontier, "https://a.test/x", priority=1, context=b"again", kind="sitemap")
    other = seed("https://b.test/", depth=0)
    counts = frontier.counts()
    assert frontier.discover(other, [again]) == []
    await frontier.commit(Checkpoint(finished=(finished(parent),)))
    assert frontier.discover(other, [again]) == []
    assert frontier.counts().admitted == counts.admitted
    (taken,) = await take_all(frontier)
    assert (taken.priority, taken.context, taken.kind, taken.via) == (40, b"first", "page", parent.url)
    await frontier.commit(Checkpoint(finished=(finished(taken),)))
    assert frontier.discover(other, [again]) == []
    assert await take_all(frontier) == []


async def test_a_link_left_out_is_stored_with_the_page_it_was_left_out_of(frontier, frontier_factory):
    """It was found on one page; the end of the other, which was sent without it, is committed first."""
    frontier.add([seed("https://a.test/1"), seed("https://a.test/2")])
    first, second = await take_all(frontier)
    frontier.discover(first, [link(frontier, "https://a.test/x")])
    frontier.discover(second, [])
    await frontier.commit(Checkpoint(finished=(finished(second),)))
    after = await crash(frontier, frontier_factory)
    assert urls(await take_all(after)) == ["https://a.test/1", "https://a.test/x"]
