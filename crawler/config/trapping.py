"""When is a part of a site a trap, which makes up pages without end? The section that `crawler.traps` reads."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from crawler.config.base import Count, Section
from crawler.units import Duration, Number


class TrapsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calendars, session ids, soft 404s and the like: what leads from repeats to repeats only is stopped."""

    detect: Annotated[bool, Meta(description="Look for traps, slow them down and stop them.")] = True
    copies: Annotated[
        Count,
        Meta(
            description="A page is a repeat if its site has said the same under more than this many other URLs. Raise "
            "it where more languages or versions than that share their texts."
        ),
    ] = 40
    pages: Annotated[
        Count,
        Meta(description="Stop a pattern once this many repeats were found on repeats; at half as many it is slowed."),
    ] = 100
    new_share: Annotated[
        Number,
        Meta(description="Never stop a pattern of which a larger share than this, 0 to 1, says something new."),
    ] = Number(0.05)
    slow_s: Annotated[
        Duration,
        Meta(
            description="Least time between two requests of a suspect; longer where its host is asked less often, so "
            "that at most one in five is a suspect's. 0 does not slow it down."
        ),
    ] = field(default=Duration(0.1), name="slow")
    depth: Annotated[
        Count, Meta(description="A path of so many segments is deep: its pages may differ in numbers and be repeats.")
    ] = 8
    allow: Annotated[
        tuple[str, ...],
        Meta(description="Globs (* and ?) on the whole URL, or /RE2/: what matches one is never part of a trap."),
    ] = ()
