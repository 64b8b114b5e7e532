"""Until when a worker may act on a lease: `crawler.fleet.leases`."""

from __future__ import annotations

import time
from math import inf

from crawler.fleet.leases import MARGIN, Leases, wakeful
from crawler.fleet.models import Lease
from crawler.fleet.partitions import partition_of

HOST = "www.example.org"
PARTITION = partition_of(HOST, 8)
LEASE = Lease(partition=PARTITION, fence=5)


class Times:
    """Two clocks in the test's hand."""

    def __init__(self):
        self.boot = 100.0
        self.pace = 7.0

    def leases(self):
        return Leases(8, 10.0, now=lambda: self.boot, monotonic=lambda: self.pace)


def test_a_host_is_held_from_the_grant_until_a_margin_before_the_lease_ends():
    times = Times()
    leases = times.leases()
    assert not leases.holds(HOST)
    leases.granted([LEASE], since=times.now() if hasattr(times, "now") else leases.now())
    assert leases.holds(HOST)
    times.boot += 10 * (1 - MARGIN)
    assert not leases.holds(HOST)
    assert leases.owns(HOST)


def test_the_deadline_counts_from_before_the_question_not_from_the_answer():
    times = Times()
    leases = times.leases()
    since = leases.now()
    times.boot += 20  # on the way
    leases.granted([LEASE], since)
    assert not leases.holds(HOST)


def test_a_lapsed_lease_is_said_so_where_it_is_asked_for_and_holds_again_once_renewed():
    times = Times()
    leases = times.leases()
    calls = []
    leases.lapsed = lambda: calls.append(times.boot)
    leases.granted([LEASE], leases.now())
    times.boot += 50
    assert not leases.are_good
    assert not leases.holds(HOST)
    assert calls == [150.0]
    leases.renewed([PARTITION], leases.now())
    assert leases.holds(HOST)
    assert leases.are_good


def test_what_was_dropped_is_neither_held_nor_renewed():
    leases = Times().leases()
    leases.granted([LEASE], leases.now())
    leases.dropped([PARTITION])
    leases.renewed([PARTITION], leases.now())
    assert not leases.holds(HOST)
    assert not leases.owns(HOST)
    assert leases.fences == {}


def test_a_worker_that_died_may_have_asked_until_the_takeover_and_one_that_gave_back_has_not():
    times = Times()
    leases = times.leases()
    leases.granted([LEASE], leases.now())
    assert leases.asked_at(HOST) == -inf
    assert leases.is_clean(PARTITION)
    leases.granted([Lease(partition=PARTITION, fence=6, is_clean=False)], leases.now())
    assert leases.asked_at(HOST) == 7.0
    assert not leases.is_clean(PARTITION)
    times.pace += 1_000
    assert leases.is_clean(PARTITION)
    assert leases.asked_at(HOST) == 7.0


def test_the_clock_of_leases_is_never_behind_the_one_that_stands_still_in_a_sleeping_machine():
    before = time.monotonic()
    first = wakeful()
    assert wakeful() >= first
    assert time.monotonic() - before < 5
