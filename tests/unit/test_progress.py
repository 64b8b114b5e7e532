"""A plain line now and then that says how a crawl is going."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace

from crawler.config import BudgetConfig
from crawler.models import Outcome
from crawler.progress import PlainLines, counts, fitting, unchanged, waits
from crawler.units import Duration
from crawler.views import SlowHost
from tests.support.clock import FakeClock
from tests.support.snapshots import EMPTY, SNAPSHOT

LINE = "1,526 pages  12.3/s  84 queued  16 in flight  321 failed  35.0 MiB  2 min 03 s"


def slow(host_key, wait_s, why="Crawl-delay 1m"):
    return SlowHost(host_key=host_key, why=why, wait_s=wait_s)


def shown(*snapshots, **more):
    """The last line of those for some snapshots, twenty seconds apart."""
    clock, stream = FakeClock(), io.StringIO()
    lines = PlainLines(stream, clock, **more)
    for snapshot in snapshots:
        clock.advance(20)
        lines.show(snapshot)
    return stream.getvalue().splitlines()[-1]


def test_there_is_a_plain_line_every_ten_seconds_without_control_characters():
    clock, stream = FakeClock(), io.StringIO()
    lines = PlainLines(stream, clock)
    for _ in range(250):
        lines.show(SNAPSHOT)
        clock.advance(0.1)
    assert stream.getvalue().splitlines() == [LINE] * 2
    assert stream.getvalue().replace("\n", "").isprintable()


def test_interval_can_be_chosen():
    clock, stream = FakeClock(), io.StringIO()
    lines = PlainLines(stream, clock, interval_s=1.0)
    clock.advance(1.0)
    lines.show(SNAPSHOT)
    assert stream.getvalue().count("\n") == 1


def test_crawl_that_found_nothing_has_a_line_too():
    assert shown(EMPTY) == "0 pages  0.0/s  0 queued  0 in flight  0 failed  0 B  0.4 s"


def test_line_tells_what_waits_to_be_retried():
    assert "  84 queued (3 to retry)  16 in flight  " in shown(replace(SNAPSHOT, retrying=3))


def test_paused_crawl_says_so_first():
    assert shown(replace(SNAPSHOT, paused=True)) == f"paused  {LINE}"


@pytest.mark.parametrize("columns", [79, 40, 20, 10, 2])
def test_what_is_said_finds_its_room(columns):
    assert 0 < len(fitting(counts(SNAPSHOT, None), columns)) <= columns


def test_little_room_has_the_most_important_numbers_whole():
    assert fitting(counts(SNAPSHOT, None), 39) == "1,526 pages  12.3/s  84 queued"


def test_line_tells_how_much_longer_it_takes():
    earlier = replace(SNAPSHOT, elapsed_s=100.0, admitted=1_000, waiting=584)
    later = replace(SNAPSHOT, admitted=1_000)
    assert shown(replace(earlier, queued=600), later) == f"{LINE}  ~5 s left"
    growing = replace(later, admitted=10_984, queued=10_000, waiting=9_984)
    assert "  over 6.7 min left" in shown(replace(earlier, queued=600), growing)


def test_budget_is_an_end_too():
    assert shown(SNAPSHOT, budget=BudgetConfig(time_s=Duration(3_600))) == f"{LINE}  ~58 min left"


def test_hosts_that_wait_for_long_are_told_with_the_reason():
    hosts = slow("a.test", 42), slow("b.test", 10.0, "it takes 4.2 s to answer"), slow("c.test", 9.9)
    assert shown(replace(SNAPSHOT, slow=hosts)) == (
        f"{LINE}  waiting: a.test 42 s (Crawl-delay 1m)  and b.test 10 s (it takes 4.2 s to answer)"
    )


def test_short_waits_are_told_only_while_little_else_is_done():
    busy = replace(SNAPSHOT, slow=(slow("a.test", 0.9),))
    assert "waiting" not in shown(busy)
    assert "waiting" not in shown(replace(busy, in_flight=0)), "there were pages a moment ago"
    idle = replace(busy, in_flight=0, pages_per_s=0.2)
    assert shown(idle).endswith("  waiting: a.test 0.9 s (Crawl-delay 1m)")


def test_what_an_idle_crawl_waits_for_matters_more_than_its_sums():
    idle = replace(SNAPSHOT, slow=(slow("a.test", 42), slow("b.test", 41)), in_flight=0, pages_per_s=0.0)

    def at(columns, snapshot=idle):
        return fitting([*counts(snapshot, None), *waits(snapshot)], columns)

    assert at(77) == "1,526 pages  0.0/s  84 queued  waiting: a.test 42 s (Crawl-delay 1m)"
    assert at(63) == "1,526 pages  84 queued  waiting: a.test 42 s (Crawl-delay 1m)"
    assert at(46) == "1,526 pages  84 queued  waiting: a.test 42 s", "without its reason"
    assert at(79, replace(idle, in_flight=1)) == (
        "1,526 pages  0.0/s  84 queued  1 in flight  321 failed  waiting: a.test 42 s"
    )


def test_hosts_are_named_one_line_long_and_escaped():
    hosts = slow("a" * 253, 42, "says \x1b[2J" + "x" * 99), *(slow(f"{number}.test", 19) for number in range(9))
    line = shown(replace(SNAPSHOT, slow=hosts))
    assert line.isprintable()
    assert line.count(".test") == 2
    assert len(line) < 300


def test_what_a_refresh_finds_unchanged_is_told_beside_its_pages():
    outcomes = {Outcome.UNCHANGED: 1_200}
    parts = [part.text for part in counts(replace(SNAPSHOT, outcomes=outcomes), None)]
    assert parts[1] == "1,200 unchanged"
    assert not unchanged(SNAPSHOT, 1)
