"""Which of a worker's lines are of which URL? One line of journal.jsonl for each end, in the order of the ends.

Several workers that share a crawl may each have records of one URL: of one that was frozen or cut off, the others have
made the records anew. The ledger that they share says which end counts, by worker and by its number among the ends of
that worker, from 0: the number of its line here. How much of each file belongs to it is said here too, so that a merge
takes a file's pieces, and need not look into them.

A checkpoint writes these lines after all others: where a line is, so are the records it tells of.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from crawler.batch import JournaledBatch
from crawler.errors import ExportError
from crawler.models import OUTCOMES, Outcome

if TYPE_CHECKING:
    from crawler.batch import Batch
    from crawler.export.base import Sink

JOURNAL: Final = "journal"
"""The name of its file, without ``.jsonl``."""


class JournalLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One end, and what it brought."""

    url: Annotated[str, Meta(description="the canonical URL")]
    outcome: Annotated[Outcome, Meta(description="how it ended")]
    reason: Annotated[str | None, Meta(description="why; null where none is needed")] = None
    attempt: Annotated[int, Meta(description="which attempt it was that ended so, from 1")]
    at: Annotated[float, Meta(description="when, by the worker's clock: seconds since 1970, UTC")]
    #: of `FOLDERS` the number of answers, which are packed on their way; 0 is left out
    sinks: Annotated[dict[str, int], Meta(description="sink -> bytes of its lines, newlines included, not compressed")]


_ENCODED_AT_ONCE = 1_000
_ENCODER = msgspec.json.Encoder()


class Journal:
    """Writes it.

    Args:
        sink: Its file, open. Closed by its owner.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def open(self, position: int | None) -> None:
        """See `Sink.open`."""
        await self._sink.open(position)

    async def write(self, batch: Batch, *, fsync: bool) -> None:
        """Tell of all ends of a batch, whose lines are complete and in their files.

        Raises:
            ExportError: The file cannot be written, or the batch does not say what each end brought.
        """
        if not batch.finished:
            return
        if not isinstance(batch, JournaledBatch):
            raise ExportError("a journal is to be written, and nobody has noted which lines are of which URL")
        await self._sink.append(await _lines(batch))
        await self._sink.sync(fsync=fsync)

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        await self._sink.aclose()


async def _lines(batch: JournaledBatch) -> list[bytes]:
    """Its lines, a thousand in a turn of the loop."""
    outcomes = iter(batch.lines.get(OUTCOMES, ()))
    lines: list[bytes] = []
    for end, sinks in zip(batch.finished, batch.brought, strict=True):
        if not end.has_page:
            sinks[OUTCOMES] = len(next(outcomes)) + 1
        line = JournalLine(
            url=end.request.url,
            outcome=end.outcome,
            reason=end.reason,
            attempt=end.request.attempt,
            at=end.at,
            sinks=sinks,
        )
        lines.append(_ENCODER.encode(line))
        if not len(lines) % _ENCODED_AT_ONCE:
            await asyncio.sleep(0)
    return lines
