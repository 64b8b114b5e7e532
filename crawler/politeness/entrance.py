"""Which hosts are on their way into memory, and what waits for them there?"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.models import HostKey, Request


class Entrance:
    """Hosts whose stored states are needed: called, then asked for, then here."""

    def __init__(self) -> None:
        self._called: dict[HostKey, None] = {}
        self._asked: dict[HostKey, None] = {}
        self._outdated: set[HostKey] = set()  # asked for, and others' since, at least for a while
        #: robots.txt requests that wait for their host
        self._visits: dict[HostKey, deque[Request]] = {}

    def __len__(self) -> int:
        return len(self._called) + len(self._asked)

    def __contains__(self, key: HostKey) -> bool:
        return key in self._called or key in self._asked

    def call(self, key: HostKey) -> None:
        """A host is to come in."""
        if key not in self._asked:
            self._called[key] = None

    def visit(self, request: Request) -> None:
        """A host is to come in, and to be asked for a robots.txt."""
        self._visits.setdefault(request.host_key, deque()).append(request)
        self.call(request.host_key)

    def newcomers(self) -> list[HostKey]:
        """Those whose states are to be asked for, each once."""
        called, self._called = self._called, {}
        self._asked |= called
        return list(called)

    def arrived(self, key: HostKey) -> bool:
        """The state of a host is here; whether it was asked for, rather than found."""
        if key in self._asked:
            del self._asked[key]
            return True
        self._called.pop(key, None)
        return False

    def is_outdated(self, key: HostKey) -> bool:
        """Whether a state that has arrived may be older than what another has stored: it is called anew."""
        if key in self._outdated:
            self._outdated.discard(key)
            self._called[key] = None
            return True
        return False

    def is_visited(self, key: HostKey) -> bool:
        """Whether a robots.txt request waits for a host."""
        return key in self._visits

    def visits(self, key: HostKey) -> deque[Request]:
        """The robots.txt requests that waited for a host that is here now."""
        return self._visits.pop(key, None) or deque()

    def dismiss(self, belongs: Callable[[HostKey], bool]) -> list[Request]:
        """These hosts are others' now. Returns the robots.txt requests that waited for them."""
        self._called = {key: None for key in self._called if not belongs(key)}
        self._outdated.update(key for key in self._asked if belongs(key))
        return [request for key in [*self._visits] if belongs(key) for request in self._visits.pop(key)]
