"""Where is what is left to fetch kept, and how do workers that share a crawl behave? Pure.

``frontier`` and the section that `crawler.fleet` reads.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta, field

from crawler.config.base import Section
from crawler.config.server_url import server_parts
from crawler.units import Duration

ALONE: Final = ("sqlite", "memory")
"""Frontiers of a crawl that has one process."""

SHARED: Final = ("redis://", "rediss://")

LEASE_S: Final = (0.5, 600.0)
"""Least and most: below, an ordinary pause of a busy machine loses partitions; above, those of a dead worker rest."""

MOST_PARTITIONS: Final = 16_384

_EXPECTED: Final = "expected sqlite, memory, or where a Redis is, such as redis://127.0.0.1:6379/0"
_DATABASE: Final = re.compile(r"/?|/[0-9]{1,5}")


class FleetConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workers that share a crawl (frontier: redis://…)."""

    lease_s: Annotated[
        Duration,
        Meta(description="For how long a worker that is not heard of keeps its hosts; then others ask them."),
    ] = field(default=Duration(30.0), name="lease")
    name: Annotated[str | None, Meta(description="What this worker is called; null: by its machine and process.")] = (
        None
    )
    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_PARTITIONS)],
        Meta(description="Into how many parts hosts are divided; fixed when a crawl is begun."),
    ] = 4096
    allow_unauthenticated: Annotated[
        bool, Meta(description="Use a Redis on another machine that asks for no password.")
    ] = False


def is_shared(frontier: str) -> bool:
    """Whether several workers may share a crawl that has this frontier."""
    return frontier.lower().startswith(SHARED)


def frontier_problem(text: str) -> str | None:
    """What was expected instead of `text` as ``frontier``; None if it can be used. Never quotes it."""
    if text in ALONE:
        return None
    if is_shared(text):
        problem = _url_problem(text)
        return problem and f"{_EXPECTED}: {problem}"
    if "://" in text:
        return f"{_EXPECTED}, or rediss:// for TLS"
    from difflib import get_close_matches  # noqa: PLC0415 - few are mistaken

    near = get_close_matches(text.lower(), ALONE, 1)
    return f"{_EXPECTED}; did you mean {near[0]}?" if near else _EXPECTED


def _url_problem(text: str) -> str | None:
    parts = server_parts(text)
    if isinstance(parts, str):
        return parts
    if not _DATABASE.fullmatch(parts.path) or parts.fragment:
        return "after the host nothing but the number of a database, and ?prefix=NAME"
    return None
