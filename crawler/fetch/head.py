"""Which bytes ask for a URL? The head of a GET request (RFC 9112), as little of it made per request as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.headers import header_name_problem, header_value_problem, user_agent_problem
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.config import FetchConfig
    from crawler.models import Url

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING = "gzip, deflate, br, zstd"


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

    Of ours, `config.headers` can replace only Accept.

    Raises:
        ConfigError: For a header that cannot be sent, in a configuration made in Python.
    """
    if problem := user_agent_problem(config.user_agent):
        raise ConfigError(f"fetch.user_agent: {config.user_agent!r}: {problem}")
    for name, value in config.headers.items():
        if problem := header_name_problem(name) or header_value_problem(value):
            raise ConfigError(f"fetch.headers: {name!r}: {value!r}: {problem}")
    ours = {"User-Agent": config.user_agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}
    if any(name.lower() == "accept" for name in config.headers):
        del ours["Accept"]
    return "".join(f"{name}: {value}\r\n" for name, value in (ours | config.headers).items()) + "\r\n"
