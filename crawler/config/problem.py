"""What is wrong with a value that its type allows?"""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """A value that cannot be used."""

    #: dotted, as `crawler.config.values` writes it
    key: str
    value: str
    expected: str


def quoted(text: str) -> str:
    """`text` as a problem shows it."""
    return msgspec.json.encode(text).decode()
