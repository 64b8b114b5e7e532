"""Which server does a URL of the configuration name? What holds of proxies and of Redis alike."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

ENCODED: Final = "in a password / ? # are percent-encoded (%2F %3F %23)"
_PRINTABLE: Final = re.compile(r"[!-~]+")


def server_parts(text: str) -> SplitResult | str:
    """The parts of a URL that names a host, and a port if any; what was expected instead of one that does not."""
    if not _PRINTABLE.fullmatch(text):
        return "printable ASCII without blanks, all else percent-encoded"
    try:
        parts = urlsplit(text)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = False
    return parts if named else f"a host and, after a colon, a port up to 65535; {ENCODED}"
