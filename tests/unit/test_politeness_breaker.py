"""When a host that keeps failing rests, is tried, and is given up."""

import pytest

from crawler.config import BreakerConfig
from crawler.politeness.breaker import Breaker, Effect
from tests.support.hosts import Breakable

BREAKER = Breaker(BreakerConfig(failures=3))


def after(host, how, attempt=1):
    return BREAKER.after(host, attempt, failed=how == "failed", answered=how == "answered")


def opened():
    host = Breakable()
    assert [after(host, "failed") for _ in range(3)] == [Effect.COUNTED, Effect.COUNTED, Effect.OPENED]
    return host


def test_failures_in_a_row_open_it():
    assert BREAKER.is_open(opened())


def test_an_answer_begins_the_count_anew():
    host = Breakable(failures=2)
    assert after(host, "answered") is Effect.COUNTED
    assert host.failures == 0
    assert after(host, "answered") is Effect.NONE


def test_failure_that_may_be_the_urls_own_neither_counts_nor_forgives():
    host = Breakable(failures=2)
    assert after(host, "neither") is Effect.NONE
    assert host.failures == 2


@pytest.mark.parametrize("how", ["failed", "answered", "neither"])
def test_what_was_in_flight_when_it_opened_changes_nothing(how):
    host = opened()
    host.trial = 7
    assert after(host, how, attempt=6) is Effect.NONE
    assert BREAKER.is_open(host)
    assert host.trial == 7


@pytest.mark.parametrize("how", ["answered", "neither"])
def test_trial_that_is_not_the_hosts_failure_closes_it(how):
    host = opened()
    host.trial = 7
    assert after(host, how, attempt=7) is Effect.CLOSED
    assert not BREAKER.is_open(host)
    assert host.trial is None


def test_trial_that_fails_retires_the_host():
    host = opened()
    host.trial = 7
    assert after(host, "failed", attempt=7) is Effect.RETIRED


def test_stored_count_opens_it_again_and_a_larger_limit_closes_it():
    host = Breakable(failures=3)
    assert BREAKER.is_open(host)
    assert not Breaker(BreakerConfig(failures=4)).is_open(host)


def test_switched_off_it_never_opens():
    host, breaker = Breakable(), Breaker(BreakerConfig(failures=None))
    assert {breaker.after(host, 1, failed=True, answered=False) for _ in range(100)} == {Effect.COUNTED}
    assert not breaker.is_open(host)
