"""What does a worker that is alone keep of itself: positions of files, counters and blobs?

A member of a fleet keeps nothing: each start of it is another worker, with files of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.fleet.link import Call
from crawler.models import Restored

if TYPE_CHECKING:
    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link
    from crawler.models import Checkpoint

_pack = msgspec.msgpack.Encoder().encode
_restored = msgspec.msgpack.Decoder(Restored).decode


class Belongings:
    """Those of one worker.

    Args:
        link: Where they are kept.
        keys: Of the crawl.
        worker: Its number.
    """

    def __init__(self, link: Link, keys: Keys, worker: int) -> None:
        self._link = link
        self._key = keys.control(f"belongings:{worker}")
        self._restored = Restored()

    async def read(self) -> Restored:
        """What was last written."""
        packed = await self._link.call(Call("GET", (self._key,)))
        if packed is not None:
            self._restored = _restored(packed)
        return self._restored

    async def write(self, checkpoint: Checkpoint) -> None:
        """Take over what a checkpoint says of them."""
        before = self._restored
        blobs = {name: content for name, content in (before.blobs | checkpoint.blobs).items() if content}
        after = Restored(
            positions=before.positions | checkpoint.positions,
            counters=before.counters | checkpoint.counters,
            blobs=blobs,
        )
        if after != before:
            await self._link.call(Call("SET", (self._key,), (_pack(after),)))
            self._restored = after
