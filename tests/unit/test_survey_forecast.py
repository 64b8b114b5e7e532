"""How fast a host would be asked, why, and how long it would take."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from crawler.config import AdaptiveConfig, BudgetConfig, CrawlConfig, LimitsConfig, Pace, RobotsConfig, ScopeConfig
from crawler.politeness.limits import LimitTable, adaptive_of
from crawler.politeness.throttle import Throttle
from crawler.survey.forecast import Forecast, Pages, Pause, forecast, pages_of, pause_of
from crawler.units import Duration, Number

DEFAULTS = CrawlConfig()
SEEDS = Pages(100, "~", "100 seeds")


def pause(config=DEFAULTS, crawl_delay_s=0.0, answer_s=0.0):
    return pause_of(config, LimitTable(config.limits).resolve("a.test"), crawl_delay_s, answer_s)


def paced(delay_s, **more):
    return LimitsConfig(default=Pace(delay_s=Duration(delay_s), **more))


def test_pause_is_the_configured_one_where_nothing_asks_for_more():
    assert pause() == Pause(1.0, "limits.default.delay")
    assert pause(crawl_delay_s=1.0, answer_s=0.5) == Pause(1.0, "limits.default.delay")


def test_crawl_delay_lengthens_the_pause_up_to_its_bound():
    assert pause(crawl_delay_s=30.0) == Pause(30.0, "Crawl-delay of robots.txt")
    assert pause(crawl_delay_s=300.0) == Pause(60.0, "robots.max_crawl_delay, as its robots.txt asks for 5m")


@pytest.mark.parametrize("robots", [RobotsConfig(obey=False), RobotsConfig(max_crawl_delay_s=Duration(0))])
def test_crawl_delay_that_is_not_heeded_changes_nothing(robots):
    assert pause(CrawlConfig(robots=robots), crawl_delay_s=30.0) == Pause(1.0, "limits.default.delay")


def test_slow_host_is_asked_more_slowly_unless_adaptive_pacing_is_off_or_there_is_no_pause():
    slow = Pause(4.0, "limits.adaptive, 2 times its answer time of 2s")
    assert pause(answer_s=2.0) == slow
    bounded = LimitsConfig(adaptive=AdaptiveConfig(factor=Number(3), max_delay_s=Duration(5)))
    assert pause(CrawlConfig(limits=bounded), answer_s=2.0).delay_s == 5.0
    assert pause(CrawlConfig(limits=LimitsConfig(adaptive=False)), answer_s=2.0).delay_s == 1.0
    assert pause(CrawlConfig(limits=paced(0)), answer_s=2.0) == Pause(0.0, "limits.default.delay")


def pages(*, seeds=3, listed=0, more=False, followed=False, max_depth=None, **budget):
    config = CrawlConfig(scope=ScopeConfig(max_depth=max_depth), budget=BudgetConfig(**budget))
    return pages_of(config, seeds=seeds, listed=listed, more=more, followed=followed)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, Pages(None)),
        ({"listed": 1_200}, Pages(1_200, "~", "1,200 URLs in its sitemaps")),
        ({"listed": 1_200, "more": True}, Pages(1_200, "over ", "1,200 URLs in its sitemaps")),
        ({"max_depth": 0}, Pages(3, "~", "3 seeds")),
        ({"max_depth": 0, "listed": 9}, Pages(3, "~", "3 seeds")),
        ({"max_depth": 0, "listed": 9, "followed": True}, Pages(9, "~", "9 URLs in its sitemaps")),
        ({"pages_per_host": 50}, Pages(50, "at most ", "50 pages (budget.pages_per_host)")),
        ({"pages": 9, "pages_per_host": 50}, Pages(9, "at most ", "9 pages (budget.pages)")),
        ({"listed": 1_200, "more": True, "pages": 70}, Pages(70, "at most ", "70 pages (budget.pages)")),
        ({"listed": 60, "pages_per_host": 50}, Pages(50, "~", "50 pages (budget.pages_per_host)")),
        ({"listed": 60, "pages": 70}, Pages(60, "~", "60 URLs in its sitemaps")),
    ],
)
def test_number_of_pages_says_what_it_is_estimated_from(known, expected):
    assert pages(**known) == expected


def lasting(limits=DEFAULTS.limits, pages=SEEDS, answer_s=0.0, **budget):
    config = CrawlConfig(limits=limits, budget=BudgetConfig(**budget))
    resolved = LimitTable(limits).resolve("a.test")
    pause = pause_of(config, resolved, 0.0, answer_s)
    return forecast(config, resolved, pause=pause, answer_s=answer_s, pages=pages)


def test_forecast_is_pages_times_pause():
    assert lasting() == Forecast(100.0, "~", "100 seeds, 1s apart")
    assert lasting(paced(2, jitter_s=Duration(1))) == Forecast(250.0, "~", "100 seeds, 2.5s apart")


def test_answers_count_where_they_take_longer_than_the_pause():
    assert lasting(paced(0, concurrency=4), answer_s=0.2) == Forecast(5.0, "~", "100 seeds, 50ms apart")


def test_nothing_is_forecast_without_pages_or_pace_but_a_budget_of_time():
    assert lasting(pages=Pages(None)) is None
    assert lasting(paced(0)) is None
    assert lasting(pages=Pages(None), time_s=Duration(60)) == Forecast(60.0, "at most ", "budget.time")


def test_budget_of_time_ends_what_would_take_longer():
    assert lasting(time_s=Duration(60)) == Forecast(60.0, "~", "budget.time")
    assert lasting(pages=Pages(100, "over ", "100 URLs"), time_s=Duration(60)) == Forecast(60.0, "~", "budget.time")
    assert lasting(time_s=Duration(101)).seconds == 100.0


@pytest.mark.parametrize("adaptive", [True, False, AdaptiveConfig(factor=Number(3), max_delay_s=Duration(5))])
@pytest.mark.parametrize("answer_s", [0, 2, 40])
@pytest.mark.parametrize("crawl_delay_s", [0, 5, 300])
@pytest.mark.parametrize("delay_s", [0, 1, 7])
def test_pause_is_the_one_a_crawl_would_keep(adaptive, delay_s, crawl_delay_s, answer_s):
    config = CrawlConfig(limits=LimitsConfig(default=Pace(delay_s=Duration(delay_s)), adaptive=adaptive))
    heeded_s = min(crawl_delay_s, config.robots.max_crawl_delay_s)
    host = SimpleNamespace(
        asked_delay_s=delay_s, crawl_delay_s=heeded_s, latency_s=answer_s, backoff_s=0.0, recovery_s=0.0
    )
    assert pause(config, crawl_delay_s, answer_s).delay_s == Throttle(adaptive_of(config.limits)).delay_s(host)
