"""What does the policy ask of the engine? The answer to one `Policy.turn`."""

from __future__ import annotations

import msgspec

from crawler.models import HostKey, Request


class Turn(msgspec.Struct):
    """What the policy asks of the engine now."""

    #: to be put on the wire now, in this order; pass the same objects to `started` and `after`
    start: list[Request] = []
    #: with the reason each is refused for; they end as `EXCLUDED`
    refused: list[tuple[Request, str]] = []
    #: how many requests of which hosts to take from the frontier, for `supply`
    wants: list[tuple[HostKey, int]] = []
    #: hosts whose stored states to look up, for `adopt`; of one never stored, a new state
    unknown: list[HostKey] = []
    #: how many other hosts with takeable URLs to look for, for `adopt`
    refill: int = 0
    #: monotonic time by which to ask again, if nothing happens before: now, if there is something to answer;
    #: None if only events matter (`wake`, the end of an attempt or of a parse)
    next_at: float | None = None
