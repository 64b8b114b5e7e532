"""Which proxies may a configuration name?"""

from __future__ import annotations

from typing import Final

from crawler.config.server_url import ENCODED, server_parts

_EXPECTED: Final = "expected a proxy such as http://proxy.example.org:3128, or http://user:password@…"


def proxy_problem(text: str) -> str | None:
    """What was expected instead of `text` as the URL of a proxy; None if it is one. Never quotes it."""
    problem = _scheme_problem(text) or _rest_problem(text)
    return problem and f"{_EXPECTED}: {problem}"


def _scheme_problem(text: str) -> str | None:
    scheme, separator, _ = text.partition("://")
    if scheme.lower().startswith("socks"):
        return "SOCKS is not spoken, HTTP is"
    if not separator or scheme.lower() not in ("http", "https"):
        return "it begins with http:// or https://"
    return None


def _rest_problem(text: str) -> str | None:
    parts = server_parts(text)
    if isinstance(parts, str):
        return parts
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"no path; {ENCODED}"
    return None
