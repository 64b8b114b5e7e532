"""What the dashboard makes of snapshots and commits: rates, percentiles, health, what came lately, metrics."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from crawler.checkpoint import Committed
from crawler.config import BudgetConfig, CrawlConfig
from crawler.dashboard.health import Health, Verdict
from crawler.dashboard.history import MAX_STEPS, RECENT, History, percentile
from crawler.dashboard.metrics import metrics
from crawler.dashboard.recent import MAX_LINE, SHOWN, Recent
from crawler.dashboard.state import Moment, encoded
from crawler.models import Finished, Outcome, Request
from crawler.stats import LATENCY_BOUNDS_S
from crawler.views import HostCondition, HostView, HostViews, MachineView
from tests.support.snapshots import EMPTY


def snapshot(**fields):
    """One of a crawl that has found nothing, but for these fields."""
    return msgspec.structs.replace(EMPTY, **fields)


BUCKETS = len(LATENCY_BOUNDS_S) + 1


def counts(**buckets):
    """Buckets by number, such as ``b3=5``."""
    return tuple(buckets.get(f"b{number}", 0) for number in range(BUCKETS))


def test_a_percentile_is_interpolated_within_its_bucket():
    assert percentile(counts(b1=100), 0.5) == (0.0075, False)
    assert percentile(counts(b0=50, b5=50), 0.5) == (0.005, False)
    assert percentile(counts(b0=50, b5=50), 0.9) == (pytest.approx(0.1 + 0.15 * 0.8), False)
    assert percentile((), 0.5) is percentile(counts(), 0.99) is None


def test_beyond_the_last_bucket_only_the_least_is_known():
    assert percentile(counts(b12=1), 0.5) == (30.0, True)


@given(st.lists(st.integers(0, 1000), min_size=BUCKETS, max_size=BUCKETS).filter(any))
def test_percentiles_never_fall_and_stay_within_the_buckets_there_are(buckets):
    found = [percentile(buckets, share) for share in (0.01, 0.5, 0.9, 0.99, 1.0)]
    assert found == sorted(found)
    assert 0 < found[0][0] <= found[-1][0] <= 30


def test_the_last_minutes_are_remembered_second_by_second_and_the_whole_run_ever_coarser():
    history = History()
    for second in range(10_000):
        history.saw(snapshot(pages=second * 3, failed=second // 2, latencies=counts(b3=second)), float(second))
    recent, whole = history.recent(), history.whole()
    assert recent.pages_per_s == [3.0] * RECENT
    assert sum(recent.failed_per_s) == RECENT / 2
    assert set(whole.pages_per_s) == {3.0}
    assert MAX_STEPS / 2 - 2 <= len(whole.pages_per_s) <= MAX_STEPS
    assert 9_999 - 2 * whole.step_s <= len(whole.pages_per_s) * whole.step_s <= 9_999 + 2 * whole.step_s
    assert history.answers() == list(counts(b3=60))


def test_looking_more_often_changes_nothing():
    history = History()
    for tenth in range(100):
        history.saw(snapshot(pages=tenth), tenth / 10)
    assert 9 <= len(history.recent().pages_per_s) <= 11


READY = {HostCondition.READY: 1}


def judged(*moments, config=None):
    """The verdict after moments of (time, conditions, snapshot's fields)."""
    health, looked_at = Health(config or CrawlConfig(), 0.0), 0.0
    for at, conditions, fields in moments:
        while (looked_at := min(looked_at + 5.0, at)) < at:  # as a board does
            health.saw(snapshot(**fields), conditions, looked_at)
        health.saw(snapshot(**fields), conditions, at)
    return health.verdict


@pytest.mark.parametrize(
    ("fields", "conditions", "state"),
    [
        ({"in_flight": 1}, {}, "running"),
        ({"paused": True, "waiting": 5, "queued": 5}, READY, "paused"),
        ({"waiting": 5, "queued": 5}, {HostCondition.BACKING_OFF: 1}, "waiting"),
        ({}, {}, "running"),
    ],
)
def test_to_wait_an_hour_is_not_to_be_stuck(fields, conditions, state):
    end = 80.0 if state == "running" and fields else 3600.0
    assert judged((1.0, conditions, fields), (end, conditions, fields)).state == state


@pytest.mark.parametrize(
    ("fields", "conditions", "told"),
    [
        (
            {"in_flight": 3, "parsing": 2},
            {},
            "3 requests in flight and 2 pages with parsers, and none came to an end for 99 s",
        ),
        ({"in_flight": 3, "paused": True}, {}, "3 requests in flight"),
        ({"waiting": 5, "queued": 5}, READY, "hosts may be asked, and nothing was for 99 s"),
        (
            {"uncommitted": 7, "queued": 9, "waiting": 2},
            {},
            "7 results wait, and nothing was stored for 100 s: see the disk",
        ),
    ],
)
def test_what_takes_longer_than_anything_may_is_stuck(fields, conditions, told):
    verdict = judged((1.0, conditions, fields), (100.0, conditions, fields))
    assert (verdict.state, verdict.ok) == ("stuck", False)
    assert told in verdict.why


def test_while_the_process_itself_was_stopped_nothing_could_come_to_its_end():
    health, fields = Health(CrawlConfig(), 0.0), snapshot(in_flight=3, uncommitted=7, queued=9, waiting=2)
    health.saw(fields, {}, 1.0)
    assert health.saw(fields, {}, 3600.0).ok  # Ctrl-Z, and fg
    for second in range(3601, 3700):
        verdict = health.saw(fields, {}, float(second))
    assert verdict.state == "stuck"


def test_a_host_that_may_be_asked_again_after_an_hour_is_given_its_time():
    waits, ready = {HostCondition.BACKING_OFF: 1}, READY
    fields = {"waiting": 5, "queued": 5}
    assert judged((1.0, waits, fields), (3600.0, waits, fields), (3601.0, ready, fields)).ok


def test_a_commit_under_way_counts_as_long_as_its_urls_are_not_stored():
    fields = {"uncommitted": 0, "queued": 9, "waiting": 2}
    assert judged((1.0, {}, fields), (100.0, {}, fields)) == Verdict(
        "stuck", "0 results wait, and nothing was stored for 100 s: see the disk"
    )


def ended(number, outcome=Outcome.FETCHED, reason=None, has_page=True):
    request = Request(url=f"http://a.test/{number}", host_key="a.test", scope_host="a.test", via="http://a.test/")
    return Finished(request=request, outcome=outcome, reason=reason, status=200, at=1e9 + number, has_page=has_page)


def line(number, **more):
    return msgspec.json.encode({"url": f"http://a.test/{number}", "title": f"Title {number}", "elapsed_s": 0.5} | more)


def commit(ends, pages, **lines):
    return Committed(pages=pages, positions={}, ended=ends, lines={"pages": pages} | lines)


def test_the_latest_pages_and_failures_are_kept_and_no_more():
    recent = Recent(())
    for start in (0, 100):
        ends, pages = [], []
        for number in range(start, start + 100):
            ends.append(ended(number))
            pages.append(line(number))
            ends.append(ended(9000 + number, Outcome.FAILED, "http_404", has_page=False))
        recent.saw(commit(ends, pages))
    assert [page.title for page in recent.pages()] == [f"Title {number}" for number in range(199, 199 - SHOWN, -1)]
    assert [failure.reason for failure in recent.failures()] == ["http_404"] * SHOWN
    assert recent.failures()[0].url == "http://a.test/9199"
    assert recent.ended == {(Outcome.FETCHED, ""): 200, (Outcome.FAILED, "http_404"): 200}


def test_a_long_line_is_not_kept_and_one_that_cannot_be_read_is_shown_without_its_title():
    recent = Recent(())
    ends = [ended(1), ended(2), ended(3)]
    recent.saw(commit(ends, [line(1, text="x" * MAX_LINE), b"not json", line(3)]))
    assert [(page.url[-1], page.title) for page in recent.pages()] == [("3", "Title 3"), ("2", None), ("1", None)]


def test_items_are_counted_and_the_latest_of_each_rule_shown():
    recent = Recent(("prices", "prices.rejects", "names"))
    rows = [
        msgspec.json.encode({"_url": "http://a.test/", "_rule": "prices", "price": n, "note": None}) for n in range(40)
    ]
    name = msgspec.json.encode({"_url": "http://a.test/n", "name": "x" * 500, "tags": ["a", 1]})
    recent.saw(commit([], [], prices=[b"\n".join(rows[:38]), rows[38], rows[39]], names=[name, b"torn"]))
    recent.saw(commit([], [], **{"prices.rejects": [b"{}"]}))
    assert recent.records == {"prices": 40, "prices.rejects": 1, "names": 2}
    items = recent.items()
    assert [item.fields for item in items if item.rule == "prices"] == [
        (("price", str(n)),) for n in range(39, 39 - 12, -1)
    ]
    assert items[-1].url == "http://a.test/n"
    assert dict(items[-1].fields)["tags"] == '["a",1]'
    assert len(dict(items[-1].fields)["name"]) == 120


async def test_what_goes_wrong_while_looking_on_reaches_neither_the_crawl_nor_who_watched_before(caplog):
    recent, seen = Recent(()), []

    async def before(commit):
        seen.append(commit)

    watched = recent.after(before, lambda: 1 / 0)
    await watched(commit([ended(1)], [line(1)]))
    assert len(seen) == 1
    assert "cannot be shown" in caplog.text


def moment(**fields):
    return Moment(
        name='a "b" \\ c',
        snapshot=snapshot(**fields),
        hosts=HostViews(conditions={HostCondition.PACING: 2}),
        machine=MachineView(memory_bytes=5, parsers_busy=0.5),
        verdict=Verdict("running"),
        state="running",
        most=10,
        eta=None,
        budget=BudgetConfig(),
    )


def test_metrics_read_back_as_what_they_were_made_of():
    recent = Recent(('r"1\\', "r.rejects"), {(Outcome.FAILED, "http_404"): 3, (Outcome.FETCHED, ""): 4})
    text = metrics(
        moment(pages=4, statuses={200: 7, 404: 3}, latencies=counts(b0=1, b3=2, b12=4), latency_sum_s=1.5),
        recent,
        streams=2,
    )
    read = {
        (s.name, *sorted(s.labels.items())): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }
    assert read["crawler_pages_total",] == 4
    assert read["crawler_answers_total", ("status", "404")] == 3
    assert read["crawler_outcomes_total", ("outcome", "failed"), ("reason", "http_404")] == 3
    assert read["crawler_outcomes_total", ("outcome", "fetched"), ("reason", "")] == 4
    assert read["crawler_records_total", ("rule", 'r"1\\')] == 0
    assert read["crawler_answer_duration_seconds_bucket", ("le", "0.05")] == 3
    assert read["crawler_answer_duration_seconds_bucket", ("le", "+Inf")] == 7
    assert read["crawler_answer_duration_seconds_count",] == 7
    assert read["crawler_answer_duration_seconds_sum",] == 1.5
    assert read["crawler_hosts", ("condition", "pacing")] == 2
    assert read["crawler_hosts", ("condition", "ready")] == 0
    assert read["crawler_dashboard_streams",] == 2
    (info,) = [labels for (name, *labels) in read if name == "crawler_info"]
    assert dict(info)["name"] == 'a "b" \\ c'


@pytest.mark.slow
def test_a_state_is_of_bounded_size_whatever_a_crawl_meets():
    recent, history = Recent(tuple(f"rule{n}" for n in range(500))), History()
    long = "x" * 100_000
    ends = [
        msgspec.structs.replace(
            ended(n), request=Request(url=f"http://a.test/{long}", host_key="a", scope_host="a", via=long)
        )
        for n in range(100)
    ]
    ends += [msgspec.structs.replace(end, outcome=Outcome.FAILED, has_page=False) for end in ends]
    row = msgspec.json.encode({"_url": long[:5000], **{f"f{n}": long[:1000] for n in range(50)}})
    recent.saw(
        commit(ends, [line(n, title=long[:50_000]) for n in range(100)], **{f"rule{n}": [row] * 50 for n in range(500)})
    )
    for second in range(2000):
        history.saw(snapshot(pages=second * 12_345), float(second))
    host = HostView(host_key=long, condition=HostCondition.PACING, why=long, wait_s=1e9)
    now = moment(
        statuses=dict.fromkeys(range(100, 1000), 12),
        latencies=counts(b1=10),
        reasons={(Outcome.FAILED, f"http_{n}"): n for n in range(100, 1000)},
    )
    full = Moment(
        **{name: getattr(now, name) for name in now.__dataclass_fields__}
        | {"hosts": HostViews(busiest=(host,) * 12, slowest=(host,) * 12)}
    )
    data = encoded(full, history, recent)
    assert len(data) < 150_000
    assert b"\n" not in data
