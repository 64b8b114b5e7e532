"""No order of events makes the schedule give out a host too soon or too much at once, or keep back one that may go."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.models import HostKey
from crawler.politeness.schedule import GUARD_S, Schedule
from crawler.politeness.scheduled import Group, Scheduled

HOSTS, PLACES = 6, 2
PACES = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 3)), min_size=HOSTS, max_size=HOSTS)
HOMES = st.lists(st.sampled_from([0, 0, 0, 1, None]), min_size=HOSTS, max_size=HOSTS)
KINDS = (
    *("pop", "pop", "pop", "pop", "pop", "start", "start", "end", "move", "move", "wait"),
    *("turn over", "back", "hold", "rest", "offer", "faster", "slower", "narrow", "widen", "allow", "free"),
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, HOSTS - 1), st.integers(0, 3)), min_size=30, max_size=150
)


@dataclass
class NaiveHost:
    """What a host may do, said in the plainest way."""

    delay: float
    slots: int
    place: int | None
    offered: bool = True
    due: float = 0.0
    last_start: float = float("-inf")
    unstarted: int = 0
    flying: int = 0
    waited: float = 0.0

    def wait(self, now, until):
        """Time passes."""
        has_slot = self.flying < self.slots and (self.delay == 0 or self.unstarted == 0)
        if self.offered and has_slot:
            self.waited += max(0.0, min(until, self.due) - now)

    def may_start(self, now):
        alone = self.delay == 0 or self.unstarted == 0
        return self.offered and alone and now >= self.due and self.flying < self.slots

    def take(self, now):
        self.flying += 1
        self.unstarted += 1
        self.due = max(self.due, now)

    def start(self, now):
        self.unstarted -= 1
        self.last_start = now
        if self.delay:
            self.due = max(self.due, now + self.delay + GUARD_S)

    def pace(self, delay):
        if delay > self.delay:
            self.due = max(self.due, self.last_start + delay + GUARD_S)
        self.delay = delay


class Pair:
    """A schedule and its naive model, led through the same events."""

    def __init__(self, paces, homes, caps):
        self.now = 0.0
        self.schedule = Schedule()
        self.caps = list(caps)
        self.groups = [Group(cap) for cap in caps]
        self.hosts = [Scheduled(HostKey(str(n)), delay_s=d, concurrency=c, due=0.0) for n, (d, c) in enumerate(paces)]
        self.model = [NaiveHost(d, c, home) for (d, c), home in zip(paces, homes, strict=True)]
        for host, home in zip(self.hosts, homes, strict=True):
            self.schedule.join(host, None if home is None else self.groups[home])
            self.schedule.offer(host, self.now)

    def flying_at(self, place):
        return sum(m.flying for m in self.model if m.place == place)

    def allowed(self):
        free = {None, *(place for place in range(PLACES) if self.flying_at(place) < self.caps[place])}
        return [n for n, m in enumerate(self.model) if m.may_start(self.now) and m.place in free]

    def pop(self):
        """What both agree may go; None if nothing may."""
        host = self.schedule.pop(self.now)
        allowed = self.allowed()
        if host is None:
            assert not allowed, f"{allowed} might start a request, and none is given out"
            return None
        number = self.hosts.index(host)
        assert number in allowed
        return number

    def claim(self, number):
        """A request of the host that was given out starts, and more of it as long as it would be given out again."""
        is_next = True
        while is_next:
            assert number in self.allowed()
            self.schedule.claim(self.hosts[number], self.now)
            self.model[number].take(self.now)
            is_next = self.schedule.is_next(self.hosts[number], self.now)

    def step(self, what, n, how):  # noqa: PLR0912  # one a kind of event
        schedule, host, naive, now = self.schedule, self.hosts[n], self.model[n], self.now
        if what == "pop" and (popped := self.pop()) is not None:
            host, naive = self.hosts[popped], self.model[popped]
            self.claim(popped)
            naive.offered = how > 0
            (schedule.offer if naive.offered else schedule.rest)(host, now)
        elif what == "turn over" and (popped := self.pop()) is not None:  # it asks the frontier, and starts nothing
            self.model[popped].offered = how > 1
            (schedule.offer if how > 1 else schedule.rest)(self.hosts[popped], now)
        elif what == "start" and naive.unstarted:
            schedule.started(host, now)
            naive.start(now)
        elif what == "end" and naive.flying:
            on_the_wire = naive.flying > naive.unstarted
            schedule.released(host, now, started=on_the_wire)
            naive.flying -= 1
            if not on_the_wire:
                naive.start(now)
        elif what == "back" and naive.unstarted:
            schedule.taken_back(host, now)
            naive.flying -= 1
            naive.unstarted -= 1
        elif what == "hold":
            schedule.hold(host, now + how, now)
            naive.due = max(naive.due, now + how)
        elif what in {"rest", "offer"}:
            getattr(schedule, what)(host, now)
            naive.offered = what == "offer"
        elif what in {"faster", "slower"}:
            delay = max(0.0, naive.delay + (how if what == "slower" else -how) / 4)
            schedule.pace(host, delay, now)
            naive.pace(delay)
        elif what in {"narrow", "widen"}:
            naive.slots = max(1, naive.slots + (how if what == "widen" else -how))
            schedule.narrow(host, naive.slots, now)
        elif what == "move":
            naive.place = how if how < PLACES else None
            schedule.join(host, None if naive.place is None else self.groups[naive.place])
        elif what == "allow":
            place = n % PLACES
            self.caps[place] = 1 + how
            schedule.allow(self.groups[place], 1 + how)
        elif what == "free":
            schedule.free(host, now)
            naive.due = float("-inf")
        else:
            for each in self.model:
                each.wait(now, now + 0.3)
            self.now += 0.3
            for host, naive in zip(self.hosts, self.model, strict=True):
                assert host.waited(self.now) == pytest.approx(naive.waited)

    def look(self):
        """Both agree on whether anybody may go; who is given out gives up its turn."""
        if (popped := self.pop()) is not None:
            self.schedule.offer(self.hosts[popped], self.now)

    def spend_what_is_due(self):
        """As a turn with all the room there is: whoever may start does."""
        while (popped := self.pop()) is not None:
            self.claim(popped)
            self.schedule.offer(self.hosts[popped], self.now)


@given(paces=PACES, homes=HOMES, caps=st.tuples(st.integers(1, 3), st.integers(1, 3)), events=EVENTS)
def test_schedule_gives_out_exactly_the_hosts_a_naive_model_allows(paces, homes, caps, events):
    pair = Pair(paces, homes, caps)
    for what, n, how in events:
        pair.step(what, n, how)
        pair.look()
        for group, place in zip(pair.groups, range(PLACES), strict=True):
            assert group.in_flight == pair.flying_at(place)
            assert group.hosts == sum(m.place == place for m in pair.model)
    pair.spend_what_is_due()
    pair.now += 100.0
    for host, naive in zip(pair.hosts, pair.model, strict=True):
        while naive.unstarted:
            pair.schedule.started(host, pair.now)
            naive.start(pair.now)
    pair.now += 100.0
    pair.spend_what_is_due()
