"""How is links.jsonl written anew, from the records of pages?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.extract.record import LinkLine, one_line
from crawler.models import LINKS
from crawler.repair.salvage import Salvaged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.record import PageRecord
    from crawler.renames import OutputFiles

_encode = msgspec.json.Encoder().encode


def tells_links(record: PageRecord) -> bool:
    """Whether a record has all links of its page."""
    return record.links is not None and "links" not in record.truncated


class NewLinks:
    """A draft of links.jsonl, for pages whose records tell their links."""

    def __init__(self, files: OutputFiles) -> None:
        self._draft = files.draft(LINKS)
        self._count = 0

    async def begin(self) -> None:
        """Create it, empty."""
        await self._draft.begin()

    async def add(self, records: Iterable[PageRecord]) -> None:
        """Add the lines of some pages, as they were when the pages were fetched."""
        lines = [
            one_line(_encode(LinkLine(record.url, link.url, link.text, link.rel)))
            for record in records
            for link in record.links or ()
        ]
        await self._draft.append(lines)
        self._count += len(lines)

    async def finish(self) -> Salvaged:
        """Bring it to the disk."""
        length = await self._draft.finish()
        return Salvaged(length, self._count, dropped=0, drafted=True, damage="was written anew from the page records")

    async def discard(self) -> None:
        """Remove it."""
        await self._draft.discard()
