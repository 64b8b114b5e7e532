"""Which bytes ask for a URL? The head of a GET request (RFC 9112), as little of it made per request as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.models import Url


def split(url: Url) -> tuple[str, str, str]:
    """Origin, host with port, and request target of a canonical URL, none of them changed."""
    target_at = url.index("/", len("https://"))
    origin = url[:target_at]
    return origin, origin[origin.index("/") + 2 :], url[target_at:]


def request_head(host: str, target: str, lines: str) -> bytes:
    """The whole head; `lines` are header lines and end with the empty one, ASCII but for cookies, which are Latin-1."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}".encode("latin-1")
