"""Why a host waits is told once for each reason, to who asks for it."""

from __future__ import annotations

import logging
from itertools import groupby

import pytest

from crawler.config import BreakerConfig, BudgetConfig
from crawler.errors import FetchError
from crawler.models import Kind, Response, Robots
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

LATENCY_S = 0.1


@pytest.fixture
def told(caplog):
    """What was told of a host so far: (why, seconds)."""
    caplog.set_level(logging.DEBUG, "crawler")

    def events(host="a.test"):
        return [
            (record.why, getattr(record, "wait_s", None))
            for record in caplog.records
            if record.getMessage() == "host waits" and record.host == host
        ]

    return events


def crawled(answer, count=10, *, robots=Robots(), hosts=("a.test",), **options):  # noqa: B008  (frozen)
    clock = FakeClock()
    desk = FrontDesk(policy_for(clock, **options), clock, answer, lambda url: robots)
    desk.add(*(request_for(f"https://{host}/{number}", number) for host in hosts for number in range(count)))
    desk.run()
    return desk


def ok(request, clock=None):
    return Response(url=request.url, status=200, elapsed_s=LATENCY_S)


def test_a_plain_pause_is_told_once_and_not_for_each_request(told):
    crawled(ok, obey=False)
    [(why, wait_s)] = told()
    assert why == "1 s between requests"
    assert 0.5 < wait_s <= 1.02


def test_a_host_without_a_pause_worth_telling_does_not_wait(told):
    crawled(ok, obey=False, delay=0.2)
    assert told() == []


def test_a_pause_after_the_last_request_is_no_wait(told):
    crawled(ok, count=1, obey=False)
    assert told() == []


def test_the_pause_that_robots_txt_asks_for_is_told(told):
    crawled(ok, robots=Robots(crawl_delay_s=5.0))
    assert [why for why, _ in told()][-1] == "its robots.txt asks for 5 s between requests"
    assert len(told()) <= 2


def test_a_rest_that_was_asked_for_is_told_with_its_length(told):
    asked = []

    def busy(request, clock=None):
        if not asked:
            asked.append(request)
            return Response(url=request.url, status=503, headers=((b"retry-after", b"30"),))
        return ok(request)

    crawled(busy, obey=False)
    assert ("it asked to be left alone", 30.0) in told()


def test_pauses_after_errors_are_told_as_they_grow_and_not_each_time(told):
    crawled(lambda request, clock=None: Response(url=request.url, status=500), count=30, obey=False, adaptive=True)
    whys = [why for why, _ in told() if "after errors" in why]
    assert len(whys) >= 3
    assert len(whys) == len(list(groupby(whys)))
    assert len(whys) < 15


def test_the_rest_of_a_failing_host_is_told(told):
    crawled(
        lambda request, clock=None: FetchError("reset"),
        obey=False,
        breaker=BreakerConfig(failures=3, rest_s=Duration(100)),
    )
    assert ("it failed 3 times in a row", 100.0) in told()


def test_a_robots_txt_that_cannot_be_had_is_told(told):
    def answer(request, clock=None):
        return FetchError("reset") if request.kind is Kind.ROBOTS else ok(request)

    crawled(answer, count=2)
    assert any(why == "its robots.txt could not be had" and wait_s > 0 for why, wait_s in told())


def test_a_host_that_has_given_its_pages_is_told(told):
    crawled(ok, obey=False, delay=0, budget=BudgetConfig(pages_per_host=2))
    assert told() == [("it has given 2 pages (budget.pages_per_host)", None)]


def test_hosts_that_wait_for_one_another_at_their_address_are_told(told):
    crawled(ok, obey=False, delay=0, hosts=("a.test", "b.test"), per_address=1, locates=True)
    whys = {("192.0.2.1 has 1 request in flight, as many as it may", None)}
    assert {*told("a.test"), *told("b.test")} == whys
    assert len(told("a.test")) + len(told("b.test")) <= 2


def test_nothing_is_told_or_noted_where_nobody_asks(caplog):
    caplog.set_level(logging.INFO, "crawler")
    desk = crawled(ok, obey=False)
    assert [record for record in caplog.records if record.getMessage() == "host waits"] == []
    assert all(host.told is None for host in desk.policy._window.hosts.values())
