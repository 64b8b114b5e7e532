"""What do checkpoints store of how scraping rules fare, and what does that say of a crawl?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER_HOSTS = "(other hosts)"
"""Those that there is no room to tell apart; and records of which nobody knows how they came about: a repair counted
them in a file, or they were carried over from an earlier generation."""

_FallState = tuple[int, float, float, int, float, bool]


class Stored(msgspec.Struct, array_like=True):
    """One rule on one host, as stored."""

    rule: str
    host: str
    pages: int
    items: int
    records: int
    rejects: int
    filled: dict[str, int]
    falls: dict[str, _FallState]


def recounted(records: Mapping[str, int], rejects: Mapping[str, int]) -> bytes:
    """The state of a crawl of which only files are known.

    Args:
        records: Rule -> lines of its file.
        rejects: Rule -> lines of its file of rejects.
    """
    return msgspec.msgpack.encode(
        [
            Stored(
                rule=rule,
                host=OTHER_HOSTS,
                pages=0,
                items=0,
                records=records.get(rule, 0),
                rejects=rejects.get(rule, 0),
                filled={},
                falls={},
            )
            for rule in records
        ]
    )


class Tallied(msgspec.Struct, kw_only=True):
    """How a rule fared on all hosts together."""

    pages: int = 0
    items: int = 0  #: records and rejects of which `filled` tells: fewer than there are, where a repair counted them
    records: int = 0
    rejects: int = 0
    #: field -> in how many it had a value of its own
    filled: dict[str, int] = {}


def tallied(state: bytes) -> dict[str, Tallied]:
    """What a stored state says of each rule; nothing, if it is empty or of another version."""
    try:
        stored = msgspec.msgpack.decode(state, type=list[Stored]) if state else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    found: dict[str, Tallied] = {}
    for one in stored:
        whole = found.setdefault(one.rule, Tallied(filled={}))
        whole.pages += one.pages
        whole.items += one.items
        whole.records += one.records
        whole.rejects += one.rejects
        for field, count in one.filled.items():
            whole.filled[field] = whole.filled.get(field, 0) + count
    return found
