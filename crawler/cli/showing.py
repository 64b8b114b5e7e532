"""How is a crawl shown on stderr while it runs: by a live view that heeds keys, or by plain lines?

Nothing that goes wrong here may end or harm the crawl.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.cli.out import giving_way, raw
from crawler.clock import SystemClock
from crawler.live.where import can_stand_on
from crawler.progress import PlainLines

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from crawler.plan import Plan
    from crawler.running import Running

log = logging.getLogger(__name__)

_GLANCE_S = 0.25
_PATIENCE_S = 1.0  # how long a crawl may take to its first answer until it is shown waiting for it


async def show(running: Running, plan: Plan, quit_: Callable[[], None]) -> None:
    """Show a crawl until cancelled.

    Args:
        quit_: Ends it soon, as the first Ctrl-C does.
    """
    if sys.stderr is None:
        return
    stream = raw(sys.stderr)
    with suppress(OSError):  # whoever looked on is gone
        if can_stand_on(stream, os.environ):
            try:
                await _live(running, plan, stream, quit_)
            except OSError:
                raise
            except Exception:
                log.exception("the live view ends, plain lines go on")
        await _plain(running, plan, stream)


async def _live(running: Running, plan: Plan, stream: TextIO, quit_: Callable[[], None]) -> None:
    """As a view, once there is something to see: what draws it is loaded while answers are awaited, beside the loop."""
    earlier, waited_s = running.snapshot().attempts, 0.0
    while waited_s < _PATIENCE_S and running.snapshot().attempts == earlier:
        await asyncio.sleep(_GLANCE_S)
        waited_s += _GLANCE_S
    for module in ("crawler.machine", "crawler.live.watching"):
        await asyncio.to_thread(importlib.import_module, module)
    from crawler.live.watching import Watching  # noqa: PLC0415  (not before the first request)

    keys = plan.stdin is None and sys.stdin is not None and sys.stdin.isatty()
    watching = Watching(running, stream, SystemClock(), budget=plan.config.budget, quit_=quit_, keys=keys)
    with giving_way(watching.give_way):
        await watching.run()


async def _plain(running: Running, plan: Plan, stream: TextIO) -> None:
    lines = PlainLines(stream, SystemClock(), budget=plan.config.budget)
    while True:
        if _takes_more(stream):
            lines.show(running.snapshot())
        await asyncio.sleep(lines.interval_s)


def _takes_more(stream: TextIO) -> bool:
    """Whether a line would go through at once: a pipe that is full, as nobody reads it, must not hold up the crawl."""
    try:
        return bool(select.select([], [stream], [], 0)[1])
    except (OSError, ValueError):  # what is no file of the system's takes all
        return True
