"""What a fetcher promises: exactly one attempt, one answer or one mapped error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.models import HostKey, Request, Response


class Fetcher(Protocol):
    """Gets one resource."""

    async def fetch(self, request: Request, started: Callable[[], None]) -> Response:
        """Send one GET and read its whole answer, whatever the status; redirects are not followed.

        Of a robots.txt the first 512 KiB are the whole, whatever ``fetch.max_body`` says. A request that is tried
        again goes over a new connection. One that is not `Request.inside` connects to no address that is not public
        or allowed (`crawler.reach`), whatever was found where its host was looked up before.

        Args:
            request: What to get. `url` is sent as it is, never re-canonicalised.
            started: Called once, synchronously, when the request head has been written to the socket;
                never if the attempt fails earlier. This is the instant politeness counts from.

        Raises:
            FetchError: With a reason of `reasons.REASONS`.
            CrawlerError: This machine can open no more connections. Nothing else, but cancellation, which closes the
                connection.
        """
        ...

    async def locate(self, host_key: HostKey) -> Sequence[str]:
        """The addresses a request to this host may go to, the one tried first first: IP addresses as text.

        Empty where that is not ours to know, as for a host asked through a proxy. Answers are kept for a while, so
        that asking again costs nothing.

        Raises:
            FetchError: ``dns``: the name does not resolve.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections. No fetch may be under way."""
        ...
