"""What is told of rates: against pages that change as Poisson processes do, and at the edges."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.refresh.rates import Seen, changed, estimated, rate, rate_of_all, worth

DAY = 86_400.0
rates = st.floats(1e-12, 1e6)
times = st.floats(0, 1e12)
counted = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda pair: (max(pair), min(pair)))


def comparisons(drawn, true, visits, interval):
    """How many of so many visits find a change."""
    return sum(drawn.random() < -math.expm1(-true * interval) for _ in range(visits))


@pytest.mark.parametrize("changes_a_visit", [0.1, 0.5, 1.0, 1.5])
def test_an_estimate_is_hardly_biased_where_the_naive_one_is_far_too_low(changes_a_visit):
    drawn, visits, pages = random.Random(1), 20, 4_000
    found = [comparisons(drawn, changes_a_visit / DAY, visits, DAY) for _ in range(pages)]
    ours = sum(estimated(visits, changes, visits * DAY) for changes in found) / pages * DAY
    naive = sum(found) / pages / visits
    assert ours == pytest.approx(changes_a_visit, rel=0.03)
    if changes_a_visit >= 0.5:
        assert naive < 0.8 * changes_a_visit


def test_pages_with_little_history_are_told_better_by_their_hosts_rate_besides():
    drawn, visits = random.Random(2), 3
    true = [drawn.gammavariate(1.0, 0.5) / DAY for _ in range(4_000)]
    found = [comparisons(drawn, page, visits, DAY) for page in true]
    host = rate(*_pooled(found, visits), rate_of_all(Seen(*_pooled(found, visits))))
    assert host == pytest.approx(0.5 / DAY, rel=0.35)
    alone, shrunk = (
        sum((guess - page) ** 2 for guess, page in zip(guesses, true, strict=True))
        for guesses in (
            [estimated(visits, changes, visits * DAY) for changes in found],
            [rate(visits, changes, visits * DAY, host) for changes in found],
        )
    )
    assert shrunk < 0.75 * alone


def test_what_changes_more_often_is_ranked_higher_even_where_visits_are_few_and_uneven():
    drawn = random.Random(3)
    true = [drawn.gammavariate(0.7, 1.0) / DAY for _ in range(1_500)]
    visits = [drawn.randint(1, 12) for _ in true]
    every = [drawn.choice((0.3, 1.0, 4.0)) * DAY for _ in true]
    found = [comparisons(drawn, *page) for page in zip(true, visits, every, strict=True)]
    seen = Seen()
    for page in zip(visits, found, [n * t for n, t in zip(visits, every, strict=True)], strict=True):
        seen = seen.plus(*page)
    ours = [rate(n, x, n * t, rate_of_all(seen)) for n, x, t in zip(visits, found, every, strict=True)]
    naive = [x / (n * t) for n, x, t in zip(visits, found, every, strict=True)]
    assert _in_order(ours, true, drawn) > _in_order(naive, true, drawn) + 0.01


def test_what_was_quiet_for_long_is_asked_ever_less_often_but_never_no_more():
    host = 1 / DAY
    due = [math.log(2) / rate(visits, 0, visits * DAY, host) for visits in range(1, 50)]
    assert all(earlier < later < math.inf for earlier, later in pairwise(due))
    assert due[9] == pytest.approx(math.log(2) * 11 * DAY)


def test_where_nothing_is_known_all_is_due_and_where_nothing_ever_changed_little_is():
    assert changed(rate_of_all(Seen()), 1.0) == 1.0
    assert rate(0, 0, 0.0, math.inf) == math.inf
    quiet = rate_of_all(Seen(visits=1_000, changes=0, watched_s=1_000 * DAY))
    assert 0 < changed(quiet, DAY) < 0.01
    assert rate(0, 0, 0.0, quiet) == quiet


@given(counted, times, rates)
def test_rates_are_above_zero_and_finite_whatever_was_seen(seen, watched_s, among):
    own = rate(*seen, watched_s, among)
    assert 0 < own < math.inf
    assert estimated(*seen, watched_s) >= 0
    assert rate_of_all(Seen(*seen, watched_s)) > 0


@given(rates, times, times)
def test_a_change_is_more_probable_and_a_visit_worth_more_the_longer_ago_the_last_one_is(rate_s, one, other):
    sooner, later = sorted((one, other))
    assert 0 <= changed(rate_s, sooner) <= changed(rate_s, later) <= 1
    assert 0 <= worth(rate_s, sooner) <= worth(rate_s, later) * (1 + 1e-9)
    assert worth(rate_s, later) <= 1 / rate_s


def test_the_worth_of_a_visit_has_no_step_where_its_series_ends():
    assert worth(1.0, 0.01 - 1e-12) == pytest.approx(worth(1.0, 0.01 + 1e-12), rel=1e-6)
    assert worth(1e-9, 1.0) == pytest.approx(0.5e-9)
    assert worth(math.inf, 1.0) == worth(0.0, 1.0) == 0.0


def test_of_pages_visited_equally_long_ago_neither_the_quickest_nor_the_slowest_is_worth_most():
    values = [worth(changes / DAY, DAY) for changes in (0.01, 1.8, 1_000)]
    assert values[1] > 10 * max(values[0], values[2])


def _pooled(found, visits):
    return len(found) * visits, sum(found), len(found) * visits * DAY


def _in_order(guesses, true, drawn):
    """The share of pairs, drawn at random, that are told apart the right way round; a tie is half of one."""
    right = 0.0
    for _ in range(20_000):
        one, other = drawn.randrange(len(true)), drawn.randrange(len(true))
        ahead, is_ahead = guesses[one] - guesses[other], true[one] > true[other]
        right += 0.5 if ahead == 0 else (ahead > 0) == is_ahead
    return right / 20_000
