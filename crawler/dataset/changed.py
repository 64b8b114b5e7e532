"""What does a line of changes.jsonl hold? What became of the content of one URL between two generations of a crawl."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from crawler.models import Outcome

Change = Literal["new", "changed", "unchanged", "gone", "back"]
"""What became of a URL's content."""


class ItemChanges(msgspec.Struct, frozen=True, kw_only=True):
    """How the records differ that one rule made of a page."""

    added: Annotated[int, Meta(description="records that were not there before")] = 0
    removed: Annotated[int, Meta(description="records that are not there any more")] = 0
    changed: Annotated[int, Meta(description="records that were there and are another now")] = 0
    fields: Annotated[
        tuple[str, ...], Meta(description="the fields that differ in those that changed, by their names")
    ] = ()


class ChangeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one URL that has content now or had it in the generation before."""

    url: Annotated[str, Meta(description="the canonical URL")]
    change: Annotated[
        Change,
        Meta(
            description="new: content where there was none; changed: other content, fields and items say what; "
            "unchanged: the same, as far as it was compared; gone: no content any more, outcome and reason say why; "
            "back: content again where an earlier generation found it gone"
        ),
    ]
    fields: Annotated[
        tuple[str, ...],
        Meta(
            description="what of the page changed: title, description, h1, text, lang, canonical; page where it became "
            "a page or is none any more; body where content that is no page changed"
        ),
    ]
    items: Annotated[
        dict[str, ItemChanges], Meta(description="rule -> how its records of this page differ; rules with a difference")
    ]
    outcome: Annotated[Outcome, Meta(description="how the URL ended this time")]
    reason: Annotated[str | None, Meta(description="why, one of the documented reasons; null where none is needed")]
    status: Annotated[int | None, Meta(description="status of the last answer; null if there was none")]
    target: Annotated[str | None, Meta(description="where a redirect led; null for other outcomes")]
    before_at: Annotated[
        str | None,
        Meta(description="fetched_at of the record before, of other content when it was had; null for new and back"),
    ]
    after_at: Annotated[
        str | None,
        Meta(
            description="fetched_at of the record now, which is the older one where the page was not read anew; for "
            "gone, when that was found"
        ),
    ]
    similarity: Annotated[
        float | None,
        Meta(
            description="how alike the main texts are, 1 - distance / 64 of their fingerprints: 1 the same, about 0.5 "
            "nothing in common; null where a fingerprint is not known"
        ),
    ]
