"""How an engine's crawl comes to have partitions and to be without them: `crawler.holding`, between noted stand-ins."""

from __future__ import annotations

import asyncio
import contextlib
from math import inf
from types import SimpleNamespace

import pytest

from crawler import holding as holding_module
from crawler.config.manners import Pace
from crawler.control import Control
from crawler.fleet.models import Lease
from crawler.fleet.orders import Orders
from crawler.fleet.partitions import partition_of
from crawler.holding import PER_HOST, Holding

PARTITIONS = 4
HOST = "www.example.org"
MINE = partition_of(HOST, PARTITIONS)
OTHER = (MINE + 1) % PARTITIONS


class Stage:
    """All that a holding stands between; what is done to it is noted in order."""

    def __init__(self, monkeypatch):
        self.notes, self.in_flight, self.ticks, self.nudges = [], set(), 0, 0
        self.done = asyncio.Event()
        monkeypatch.setattr(holding_module, "_LOOK_S", 0.001)
        self.policy = SimpleNamespace(
            tenure=SimpleNamespace(),
            dismiss=self.dismiss,
            has_left=lambda belongs: not [host for host in self.in_flight if belongs(host)],
            relimit=lambda limits: self.notes.append(("relimit", limits)),
            allow_at_address=lambda units: self.notes.append(("units", units)),
            in_flight=0,
            all_set_aside=None,
        )
        self.frontier = SimpleNamespace(
            hide=lambda partitions: self.notes.append(("hide", set(partitions))),
            put_back=lambda requests: self.notes.append(("put back", list(requests))),
            lost=lambda partitions: self.notes.append(("forget", set(partitions))),
            check=self.noted("check"),
            gain=self.noted("gain"),
            give_back=self.given_back,
            is_idle=True,
            uncommitted=0,
            next_due=None,
        )
        self.committer = SimpleNamespace(is_over=False, settled=self.noted("store"), waiting=0, snoozing=0)
        self.control = Control(8, 8)
        self.member = SimpleNamespace(
            holds=lambda _: True,
            asked_at=lambda _: -inf,
            lost=None,
            nudge=self.nudge,
            posted=self.posted,
            hears={},
            stands_by=False,
        )
        parts = SimpleNamespace(policy=self.policy, committer=self.committer)
        self.holding = Holding(
            parts=parts,
            frontier=self.frontier,
            engine=SimpleNamespace(control=self.control),
            partitions=PARTITIONS,
            tick=self.tick,
        )
        self.holding.member = self.member

    def noted(self, name):
        async def note(*_, **__):
            self.notes.append((name,))
            self.done.set()

        return note

    def dismiss(self, belongs, *, lost=False):
        self.notes.append(("lost" if lost else "dismiss", belongs(HOST)))
        return ["a request"]

    async def given_back(self, partitions, wait_s):
        self.notes.append(("drop", set(partitions)))
        return set(partitions)

    async def posted(self, partitions):
        self.notes.append(("posted", set(partitions)))
        self.done.set()

    def tick(self):
        self.ticks += 1

    def nudge(self):
        self.nudges += 1

    def names(self):
        return [note[0] for note in self.notes]


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


async def test_what_is_given_back_is_left_then_stored_then_forgotten(stage):
    assert await stage.holding.give_back({MINE}) == {MINE}
    assert stage.names() == ["hide", "dismiss", "put back", "store", "check", "drop"]
    assert ("dismiss", True) in stage.notes
    assert ("put back", ["a request"]) in stage.notes


async def test_partitions_with_something_in_flight_are_given_back_after_the_others(stage):
    stage.in_flight = {HOST}
    assert await stage.holding.give_back({MINE, OTHER}) == {OTHER}
    stage.notes.clear()
    stage.in_flight = set()
    assert await stage.holding.give_back({MINE}) == {MINE}
    assert stage.names() == ["store", "check", "drop"]  # it was left already


async def test_what_stays_in_flight_is_waited_for_a_while_only(stage, monkeypatch):
    monkeypatch.setattr(holding_module, "PATIENCE_S", 0.003)
    stage.in_flight = {HOST}
    assert await stage.holding.give_back({MINE}) == set()
    assert "drop" not in stage.names()


