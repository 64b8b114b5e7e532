"""How does this process come to be a worker of a crawl that others share, and what did all of that come to?"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

from crawler.cli import INCOMPLETE, NO_SEED, OK
from crawler.cli.out import remark
from crawler.enrolling import Over, enrolled
from crawler.models import Outcome
from crawler.politeness.retry import mendable

if TYPE_CHECKING:
    from crawler.fleet.status import Totals
    from crawler.plan import Plan


def enrolled_here(plan: Plan, *, fresh: bool, quiet: bool, process: str = "") -> Plan | None:
    """The plan of a new worker; None if the crawl is over, which a person has been told by then.

    Args:
        plan: Of the crawl.
        process: Which of how many processes of one machine this is; empty where it is alone.

    Raises:
        CrawlerError: It cannot have a part in the crawl.
    """
    found = asyncio.run(enrolled(plan, fresh=fresh))
    if isinstance(found, Over):
        if not quiet:
            remark(found.why)
        return None
    if process and not process.startswith("1/") and "-" in found.items() and found.enrolment is not None:
        # only the first one has the standard input
        found = dataclasses.replace(found, enrolment=dataclasses.replace(found.enrolment, reads_seeds=False))
    return found


def whole_code(totals: Totals) -> int:
    """What the shell is told of a crawl that is complete, by each of its workers."""
    if not totals.outcomes.get(Outcome.FETCHED) and not totals.outcomes.get(Outcome.UNCHANGED):
        return NO_SEED
    return INCOMPLETE if any(mendable(name.partition(" ")[2]) for name in totals.reasons) else OK
