"""What is asked of a server that was visited before: for what is new since, in its own words, and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.fetch.http import HttpFetcher
from crawler.known import MAX_VALIDATOR_CHARS, Known, condition_lines
from crawler.models import HostKey, Kind, Outcome, Request, Url
from crawler.politeness import retry
from crawler.politeness.retry import Deliver, Finish
from tests.support.fetching import nothing
from tests.support.rawserver import RawServer, page

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
KNOWN = Known(id=7, has_page=True, bytes=5, etag='W/"x,y"', last_modified=DATE)
UNCHANGED = Finish(Outcome.UNCHANGED, "not_modified", 304, has_page=True)


def after(request, answer):
    return retry.after(request, answer, now=0.0, wall=0.0)


async def visit(answer, known=KNOWN, kind=Kind.PAGE, path="/", times=1, **config):
    """What is sent to a server that gives `answer`, and what it comes to."""
    fetcher = HttpFetcher(FetchConfig(**config), SystemClock(), concurrency=1)
    async with RawServer(answer) as server:
        request = Request(
            url=Url(server.url(path)), host_key=HostKey("h"), scope_host="h", kind=kind, known=known, seed="http://h/"
        )
        for _ in range(times):
            response = await fetcher.fetch(request, nothing)
        await fetcher.aclose()
    return server, request, response


def conditions(head):
    return [line for line in head.decode("latin-1").split("\r\n") if line.lower().startswith("if-")]


async def test_both_validators_are_sent_as_they_were_received():
    server, _, response = await visit(page())
    assert conditions(server.heads[0]) == ['If-None-Match: W/"x,y"', f"If-Modified-Since: {DATE}"]
    assert response.request_head == server.heads[0]


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.SITEMAP])
async def test_304_to_a_condition_says_that_nothing_has_changed(kind):
    server, request, response = await visit(b'HTTP/1.1 304 Not Modified\r\nETag: W/"x,y"\r\n\r\n', kind=kind, times=2)
    assert after(request, response) == UNCHANGED
    assert len(server.heads) == 2
    assert server.connections == 1, "a 304 has no body, and leaves the connection in order"


async def test_304_to_no_condition_is_a_failure_as_ever():
    for known in (None, Known(id=7, has_page=True)):
        server, request, response = await visit(b"HTTP/1.1 304 Not Modified\r\n\r\n", known=known)
        assert conditions(server.heads[0]) == []
        assert after(request, response) == Finish(Outcome.FAILED, "http_304", 304)


async def test_users_own_condition_is_left_alone_and_its_304_is_no_answer_to_ours():
    for name in ("If-None-Match", "if-modified-since"):
        server, request, response = await visit(b"HTTP/1.1 304 Not Modified\r\n\r\n", headers={name: "mine"})
        assert conditions(server.heads[0]) == [f"{name}: mine"]
        assert after(request, response) == Finish(Outcome.FAILED, "http_304", 304)


async def test_other_answer_to_a_condition_means_what_it_always_does():
    _, request, response = await visit(page(b"new"))
    assert isinstance(after(request, response), Deliver)


async def test_cookie_of_a_304_counts():
    answer = b"HTTP/1.1 304 Not Modified\r\nSet-Cookie: a=1\r\n\r\n"
    server, _, _ = await visit(answer, times=2, cookies=True)
    assert b"Cookie: a=1\r\n" in server.heads[1]


def test_target_of_a_redirect_is_asked_for_without_what_was_known_of_another_url():
    request = Request(url=Url("https://a.test/"), host_key=HostKey("a.test"), scope_host="a.test", known=KNOWN)
    assert retry.hop(request, Url("https://a.test/new")).known is None


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', '""', '"a,b*c"', '"\xe9"', "unquoted-*", '"a b"'])
def test_entity_tag_is_sent_as_received(etag):
    assert condition_lines(Known(id=1, etag=etag)) == f"If-None-Match: {etag}\r\n"


@pytest.mark.parametrize(
    "etag",
    [
        "",
        "*",
        '"a"\r\nX: 1',
        '"a\n"',
        '"a\0"',
        '"a\x7f"',
        '"\u0159"',
        '"a", "b"',
        "a, *",
        '"a',
        f'"{"a" * MAX_VALIDATOR_CHARS}"',
    ],
)
def test_what_would_be_another_header_or_the_tag_of_other_things_is_not_sent(etag):
    assert condition_lines(Known(id=1, etag=etag)) == ""


@pytest.mark.parametrize("date", [DATE, "Tuesday, 14-Nov-23 22:13:20 GMT", "Tue Nov  4 22:13:20 2023"])
def test_date_of_any_form_that_http_has_is_sent_as_received(date):
    assert condition_lines(Known(id=1, last_modified=date)) == f"If-Modified-Since: {date}\r\n"


@pytest.mark.parametrize("date", ["", "0", "yesterday", "2023-11-14T22:13:20Z", DATE + "\r\nX: 1", f"{DATE}, {DATE}"])
def test_what_is_no_date_is_not_sent(date):
    assert condition_lines(Known(id=1, last_modified=date)) == ""
    assert condition_lines(replace(KNOWN, last_modified=date)) == 'If-None-Match: W/"x,y"\r\n'
