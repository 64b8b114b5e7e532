"""Which of a worker's lines are of which URL? One line of worker.journal.jsonl for each end, in the order of the ends.

Several workers that share a crawl may each have records of one URL: of one that was frozen or cut off, the others have
made the records anew. The ledger that they share says which end counts, by worker and by its number among the ends of
that worker, from 0: the number of its line here. How much of each file belongs to it is said here too, so that a merge
takes a file's pieces, and need not look into them.

A checkpoint writes these lines after all others: where a line is, so are the records it tells of. One more line follows
them, on what its worker has come to so far.
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
    from crawler.batch import Batch, Told
    from crawler.export.base import Sink

JOURNAL: Final = "worker.journal"
"""The name of its file, without ``.jsonl``; no rule can be called so, as it has a dot."""


class JournalLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One end, and what it brought."""

    url: Annotated[str, Meta(description="the canonical URL")]
    outcome: Annotated[Outcome, Meta(description="how it ended")]
    reason: Annotated[str | None, Meta(description="why; null where none is needed")] = None
    attempt: Annotated[int, Meta(description="which attempt it was that ended so, from 1")]
    at: Annotated[float, Meta(description="when, by the worker's clock: seconds since 1970, UTC")]
    #: of `FOLDERS` the number of answers, which are packed on their way; 0 is left out
    sinks: Annotated[dict[str, int], Meta(description="sink -> bytes of its lines, newlines included, not compressed")]


class CheckpointLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a worker has come to at the end of a checkpoint."""

    checkpoint: Annotated[int, Meta(description="how many ends are in it: the lines before this one")]
    positions: Annotated[dict[str, int], Meta(description="sink -> up to where its file is whole")]
    counters: Annotated[dict[str, int], Meta(description="the worker's totals, as the store of a crawl has them")]
    states: Annotated[dict[str, bytes], Meta(description="small states, in base64, now and then: rules, traps")] = {}


STATES: Final = ("rules", "traps")
"""Names of the states that are told."""
IS_CHECKPOINT: Final = b'{"checkpoint":'
"""How the line of a checkpoint begins, and no other."""

_STATES_EVERY = 16  # checkpoints: they may be 100 KB
_ENCODED_AT_ONCE = 1_000
_ENCODER = msgspec.json.Encoder()


class Journal:
    """Writes it.

    Args:
        sink: Its file, open. Closed by its owner.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._states: dict[str, bytes] = {}  # that were told last
        self._written = 0  # checkpoints

    async def open(self, position: int | None) -> None:
        """See `Sink.open`."""
        await self._sink.open(position)

    async def write(self, batch: Batch, told: Told, *, fsync: bool) -> None:
        """Tell of all ends of a batch, whose lines are complete and in their files.

        Raises:
            ExportError: The file cannot be written, or the batch does not say what each end brought.
        """
        if not batch.finished and not told.is_last:
            return
        if not isinstance(batch, JournaledBatch):
            raise ExportError("a journal is to be written, and nobody has noted which lines are of which URL")
        lines = await _lines(batch)
        line = CheckpointLine(
            checkpoint=len(lines),
            positions=dict(told.positions),
            counters=dict(told.counters),
            states=self._news(told),
        )
        await self._sink.append([*lines, _ENCODER.encode(line)])
        await self._sink.sync(fsync=fsync)
        self._written += 1

    def _news(self, told: Told) -> dict[str, bytes]:
        """The states that are worth telling again."""
        if self._written % _STATES_EVERY and not told.is_last:
            return {}
        now = {name: told.states[name] for name in STATES if told.states.get(name)}
        news = {name: state for name, state in now.items() if state != self._states.get(name)}
        self._states = now
        return news

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
