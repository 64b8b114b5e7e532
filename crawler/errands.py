"""What does the policy ask of the frontier and the fetcher, and who brings the answers?

`run` answers at once what the next turn depends on. Addresses are looked up meanwhile, by as many `look_up` as the
engine starts, since a name that does not resolve may take long.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FetchError
from crawler.models import HostState

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.ledger import Ledger
    from crawler.models import HostKey
    from crawler.politeness.policy import Policy, Turn

LOOKUPS = 64
"""How many addresses to ask for at once: more than the resolver has threads, as most answers are at hand."""


class Errands:
    """Between the policy and what knows the answers.

    Args:
        carries: Whether there is an earlier generation to take records over from. Without, what was known of a URL is
            of no use: what a repair asks for again must come as if nobody had ever seen it.
    """

    def __init__(
        self, *, policy: Policy, frontier: Frontier, fetcher: Fetcher, ledger: Ledger, carries: bool = True
    ) -> None:
        self._policy = policy
        self._frontier = frontier
        self._fetcher = fetcher
        self._ledger = ledger
        self._carries = carries
        self._hosts: asyncio.Queue[HostKey] = asyncio.Queue()  # bounded by the policy's window
        self._cursor = 0

    def book(self, turn: Turn) -> bool:
        """Enter what a turn refuses, or puts off, in the ledger; whether there is any."""
        for request, end in turn.refused:
            self._ledger.refused(request, end)
        for request, until in turn.put_off:
            self._ledger.put_off(request, until)
        return bool(turn.refused or turn.put_off)

    async def run(self, turn: Turn) -> None:
        """Give the policy what a turn asks for, or have it looked up."""
        policy, frontier = self._policy, self._frontier
        for host_key in turn.locate:
            self._hosts.put_nowait(host_key)
        if turn.wants:
            requests = await frontier.take(turn.wants)
            if not self._carries:
                requests = [replace(one, known=None) if one.known is not None else one for one in requests]
            if seeds := policy.inside.unknown(turn.wants, requests):
                policy.inside.recall([await self._state(key) for key in seeds])
            origins = policy.supply(turn.wants, requests)
            stored = [await frontier.robots(origin) for origin in origins]
            self._ledger.found(policy.recall(file for file in stored if file))
        if turn.unknown:
            policy.adopt([await self._state(key) for key in turn.unknown])
        if (refill := turn.refill) is not None:
            states, self._cursor = await frontier.hosts(
                refill.ready_before, self._cursor, refill.limit, refill.pages_below
            )
            policy.adopt(states)

    async def _state(self, host_key: HostKey) -> HostState:
        return await self._frontier.host(host_key) or HostState(host_key=host_key)

    async def look_up(self, changed: Callable[[], None]) -> None:
        """Find the addresses of one host after the other, calling `changed` after each."""
        while True:
            host_key = await self._hosts.get()
            try:
                self._policy.located(host_key, await self._fetcher.locate(host_key))
            except FetchError as error:
                self._policy.not_located(host_key, error)
            changed()
