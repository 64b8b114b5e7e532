"""What does the policy ask of the engine? The answer to one `Policy.turn`:

    start     `may_start`, connected, `may_send`, put on the wire, `started` when the head is written, `after` when
              it ended
    refused   ended by robots.txt or a host that was given up, at no cost to anybody
    put_off   frontier.commit, as snoozed: their host rests for long
    locate    fetcher.locate -> `located` or `not_located`, whenever it is known
    wants     frontier.take -> `supply` -> frontier.robots -> `recall`
    unknown   frontier.host -> `adopt`
    refill    frontier.hosts -> `adopt`

`wants`, `unknown` and `refill` are answered before the next turn.
"""

from __future__ import annotations

import msgspec

from crawler.models import HostKey, Request
from crawler.politeness.retry import Finish


class Refill(msgspec.Struct, frozen=True):
    """A question to the frontier for hosts with takeable URLs, as `Frontier.hosts` takes it."""

    limit: int
    #: wall time; infinite for all
    ready_before: float
    pages_below: int | None


class Turn(msgspec.Struct):
    """What the policy asks of the engine now."""

    #: to be put on the wire now, in this order; pass the same objects to `started` and `after`
    start: list[Request] = []
    #: that must not be requested, with the end of each
    refused: list[tuple[Request, Finish]] = []
    #: back to the frontier until a monotonic time, as their host rests for long; no attempt was made
    put_off: list[tuple[Request, float]] = []
    #: hosts whose addresses to look up, for `located`
    locate: list[HostKey] = []
    #: how many requests of which hosts to take from the frontier, for `supply`
    wants: list[tuple[HostKey, int]] = []
    #: hosts whose stored states to look up, for `adopt`; of one never stored, a new state
    unknown: list[HostKey] = []
    #: other hosts to look for, for `adopt`
    refill: Refill | None = None
    #: monotonic time by which to ask again, if nothing happens before: now, if there is something to answer;
    #: None if only events matter (`wake`, the end of an attempt or of a parse)
    next_at: float | None = None
