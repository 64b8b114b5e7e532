"""Which bytes ask for a URL? The head of a GET request (RFC 9112), as little of it made per request as can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.config.secrets import LEFT_OUT, is_secret

if TYPE_CHECKING:
    from collections.abc import Collection

    from crawler.models import Url

_CONDITION = re.compile(
    r"^If-(?:None-Match|Modified-Since|Match|Unmodified-Since|Range):", re.IGNORECASE | re.MULTILINE
)


def split(url: Url) -> tuple[str, str, str]:
    """Origin, host with port, and request target of a canonical URL, none of them changed."""
    host_at = 8 if url[4] == "s" else 7  # https://, http://
    target_at = url.index("/", host_at)
    return url[:target_at], url[host_at:target_at], url[target_at:]


def request_head(host: str, target: str, lines: str) -> bytes:
    """The whole head; `lines` are header lines and end with the empty one, ASCII but for cookies, which are Latin-1."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}".encode("latin-1")


def is_conditional(lines: str) -> bool:
    """Whether among these header lines is a condition of the user's own, beside which there is room for no other."""
    return _CONDITION.search(lines) is not None


def shown_lines(lines: str, hidden: Collection[str] = ()) -> str:
    """Header lines as they may be stored: `LEFT_OUT` stands for the value of every secret header.

    Args:
        lines: As `request_head` takes them.
        hidden: Names, lower case, of headers that are secret though their names do not say so.
    """
    shown = []
    for line in lines.split("\r\n"):
        name, colon, _ = line.partition(":")
        is_hidden = colon and (name.lower() in hidden or is_secret(name))
        shown.append(f"{name}: {LEFT_OUT}" if is_hidden else line)
    return "\r\n".join(shown)
