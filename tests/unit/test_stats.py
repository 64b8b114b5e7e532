from __future__ import annotations

import pytest
from msgspec.structs import replace

from crawler.counters import counters_with, counters_without
from crawler.models import Counts, Finished, Outcome, Refusal, Request, Response
from crawler.stats import LATENCY_BOUNDS_S, MAX_RULES, OTHER_RULES, HostTally, Stats
from crawler.views import SlowHost
from tests.support.clock import FakeClock

REQUEST = Request(url="https://a.test/", host_key="a.test", scope_host="a.test")
COUNTS = Counts(admitted=5, pending=2, outcomes={**dict.fromkeys(Outcome, 0), Outcome.FETCHED: 3})


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def stats(clock):
    return Stats(clock)


def snapshot(stats):
    return stats.snapshot(COUNTS, 1, 2)


def page():
    return Finished(request=REQUEST, outcome=Outcome.FETCHED, has_page=True)


def failed(reason, attempt=1):
    return Finished(request=replace(REQUEST, attempt=attempt), outcome=Outcome.FAILED, reason=reason)


def answer(status=200, **fields):
    return Response(url="https://a.test/", status=status, **fields)


def refusal(rule, count=1, *examples):
    return Refusal(rule=rule, count=count, examples=examples)


def test_nothing_counted_is_all_zero(stats):
    numbers = snapshot(stats)
    assert (numbers.pages, numbers.attempts, numbers.snoozes, numbers.wire_bytes) == (0, 0, 0, 0)
    assert (numbers.elapsed_s, numbers.pages_per_s, numbers.mean_pages_per_s) == (0.0, 0.0, 0.0)
    assert (numbers.reasons, numbers.refusals) == ({}, {})


def test_counts_of_the_frontier_pass_through(stats):
    numbers = snapshot(stats)
    assert (numbers.admitted, numbers.queued, numbers.in_flight) == (5, 2, 1)
    assert numbers.admitted == sum(numbers.outcomes.values()) + numbers.queued


def test_attempts_bytes_and_snoozes_add_up(stats):
    stats.attempt(answer(body=b"x" * 100))
    stats.attempt(answer(body=b"x" * 23))
    stats.snoozed(1)
    numbers = snapshot(stats)
    assert (numbers.attempts, numbers.wire_bytes, numbers.snoozes) == (2, 123, 1)


def test_what_waits_is_unfinished_and_not_in_flight_whatever_is_committed(stats):
    assert stats.snapshot(COUNTS, 3, 10).waiting == 7
    assert stats.snapshot(COUNTS, 3, 2).waiting == 0, "robots.txt is in flight without being admitted"


def test_hosts_of_the_policy_pass_through(stats):
    slow, hosts = SlowHost(host_key="a.test", why="Crawl-delay 30s", wait_s=12.0), HostTally(given_up=1)
    numbers = stats.snapshot(COUNTS, 0, 2, [slow], hosts)
    assert (numbers.slow, numbers.hosts) == ((slow,), hosts)
    assert (snapshot(stats).slow, snapshot(stats).hosts) == ((), HostTally())


def test_failures_count_before_they_are_committed(stats):
    for finished in (failed("dns"), page(), failed("http_404")):
        stats.finished(finished)
    numbers = snapshot(stats)
    assert (numbers.failed, numbers.outcomes[Outcome.FAILED]) == (2, 0)


def test_a_url_is_to_be_retried_from_its_first_failed_attempt_to_its_end(stats):
    retrying = []
    for step in (
        lambda: stats.snoozed(1),
        lambda: stats.snoozed(1),  # another URL
        lambda: stats.snoozed(2),  # one of the two
        lambda: stats.finished(failed("timeout")),  # a third, at once
        lambda: stats.finished(failed("timeout", attempt=3)),
        lambda: stats.finished(replace(page(), request=replace(REQUEST, attempt=2))),
    ):
        step()
        retrying.append(snapshot(stats).retrying)
    assert retrying == [1, 2, 2, 2, 1, 0]


def test_reasons_are_counted_by_outcome_and_the_most_frequent_comes_first(stats):
    not_html = Finished(request=REQUEST, outcome=Outcome.FETCHED, reason="not_html")
    for finished in (failed("dns"), not_html, failed("timeout"), failed("timeout"), page()):
        stats.finished(finished)
    assert list(snapshot(stats).reasons.items()) == [
        ((Outcome.FAILED, "timeout"), 2),
        ((Outcome.FAILED, "dns"), 1),
        ((Outcome.FETCHED, "not_html"), 1),
    ]


def test_only_urls_with_a_record_count_as_pages(stats):
    stats.finished(page())
    stats.finished(Finished(request=REQUEST, outcome=Outcome.FETCHED, reason="not_html"))
    assert snapshot(stats).pages == 1


def test_refusals_keep_the_first_three_different_examples(stats):
    stats.refused([refusal("host", 2, "u1", "u2"), refusal("exclude", 9)])
    stats.refused([refusal("host", 3, "u2", "u3", "u4")])
    assert snapshot(stats).refusals == {
        "exclude": refusal("exclude", 9),
        "host": refusal("host", 5, "u1", "u2", "u3"),
    }
    assert list(snapshot(stats).refusals) == ["exclude", "host"]


