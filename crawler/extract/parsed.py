"""What do scraping rules and a user's own function get to see? One parsed response, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from crawler.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selectolax.lexbor import LexborHTMLParser

    from crawler.models import Request, Response, Url

Kind = Literal["html", "json", "xml"]


class Parsed:
    """One response of status 2xx, parsed.

    Args:
        url: Canonical, of the request.
        base_url: What relative URLs in it start from.
        status: HTTP status.
        headers: As received, in order.
        fetched_at: RFC 3339, UTC.
        kind: What it is.
        text: The body, decoded; for HTML as the parser got it.
        tree: Of HTML, parsed; None for the others.
        value: Of JSON, as Python has it; of XML, as `crawler.extract.xml_value` makes it; None for HTML.
        carried: What the listing handed over that led here, by name.
    """

    __slots__ = ("base_url", "carried", "fetched_at", "headers", "kind", "status", "text", "tree", "url", "value")

    def __init__(
        self,
        *,
        url: Url,
        base_url: Url,
        status: int,
        headers: tuple[tuple[bytes, bytes], ...],
        fetched_at: str,
        kind: Kind,
        text: str,
        tree: LexborHTMLParser | None = None,
        value: Any = None,  # noqa: ANN401 - whatever JSON holds
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = url
        self.base_url = base_url
        self.status = status
        self.headers = headers
        self.fetched_at = fetched_at
        self.kind = kind
        self.text = text
        self.tree = tree
        self.value = value
        self.carried = carried or {}


def parsed_of(
    request: Request,
    response: Response,
    base_url: Url,
    kind: Kind,
    *,
    text: str,
    tree: LexborHTMLParser | None = None,
    value: object = None,
) -> Parsed:
    """A response as rules see it."""
    return Parsed(
        url=request.url,
        base_url=base_url,
        status=response.status,
        headers=response.headers,
        fetched_at=rfc3339(response.fetched_at),
        kind=kind,
        text=text,
        tree=tree,
        value=value,
        carried=_carried(request.context),
    )


def _carried(context: bytes) -> dict[str, object]:
    """What a rule handed over with the link, as JSON; nothing if it was not a rule."""
    if not context:
        return {}
    try:
        return msgspec.json.decode(context, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}
