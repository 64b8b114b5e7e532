"""Which header fields may a configuration send? Names and values of ``headers``, and those that have keys of their own.

What was expected never quotes what was found, which may be a secret.
"""

from __future__ import annotations

import re
from typing import Final

#: RFC 9110 sections 5.1 and 5.5, without the obsolete bytes above ASCII
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
#: an addr-spec of RFC 5322 section 3.4.1, without comments, quotes and address literals
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ONE_LINE: Final = "expected printable ASCII on one line, no blanks at its ends"
_OWN: Final = {
    "accept-encoding": "the crawler asks for what it can decode",
    "connection": "the crawler decides it",
    "content-length": "requests have no body",
    "host": "it is the URL's",
    "proxy-authorization": "the site would get it; write http://user:password@… into fetch.proxy",
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


def contact_problem(value: str) -> str | None:
    """What was expected instead of `value` in the From header (RFC 9110 section 10.1.2); None if it may be sent."""
    return None if _ADDRESS.fullmatch(value) else "expected an e-mail address such as crawling@example.org"


def auth_problem(value: str) -> str | None:
    """What was expected instead of `value` as user and password (RFC 7617 section 2); None if they may be sent."""
    if ":" not in value:
        return "expected user:password"
    return "expected no control characters" if _CONTROL.search(value) else None
