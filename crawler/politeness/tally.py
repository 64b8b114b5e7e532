"""Which hosts were not asked for everything that is known of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.stats import HostTally

if TYPE_CHECKING:
    from crawler.models import HostKey


class Tally:
    """Hosts left out, each counted once however often it comes and goes; by hash, as there may be many."""

    def __init__(self) -> None:
        self._given_up: set[int] = set()
        self._set_aside: set[int] = set()
        self._unresolved: set[int] = set()

    def given_up(self, key: HostKey) -> None:
        """The breaker has retired it."""
        self._given_up.add(hash(key))

    def set_aside(self, key: HostKey) -> None:
        """It has given its budget of pages."""
        self._set_aside.add(hash(key))

    def unresolved(self, key: HostKey) -> None:
        """Its name does not resolve."""
        self._unresolved.add(hash(key))

    def resolved(self, key: HostKey) -> None:
        """Its name does after all."""
        self._unresolved.discard(hash(key))

    def counts(self) -> HostTally:
        """How many of each there are."""
        return HostTally(given_up=len(self._given_up), set_aside=len(self._set_aside), unresolved=len(self._unresolved))
