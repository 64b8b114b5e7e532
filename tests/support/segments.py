"""Directories of workers that shared a crawl, and its ledger, made up: what was committed, and by whom, is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import msgspec

from crawler.clock import SystemClock
from crawler.export.journal import JOURNAL, CheckpointLine, JournalLine
from crawler.export.outcomes import outcome_line
from crawler.export.packing import PACKINGS, suffix
from crawler.fleet.models import FinishedAt
from crawler.merging.ledger import About, Hosts, Row, Used
from crawler.merging.merge import Making
from crawler.merging.segments import Worker, segments, worker_directory, write_worker
from crawler.models import Finished, Outcome, Request
from crawler.outputs import line_file
from crawler.seeds import Seed
from crawler.spool import Spool
from crawler.stores import store_alone

CRAWL = "0123abcd"
CONFIG = """
name: shop
seeds: [a.test]
export: {links: true, compress: COMPRESS}
extract:
  rules:
    - name: items
      fields: {title: h1}
"""
SINKS = ("items", "items.rejects", "outcomes", "pages", "links")
MAKING = Making(store=store_alone, sink=line_file, clock=SystemClock())


def request(number, **more):
    url = f"https://h{number % 5}.test/{number}"
    about = {
        "host_key": f"h{number % 5}.test",
        "scope_host": f"h{number % 5}.test",
        "depth": number % 3,
        "seed": "a.test",
    }
    return Request(url=url, **about, **more)


def finished(number, *, attempt=1, worker=0):
    """An end of a URL; every third has no page. Its `at` tells which worker's it is."""
    has_page = number % 3 > 0
    return Finished(
        request=request(number, attempt=attempt),
        outcome=Outcome.FETCHED if has_page else Outcome.FAILED,
        reason=None if has_page else "http_404",
        status=200 if has_page else 404,
        at=1_000_000.0 + number + worker / 8,
        has_page=has_page,
        etag=f'"{number}"' if has_page else None,
    )


def lines_of(end, worker):
    """What an end brings each sink, as (sink, whole lines); each worker's version is another."""
    number = int(end.request.url.rpartition("/")[2])
    if not end.has_page:
        return [("outcomes", outcome_line(end) + b"\n")]
    mark = {"url": end.request.url, "n": number, "worker": worker, "attempt": end.request.attempt}
    found = [("items", b"".join(_line({**mark, "_url": mark["url"], "i": i}) for i in range(number % 4)))]
    found += [("items.rejects", _line({**mark, "why": "none"}))] if number % 5 == 1 else []
    found += [("pages", _line({**mark, "text": "x" * (number % 50)}))]
    found += [("links", b"".join(_line({**mark, "to": i}) for i in range(number % 3)))]
    return [(name, data) for name, data in found if data]


def _line(record):
    return json.dumps(record).encode() + b"\n"


