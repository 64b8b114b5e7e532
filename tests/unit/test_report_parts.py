"""What a report's facts are counted with: samples, histograms, steps of time, digests."""

from __future__ import annotations

import errno
import io
import random
import tracemalloc
from collections import Counter
from fractions import Fraction

import pytest

from crawler.reasons import is_gone
from crawler.report import duplicates
from crawler.report.bounded import Counts, Largest, Sample
from crawler.report.dead import MAX_SOURCES, DeadLinks
from crawler.report.depths import DEEPEST, Depths
from crawler.report.duplicates import Digests
from crawler.report.facts import Duplicates
from crawler.report.histogram import Histogram
from crawler.report.timeline import FAILED, MOST_STEPS, OTHER, PAGE, Steps


def shuffled(things, seed):
    things = list(things)
    random.Random(seed).shuffle(things)
    return things


def test_a_sample_is_the_same_in_whatever_order_things_come_and_holds_none_twice():
    names = [f"https://a.test/{n}" for n in range(500)]
    found = set()
    for seed in range(3):
        sample = Sample(5)
        for name in shuffled([*names, *names], seed):
            sample.add(name, name)
        found.add(sample.things())
    ((things),) = found
    assert len(set(things)) == 5
    assert list(things) == sorted(things)


def test_a_sample_of_few_things_is_all_of_them():
    sample = Sample(5)
    for name in ("b", "a", "b"):
        sample.add(name, name.upper())
    assert sample.things() == ("A", "B")


def test_the_largest_are_the_same_in_whatever_order_things_come():
    values = {f"page {n}": n % 50 for n in range(300)}
    expected = sorted(values, key=lambda name: (values[name], name))[-7:]
    for seed in range(3):
        largest = Largest(7)
        for name in shuffled(values, seed):
            if values[name] >= largest.floor:
                largest.add(values[name], name, name)
        assert sorted(largest.things()) == sorted(expected)
        assert [values[name] for name in largest.things()] == sorted((values[n] for n in expected), reverse=True)


def test_counts_of_too_many_things_still_add_up():
    counts = Counts(3, "others")
    for name in "abcdeabcdeaa":
        counts.add(name)
    assert counts.most() == {"a": 4, "others": 4, "b": 2, "c": 2}


@pytest.mark.parametrize("scale", [0.0007, 0.02, 1.5, 20.0])
def test_quantiles_are_those_of_all_durations_but_for_an_eighth(scale):
    draw = random.Random(3)
    durations = sorted(draw.lognormvariate(0, 1) * scale for _ in range(20_000))
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    told = histogram.told()
    assert told.count == sum(told.buckets) == len(durations)
    assert told.mean_s == pytest.approx(sum(durations) / len(durations))
    assert told.max_s == durations[-1]
    for share, quantile in ((0.5, told.p50_s), (0.9, told.p90_s), (0.99, told.p99_s)):
        exact = durations[int(share * len(durations))]
        assert exact > 30 or quantile == pytest.approx(exact, rel=0.13, abs=0.0007)
    for bound, before, count in zip(told.bounds_s, (0.0, *told.bounds_s), told.buckets, strict=False):
        assert count == sum(before < duration <= bound for duration in durations)


def test_histograms_joined_tell_the_same_as_one_of_all():
    parts, whole = [Histogram(), Histogram(), Histogram()], Histogram()
    for number in range(300):
        parts[number % 2].add(number / 8)  # exact in binary, so that sums are
        whole.add(number / 8)
    joined = Histogram()
    for part in parts:
        joined.join(part)
    assert joined.told() == whole.told()
    assert Histogram().told().count == 0