def test_rules_beyond_the_bound_are_counted_together_and_none_is_lost(stats):
    for n in range(MAX_RULES + 50):
        stats.refused([refusal(f"rule {n}", 2, f"u{n}")])
    refusals = snapshot(stats).refusals
    assert len(refusals) == MAX_RULES + 1
    assert refusals[OTHER_RULES].count == 100
    assert len(refusals[OTHER_RULES].examples) == 3
    assert sum(refused.count for refused in refusals.values()) == 2 * (MAX_RULES + 50)


def test_recent_rate_forgets_what_is_older_than_five_seconds(stats, clock):
    for _ in range(100):
        stats.finished(page())
    clock.advance(10)
    assert snapshot(stats).pages_per_s == 10.0
    for _ in range(10):
        clock.advance(1)
        stats.finished(page())
        numbers = snapshot(stats)
    assert numbers.pages_per_s == 1.0
    assert numbers.mean_pages_per_s == 5.5


def test_snapshots_in_quick_succession_do_not_pile_up_samples(stats, clock):
    for _ in range(10_000):
        clock.advance(0.001)
        snapshot(stats)
    assert len(stats._samples) < 60


def test_restored_stats_count_on(stats, clock):
    stats.finished(page())
    stats.finished(failed("http_404"))
    stats.attempt(answer(body=b"x" * 50, status=404, elapsed_s=0.3))
    stats.snoozed(1)
    stats.refused([refusal("scope.exclude: * / *", 4, "u1")])
    clock.advance(60)
    before = snapshot(stats)
    resumed = Stats(clock)
    resumed.restore(stats.counters())
    after = snapshot(resumed)
    assert after.refusals == {"scope.exclude: * / *": refusal("scope.exclude: * / *", 4)}
    assert (after.elapsed_s, after.pages, after.attempts, after.wire_bytes, after.snoozes) == (60.0, 1, 1, 50, 1)
    assert (after.failed, after.retrying, after.reasons) == (1, 1, before.reasons)
    clock.advance(1)
    resumed.finished(page())
    resumed.finished(failed("http_404"))
    assert snapshot(resumed).reasons == {(Outcome.FAILED, "http_404"): 2}
    assert (snapshot(resumed).pages, snapshot(resumed).pages_per_s) == (2, 1.0)
    assert resumed.counters()["elapsed_ms"] == 61_000


def test_counters_are_whole_numbers(stats, clock):
    clock.advance(0.3333)
    assert all(type(value) is int for value in stats.counters().values())


def test_counters_can_be_told_as_if_some_urls_had_not_ended(stats):
    for end in (page(), failed("http_404"), failed("http_404"), failed("timeout")):
        stats.finished(end)
    stats.refused([refusal("scope.exclude: */x", 4)])
    kept = {(Outcome.FAILED, "http_404"): 1, (Outcome.FAILED, "tls"): 1, (Outcome.REDIRECTED, None): 1}
    fewer = counters_without(stats.counters(), {(Outcome.FAILED, "http_404"): 1, (Outcome.FAILED, "timeout"): 1})
    assert (fewer["failed"], fewer["pages"], fewer["refused scope.exclude: */x"]) == (1, 1, 4)
    assert {name: count for name, count in fewer.items() if name.startswith("reason ")} == {
        "reason failed http_404": 1,
        "reason failed timeout": 0,
    }
    only = counters_with(stats.counters(), 7, kept)
    assert (only["failed"], only["pages"], only["refused scope.exclude: */x"]) == (2, 7, 4)
    resumed = Stats(FakeClock())
    resumed.restore(only)
    assert snapshot(resumed).reasons == {(Outcome.FAILED, "http_404"): 1, (Outcome.FAILED, "tls"): 1}


def test_answers_are_counted_by_status_and_latency_over_a_resume(stats, clock):
    for status, elapsed_s in ((200, 0.004), (200, 0.005), (404, 0.006), (503, 31.0)):
        stats.attempt(answer(status, elapsed_s=elapsed_s))
    resumed = Stats(clock)
    resumed.restore(stats.counters())
    resumed.attempt(answer(200, elapsed_s=30.0))
    for told, counts in ((snapshot(stats), (2, 1, 1)), (snapshot(resumed), (3, 1, 1))):
        assert told.statuses == dict(zip((200, 404, 503), counts, strict=True))
        assert sum(told.latencies) == sum(told.statuses.values()) == told.attempts
        assert len(told.latencies) == len(LATENCY_BOUNDS_S) + 1
    buckets = snapshot(resumed).latencies
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1]) == (2, 1, 1, 1), "a bound belongs to the bucket it ends"


def test_answers_stay_counted_when_urls_are_to_be_tried_again(stats):
    stats.attempt(answer(503))
    stats.finished(failed("http_503"))
    ends = {(Outcome.FAILED, "http_503"): 1}
    for left in (counters_without(stats.counters(), ends), counters_with(stats.counters(), 0, {})):
        assert (left["status 503"], left["attempts"]) == (1, 1)


def test_latencies_of_other_bounds_than_ours_are_left_out(stats):
    stats.restore({"latency 99": 3, "latency 0": 1})
    assert sum(snapshot(stats).latencies) == 1
