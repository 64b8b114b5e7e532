"""What can be said of a crawl's end, from how its last minute went."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from crawler.config import BudgetConfig
from crawler.eta import End, Estimate, Eta
from crawler.units import Duration, Size
from tests.support.snapshots import EMPTY


def at(elapsed_s, *, ended, left, pages=None, wire_bytes=0):
    """A snapshot in which `ended` URLs have ended and `left` are left."""
    pages = ended if pages is None else pages
    admitted = ended + left
    return replace(
        EMPTY, elapsed_s=elapsed_s, admitted=admitted, queued=left, waiting=left, pages=pages, wire_bytes=wire_bytes
    )


def estimate(*snapshots, **budget):
    eta = Eta(BudgetConfig(**budget))
    return [eta.after(snapshot) for snapshot in snapshots][-1]


def test_what_is_left_takes_as_long_as_it_did_lately():
    assert estimate(at(0, ended=0, left=1000), at(20, ended=100, left=900)) == Estimate(180.0)


def test_nothing_is_said_before_there_is_enough_to_go_by():
    assert estimate(at(0, ended=0, left=1000)) is None
    assert estimate(at(0, ended=0, left=1000), at(5, ended=500, left=500)) is None, "too short"
    assert estimate(at(0, ended=0, left=1000), at(60, ended=2, left=998)) is None, "too few"


def test_nothing_is_left_to_be_said_at_the_end():
    assert estimate(at(0, ended=0, left=1000), at(20, ended=1000, left=0)) is None


@pytest.mark.parametrize(("found", "said"), [(10, 200.0), (25, 240.0), (50, 360.0)])
def test_what_is_found_meanwhile_is_expected_of_what_is_left_too(found, said):
    assert estimate(at(0, ended=0, left=1000 - found), at(20, ended=100, left=900)) == Estimate(said)


def test_queue_that_shrinks_slowly_says_how_long_it_takes_at_least():
    assert estimate(at(0, ended=0, left=940), at(20, ended=100, left=900)) == Estimate(180.0, at_least=True)


def test_sitemap_that_was_just_read_lets_a_crawl_take_at_least_so_long_until_it_shows_to_be_all():
    before = [at(second, ended=second, left=50 - second) for second in range(31)]
    after = [at(30 + second, ended=30 + second, left=10_020 - second) for second in range(1, 101)]
    assert estimate(*before, *after[:20]) == Estimate(10_000.0, at_least=True)
    assert estimate(*before, *after) == Estimate(9_920.0)


def test_queue_that_grows_says_how_long_it_takes_at_least():
    assert estimate(at(0, ended=0, left=10), at(20, ended=100, left=900)) == Estimate(180.0, at_least=True)


def test_crawl_that_has_become_slow_is_judged_by_its_last_seconds():
    fast = [at(second, ended=100 * second, left=6_100 - 100 * second) for second in range(61)]
    slow = [at(60 + second, ended=6_000 + second, left=100 - second) for second in range(1, 21)]
    assert estimate(*fast, *slow) == Estimate(80.0)
    assert estimate(*fast, *slow, pages=6_030) == Estimate(10.0, by=End.PAGES)


def test_only_the_last_minute_counts_where_enough_happens_in_it():
    fast = [at(second, ended=100 * second, left=20_000 - 100 * second) for second in range(101)]
    slow = [at(100 + second, ended=10_000 + second, left=10_000 - second) for second in range(1, 101)]
    assert estimate(*fast, *slow) == Estimate(9_900.0)


def test_slow_crawl_is_judged_by_as_long_as_it_takes_to_see_some_urls_end():
    slow = [at(float(second), ended=second // 30, left=1_000 - second // 30) for second in range(601)]
    found = estimate(*slow)
    assert found is not None
    assert found.seconds == pytest.approx(980 * 30, rel=0.1)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"pages": 150}, Estimate(10.0, by=End.PAGES)),
        ({"bytes": Size(3_000)}, Estimate(10.0, by=End.BYTES)),
        ({"time_s": Duration(27)}, Estimate(7.0, by=End.TIME)),
        ({"pages": 150, "time_s": Duration(21)}, Estimate(1.0, by=End.TIME)),
        ({"pages": 10_000_000}, Estimate(180.0, by=End.KNOWN)),
    ],
)
def test_whichever_end_comes_first_counts_and_is_named(budget, said):
    snapshots = at(0, ended=0, left=1000), at(20, ended=100, left=900, wire_bytes=2_000)
    assert estimate(*snapshots, **budget) == said


def test_budget_decides_while_the_queue_grows():
    snapshots = at(0, ended=0, left=10), at(20, ended=100, left=900)
    assert estimate(*snapshots, pages=10_000) == Estimate(1_980.0, by=End.PAGES)


def test_budget_of_time_is_known_from_the_start():
    assert estimate(at(3, ended=0, left=10), time_s=Duration(60)) == Estimate(57.0, by=End.TIME)


def test_budget_for_each_host_leaves_nothing_to_say_of_the_queue():
    snapshots = at(0, ended=0, left=1000), at(20, ended=100, left=900)
    assert estimate(*snapshots, pages_per_host=5) is None
    assert estimate(*snapshots, pages_per_host=5, pages=200) == Estimate(20.0, by=End.PAGES)


def test_budget_that_is_spent_ends_the_crawl_at_once():
    assert estimate(at(0, ended=0, left=10), at(20, ended=100, left=900), pages=99) == Estimate(0.0, by=End.PAGES)


def test_pause_does_not_make_a_crawl_look_slow():
    before = [at(second, ended=100 * second, left=9_000 - 100 * second) for second in range(21)]
    paused = [replace(at(second, ended=2_000, left=7_000), paused=True) for second in range(21, 621)]
    after = [at(620 + second, ended=2_000 + 100 * second, left=7_000 - 100 * second) for second in range(1, 21)]
    assert estimate(*before, *paused) is None
    assert estimate(*before, *paused, *after) == Estimate(50.0)


def test_estimate_is_told_in_words():
    assert Estimate(180.0).words() == "~3.0 min left"
    assert Estimate(180.0, at_least=True).words() == "over 3.0 min left"


def test_what_is_remembered_is_bounded():
    eta = Eta(BudgetConfig())
    for second in range(800):
        eta.after(at(float(second), ended=0, left=10))
    assert len(eta._samples) <= 600


def test_pages_that_a_refresh_keeps_unasked_bring_no_budget_nearer():
    kept = replace(at(20, ended=1_100, left=900, pages=1_100), unvisited=1_000)
    assert estimate(at(0, ended=0, left=2_000), kept, pages=150) == Estimate(10.0, by=End.PAGES)
