"""What became of each seed?

Once a crawl has ended, `seeds.jsonl` gets one row per seed given, bad and repeated ones included, joined to how
its URL ended at the end of its redirects. The seed list is read once more for this, streamed, so it costs no
memory; the answers come from the frontier.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from crawler.models import MAX_REDIRECTS, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.models import Finished
    from crawler.seeds import Seed

BATCH = 500


class SeedTally(msgspec.Struct, frozen=True, kw_only=True):
    """How the seed list fared."""

    given: int = 0
    bad: int = 0  #: no URL could be made of them
    fetched: int = 0  #: ended in a page or another 2xx, redirects followed


async def write_seeds(
    seeds: Iterator[Seed],
    frontier: Frontier,
    sink: Sink,
    line: Callable[[Seed, Finished | None], bytes],
    *,
    fsync: bool,
) -> SeedTally:
    """Write a row per seed to `sink` (open and empty) and count them.

    Raises:
        ExportError: The file cannot be written.
        ConfigError: The seed list can no longer be read.
    """
    given = bad = fetched = 0
    while batch := list(islice(seeds, BATCH)):
        ends = await _ends(batch, frontier)
        await sink.append([line(seed, end) for seed, end in zip(batch, ends, strict=True)])
        given += len(batch)
        bad += sum(seed.url is None for seed in batch)
        fetched += sum(end is not None and end.outcome in (Outcome.FETCHED, Outcome.UNCHANGED) for end in ends)
    await sink.sync(fsync=fsync)
    return SeedTally(given=given, bad=bad, fetched=fetched)


async def _ends(seeds: Sequence[Seed], frontier: Frontier) -> list[Finished | None]:
    """How each seed's URL ended, at the last hop of its redirects that is known."""
    found = iter(await frontier.find([seed.url for seed in seeds if seed.url]))
    ends = [next(found) if seed.url else None for seed in seeds]
    for _ in range(MAX_REDIRECTS):
        hops = {i: end.target for i, end in enumerate(ends) if end and end.outcome is Outcome.REDIRECTED and end.target}
        if not hops:
            break
        moved = False
        for i, end in zip(hops, await frontier.find(list(hops.values())), strict=True):
            if end is not None:
                ends[i], moved = end, True
        if not moved:
            break
    return ends
