"""Is there a terminal that a live view can stand on? Elsewhere there are plain lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_CURSOR = ("", "dumb", "unknown")
_NO = ("", "0", "false")


def can_stand_on(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `stream` is a terminal that moves its cursor, and a person's rather than a CI's."""
    if not stream.isatty() or environ.get("TERM", "") in _NO_CURSOR:
        return False
    return environ.get("CI", "").lower() in _NO
