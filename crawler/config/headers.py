"""Which header fields may a configuration send? Names and values of ``fetch.headers``, and the User-Agent."""

from __future__ import annotations

import re
from typing import Final

#: RFC 9110 sections 5.1 and 5.5, without the obsolete bytes above ASCII
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
_ONE_LINE: Final = "expected printable ASCII on one line, no blanks at its ends"
_OWN: Final = {
    "accept-encoding": "the crawler asks for what it can decode",
    "connection": "the crawler decides it",
    "content-length": "requests have no body",
    "host": "it is the URL's",
    "transfer-encoding": "requests have no body",
    "upgrade": "the crawler speaks HTTP/1.1 alone",
    "user-agent": "set fetch.user_agent",
}


def header_name_problem(name: str) -> str | None:
    """What was expected instead of a field called `name`; None if it may be sent."""
    if not _NAME.fullmatch(name):
        return "expected a header name as in RFC 9110: letters, digits and !#$%&'*+-.^_`|~"
    if reason := _OWN.get(name.lower()):
        return f"expected any header but this one: {reason}"
    return None


def header_value_problem(value: str) -> str | None:
    """What was expected instead of `value` in a field, where it may be empty; None if it may be sent."""
    return user_agent_problem(value) if value else None


def user_agent_problem(value: str) -> str | None:
    """What was expected instead of `value` as the User-Agent; None if it may be sent."""
    return None if _VALUE.fullmatch(value) else _ONE_LINE
