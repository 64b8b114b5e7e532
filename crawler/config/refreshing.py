"""What of a finished crawl is visited again, and how many generations are kept? The section that `refresh` reads."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from crawler.config.base import Section
from crawler.units import Number


class RefreshConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A crawl that is crawled again (crawler crawl --refresh)."""

    keep: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(
            description="How many older generations stay beside the one in force, DIR@1 and so on; the oldest go "
            "first. null: all."
        ),
    ] = None
    due: Annotated[
        Number,
        Meta(
            description="With --due, visit a page once it has changed with this probability, 0 to 1, going by how it "
            "did before."
        ),
    ] = Number(0.5)
    lastmod: Annotated[
        Literal["hint", "trust", "ignore"],
        Meta(
            description="What the lastmod of a sitemap is worth. hint: with --due, a page that it calls newer is due. "
            "trust: one that it calls no newer is not visited at all."
        ),
    ] = "hint"
