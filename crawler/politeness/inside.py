"""May a request go to a host that is at no public address (`crawler.reach`)?

Only if that host is its own seed's, and was at no public address either when a seed first led there: that is settled
once, when the seed itself is judged, and stored with the state of the host, so that a name which moves there later is
refused for ever. Where a request is for another port of its seed's host, it is the seed's port that counts: what is at
the other one is first heard of from pages.

The fetcher has the last word, as a name may have moved since its addresses were looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.reach import INSIDE, OUTSIDE, UNSEEN, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.models import HostKey, HostState, Request
    from crawler.politeness.host import Host
    from crawler.politeness.window import Window
    from crawler.reach import Reach

_KEPT = 10_000


class Inside:
    """Judges requests to hosts whose addresses are looked up.

    Args:
        reach: Where what was found may lead; None: anywhere.
        window: The hosts in memory.
    """

    def __init__(self, reach: Reach | None, window: Window) -> None:
        self._reach = reach
        self._window = window
        #: seeds' hosts that are not in memory -> `HostState.first_seen`
        self._first: dict[HostKey, int] = {}

    def found(self, host: Host, addresses: Sequence[str]) -> None:
        """A host is at these addresses; none where that is not ours to know."""
        host.is_inside = self._reach is not None and self._reach.shuts_out(host.key, addresses)

    def concerns(self, host: Host) -> tuple[bool, bool]:
        """Whether all requests to a host must be judged, and whether seeds must be (`Request.via` is None)."""
        if host.is_inside or host.first_seen == INSIDE:
            return True, True
        return False, host.first_seen == UNSEEN and self._reach is not None

    def judged(self, host: Host, request: Request) -> Request | None:
        """The request as it may be made; None if it must not be."""
        seed = seed_of(request)
        is_seed = seed == host.key and request.via is None and not request.redirected_from
        if is_seed and host.first_seen == UNSEEN and host.located:
            host.first_seen = INSIDE if host.is_inside else OUTSIDE
            self._window.changed(host)
        if seed is not None and self._first_seen(seed) == INSIDE:
            return replace(request, inside=True)
        return None if host.is_inside else request

    def unknown(self, wants: Iterable[tuple[HostKey, int]], requests: Sequence[Request]) -> list[HostKey]:
        """Seeds' hosts whose stored states `judged` needs, for `recall`, before it is asked of these requests."""
        hosts = self._window.hosts
        inside = {key for key, _ in wants if hosts[key].is_inside}
        if not inside:
            return []
        seeds = {seed_of(request) for request in requests if request.host_key in inside}
        return [key for key in seeds if key is not None and key not in hosts and key not in self._first]

    def recall(self, states: Iterable[HostState]) -> None:
        """What was stored of such hosts. What is settled stays so, and is kept; a host not seen yet may be any time."""
        if len(self._first) > _KEPT:
            self._first.clear()
        self._first.update((state.host_key, state.first_seen) for state in states if state.first_seen != UNSEEN)

    def _first_seen(self, key: HostKey) -> int:
        host = self._window.hosts.get(key)
        return self._first.get(key, UNSEEN) if host is None else host.first_seen
