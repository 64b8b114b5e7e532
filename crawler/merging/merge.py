"""How do the files of workers become those of one crawl? The ledger is copied, records are gathered, a store is filled.

All is made in a folder beside, and put in place at once (`crawler.merging.publish`). What lies there then is a crawl
like any other: finished, where the shared one is done or a budget has stopped it, and all records were found.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.clock import rfc3339
from crawler.config.file import dump, loads
from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError, FrontierError
from crawler.export.late import LateSink
from crawler.export.packing import suffix
from crawler.merging.archives import merge_archives
from crawler.merging.attempts import by_attempts
from crawler.merging.bodies import Bodies
from crawler.merging.filling import fill, fill_hosts
from crawler.merging.gather import Gathering
from crawler.merging.ledger import About, Hosts, LedgerCopy, Row, told
from crawler.merging.publish import ATTEMPTS, LEDGER, Merged, Publication, refuse_others
from crawler.merging.recalled import recalled
from crawler.merging.seeds import merge_spools, write_seeds
from crawler.merging.segments import refuse_strangers
from crawler.merging.totals import Account, Ending, counters_of, merged_runs, states_of, summary_of
from crawler.merging.wanted import Wanted
from crawler.models import OUTCOMES, PAGES, Checkpoint
from crawler.resume import CONFIG, OUTPUT, SEEDS
from crawler.sinks import FILES, REJECTS, WARC, is_late, line_sinks, scraped_sinks
from crawler.stats import HostTally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.export.base import Sink
    from crawler.export.packing import Compress
    from crawler.frontier.base import Frontier
    from crawler.merging.gather import Gathered
    from crawler.merging.ledger import Ledger
    from crawler.merging.segments import Segment
    from crawler.seedlist import SeedTally

_ROWS, _HOSTS = "rows.copy", "hosts.copy"


@dataclass(frozen=True, kw_only=True)
class Making:
    """Who makes the parts of a crawl on disk: named by `crawler.outputs` and `crawler.stores`."""

    store: Callable[[Path, Clock], Frontier]  #: on a path where nothing is
    sink: Callable[[Path, str, Compress], Sink]  #: of lines: in which folder, of which name
    clock: Clock


class Copied(NamedTuple):
    """What the ledger said."""

    about: About
    stamp: str
    rows: LedgerCopy[Row]
    hosts: LedgerCopy[Hosts]
    wanted: Wanted


async def merge(segments: Sequence[Segment], ledger: Ledger, into: Path, making: Making) -> Merged:
    """Merge the files of these workers into a directory, which is locked by this process.

    Args:
        segments: The workers' directories; nothing in them is changed.
        ledger: Of their crawl, open; closed by its owner.
        into: Where to: a directory that exists.
        making: Makes store and files.

    Raises:
        ConfigError: A worker is another crawl's, or another crawl lies in `into`.
        CrawlerError: The ledger, or a file, cannot be read or written; nothing has changed in `into`.
    """
    about = await ledger.about()
    refuse_strangers(segments, about.crawl)
    publication = Publication(into)
    await asyncio.to_thread(publication.begin)
    try:
        refuse_others(into, about.crawl, LEDGER)
        copied = await _copied(ledger, about, publication.folder)
        merged = await _Merge(segments, copied, publication.folder, making).run()
        copied.rows.remove()
        copied.hosts.remove()
    except BaseException:
        publication.discard()
        raise
    return await asyncio.to_thread(publication.publish, merged)


async def merge_by_attempts(segments: Sequence[Segment], into: Path, making: Making) -> Merged:
    """Merge the files of workers whose ledger is gone: of each URL the records of the highest attempt.

    What was left to fetch, and what was known of hosts, is not known any more.

    Args:
        segments: The workers' directories, at least one; nothing in them is changed.
        into: Where to: a directory that exists, and is locked by this process.
        making: Makes store and files.

    Raises:
        ConfigError: A worker is another crawl's, or another crawl lies in `into`.
        CrawlerError: A file cannot be read or written, or a merge by the ledger lies in `into`; nothing has changed.
    """
    crawl = segments[0].worker.crawl
    refuse_strangers(segments, crawl)
    publication = Publication(into)
    await asyncio.to_thread(publication.begin)
    try:
        refuse_others(into, crawl, ATTEMPTS)
        wanted = await asyncio.to_thread(by_attempts, segments, publication.folder)
        about = About(crawl=crawl, config=_own_config(segments), state="")
        rows, hosts = LedgerCopy(publication.folder / _ROWS, Row), LedgerCopy(publication.folder / _HOSTS, Hosts)
        with rows, hosts:
            pass
        merged = await _Merge(segments, Copied(about, "", rows, hosts, wanted), publication.folder, making).run()
        rows.remove()
        hosts.remove()
    except BaseException:
        publication.discard()
        raise
    return await asyncio.to_thread(publication.publish, merged)


def _own_config(segments: Sequence[Segment]) -> str:
    """The configuration that a worker had."""
    for segment in segments:
        with suppress(OSError):
            return CrawlDirectory(segment.path).config.read_text(encoding="utf-8")
    raise CrawlerError(f"{segments[0].path}: has no crawl.yaml, nor has another worker")


async def _copied(ledger: Ledger, about: About, folder: Path) -> Copied:
    """Read all of the ledger. What is stored meanwhile may be in it or not."""
    wanted = Wanted()
    stamp = await ledger.stamp()  # before the rest: something newer may be read, and is read again then
    rows, hosts = LedgerCopy(folder / _ROWS, Row), LedgerCopy(folder / _HOSTS, Hosts)
    with rows, hosts:
        async for one in told(ledger):
            if isinstance(one, Hosts):
                hosts.append(one)
                continue
            if one.end is not None and one.where is not None:
                wanted.want(one.where, one.request.url)
            rows.append(one)
    return Copied(about, stamp, rows, hosts, wanted)


class _Merge:
    """One merge, of what is wanted."""

    def __init__(self, segments: Sequence[Segment], copied: Copied, folder: Path, making: Making) -> None:
        self._segments = segments
        self._copied = copied
        self._directory = CrawlDirectory(folder)
        self._making = making
        config = loads(copied.about.config, "the configuration of the shared crawl").config
        self._config: CrawlConfig = msgspec.structs.replace(config, frontier="sqlite")

    async def run(self) -> Merged:
        """Make all files."""
        gathered, positions = await self._records()
        if not self._copied.about.state:
            await self._recall()
        place = await asyncio.to_thread(merge_spools, self._segments, self._directory.seed_spool)
        self._directory.write_config(dump(self._config))
        runs = merged_runs(self._segments)
        self._directory.runs.write_bytes(runs)
        lost = await self._store(gathered, positions, place)
        about, wanted = self._copied.about, self._copied.wanted
        return Merged(
            crawl=about.crawl,
            at=rfc3339(self._making.clock.wall()),
            by=LEDGER if about.state else ATTEMPTS,
            stamp=self._copied.stamp,
            state=about.state,
            workers=[segment.worker.id for segment in self._segments],
            records=dict(gathered.lines),
            left_out=gathered.left_out,
            lost=wanted.lacking,
            lost_examples=list(lost),
            damaged=gathered.damaged,
            runs_bytes=len(runs),
        )

    async def _records(self) -> tuple[Gathered, dict[str, int]]:
        """Write the files of records; what they hold, and their lengths."""
        export = self._config.export
        names = [*line_sinks(self._config), *[FILES] * bool(export.files)]
        bodies = Bodies(self._directory.path)
        async with AsyncExitStack() as stack:
            sinks: dict[str, Sink] = {}
            for name in names:
                path = self._directory.records(name, suffix(export.compress))
                sink = self._making.sink(self._directory.path, name, export.compress)
                sinks[name] = sink = LateSink(path, sink) if is_late(name) else sink
                await sink.open(None)
                stack.push_async_callback(sink.aclose)
            gathered = await Gathering(self._copied.wanted, sinks, bodies.take).run(self._segments)
            positions = {name: await sink.sync(fsync=True) for name, sink in sinks.items()}
        await asyncio.to_thread(bodies.bring_down)
        if export.warc:
            args = (self._segments, gathered.last, gathered.stale, self._directory.path / WARC, self._config.name)
            length = await asyncio.to_thread(merge_archives, *args)
            positions |= {WARC: length} if length is not None else {}
        return gathered, positions

    async def _recall(self) -> None:
        """Have in place of the ledger what the new files tell."""
        ending = suffix(self._config.export.compress)
        files = (self._directory.records(PAGES, ending), self._directory.records(OUTCOMES, ending))
        with self._copied.rows as rows:
            async for row in recalled(*files, self._config.urls, secrets.randbits(64)):
                rows.append(row)

    async def _store(self, gathered: Gathered, positions: Mapping[str, int], place: bytes) -> Sequence[str]:
        """Fill the store, and write what it takes to be a finished crawl if it is one; some URLs that are lost."""
        clock, last = self._making.clock, list(gathered.last.values())
        frontier = self._making.store(self._directory.store, clock)
        try:
            await frontier.open()
            filled = await fill(frontier, self._copied.rows, self._copied.wanted, clock)
            given_up = await fill_hosts(frontier, self._copied.hosts)
            ending = self._ending(frontier)
            counters = counters_of(last, filled, ending.ended_at - ending.started_at)
            rules = [name for name in scraped_sinks(self._config) if not name.endswith(REJECTS)]
            states = states_of(last, rules, gathered.lines) if rules or self._config.traps.detect else {}
            blobs = {CONFIG: dump(self._config).encode(), OUTPUT: b"", SEEDS: place, **states}
            await frontier.commit(Checkpoint(positions=dict(positions), counters=counters, blobs=blobs))
            if ending.complete or ending.stopped_by is not None:
                seeds = await self._seeds(frontier, place)
                set_aside = await self._set_aside(frontier)
                hosts = HostTally(given_up=given_up, set_aside=set_aside, unresolved=filled.unresolved)
                account = Account(ending, frontier.counts(), seeds, hosts, counters, states)
                self._directory.write_summary(summary_of(self._config, account))
        except FrontierError as error:  # of the new store: it says nothing of the ledger, which is read
            raise CrawlerError(str(error)) from error
        finally:
            await frontier.aclose()
        return filled.lost

    async def _seeds(self, frontier: Frontier, place: bytes) -> SeedTally:
        sink = self._making.sink(self._directory.path, self._directory.seeds.stem, "none")
        await sink.open(None)
        try:
            return await write_seeds(self._directory.seed_spool, place, frontier, sink)
        finally:
            await sink.aclose()

    def _ending(self, frontier: Frontier) -> Ending:
        """How the crawl has ended: complete, stopped by a budget, or neither."""
        about = self._copied.about
        is_whole = not frontier.counts().pending
        complete = about.state == "done" and is_whole
        by_budget = about.state == "stopped" and about.why.startswith("budget.") and not self._copied.wanted.lacking
        ended_at = about.state_at if about.state != "running" else self._making.clock.wall()
        return Ending(
            complete=complete,
            stopped_by=about.why if by_budget else None,
            started_at=about.started_at,
            ended_at=max(about.started_at, ended_at),
        )

    async def _set_aside(self, frontier: Frontier) -> int:
        """How many hosts have URLs left, and as many pages as they may have."""
        most = self._config.budget.pages_per_host
        if most is None:
            return 0
        hosts, _ = await frontier.hosts(float("inf"), 0, sys.maxsize)
        return sum(host.pages >= most and host.retired is None for host in hosts)
