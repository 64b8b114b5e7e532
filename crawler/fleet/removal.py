"""How is all that Redis keeps of a crawl removed?

Key by key, by their names: nothing is searched for, so nothing of anybody else's is ever met.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link

CONTROL = (
    *("budget", "crawl", "flags", "infos", "leader", "limits", "members", "plan", "seeding", "units", "weights"),
    *("worker", "workers"),
)
"""The names of all keys that are of the whole crawl (`Keys.control`)."""


async def remove(link: Link, keys: Keys) -> None:
    """Remove all keys of one epoch of a crawl: what tells how many partitions there are goes last."""
    stored = await link.patiently(lambda: link.client.hget(keys.control("crawl"), "partitions"))
    for partition in range(int(stored or 0)):
        await _unlink(link, astuple(keys.of(partition)))
    await _unlink(link, [keys.control(name) for name in CONTROL if name != "crawl"])
    await _unlink(link, [keys.control("crawl")])


async def _unlink(link: Link, names: Sequence[str]) -> None:
    """Remove keys of one hash tag."""
    await link.patiently(lambda: link.client.unlink(*names))
