"""A crawl of a few URLs that has ended, without one: its files and its store, as a crawl would have left them."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from crawler.dataset.ledger import Ended
from crawler.dataset.lines import Lines
from crawler.export.jsonl import JsonlSink
from crawler.export.outcomes import outcome_line
from crawler.export.packing import suffix
from crawler.extract.record import LinkLine, LinkRecord, PageRecord, SitemapLine
from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS, Checkpoint, Finished, Outcome, Request
from crawler.renames import OutputFiles, complete_renames
from crawler.stats import Stats
from tests.support.clock import FakeClock

HOST = "a.test"


def url_of(name):
    return f"http://{HOST}/{name}"


def request(name, **fields):
    return Request(**{"url": url_of(name), "host_key": HOST, "scope_host": HOST, "seed": HOST, **fields})


def page_record(asked, links=(), **fields):
    values = dict.fromkeys(PageRecord.__struct_fields__)
    values |= {
        "url": asked.url,
        "status": 200,
        "depth": asked.depth,
        "via": asked.via,
        "seed": asked.seed,
        "redirected_from": asked.redirected_from,
        "fetched_at": "2026-11-25T08:00:00.000Z",
        "elapsed_s": 0.25,
        "charset": "utf-8",
        "charset_source": "utf-8",
        "body_bytes": 10,
        "content_digest": "sha256:0",
        "h1": (),
        "text": f"text of {asked.url} " * 5,
        "needs_js": False,
        "n_links": len(links or ()),
        "links": None if links is None else tuple(LinkRecord(url_of(name), name, None) for name in links),
        "truncated": (),
    }
    return PageRecord(**(values | fields))


@dataclass
class End:
    """How one URL ended: a page where there is no outcome."""

    name: str
    outcome: Outcome = Outcome.FETCHED
    reason: str | None = None
    links: tuple[str, ...] = ()
    target: str | None = None
    request: dict = field(default_factory=dict)
    page: dict = field(default_factory=dict)

    @property
    def has_page(self):
        return self.outcome is Outcome.FETCHED and self.reason is None


def failed(name, reason="timeout", **fields):
    return End(name, Outcome.FAILED, reason, **fields)


class SmallCrawl:
    """In `folder`. `make` gives a frontier on its store, another each time."""

    def __init__(self, folder, make, compress="none", *, links=False, sitemaps=False, pages=None):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.make = make
        self.compress = compress
        names = [OUTCOMES, PAGES] + [LINKS] * links + [SITEMAPS] * sitemaps
        paths = {name: folder / f"{name}.jsonl{suffix(compress)}" for name in names}
        if pages:
            paths[PAGES] = pages
        self._all = []  # that have ended
        self.files = OutputFiles(folder=folder, paths=paths, sink=lambda path: JsonlSink(path, compress))

    async def crawl(self, *checkpoints, pending=()):
        """Have URLs end, those of each checkpoint together; `pending` are admitted only."""
        frontier = self.make()
        await frontier.open()
        stats = Stats(FakeClock())
        sinks = {name: self.files.sink(path) for name, path in self.files.paths.items()}
        for sink in sinks.values():
            await sink.open(None)
        for ends in checkpoints:
            frontier.add([request(end.name, **end.request) for end in ends])
            taken = {taken.url: taken for taken in await frontier.take([(HOST, len(ends))])}
            finished = []
            for end in ends:
                asked = taken[url_of(end.name)]
                if end.has_page:
                    await sinks[PAGES].append(
                        [msgspec.json.encode(page_record(asked, **{"links": end.links, **end.page}))]
                    )
                    if LINKS in sinks:
                        lines = [LinkLine(asked.url, url_of(name), name, None) for name in end.links]
                        await sinks[LINKS].append([msgspec.json.encode(line) for line in lines])
                booked = Finished(
                    request=asked,
                    outcome=end.outcome,
                    reason=end.reason,
                    target=url_of(end.target) if end.target else None,
                    has_page=end.has_page,
                    at=1_700_000_000.0,
                )
                if not end.has_page:
                    await sinks[OUTCOMES].append([outcome_line(booked)])
                    if SITEMAPS in sinks:
                        lines = [SitemapLine(asked.url, "url", url_of(name), None, None, None) for name in end.links]
                        await sinks[SITEMAPS].append([msgspec.json.encode(line) for line in lines])
                finished.append(booked)
                self._all.append(Ended(asked.url, end.outcome, end.has_page))
                stats.finished(booked)
            positions = {name: await sink.sync(fsync=False) for name, sink in sinks.items()}
            counters = stats.counters()
            await frontier.commit(Checkpoint(finished=tuple(finished), positions=positions, counters=counters))
        frontier.add([request(name) for name in pending])
        await frontier.commit(Checkpoint())
        for sink in sinks.values():
            await sink.aclose()
        await frontier.aclose()

    def lines(self, name):
        """The whole lines of a file."""
        return [msgspec.json.decode(line) for line in Lines(self.files.paths[name])]

    def ends(self):
        """URL -> outcome, of both files; no URL may be there twice."""
        ended = {}
        for name in (PAGES, OUTCOMES):
            for line in self.lines(name):
                assert line["url"] not in ended, f"{line['url']} stands twice"
                ended[line["url"]] = line.get("outcome", "page")
        return ended

    async def ended(self, frontier):
        """As the store would say: a function that goes through all that have ended."""
        ends = await frontier.find([end.url for end in self._all])
        known = [end for end, stored in zip(self._all, ends, strict=True) if stored]
        return lambda: iter(known)

    async def opened(self):
        """A frontier, and what it knew; renames that were due are done."""
        frontier = self.make()
        restored = await frontier.open()
        return frontier, await complete_renames(frontier, restored, self.files)

    async def agrees(self, frontier, restored):
        """Hold files, store and counters against each other; what is pending, by name."""
        ended = self.ends()
        for url, end in zip(ended, await frontier.find(list(ended)), strict=True):
            assert end is not None, f"{url} has a line and no end"
            assert end.has_page == (ended[url] == "page"), url
        counts = frontier.counts()
        assert counts.admitted == sum(counts.outcomes.values()) + counts.pending
        assert sum(counts.outcomes.values()) == len(ended)
        for name, path in self.files.paths.items():
            assert path.stat().st_size == restored.positions[name], name
        if LINKS in self.files.paths:
            linked = [(line["source"], line["target"]) for line in self.lines(LINKS)]
            pages = self.lines(PAGES)
            assert sorted(linked) == sorted(
                (page["url"], link["url"]) for page in pages for link in page["links"] or ()
            )
        if SITEMAPS in self.files.paths:
            listed = {line["sitemap"] for line in self.lines(SITEMAPS)}
            assert listed == {line["url"] for line in self.lines(OUTCOMES) if line["reason"] == "sitemap"}
        counters = restored.counters
        assert counters.get("pages", 0) == len(self.lines(PAGES))
        outcomes = self.lines(OUTCOMES)
        assert counters.get("failed", 0) == sum(line["outcome"] == "failed" for line in outcomes)
        for (outcome, reason), count in _reasons(outcomes).items():
            assert counters[f"reason {outcome} {reason}"] == count
        told = {name: count for name, count in counters.items() if name.startswith("reason ") and count}
        assert len(told) == len(_reasons(outcomes))
        assert not list(self.folder.glob("*.crawl-new"))
        taken = await frontier.take([(HOST, 1000)])
        assert len(taken) == counts.pending
        return {one.url.rpartition("/")[2] for one in taken}


def _reasons(outcomes):
    reasons = {}
    for line in outcomes:
        if line["reason"]:
            key = line["outcome"], line["reason"]
            reasons[key] = reasons.get(key, 0) + 1
    return reasons
