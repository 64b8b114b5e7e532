"""What does a server remember of the requests it was sent?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(slots=True)
class Hit:
    """One request as the server saw it; times are `time.monotonic` seconds."""

    at: float  #: its head was complete
    host: str
    path: str
    user_agent: str
    #: local address the connection came in on
    address: str
    #: requests of this host unanswered at `at` on connections that were open then, this one included
    in_flight: int
    #: the same for all hosts at `address`
    in_flight_at_address: int = 1
    #: the conditions it was sent under, as sent
    if_none_match: str | None = None
    if_modified_since: str | None = None
    #: of the answer, 0 while there is none
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    #: of the answer to a path that ends in ``robots.txt``
    body: bytes = b""
    #: of the answer, its head included
    sent_bytes: int = 0
    #: right before the last of the answer was written; None if there was no answer
    ended: float | None = None
    #: its client went away, or was sent away, before it had an answer
    gone: float | None = None
    #: its client was seen to have read the answer: it sent another request over the same connection, or closed that
    noticed: float | None = None

    @property
    def is_conditional(self) -> bool:
        """Whether it asked for what is new since."""
        return self.if_none_match is not None or self.if_modified_since is not None

    def header(self, name: str) -> str | None:
        """A field of the answer, by its lower-case name."""
        return next((value for field, value in self.headers if field.lower() == name), None)


@dataclass
class Log:
    """All requests so far, in order of arrival."""

    hits: list[Hit] = field(default_factory=list)

    def of(self, host: str, *, robots: bool = True) -> list[Hit]:
        """The requests of one host, those for robots.txt included unless told otherwise."""
        return [hit for hit in self.hits if hit.host == host and (robots or hit.path != "/robots.txt")]

    def by_host(self) -> dict[str, list[Hit]]:
        """The same for every host."""
        found: dict[str, list[Hit]] = {}
        for hit in self.hits:
            found.setdefault(hit.host, []).append(hit)
        return found

    def hosts(self) -> set[str]:
        """Every host asked."""
        return {hit.host for hit in self.hits}

    def counts(self) -> Counter[str]:
        """URL -> how often it was asked for."""
        return Counter(f"http://{hit.host}{hit.path}" for hit in self.hits)

    def since(self, place: int) -> Log:
        """What came after so many."""
        return Log(self.hits[place:])

    def sent_bytes(self) -> int:
        """Of all answers, their heads included."""
        return sum(hit.sent_bytes for hit in self.hits)

    def smallest_gap_s(self, host: str) -> float:
        """The shortest time between two request starts of a host; infinite for fewer than two."""
        return min((later.at - earlier.at for earlier, later in pairwise(self.of(host))), default=float("inf"))

    def max_in_flight(self, host: str | None = None) -> int:
        """The most requests unanswered at once: of one host, or of any one host."""
        return max((hit.in_flight for hit in self.hits if host in (None, hit.host)), default=0)
