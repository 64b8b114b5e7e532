"""What must ``frontier`` and the fleet section satisfy beyond their types?  Their part of `crawler.config.rules`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.config.fleet import LEASE_S, frontier_problem, is_shared
from crawler.config.problem import Problem, quoted
from crawler.config.secrets import LEFT_OUT, Spot, reference_problem, shown, stand_in
from crawler.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig

_NAME: Final = re.compile(r"\w[\w.-]{0,59}")


def sharing(config: CrawlConfig) -> Iterator[Problem]:
    """Everything wrong with where the frontier is and how it is shared. A password is not quoted."""
    frontier, fleet = config.frontier, config.fleet
    if LEFT_OUT not in frontier:
        problem = reference_problem(frontier) if is_shared(frontier) else None
        if problem := problem or frontier_problem(stand_in(frontier)):
            yield Problem("frontier", quoted(shown(Spot("redis", "frontier"), frontier)), problem)
    least, most = map(Duration, LEASE_S)
    if not least <= fleet.lease_s <= most:
        yield Problem("fleet.lease", str(fleet.lease_s), f"expected {least} to {most}")
    if fleet.name is not None and not _NAME.fullmatch(fleet.name):
        expected = "expected at most 60 letters, digits, '_', '-' or '.', the last two not first"
        yield Problem("fleet.name", quoted(fleet.name), expected)
