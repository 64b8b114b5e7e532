"""Which hosts share a network address, and what if a name has none?

A host's address is asked for (`Turn.locate`) before its first request, so that the limit for its address holds from
the first one on, and a name that does not resolve fails its host once instead of every URL. The address of an answer
that came from elsewhere counts from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import Outcome
from crawler.politeness import waits
from crawler.politeness.retry import Finish, rule_for
from crawler.politeness.scheduled import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.errors import FetchError
    from crawler.politeness.host import Host
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.tally import Tally

UNRESOLVED_S = 600.0
"""For so long a name is believed not to resolve; URLs that come later have it looked up anew."""


class Places:
    """The groups of hosts at one address.

    Args:
        concurrency: Requests in flight to one address at most; a host's own concurrency counts instead where it is
            larger.
        schedule: Holds hosts to it.
        tally: Told of names that do not resolve.
    """

    def __init__(self, concurrency: int, schedule: Schedule[Host], tally: Tally) -> None:
        self._concurrency = concurrency
        self._allowed = concurrency  # this worker's part of it
        self._schedule = schedule
        self._tally = tally
        self._groups: dict[str, Group] = {}
        #: hosts whose addresses are being looked up
        self.asked = 0

    def ask(self, host: Host) -> None:
        """A host's addresses are being looked up: `found` or `not_found` will follow."""
        host.locating = True
        self.asked += 1

    def found(self, host: Host, addresses: Sequence[str]) -> None:
        """Where a host is: its addresses, the one tried first first; none if that is not known."""
        host.locating = False
        self.asked -= 1
        host.located = True
        self._tally.resolved(host.key)
        host.lookups = 0
        self.move(host, addresses[0] if addresses else None)

    def not_found(self, host: Host, error: FetchError, now: float) -> None:
        """Its name did not resolve: it is looked up once more, or given up for now."""
        host.locating = False
        self.asked -= 1
        host.lookups += 1
        rule = rule_for(error.reason)
        if host.lookups < rule.attempts:
            host.waits_for = "its name does not resolve"
            waits.resting(host, host.waits_for, rule.wait_s)
            self._schedule.hold(host, now + rule.wait_s, now)
            return
        host.lookups = 0
        host.unresolved_until = now + UNRESOLVED_S
        host.given_up = Finish(Outcome.FAILED, error.reason)
        self._tally.unresolved(host.key)
        self._schedule.free(host, now)

    def look_again(self, host: Host, now: float) -> None:
        """Forget that a name did not resolve, when that was long ago."""
        if host.given_up is not None and not host.retired and now >= host.unresolved_until:
            host.given_up = None
            host.located = False

    def move(self, host: Host, address: str | None) -> None:
        """A host is at this address now."""
        if address == host.address:
            return
        self.leave(host)
        if address is not None:
            group = self._groups.get(address)
            if group is None:
                group = self._groups[address] = Group(self._allowed)
            host.address = address
            if host.slots > self._concurrency:
                group.larger.append(host.slots)
                self._fit(group)
            self._schedule.join(host, group)

    def leave(self, host: Host) -> None:
        """A host is nowhere any more."""
        group = host.group
        if group is not None and host.address is not None:
            self._schedule.join(host, None)
            if not group.hosts:
                del self._groups[host.address]
            elif host.slots > self._concurrency:
                group.larger.remove(host.slots)
                self._fit(group)
            host.address = None

    def allow(self, concurrency: int) -> None:
        """So many requests may be in flight to one address here, where other workers have their part of them.

        A host whose own concurrency is larger than what all may have together keeps it: no other worker asks that host.
        """
        self._allowed = concurrency
        for group in self._groups.values():
            self._fit(group)

    def resized(self, host: Host, slots: int) -> None:
        """A host may have `slots` requests in flight from now on."""
        before, host.slots = host.slots, slots
        group = host.group
        if group is None or max(before, slots) <= self._concurrency:
            return
        if before > self._concurrency:
            group.larger.remove(before)
        if slots > self._concurrency:
            group.larger.append(slots)
        self._fit(group)

    @property
    def most_in_flight(self) -> int:
        """Requests in flight to the address that has most, but for those where a larger number is a host's own."""
        return max((group.in_flight for group in self._groups.values() if not group.larger), default=0)

    def _fit(self, group: Group) -> None:
        self._schedule.allow(group, max(self._allowed, *group.larger, 0))