@dataclass
class Fleet:
    """A shared crawl: the ends of each worker in order, and which of them the ledger points at."""

    directory: object
    compress: str = "none"
    partitions: int = 4
    state: str = "done"
    why: str = ""
    #: worker -> checkpoints -> ends
    workers: dict[int, list[list[Finished]]] = field(default_factory=dict)
    #: URL -> worker, ordinal
    ledger: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: list[Row] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)

    def end(self, worker, ends, *, refused=()):
        """A checkpoint of a worker; of `refused` numbers the ledger took nothing."""
        checkpoints = self.workers.setdefault(worker, [])
        ordinal = sum(map(len, checkpoints))
        checkpoints.append(ends)
        for end in ends:
            if int(end.request.url.rpartition("/")[2]) not in refused:
                assert end.request.url not in self.ledger
                self.ledger[end.request.url] = (worker, ordinal)
            ordinal += 1

    def write(self):
        """The directories of the workers; these as segments."""
        for worker, checkpoints in self.workers.items():
            path = worker_directory(self.directory, worker, f"host-{worker}")
            path.mkdir(parents=True, exist_ok=True)
            write_worker(
                path, Worker(id=worker, name=f"host-{worker}", crawl=CRAWL, url="redis://x", prefix="crawler:shop")
            )
            self._write_files(path, worker, checkpoints)
        if self.seeds:
            self._write_seeds()
        return segments(self.directory)

    def expected(self):
        """Sink -> the lines that count, in the order of workers and ends."""
        kept = dict.fromkeys(SINKS, b"")
        for worker in sorted(self.workers):
            ends = [end for ends in self.workers[worker] for end in ends]
            for ordinal, end in enumerate(ends):
                if self.ledger.get(end.request.url) == (worker, ordinal):
                    for name, data in lines_of(end, worker):
                        kept[name] += data
        return kept

    def config(self):
        return CONFIG.replace("COMPRESS", self.compress)

    def rows(self):
        found = []
        for worker, checkpoints in self.workers.items():
            ends = [end for ends in checkpoints for end in ends]
            for ordinal, end in enumerate(ends):
                if self.ledger.get(end.request.url) == (worker, ordinal):
                    asked = msgspec.structs.replace(end.request, attempt=1)
                    found.append(Row(request=asked, end=end, where=FinishedAt(worker=worker, ordinal=ordinal)))
        return [*sorted(found, key=lambda row: row.request.url), *self.pending]

    def _write_files(self, path, worker, checkpoints):
        pack, ending = PACKINGS[self.compress].pack, suffix(self.compress)
        files = dict.fromkeys((*SINKS, JOURNAL), b"")
        told = []
        for ends in checkpoints:
            batch = {name: [] for name in files}
            for end in ends:
                brought = lines_of(end, worker)
                for name, data in brought:
                    batch[name].append(data[:-1])
                line = JournalLine(
                    url=end.request.url,
                    outcome=end.outcome,
                    reason=end.reason,
                    attempt=end.request.attempt,
                    at=end.at,
                    sinks={name: len(data) for name, data in brought},
                )
                batch[JOURNAL].append(msgspec.json.encode(line))
            told += ends
            counters = {
                "attempts": len(told),
                "wire_bytes": 100 * len(told),
                "status 200": sum(e.has_page for e in told),
            }
            positions = {name: len(data) for name, data in files.items()}
            line = CheckpointLine(checkpoint=len(ends), positions=positions, counters=counters)
            batch[JOURNAL].append(msgspec.json.encode(line))
            for name, lines in batch.items():
                files[name] += pack(lines) if lines else b""
        for name, data in files.items():
            if data or name != "items.rejects":
                (path / f"{name}.jsonl{ending}").write_bytes(data)

    def _write_seeds(self):
        for worker in self.workers:
            path = worker_directory(self.directory, worker, f"host-{worker}") / "seeds.spool"
            spool = Spool(path)
            spool.open(0)
            rows = (Seed(given=url, url=url, place=f"seeds.txt:{n}") for n, url in enumerate(self.seeds, 1))
            spool.add("seeds.txt", (10, 20), rows, lambda _: None)


def two_workers(directory, compress="none"):
    """Worker 2 was cut off when it committed 3, 4 and 5, which worker 7 has made anew."""
    fleet = Fleet(directory, compress)
    fleet.end(2, [finished(number, worker=2) for number in range(3)])
    fleet.end(2, [finished(number, worker=2) for number in range(3, 6)], refused={3, 4, 5})
    fleet.end(7, [finished(number, worker=7, attempt=2) for number in range(5, 2, -1)])
    fleet.end(7, [finished(number, worker=7) for number in range(6, 23)])
    fleet.end(2, [finished(number, worker=2) for number in range(23, 30)])
    return fleet


def grown(directory):
    """The same, somewhat later."""
    fleet = two_workers(directory)
    fleet.end(7, [finished(number, worker=7) for number in range(30, 36)])
    return fleet


class FakeLedger:
    """The ledger of a `Fleet`."""

    def __init__(self, fleet, *, hosts=(), robots=()):
        self.fleet = fleet
        self._hosts = Hosts(tuple(hosts), tuple(robots))
        self.reads = 0

    async def about(self):
        fleet = self.fleet
        return About(
            crawl=CRAWL,
            config=fleet.config(),
            state=fleet.state,
            why=fleet.why,
            is_seeded=True,
            started_at=1_000_000.0,
            state_at=1_000_100.0,
        )

    async def stamp(self):
        return f"{len(self.fleet.ledger)}.{len(self.fleet.pending)}.{self.fleet.state}"

    async def used(self):
        rows = self.fleet.rows()
        return [
            Used(partition, len(rows[partition :: self.fleet.partitions])) for partition in range(self.fleet.partitions)
        ]

    async def rows(self, partition):
        self.reads += 1
        for row in self.fleet.rows()[partition :: self.fleet.partitions]:
            yield row

    async def hosts(self, partition):
        return self._hosts if partition == 0 else Hosts((), ())
