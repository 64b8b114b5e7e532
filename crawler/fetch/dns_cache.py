"""What is known of a name? What lookups brought, failures too, each for a while, of so many names at most.

`getaddrinfo` does not tell how long its answer may be kept, so the times are ours. Pure, given the time.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from crawler.clock import Clock

ANSWER_S = 300.0
"""As long as the shortest time that names on the web are commonly published with."""
FAILURE_S = 30.0
"""Of a name that does not exist, or has no address."""
UNANSWERED_S = 3.0
"""Of a question that got no answer: shorter than the wait before a request is tried again, which then asks anew."""
NAMES = 20_000


class Answer(NamedTuple):
    """What came of a lookup."""

    #: as text, in the order in which they are to be tried; empty if there are none
    addresses: tuple[str, ...] = ()
    #: why there are none, as in `socket.gaierror`
    errno: int = 0
    problem: str = ""

    @property
    def keep_s(self) -> float:
        """How long it holds."""
        if self.addresses:
            return ANSWER_S
        return UNANSWERED_S if self.errno == socket.EAI_AGAIN else FAILURE_S


class DnsCache:
    """Answers by name. Where there are more than `names`, those not asked for the longest time are forgotten."""

    def __init__(self, clock: Clock, names: int = NAMES) -> None:
        self._clock = clock
        self._names = names
        #: name -> monotonic time until which it holds, and the answer; least recently used first
        self._known: OrderedDict[str, tuple[float, Answer]] = OrderedDict()

    def get(self, name: str) -> Answer | None:
        """What is known of `name`; None if it must be looked up."""
        if (known := self._known.get(name)) is None:
            return None
        until, answer = known
        if self._clock.monotonic() >= until:
            del self._known[name]
            return None
        self._known.move_to_end(name)
        return answer

    def put(self, name: str, answer: Answer) -> None:
        """Remember what a lookup brought."""
        self._known[name] = (self._clock.monotonic() + answer.keep_s, answer)
        self._known.move_to_end(name)
        if len(self._known) > self._names:
            self._known.popitem(last=False)
