"""What do the robots.txt files say that the crawl has read, and what did they keep out?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.report.facts import RobotsFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.models import RobotsFile

MAX_ORIGINS = 200


def robots_of(files: Sequence[RobotsFile], disallowed: Mapping[str, int]) -> tuple[RobotsFacts, ...]:
    """Each origin's verdict, those that kept most out first.

    Args:
        files: As stored.
        disallowed: Origin -> URLs kept out, the most first; also of origins of which nothing is stored.
    """
    told = {file.origin: _told(file, disallowed.get(file.origin, 0)) for file in files}
    for origin, count in disallowed.items():
        if origin and origin not in told:
            told[origin] = RobotsFacts(origin=origin, verdict="not stored", disallowed=count)
    most = sorted(told.values(), key=lambda one: (-one.disallowed, -(one.crawl_delay_s or 0.0), one.origin))
    return tuple(most[:MAX_ORIGINS])


def _told(file: RobotsFile, disallowed: int) -> RobotsFacts:
    return RobotsFacts(
        origin=file.origin,
        verdict=_verdict(file),
        disallowed=disallowed,
        crawl_delay_s=file.robots.crawl_delay_s,
        sitemaps=len(file.robots.sitemaps),
    )


def _verdict(file: RobotsFile) -> str:
    if file.robots.missing:
        return file.robots.missing
    if file.closed is not None:
        return f"disallows all: {file.closed}"
    if not any(not allows and path for allows, path in file.robots.rules):
        return "allows all"
    if all(not allows and path in ("/", "/*") for allows, path in file.robots.rules):
        return "disallows all"
    return "rules"
