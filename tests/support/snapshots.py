"""Snapshots of a crawl to look at: one in its midst, and one that found nothing."""

from __future__ import annotations

from crawler.models import Outcome, Refusal
from crawler.stats import Snapshot

SNAPSHOT = Snapshot(
    elapsed_s=123.4,
    pages=1_526,
    pages_per_s=12.34,
    mean_pages_per_s=12.4,
    attempts=2_123,
    snoozes=3,
    wire_bytes=36_700_160,
    admitted=2_234,
    queued=100,
    waiting=84,
    in_flight=16,
    retrying=0,
    failed=321,
    outcomes={
        Outcome.FETCHED: 1_580,
        Outcome.REDIRECTED: 220,
        Outcome.UNCHANGED: 0,
        Outcome.EXCLUDED: 14,
        Outcome.FAILED: 320,
    },
    reasons={
        (Outcome.FAILED, "http_404"): 300,
        (Outcome.FETCHED, "not_html"): 54,
        (Outcome.REDIRECTED, "out_of_scope"): 50,
        (Outcome.FAILED, "timeout"): 18,
        (Outcome.EXCLUDED, "robots"): 14,
        (Outcome.FAILED, "http_799"): 2,
    },
    refusals={
        "scope.stay_on: host": Refusal(rule="scope.stay_on: host", count=41_234, examples=("https://b.test/",)),
        "scope.exclude: */logout*": Refusal(rule="scope.exclude: */logout*", count=12),
    },
)
EMPTY = Snapshot(
    elapsed_s=0.4,
    pages=0,
    pages_per_s=0.0,
    mean_pages_per_s=0.0,
    attempts=1,
    snoozes=0,
    wire_bytes=0,
    admitted=0,
    queued=0,
    waiting=0,
    in_flight=0,
    retrying=0,
    failed=0,
    outcomes=dict.fromkeys(Outcome, 0),
    reasons={},
    refusals={},
)
