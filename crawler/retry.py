"""How does what failed get another try, without any URL ever standing in two places?

A URL that failed has a line in outcomes.jsonl, and its end in the store. Both go in one step: a new version of the
file without these lines is written, then one transaction of the frontier makes the URLs pending again and notes that
the new version takes the old one's place (`crawler.renames`). Until that transaction nothing has changed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.counters import counters_without
from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError
from crawler.export.outcomes import OutcomeRecord
from crawler.models import OUTCOMES, Checkpoint, Outcome
from crawler.renames import RENAMES, complete_renames, renames_blob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from crawler.dataset.where import Where
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.renames import Draft, OutputFiles

_URLS_AT_ONCE = 500

Ends = Counter[tuple[Outcome, str | None]]


class Retried(NamedTuple):
    """What `retry_failed` did."""

    restored: Restored  #: as if the crawl had been opened afterwards
    ends: Mapping[tuple[Outcome, str | None], int]  #: how many URLs are pending again, by how and why they had ended

    def news(self, where: Where) -> str:
        """The same for the person who asked, in a line."""
        total = sum(self.ends.values())
        if not total:
            return f"nothing that failed matches --where {where}" if where.conditions else "nothing has failed"
        reasons = Counter[str]()
        for (outcome, reason), count in self.ends.items():
            reasons[reason or outcome] += count
        told = ", ".join(
            f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        )
        return f"{total:,} {'URL that failed is' if total == 1 else 'URLs that failed are'} tried again: {told}"


async def retry_failed(frontier: Frontier, files: OutputFiles, restored: Restored, where: Where) -> Retried:
    """Make those URLs pending again that failed and that `where` admits.

    Args:
        frontier: Open, with no renames due.
        files: Not open.
        restored: What the frontier knew when it was opened.
        where: Which of them.

    Raises:
        CrawlerError: outcomes.jsonl is not what the store says; nothing has changed.
        ExportError: The new version cannot be written; nothing has changed.
        FrontierError: The store cannot be written.
    """
    failed = _Failed(files.paths[OUTCOMES], restored.positions.get(OUTCOMES, 0), where)
    draft = files.draft(OUTCOMES)
    await draft.begin()
    try:
        ends = await failed.leave_out(draft)
        length = await draft.finish()
    except BaseException:
        await draft.discard()
        raise
    if not ends:
        await draft.discard()
        return Retried(restored, ends)
    changed = Checkpoint(
        positions={OUTCOMES: length},
        counters=counters_without(restored.counters, ends),
        blobs={RENAMES: renames_blob(files, [OUTCOMES])},
    )
    await frontier.requeue(failed.urls(), changed)
    restored = msgspec.structs.replace(
        restored,
        positions=restored.positions | changed.positions,
        counters=changed.counters,
        blobs=restored.blobs | changed.blobs,
    )
    return Retried(await complete_renames(frontier, restored, files), ends)


class _Failed:
    """The lines of outcomes.jsonl, up to where it is committed, parted into those that are meant and the others."""

    def __init__(self, path: Path, end: int, where: Where) -> None:
        self._path = path
        self._end = end
        self._where = where
        self._decoder = msgspec.json.Decoder(OutcomeRecord)

    async def leave_out(self, draft: Draft) -> Ends:
        """Write the others to `draft`; how those that are meant had ended."""
        ends: Ends = Counter()
        async for lines, records in self._parts():
            ends.update((record.outcome, record.reason) for record in records)
            await draft.append(lines)
        return ends

    async def urls(self) -> AsyncIterator[Sequence[str]]:
        """The URLs that are meant, in batches."""
        async for _, records in self._parts():
            for start in range(0, len(records), _URLS_AT_ONCE):
                yield [record.url for record in records[start : start + _URLS_AT_ONCE]]

    async def _parts(self) -> AsyncIterator[tuple[list[bytes], list[OutcomeRecord]]]:
        """Lines that are not meant, and records of those that are, some at a time."""
        if not self._end:
            return
        lines = Lines(self._path, end=self._end)
        blocks = lines.blocks()
        while block := await asyncio.to_thread(next, blocks, b""):
            yield await asyncio.to_thread(self._part, block)
        if lines.position != self._end:
            raise self._damaged(f"whole up to byte {lines.position:,} only, of {self._end:,} committed")

    def _part(self, block: bytes) -> tuple[list[bytes], list[OutcomeRecord]]:
        others, meant = [], []
        for line in block[:-1].split(b"\n"):
            try:
                record = self._decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise self._damaged(f"a line of it is not an outcome: {error}") from error
            if self._where.admits(record):
                meant.append(record)
            else:
                others.append(line)
        return others, meant

    def _damaged(self, what: str) -> CrawlerError:
        return CrawlerError(f"{self._path}: {what}; --repair (repair=True in Python) fetches anew what it lacks")
