"""What do the lines of outcomes.jsonl and seeds.jsonl hold?

One line per admitted URL that has no record in pages.jsonl, and one per seed given. Their fields are documented
where they are declared, and published as the schema of these files. Writing them is left to the sinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from crawler.clock import rfc3339
from crawler.models import Outcome

if TYPE_CHECKING:
    from crawler.models import Finished
    from crawler.seeds import Seed


class OutcomeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How one URL ended that gave no page record."""

    url: Annotated[str, Meta(description="the canonical URL")]
    outcome: Annotated[Outcome, Meta(description="fetched, redirected, unchanged, excluded or failed")]
    reason: Annotated[str | None, Meta(description="why, one of the documented reasons; null where none is needed")]
    status: Annotated[int | None, Meta(description="status of the last answer; null if there was none")]
    target: Annotated[str | None, Meta(description="where a redirect led; null for other outcomes")]
    attempts: Annotated[int, Meta(description="how many attempts were made, the last one included")]
    depth: Annotated[int, Meta(description="link hops from the seed; redirects add none")]
    via: Annotated[str | None, Meta(description="URL of the page on which it was first found; null for a seed")]
    seed: Annotated[str, Meta(description="the seed it comes from, as given")]
    at: Annotated[str, Meta(description="when it ended: RFC 3339, UTC, milliseconds")]


class SeedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one seed."""

    given: Annotated[str, Meta(description="the seed as written")]
    place: Annotated[str, Meta(description="where it was written, such as seeds.txt:12")]
    url: Annotated[str | None, Meta(description="its canonical URL; null if none could be made of it")]
    error: Annotated[str | None, Meta(description="why no URL could be made of it; null if one could")]
    final_url: Annotated[str | None, Meta(description="URL at the end of its redirects; null while it has no end")]
    outcome: Annotated[Outcome | None, Meta(description="how the final URL ended; null while it is pending")]
    reason: Annotated[str | None, Meta(description="why, one of the documented reasons; null where none is needed")]
    status: Annotated[int | None, Meta(description="status of the last answer; null if there was none")]
    metadata: Annotated[dict[str, Any], Meta(description="the other fields that came with the seed")]


_encoder = msgspec.json.Encoder()


def outcome_line(finished: Finished) -> bytes:
    """The line of a URL without a page record, without its newline."""
    request = finished.request
    return _encoder.encode(
        OutcomeRecord(
            url=request.url,
            outcome=finished.outcome,
            reason=finished.reason,
            status=finished.status,
            target=finished.target,
            attempts=finished.attempts,
            depth=request.depth,
            via=request.via,
            seed=request.seed,
            at=rfc3339(finished.at),
        )
    )


def seed_line(seed: Seed, end: Finished | None) -> bytes:
    """The line of one seed, without its newline.

    Args:
        seed: The seed as read.
        end: How the last URL of its redirect chain ended; None if it is pending or there is no URL.
    """
    return _encoder.encode(
        SeedRecord(
            given=seed.given,
            place=seed.place,
            url=seed.url,
            error=seed.error,
            final_url=end.request.url if end else None,
            outcome=end.outcome if end else None,
            reason=end.reason if end else None,
            status=end.status if end else None,
            metadata=seed.metadata,
        )
    )
