"""May a request go to an address that is not one of the public internet?

Pages are written by strangers, and a link or redirect of theirs must not have us ask the machines around us for them
(server-side request forgery). So what was *found* goes to public addresses only, and to what the configuration names.
A seed is its giver's word: where its host was private when first resolved, requests for that host, at any port, may
go there (`Request.inside`); who follows that over a crawl is `politeness.inside`. It is the host of the seed as given
that counts: not that of a redirect, whose target is a stranger's word again.

The fetcher asks this of every address before it connects, so that neither a redirect nor a name that changes its
address (DNS rebinding) helps.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING

from crawler.addresses import is_in, purpose
from crawler.config.hosts import matching, split_port
from crawler.seeds import seed_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.addresses import IpNetwork
    from crawler.config import FetchConfig
    from crawler.models import HostKey, Request

UNSEEN, OUTSIDE, INSIDE = 0, 1, 2
"""Of a host that is a seed's (`HostState.first_seen`): not looked up yet; at public addresses, or not ours to know; at
no public address."""

_VERDICTS_KEPT = 4096

seed_key = lru_cache(_VERDICTS_KEPT)(seed_host)
"""The host of a seed as given; None if that is no good one."""


def seed_of(request: Request) -> HostKey | None:
    """The host of the seed that `request` descends from, if it is the request's own, perhaps at another port."""
    seed = seed_key(request.seed)
    if seed is None or seed == request.host_key:
        return seed
    return seed if split_port(seed)[0] == split_port(request.host_key)[0] else None


def address_of(key: HostKey) -> str | None:
    """The address that a host is named by, without brackets; None if it has a name."""
    name = split_port(key)[0]
    if name[0] == "[":
        return name[1:-1]
    return name if name.rpartition(".")[2].isdigit() else None


class Reach:
    """What one configuration allows.

    Args:
        fetch: Its ``allow_addresses`` and ``resolve``.
    """

    def __init__(self, fetch: FetchConfig) -> None:
        self._networks: Iterable[IpNetwork] = tuple(ip_network(text) for text in fetch.allow_addresses)
        self._mapping = {pattern.lower().rstrip("."): None for pattern in fetch.resolve}
        self._refuses = lru_cache(_VERDICTS_KEPT)(self._judged)

    def refusal(self, name: str, address: str) -> str | None:
        """What `address` is for, where nothing found at host `name` may go to it; None where it may.

        Args:
            name: Without port; in lower case, as in canonical URLs, or an IPv6 address without its brackets.
            address: Where a connection would lead, or leads.
        """
        told = self._refuses(address)
        return None if told is None or self._is_mapped(name) else told

    def shuts_out(self, key: HostKey, addresses: Sequence[str]) -> bool:
        """Whether nothing found at a host may be requested, as none of its addresses may be asked.

        Args:
            key: The host.
            addresses: Where it is. None: that is not ours to know, so that only an address in its name counts.
        """
        literal = address_of(key)
        if literal is not None:
            return self.refusal(literal, literal) is not None
        name = split_port(key)[0]
        return bool(addresses) and all(self.refusal(name, address) for address in addresses)

    def _judged(self, address: str) -> str | None:
        told = purpose(address)
        return None if told is None or is_in(address, self._networks) else told

    def _is_mapped(self, name: str) -> bool:
        return bool(self._mapping) and any(matching(self._mapping, name))
