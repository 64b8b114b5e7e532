"""What does a line of `crawler diff` hold, and what does a comparison come to?"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

What = Literal["page", "item", "link"]
Change = Literal["added", "removed", "changed"]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a URL ended in a crawl that has no page of it."""

    outcome: Annotated[str, Meta(description="fetched, redirected, unchanged, excluded, failed, or pending")]
    reason: Annotated[str | None, Meta(description="why, one of the documented reasons; null where none is needed")]
    status: Annotated[int | None, Meta(description="status of the last answer; null if there was none")]
    target: Annotated[str | None, Meta(description="where a redirect led; null for other outcomes")]


class DiffRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One page, item or link that is not the same in two crawls. The first crawl is *before*, the second *after*."""

    what: Annotated[What, Meta(description="page, item (a record of a rule) or link")]
    change: Annotated[
        Change, Meta(description="added: only after; removed: only before; changed: in both, and not the same")
    ]
    url: Annotated[str, Meta(description="of the page; of the page an item or a link is on: after, where it is there")]
    rule: Annotated[str | None, Meta(description="whose record an item is; null for pages and links")] = None
    key: Annotated[
        dict[str, Any] | None,
        Meta(description="what an item is known by: the fields under unique of its rule; null where there are none"),
    ] = None
    target: Annotated[str | None, Meta(description="where a link leads; null for pages and items")] = None
    fields: Annotated[tuple[str, ...], Meta(description="what differs, by name; empty unless changed")] = ()
    before: Annotated[
        dict[str, Any] | None,
        Meta(
            description="the values before: of the fields that differ, of all that count where it is removed; null "
            "where it is added. Of long texts what differs, with an ellipsis where something is left out"
        ),
    ] = None
    after: Annotated[
        dict[str, Any] | None, Meta(description="the values after, likewise; null where it is removed")
    ] = None
    similarity: Annotated[
        float | None,
        Meta(
            description="of a changed page: how alike the main texts are, 1 - distance / 64 of their fingerprints; "
            "null where one is not known"
        ),
    ] = None
    ended: Annotated[
        Ended | None,
        Meta(
            description="of a page that is in one crawl only: how its URL ended in the other; null where that does not "
            "know it"
        ),
    ] = None


class Counts(msgspec.Struct, kw_only=True):
    """What a comparison of one kind came to. ``before + added - removed == after``."""

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    #: field -> in how many of the changed ones it differs
    fields: Counter[str] = msgspec.field(default_factory=Counter)
    #: records of a rule that share their key with another of the same crawl, and are not compared
    doubles: int = 0

    @property
    def unchanged(self) -> int:
        """How many are in both and the same."""
        return self.before - self.removed - self.changed

    def count(self, record: DiffRecord) -> None:
        """Count a difference in."""
        setattr(self, record.change, getattr(self, record.change) + 1)
        self.fields.update(record.fields)


class Comparison(msgspec.Struct, kw_only=True):
    """What the comparison of two crawls came to; complete once all differences were asked for."""

    #: None for what was not compared
    pages: Counts | None = None
    items: dict[str, Counts] = msgspec.field(default_factory=dict)  #: by rule
    links: Counts | None = None
    #: what was not compared, and why, in lines
    notes: list[str] = msgspec.field(default_factory=list)
