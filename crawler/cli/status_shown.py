"""How does the status of a crawl of several workers reach a person or a program: once, or again and again?"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import msgspec

from crawler.cli import OK
from crawler.cli.out import raw, tell, tell_json
from crawler.cli.status_told import line, told
from crawler.live.screen import Screen
from crawler.live.where import can_stand_on
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.fleet.looking import Listed, Look
    from crawler.fleet.status import FleetStatus

EVERY_S = 2.0
_OVER = ("done", "stopped")


def show(status: FleetStatus, *, as_json: bool) -> None:
    """Once."""
    if as_json:
        tell_json(msgspec.json.encode(status))
    else:
        tell("\n".join(told(status)))


def show_list(crawls: Sequence[Listed], *, as_json: bool) -> None:
    """The crawls that there are."""
    if as_json:
        tell_json(msgspec.json.encode(crawls))
        return
    if not crawls:
        tell("There is no crawl.")
    for crawl in crawls:
        tell(f"{crawl.name:<24}  {crawl.state}, {counted(crawl.workers, 'worker')}")


async def watch_on(look: Look, *, as_json: bool) -> int:
    """Again and again until it is over and its workers have gone; on a terminal in one place, else line by line."""
    stream = raw(sys.stdout)
    screen = Screen(stream, None) if not as_json and can_stand_on(stream, os.environ) else None
    try:
        while True:
            status = await look.status()
            if status.state in _OVER and not status.workers:
                break
            if screen is not None:
                columns, rows = screen.size()
                screen.draw([text[: columns - 1] for text in told(status)][: rows - 1])
            elif as_json:
                tell(msgspec.json.encode(status).decode())
            else:
                tell(line(status))
            await asyncio.sleep(EVERY_S)
    finally:
        if screen is not None:
            screen.close()
    if as_json:
        tell(msgspec.json.encode(status).decode())
    else:
        show(status, as_json=False)
    return OK
