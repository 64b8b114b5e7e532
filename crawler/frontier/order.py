"""Which of two URLs of one host comes first?

The one in the lower *band*: by priority, then by depth. Within a band, the one with the lower id, which was found
first. Snoozed URLs that are due come before all others.
"""

from __future__ import annotations

_DEPTH_BITS = 32

DUE = 0
"""The band of snoozed URLs that are due."""


class Order:
    """Which bands there are. Those of another order mean nothing in this one.

    Args:
        deepest_first: Whether of two URLs of the same priority the one that lies deeper comes first.
    """

    def __init__(self, *, deepest_first: bool) -> None:
        self.deepest_first = deepest_first
        self._turned = (1 << _DEPTH_BITS) - 1 if deepest_first else 0

    def band(self, priority: int, depth: int) -> int:
        """The band of a URL, above `DUE`."""
        return 1 + (priority << _DEPTH_BITS | depth ^ self._turned)

    @staticmethod
    def priority(band: int) -> int:
        """The priority of the URLs in a band."""
        return (band - 1) >> _DEPTH_BITS
