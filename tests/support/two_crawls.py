"""Directories of crawls as far as comparisons look at them: any records, and a store that says how each URL ended."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from crawler.account import Summary
from crawler.config import CrawlConfig, ExportConfig, ExtractConfig, RuleConfig
from crawler.config.file import dump
from crawler.directory import CrawlDirectory
from crawler.export.packing import PACKINGS, suffix
from crawler.extract.record import LinkLine, LinkRecord
from crawler.frontier.sqlite_schema import open_store
from crawler.models import Outcome
from tests.support.small_crawl import page_record, request

HOST = "a.test"
AT = 1_800_000_000.0
PRODUCT = RuleConfig(name="product", fields={"sku": ".sku", "name": "h1", "price": ".price"}, unique=("sku",))
OFFER = RuleConfig(name="offer", fields={"title": ".t", "cost": ".c"})


def at(name):
    return f"http://{HOST}/{name}"


def peak_bytes() -> int:
    """The most memory that this process has had resident (proc(5), Linux)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


class OneCrawl:
    """A crawl to be: fill it in, then `write` it."""

    def __init__(self, folder: Path, *, rules=(), compress="none", links=False, text="main", fields=None, store=True):
        self.directory = CrawlDirectory(folder)
        self.config = CrawlConfig(
            name="pair",
            seeds=(f"http://{HOST}/",),
            extract=ExtractConfig(rules=tuple(rules), text=text, fields=fields),
            export=ExportConfig(compress=compress, links=links),
        )
        self.pages: dict[str, dict] = {}
        #: name -> outcome, reason, status, target; for a page too, where it was not fetched
        self.ends: dict[str, tuple] = {}
        self.items: dict[str, list[dict]] = {}
        self.pending: list[str] = []
        self.gone_at: dict[str, float] = {}
        self.validators: dict[str, tuple] = {}
        self.store = store
        #: bytes that follow what is committed
        self.torn = b""

    def page(self, name, **fields):
        """A page, with links by name under ``links``."""
        self.pages[name] = fields
        return self

    def end(self, name, outcome, reason=None, status=None, target=None):
        """Another end, or how a page's came to be."""
        self.ends[name] = (outcome, reason, status, target)
        return self

    def item(self, rule, page, **fields):
        """A record of a rule."""
        self.items.setdefault(rule, []).append({"_url": at(page), "_fetched_at": "t", "_rule": rule, **fields})
        return self

    def write(self) -> CrawlDirectory:
        """Make its files."""
        self.directory.path.mkdir(parents=True, exist_ok=True)
        self.directory.config.write_text(dump(self.config))
        lengths = {"pages": self._file("pages", [self._page(name, fields) for name, fields in self.pages.items()])}
        for rule in self.config.extract.rules:
            lengths[rule.name] = self._file(rule.name, self.items.get(rule.name, []))
        lengths["outcomes"] = self._file("outcomes", [])
        if self.config.export.links:
            lines = [LinkLine(at(name), link.url, link.text, link.rel) for name, link in self._links()]
            lengths["links"] = self._file("links", lines)
        if self.store:
            self._store(lengths)
        ended = len({*self.pages, *self.ends})
        self.directory.write_summary(
            Summary(
                complete=True,
                stopped_by=None,
                started_at="2026-11-25T08:00:00.000Z",
                ended_at="2026-11-25T08:01:00.000Z",
                admitted=ended,
                pending=0,
                outcomes={"fetched": ended},
                reasons={},
                refusals={},
                seeds={"given": 1, "bad": 0, "fetched": 1},
                pages=len(self.pages),
                wire_bytes=1,
                attempts=ended,
                statuses={},
                elapsed_s=60.0,
                name="pair",
            )
        )
        return self.directory

    def _page(self, name, fields):
        fields = dict(fields)
        links = fields.pop("links", ())
        known = {"title": name, "fingerprint": None, **fields}
        return msgspec.structs.replace(page_record(request(name), **known), links=tuple(map(_link, links)))

    def _links(self):
        return [(name, _link(link)) for name, fields in self.pages.items() for link in fields.get("links", ())]

    def _file(self, sink, records):
        lines = [msgspec.json.encode(record) for record in records]
        packing = PACKINGS[self.config.export.compress]
        half = len(lines) // 2
        data = b"".join(packing.pack(part) for part in (lines[:half], lines[half:]) if part)
        self.directory.records(sink, suffix(self.config.export.compress)).write_bytes(data + self.torn)
        return len(data)

    def _store(self, lengths):
        names = list(dict.fromkeys((*self.pages, *self.ends)))
        ids = {name: number for number, name in enumerate((*names, *self.pending), 1)}
        done = []
        for name in names:
            outcome, reason, status, target = self.ends.get(name, (Outcome.FETCHED, None, 200, None))
            done.append((ids[name], outcome, reason, status, target, 1, AT, name in self.pages))
        with closing(open_store(self.directory.store, fsync=False)) as db:
            db.execute("BEGIN")
            db.execute("INSERT INTO host (id, name) VALUES (1, ?)", (HOST,))
            db.execute("INSERT INTO seed VALUES (1, ?, ?)", (at(""), HOST))
            db.executemany(
                "INSERT INTO url VALUES (?, 1, 32, 0, NULL, 1, ?, NULL)", [(ids[name], at(name)) for name in ids]
            )
            db.executemany("INSERT INTO done VALUES (?, ?, ?, ?, ?, ?, ?, ?)", done)
            db.executemany("INSERT INTO file VALUES (?, ?)", lengths.items())
            db.executemany(
                "INSERT INTO history VALUES (?, 1, 1, 0, 0, 0, ?, NULL)",
                [(ids[name], gone_at) for name, gone_at in self.gone_at.items()],
            )
            db.executemany(
                "INSERT INTO validator VALUES (?, ?, ?)",
                [(ids[name], *both) for name, both in self.validators.items()],
            )
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _link(given):
    if isinstance(given, str):
        return LinkRecord(at(given), given, None)
    return LinkRecord(at(given[0]), given[1], given[2])
