"""Why is a host not asked now? Told in the log, to who has every request logged (`-v`).

When a wait begins or its reason changes, not at each request: a plain pause is told once for each reason, and again
when it has doubled or halved; a rest, which is rare, each time.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from crawler.wording import counted

if TYPE_CHECKING:
    from crawler.politeness.host import Host

log = logging.getLogger(__name__)

MOMENT_S = 0.5
"""What is no longer is not worth a line."""

EVENT = "host waits"
_NUMBER = re.compile(r"[\d.]+")
_ADDRESS = "its address"


def resting(host: Host, why: str, wait_s: float) -> None:
    """A rest begins; `why` as the end of a sentence about the host."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug(EVENT, extra={"host": host.key, "wait_s": round(wait_s, 3), "why": why})


def pausing(host: Host, why: str, now: float) -> None:
    """An attempt has ended. What comes next, if there is anything, may have to wait for the end of a pause."""
    wait_s = host.due - now
    if wait_s > MOMENT_S and not host.waits_for and host.has_work and _is_new(host, why):
        log.debug(EVENT, extra={"host": host.key, "wait_s": round(wait_s, 3), "why": why})


def crowded(host: Host) -> None:
    """Its time has come, and its address takes no more requests at once."""
    if log.isEnabledFor(logging.DEBUG) and host.group is not None and _is_new(host, _ADDRESS):
        why = f"{host.address} has {counted(host.group.concurrency, 'request')} in flight, as many as it may"
        log.debug(EVENT, extra={"host": host.key, "why": why})


def set_aside(host: Host) -> None:
    """It has given all the pages that it may."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug(EVENT, extra={"host": host.key, "why": f"it has given {host.pages:,} pages (budget.pages_per_host)"})


def _is_new(host: Host, why: str) -> bool:
    """Whether that has not been told of it, or only with a pause half or twice as long; notes it."""
    told = host.told = {} if host.told is None else host.told
    kind = _NUMBER.sub("", why)
    before_s = told.get(kind)
    if before_s is not None and (before_s == host.delay_s or before_s / 2 < host.delay_s < before_s * 2):
        return False
    told[kind] = host.delay_s
    return True
