"""Which proxies may a configuration name?"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_PRINTABLE: Final = re.compile(r"[!-~]+")
_EXPECTED: Final = "expected a proxy such as http://proxy.example.org:3128, or http://user:password@…"
_ENCODED: Final = "in a password / ? # are percent-encoded (%2F %3F %23)"


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
    if not _PRINTABLE.fullmatch(text):
        return "printable ASCII without blanks, all else percent-encoded"
    try:
        parts = urlsplit(text)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named:
        return f"a host and, after a colon, a port up to 65535; {_ENCODED}"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"no path; {_ENCODED}"
    return None