async def test_a_host_whose_partition_is_leaving_may_not_be_asked_and_may_again_once_it_is_back(stage, monkeypatch):
    cleared = stage.policy.tenure.cleared
    assert cleared(HOST)
    monkeypatch.setattr(holding_module, "PATIENCE_S", 0.0)
    await stage.holding.give_back({MINE})
    assert not cleared(HOST)
    await stage.holding.gained([Lease(partition=MINE, fence=2)])
    assert cleared(HOST)
    assert stage.ticks
    stage.member.holds = lambda _: False
    assert not cleared(HOST)


async def test_after_the_last_commit_everything_is_dropped_at_once(stage):
    stage.committer.is_over, stage.in_flight = True, {HOST}
    assert await stage.holding.give_back({MINE, OTHER}) == {MINE, OTHER}
    assert stage.names() == ["forget"]


async def test_of_what_was_lost_nothing_is_stored(stage):
    stage.holding.lost({MINE})
    assert stage.notes == [("lost", True), ("forget", {MINE})]


async def test_trouble_and_a_pause_of_all_do_not_end_a_persons_own_pause(stage):
    holding, control = stage.holding, stage.control
    control.pause()
    holding.trouble("Redis is away")
    holding.heed(Orders(paused_by="someone"), 8)
    holding.trouble(None)
    holding.heed(Orders(), 8)
    assert control.paused
    control.unpause()
    assert not control.paused
    holding.trouble("Redis is away")
    control.unpause()  # which the person may say: it takes Redis all the same
    assert control.paused


async def test_limits_and_units_are_heeded_when_they_change(stage):
    limits = {"*.example.org": Pace(concurrency=2)}
    for _ in range(2):
        stage.holding.heed(Orders(limits=limits), 4)
    stage.holding.heed(Orders(), 0)
    assert stage.notes == [("relimit", limits), ("units", 4), ("relimit", {}), ("units", 0)]


async def test_others_are_told_of_what_was_delivered_and_the_member_of_each_checkpoint(stage):
    running = asyncio.ensure_future(stage.holding.run())
    await asyncio.sleep(0)
    stage.frontier.on_stored({OTHER})
    await stage.done.wait()
    assert stage.notes == [("posted", {OTHER})]
    assert stage.nudges == 1
    stage.holding.trouble("Redis is away")
    stage.holding.trouble(None)
    stage.done.clear()
    await stage.done.wait()
    assert stage.names()[-1] == "check"  # it may have lost something
    running.cancel()
    await asyncio.wait((running,))


async def test_what_redis_has_lost_is_looked_for_also_where_its_absence_was_not_noticed(stage):
    running = asyncio.ensure_future(stage.holding.run())
    stage.member.hears["all"]()
    await stage.done.wait()
    assert stage.names() == ["check"]
    running.cancel()
    await asyncio.wait((running,))


@pytest.mark.parametrize("what", ["check", "posted"])
async def test_it_ends_although_a_cancellation_was_lost_in_redis(stage, what):
    begun = asyncio.Event()

    async def swallow(*_):
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):  # as redis-py does where it meets an answer
            await asyncio.Event().wait()

    setattr(stage.frontier if what == "check" else stage.member, what, swallow)
    running = asyncio.ensure_future(stage.holding.run())
    await asyncio.sleep(0)
    stage.holding.trouble(None)
    stage.frontier.on_stored({OTHER})
    await begun.wait()
    running.cancel()
    done, _ = await asyncio.wait((running,), timeout=2)
    assert done == {running}


async def test_a_worker_with_hosts_that_have_given_all_has_spent_its_part_unless_more_may_come(stage):
    stage.policy.all_set_aside = PER_HOST
    assert stage.holding.spent == PER_HOST
    assert PER_HOST in stage.holding.budgets
    stage.frontier.next_due = 5.0
    assert stage.holding.spent == ""


async def test_a_worker_is_idle_once_nothing_is_under_way_or_to_be_stored(stage):
    assert stage.holding.is_idle
    stage.committer.waiting = 1
    assert not stage.holding.is_idle
    stage.committer.waiting, stage.policy.in_flight = 0, 1
    assert not stage.holding.is_idle
