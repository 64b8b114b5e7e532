"""What do the other workers tell, at the moment they tell it?

Events come by publish and subscribe: each says no more than what has changed, and who hears it looks for itself. One
that is lost, as while a connection is made anew, is found out about with the next heartbeat; so after each such time
everything counts as changed.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.fleet.link import Link

log = logging.getLogger(__name__)

QUIET_S = 5.0
"""After so long without a message the connection is tried; after as long again without an answer, it is made anew: a
network that was cut says nothing."""

_AGAIN_S = (0.1, 0.2, 0.5, 1.0)  # until it is tried anew, and then ever again

ALL = "all"
"""The event that stands for whatever may have been missed."""


async def listen(link: Link, channels: Sequence[str], heard: Callable[[str], None], quiet_s: float = QUIET_S) -> None:
    """Hand every event to `heard`, until it is cancelled; `ALL` whenever a connection has been made."""
    import redis  # noqa: PLC0415 - an optional package, there by now

    failures = 0
    while True:
        pubsub = link.client.pubsub()  # what it says of subscriptions comes too: left out, each would look like silence
        try:
            await pubsub.subscribe(*channels)
            heard(ALL)
            failures = 0
            await _pass_on(pubsub, heard, quiet_s)
        except (redis.RedisError, OSError) as error:
            log.debug("events are not heard", extra={"why": str(error)})
        finally:
            with suppress(redis.RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]
        await asyncio.sleep(_AGAIN_S[min(failures, len(_AGAIN_S) - 1)])
        failures += 1


async def _pass_on(pubsub, heard: Callable[[str], None], quiet_s: float) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Return when the connection is found to be dead, if nothing is raised before."""
    is_asked = False
    while True:
        message = await pubsub.get_message(timeout=quiet_s)
        if message is None:
            if is_asked:
                return
            is_asked = True
            await pubsub.ping()
            continue
        is_asked = False
        if message["type"] == "message":
            heard(message["data"].decode())
