"""Does a seed carry a user or a password? As its URL is stored and shown everywhere, it must not."""

from __future__ import annotations

import re
from typing import Final

#: a user, a password or both before a host, however they are written; a password may hold what ends a host in URLs, so
#: that all up to the last @ is taken for one where what stands after the colon is no port
_LOGIN: Final = re.compile(
    r"""((?>(?:sitemap:\s*)?(?:[a-z][a-z0-9+.-]*:[\\/]+|[\\/]{2})))
        (?:[^/\\?\#\s]*@ | [^/\\?\#\s@:\[]+:(?![0-9]*(?:[/\\?\#\s]|$))\S*@)
      | (?!mailto:)[^/\\?\#\s@][^/\\?\#\s@:]*:[^/\\?\#\s]+@""",
    re.VERBOSE | re.IGNORECASE,
)

LOGIN_PROBLEM: Final = (
    "a seed with a user or password, which would be stored in clear; expected the URL without them, and "
    "fetch.hosts: {HOST: {auth: USER:PASSWORD}}"
)


def has_login(seed: str) -> bool:
    """Whether a seed as given, without blanks at its ends, begins with one."""
    return _LOGIN.match(seed) is not None


def without_login(seed: str) -> str:
    """The same, as it may be shown."""
    found = _LOGIN.match(seed)  # to search would take time that grows with the square of its length
    return f"{found[1] or ''}…@{seed[found.end() :]}" if found else seed