@pytest.mark.parametrize("span_s", [0.0, 3.0, 700.0, 10_000_000.0])
def test_steps_hold_everything_in_few_steps_whatever_the_order(span_s):
    draw = random.Random(5)
    began = 1_700_000_000.0
    ends = [(began, PAGE, 3), (began + span_s, FAILED, 0)]
    ends += [(began + draw.random() * span_s, draw.choice([PAGE, FAILED, OTHER]), 2) for _ in range(500)]
    timelines = set()
    for seed in range(3):
        steps = Steps()
        for end in shuffled(ends, seed):
            steps.add(*end)
        timelines.add(steps.told())
        assert (steps.began_at, steps.ended_at) == (began, began + span_s)
    (told,) = timelines
    assert len(told.pages) <= MOST_STEPS
    assert len(told.pages) * told.step_s >= span_s or span_s == 0.0
    assert told.step_s == 1 / 8 or len(told.pages) > MOST_STEPS / 2 - 1
    kinds = Counter(kind for _, kind, _ in ends)
    assert (sum(told.pages), sum(told.failed), sum(told.others)) == (kinds[PAGE], kinds[FAILED], kinds[OTHER])
    assert sum(told.body_bytes) == 3 + 2 * 500
    place = int(Fraction(began - told.began_at) / Fraction(told.step_s))
    assert told.pages[place] > 0


@pytest.mark.parametrize("held", [1 << 20, 500])
def test_duplicates_are_found_in_memory_and_by_way_of_files(held, monkeypatch):
    monkeypatch.setattr(duplicates, "_HELD_BYTES", held)
    with Digests() as digests:
        for number in shuffled(range(300), 1):
            group = number if number < 200 else number % 10 if number < 280 else 1000
            digests.add(f"sha256:{group:064x}", f"https://a.test/{number:03}")
        told = digests.told()
    assert (told.groups, told.pages) == (11, 10 + 80 + 20)
    assert [count for count, _ in told.largest] == [20, *[9] * 10]
    assert told.largest[0][1] == tuple(f"https://a.test/{number}" for number in range(280, 285))
    assert told.largest[1][1][0] == "https://a.test/000"


def test_a_crawl_of_one_page_many_times_takes_no_more_memory(monkeypatch):
    monkeypatch.setattr(duplicates, "_HELD_BYTES", 200_000)
    count = 20_000
    with Digests() as digests:
        for number in range(count):
            digests.add(f"sha256:{1:064x}", f"https://a.test/{number:05}")
        tracemalloc.start()
        told = digests.told()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert told.largest == ((count, tuple(f"https://a.test/{number:05}" for number in range(5))),)
    assert peak < 20 * count


@pytest.mark.parametrize("method", ["write", "seek"])
def test_duplicates_are_not_known_where_there_is_no_room_for_digests(method, monkeypatch):
    class Full(io.BytesIO):
        pass

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    setattr(Full, method, fail)
    monkeypatch.setattr(duplicates, "_HELD_BYTES", 200)
    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    with Digests() as digests:
        for number in range(100):
            digests.add(f"sha256:{1:064x}", f"https://a.test/{number:05}")
        assert digests.told() == Duplicates()
    assert digests.problem.endswith(": No space left on device")


def test_depths_beyond_all_reason_are_counted_together():
    depths = Depths()
    depths.page(2, 3)
    for depth in (2, DEEPEST, DEEPEST + 7):
        depths.other(depth)
    assert depths.told() == {2: (3, 1), DEEPEST: (0, 2)}


@pytest.mark.parametrize(
    ("reason", "dead"),
    [("http_404", True), ("http_410", True), ("dns", True), ("redirect_loop", True), ("http_403", False),
     ("http_429", False), ("http_503", False), ("timeout", False), (None, False)],
)  # fmt: skip
def test_what_may_be_there_another_time_is_no_dead_link(reason, dead):
    assert is_gone(reason) == dead


def test_dead_links_are_told_with_their_pages_the_first_one_first():
    dead = DeadLinks()
    dead.add("https://a.test/gone", "http_404", "https://a.test/z")
    dead.add("https://a.test/seed", "dns", None)
    dead.add("https://a.test/lone", "http_404", "https://a.test/sitemap.xml")
    pages = [f"https://a.test/{n}" for n in range(9)]
    for page in shuffled([*pages, "https://a.test/z"], 2):
        dead.linked("https://a.test/gone", page)
    gone, lone = dead.told()
    assert gone.linked_from == ("https://a.test/z", *pages[: MAX_SOURCES - 1])
    assert gone.n_linked_from == 10
    assert (lone.linked_from, lone.n_linked_from) == (("https://a.test/sitemap.xml",), 1)
    assert (dead.count, dead.unlinked()) == (3, 1)
