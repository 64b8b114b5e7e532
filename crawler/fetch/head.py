"""Which bytes ask for a URL? The head of a GET request (RFC 9112), as little of it made per request as can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.config import FetchConfig
    from crawler.models import Url

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS_ALONE = frozenset({"host", "content-length", "transfer-encoding", "upgrade"})


def split(url: Url) -> tuple[str, str, str]:
    """Origin, host with port, and request target of a canonical URL, none of them changed."""
    target_at = url.index("/", len("https://"))
    origin = url[:target_at]
    return origin, origin[origin.index("/") + 2 :], url[target_at:]


def request_head(host: str, target: str, lines: str) -> bytes:
    """The whole head; `lines` are header lines and end with the empty one."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}".encode("ascii")


def fixed_lines(config: FetchConfig) -> str:
    """The header lines that are the same for every request, and the empty line that ends a head.

    A header of `config.headers` replaces ours of the same name.

    Raises:
        ConfigError: For a header that cannot be sent.
    """
    ours = {"User-Agent": config.user_agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}
    given = {name.lower() for name in config.headers}
    headers = {name: value for name, value in ours.items() if name.lower() not in given} | config.headers
    for name, value in headers.items():
        if name.lower() in _OURS_ALONE:
            raise ConfigError(f"fetch.headers: {name!r} is set by the crawler itself")
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ConfigError(f"fetch.headers: {name!r}: {value!r} is not an HTTP header in ASCII")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
