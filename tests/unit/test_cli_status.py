"""What is told of a crawl that workers share, and what it may be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from crawler.cli.status_acts import pace_of, wishes_of
from crawler.cli.status_told import line, told
from crawler.errors import ConfigError
from crawler.fleet.models import Slow, WorkerInfo
from crawler.fleet.status import (
    FleetStatus,
    Memory,
    Partitions,
    Seeding,
    Totals,
    partitions_of,
    slowest_of,
    totals_of,
)
from crawler.models import HostKey, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKERS = (
    WorkerInfo(
        id=1,
        name="alpha-4711",
        version="1",
        directory="/crawls/shop/workers/1-alpha-4711",
        started_at=900.0,
        at=998.6,
        held=2048,
        pages=12_345,
        pages_per_s=12.34,
        in_flight=20,
        pending=70_000,
        memory_bytes=300_000_000,
        slow_hosts=(("slow.example.org", "backing off", 12.0, "it asked for a rest"),),
    ),
    WorkerInfo(
        id=3,
        name="beta-12",
        version="1",
        directory="/crawls/shop/workers/3-beta-12",
        started_at=950.0,
        at=999.9,
        held=2040,
        state="Redis is out of memory",
        pages_per_s=1.0,
        clock_off_s=-7200.0,
        slow_hosts=(("slower.example.org", "breaker open", 300.0, ""),),
    ),
)
STATUS = FleetStatus(
    name="shop",
    server="redis://127.0.0.1:6379/0",
    state="running",
    at=1000.0,
    began_at=880.0,
    totals=Totals(
        admitted=100_000,
        outcomes={Outcome.FETCHED: 12_345, Outcome.FAILED: 5},
        reasons={"failed http_404": 3, "failed dns": 2},
        pending=87_650,
        snoozed=3,
        inbox_blocks=2,
    ),
    partitions=Partitions(
        total=4096,
        held=4088,
        free=8,
        unfinished=90,
        waiting=1,
        lapsing=2,
        oldest_lease_s=95.0,
        youngest_lease_s=0.2,
        next_end_s=3.0,
    ),
    seeds=Seeding(given=70, done=True),
    workers=WORKERS,
    gone=1,
    slowest=slowest_of(WORKERS),
    memory=Memory(used_bytes=10_000_000, bytes_per_url=100.0),
    limits={"*.example.org": {"delay": "5s"}},
)


def test_all_there_is_to_tell_fits_into_a_terminal_and_adds_up():
    lines = list(told(STATUS))
    text = "\n".join(lines)
    assert "100,000 admitted = 12,350 ended + 87,650 pending" in text
    assert "12,345 fetched, 5 failed" in text
    assert "3 failed http_404, 2 failed dns" in text
    assert "4,096: 4,088 held (2 by workers that are not heard of), 8 free, with" in text
    assert "taken 0.2 s to 1 min 35 s ago; the first ends in 3.0 s" in text
    assert "9.5 MiB, 100 bytes a URL" in text
    assert "*.example.org: delay 5s" in text
    assert "2 workers: 13.3 pages/s, 20 in flight; 1 other came and went" in text
    assert "1 alpha-4711" in text
    assert "The clock of worker 3 is 2 h 00 min behind the server's" in text
    assert text.index("slower.example.org") < text.index("slow.example.org")
    for shown in lines:
        assert len(shown) <= 100, shown


def test_what_a_worker_calls_itself_is_not_obeyed_by_the_terminal():
    worker = WorkerInfo(id=1, name="\x1b[2J", version="", directory="", started_at=0.0, state="\x1b[31m")
    slow = (Slow(host_key=HostKey("\x1b[1m"), state="x", for_s=1.0, why="\x1b[1m"),)
    status = msgspec.structs.replace(STATUS, workers=(worker,), slowest=slow, why="\x07")
    assert "\x1b" not in "\n".join(told(status))
    assert "\x07" not in "\n".join(told(status))


def test_one_line_says_how_far_it_is():
    assert line(STATUS) == (
        "running  100,000 URLs  12,350 ended  87,650 pending  13.3 pages/s  20 in flight  2 workers  8 partitions free"
    )


def test_a_crawl_that_nobody_works_at_says_so():
    assert "No worker is there." in list(told(FleetStatus(name="a", server="b", state="stopped", at=1.0)))


def test_what_is_pending_waits_for_a_worker():
    status = msgspec.structs.replace(STATUS, workers=())
    assert any("What is pending waits for one" in shown for shown in told(status))
    assert not any("waits for one" in shown for shown in told(STATUS))


def test_of_a_crawl_that_is_done_nothing_is_on_its_way():
    assert "on the way" in "\n".join(told(STATUS))
    done = "\n".join(told(msgspec.structs.replace(STATUS, state="done")))
    assert "on the way" not in done
    assert "with something to do" not in done


@dataclass(frozen=True, kw_only=True)
class Tally:
    """As `crawler.fleet.store.Tally`, which is not there without Redis."""

    urls: int = 0
    ended: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    snoozed: int = 0
    inbox: int = 0
    owner: int = 0
    held_since: float = 0.0
    free_in_s: float = 0.0


def test_totals_are_those_of_all_partitions():
    tallies = [
        Tally(urls=5, ended={Outcome.FETCHED: 2, Outcome.FAILED: 1}, snoozed=1, owner=1, held_since=8.0, free_in_s=2.0),
        Tally(urls=3, ended={Outcome.FETCHED: 3}, reasons={"failed dns": 1}, owner=2, held_since=5.0, free_in_s=1.0),
        Tally(inbox=1),
        Tally(),
    ]
    totals = totals_of(tallies)
    assert totals == Totals(
        admitted=8,
        outcomes={Outcome.FETCHED: 5, Outcome.FAILED: 1},
        reasons={"failed dns": 1},
        pending=2,
        snoozed=1,
        inbox_blocks=1,
    )
    assert totals.admitted == sum(totals.outcomes.values()) + totals.pending
    assert partitions_of(tallies, {1}, 10.0) == Partitions(
        total=4,
        held=2,
        free=2,
        unfinished=2,
        waiting=1,
        lapsing=1,
        oldest_lease_s=5.0,
        youngest_lease_s=2.0,
        next_end_s=1.0,
    )


class TestLimit:
    def test_keys_and_values_are_those_of_a_configuration(self):
        pace = pace_of("*.example.org", "delay=5s,concurrency=2")
        assert pace is not None
        assert (pace.delay_s, pace.concurrency, pace.rate_per_s) == (5.0, 2, None)
        assert pace_of("example.org", "default") is None

    @pytest.mark.parametrize(
        ("pattern", "told", "says"),
        [
            ("example.org", "delay", "expected KEY=VALUE"),
            ("example.org", "delay=fast", "delay"),
            ("example.org", "speed=1s", "speed"),
            ("example.org", "delay=1s,rate=2/s", "rate"),
            ("http://example.org", "delay=1s", "http://example.org"),
            ("http://example.org", "default", "http://example.org"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, pattern, told, says):
        with pytest.raises(ConfigError, match=says):
            pace_of(pattern, told)


def test_one_thing_at_a_time():
    with pytest.raises(ConfigError, match="--pause and --stop: expected one of them"):
        wishes_of(pause=True, resume=False, stop=True, limits=(), forget=None)
