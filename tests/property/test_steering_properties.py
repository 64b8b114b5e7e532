"""Hosts that leave a worker's policy and come back, at any moment, are asked no sooner, and no URL of them is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

import pytest
from hypothesis import event, given, settings

from crawler.config import BudgetConfig
from crawler.models import Kind
from crawler.politeness.turn import Refill
from tests.property.test_policy_properties import NAMES, PLANS, check
from tests.support.frontdesk import FrontDesk


@dataclass
class MovingDesk(FrontDesk):
    """Has hosts leave and come back as it goes, clean: with all that has happened stored.

    A host that is away is asked by nobody, as its next worker does nothing; and so it is when it comes back.
    """

    away: dict = field(default_factory=dict)  #: host -> when it may come back
    moves: int = 0

    def __post_init__(self):
        self._steer(self.policy)

    def restart(self, policy):
        self.away.clear()
        self._steer(policy)
        super().restart(policy)

    def _steer(self, policy):
        policy.tenure.cleared = lambda key: key not in self.away
        policy.tenure.asked_at = lambda key: -inf
        policy.tenure.put_back = self._put_back

    def _put_back(self, requests):
        for request in reversed(requests):
            assert request.kind is not Kind.ROBOTS
            assert request.url not in [waiting.url for waiting in self.queues[request.host_key]], "given back twice"
            self.queues[request.host_key].appendleft(request)

    def _play(self):
        super()._play()
        now = self.clock.now
        for key in [key for key, at in self.away.items() if at <= now and self.policy.has_left(key.__eq__)]:
            self._commit()
            del self.away[key]
            if self.queues[key]:
                self.policy.wake(key)
        if self.rng.random() < 0.1:
            leaving = [key for key in NAMES if key not in self.away and self.rng.random() < 0.3]
            self.away |= dict.fromkeys(leaving, now + self.rng.choice([0.0, 0.1, 5.0]))
            self._put_back(self.policy.dismiss(leaving.__contains__))
            self.moves += len(leaving)
        if self.rng.random() < 0.05:
            self.policy.allow_at_address(self.rng.choice([1, self.policy._places._concurrency]))

    def _ask(self, flight):
        before = len(self.log)
        super()._ask(flight)
        assert flight.what.host_key not in self.away or len(self.log) == before

    def _start(self, flight):
        super()._start(flight)
        assert flight.what.host_key not in self.away or flight.span.begin is None

    def _take(self, key, n):
        return [] if key in self.away else super()._take(key, n)

    def _hosts(self, refill):
        everybody = super()._hosts(Refill(len(NAMES), refill.ready_before, refill.pages_below))
        return [state for state in everybody if state.host_key not in self.away][: refill.limit]

    def run(self, until=float("inf")):
        """As ever, but while hosts are away the end is not near."""
        while True:
            super().run(until)
            if not self.away or self.clock.now >= until or self.stopped_by:
                return self
            self.clock.advance(min(max(0.1, min(self.away.values()) - self.clock.now), until - self.clock.now))
            self._play()


@given(plan=PLANS)
@settings(max_examples=60, deadline=None)
@pytest.mark.slow
def test_any_crawl_whose_hosts_come_and_go_keeps_every_promise_and_ends_every_url_once(plan):
    plan = replace(plan, desk=MovingDesk, budget=BudgetConfig())
    desk = plan.crawl()
    event(f"moves: {min(desk.moves, 50) // 10}0 or more")
    check(desk, plan)
