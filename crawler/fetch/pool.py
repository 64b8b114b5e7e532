"""Which connection may be used again? Those not in use, by where they lead.

The one last used comes first: servers close what has been idle for long. What stays idle for `KEEPALIVE_S`, which is
less than most servers allow, is closed here, so that few connections are closed under a request.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.clock import Clock
    from crawler.fetch.answer import AnswerProtocol
    from crawler.fetch.proxy import Proxy

    Way = tuple[str, bool, Proxy | None, bool]
    """Origin, whether its certificate must be valid, the proxy if it is not the direct way, and whether it may lead to
    any address: what must be the same of two requests that share connections."""

KEEPALIVE_S = 15.0


class Pool:
    """Idle connections.

    Args:
        clock: By which they have been idle.
        most: How many there are at most; the one longest idle makes room.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        #: may be changed at any time
        self.most = most
        #: as a set that keeps its order: last used last
        self._ways: dict[Way, dict[AnswerProtocol, None]] = {}
        #: way, and monotonic time since when; longest idle first
        self._idle: OrderedDict[AnswerProtocol, tuple[Way, float]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._idle)

    def __iter__(self) -> Iterator[AnswerProtocol]:
        """All, longest idle first."""
        return iter(self._idle)

    def ways(self) -> list[Way]:
        """Where there are any to."""
        return list(self._ways)

    def take(self, way: Way) -> AnswerProtocol | None:
        """One that leads there; None if there is none.

        Where the server has spoken meanwhile, as some do before they close (status 408), there may be an end of the
        connection behind it, and its next message would be taken for the answer: such a one is closed.
        """
        while (kept := self._ways.get(way)) is not None:
            protocol = next(reversed(kept))
            idle_s = self._clock.monotonic() - self._remove(protocol)
            if protocol.is_connected() and not protocol.should_close and idle_s <= KEEPALIVE_S:
                return protocol
            protocol.close()
        return None

    def put(self, way: Way, protocol: AnswerProtocol) -> None:
        """Keep one that is idle from now on."""
        self._idle[protocol] = (way, self._clock.monotonic())
        self._ways.setdefault(way, {})[protocol] = None
        if len(self._idle) > self.most:
            self._close(next(iter(self._idle)))
        if self._timer is None:
            self._arm()

    def forget(self, protocol: AnswerProtocol) -> None:
        """It has ended, idle or not."""
        if protocol in self._idle:
            self._remove(protocol)

    def close_those(self, way: Way) -> None:
        """Close all that lead there."""
        for protocol in tuple(self._ways.get(way, ())):
            self._close(protocol)

    def close(self) -> None:
        """Close all."""
        for protocol in tuple(self._idle):
            self._close(protocol)
        if self._timer is not None:
            self._timer.cancel()

    def _close(self, protocol: AnswerProtocol) -> None:
        self._remove(protocol)
        protocol.close()

    def _remove(self, protocol: AnswerProtocol) -> float:
        """Returns since when it has been idle."""
        way, since = self._idle.pop(protocol)
        kept = self._ways[way]
        if len(kept) == 1:
            del self._ways[way]
        else:
            del kept[protocol]
        return since

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(KEEPALIVE_S, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long; go on as long as there are any."""
        now = self._clock.monotonic()
        for protocol, (_, since) in tuple(self._idle.items()):
            if now - since > KEEPALIVE_S:
                self._close(protocol)
        self._timer = None
        if self._idle:
            self._arm()
