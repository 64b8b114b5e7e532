"""A crawl that has ended, with what mining must find planted in it: near-duplicates, a link graph, dead links.

Texts are drawn from a vocabulary by Zipf's law, so unrelated ones share frequent words as real ones do; pages of a host
have a header and a footer in common. What is planted follows from the seed alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from crawler.account import Summary
from crawler.directory import CrawlDirectory
from crawler.export.outcomes import OutcomeRecord
from crawler.models import Outcome
from tests.support.small_crawl import page_record, request

if TYPE_CHECKING:
    from pathlib import Path

_VOCABULARY = 50_000
_AT = "2026-11-25T08:00:00.000Z"


@dataclass
class Planted:
    """What mining must find."""

    urls: list[str] = field(default_factory=list)
    #: of each page, the number of the page its text comes from; its own if of none
    clusters: list[int] = field(default_factory=list)
    #: (page, page) that rank counts: no loops, no doubles, without nofollow
    edges: np.ndarray | None = None
    #: dead URL -> pages that link to it
    dead: dict[str, set[str]] = field(default_factory=dict)


def make(
    folder: Path, pages: int, *, words: int = 150, links: int = 20, hosts: int = 50, text: bool = True, seed: int = 5
) -> Planted:
    """Make it in `folder`: of every ten pages two are edits of others, by 1 to 10 % of their words."""
    folder.mkdir(exist_ok=True)
    draw, planted = random.Random(seed), Planted()
    planted.urls = [f"https://host-{number % hosts}.test/page/{number}" for number in range(pages)]
    texts = _Texts(draw, words, hosts, seed)
    graph = _Graph(planted, links, seed)
    tail = _tail()
    with (folder / "pages.jsonl").open("wb") as out:
        for number, url in enumerate(planted.urls):
            own, cluster = texts.of(number)
            planted.clusters.append(cluster)
            head = {"url": url, "text": own if text else None, "word_count": words, "links": graph.of(number)}
            head |= {"lang": "en-GB", "lang_detected": "en" if number % 3 else "de", "fingerprint": None}
            out.write(msgspec.json.encode(head)[:-1] + tail)
    graph.finish()
    with (folder / "outcomes.jsonl").open("wb") as out:
        for number in range(graph.moved):
            out.write(_end(f"https://moved.test/{number}", Outcome.REDIRECTED, planted.urls[number * 3 % pages]))
        for number in range(graph.gone):
            out.write(_end(f"https://gone.test/{number}", Outcome.FAILED, None))
    CrawlDirectory(folder).write_summary(_summary(pages, graph))
    return planted


class _Texts:
    """Texts, each of its own or an edit of one before."""

    def __init__(self, draw, words, hosts, seed):
        self._draw, self._words = draw, words
        made = np.random.default_rng(seed)
        weights = 1 / np.arange(1, _VOCABULARY + 1)
        self._cumulated = np.cumsum(weights / weights.sum())
        self._made = made
        self._vocabulary = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9))) + "x"
                            for _ in range(_VOCABULARY)]  # fmt: skip
        self._around = [(" ".join(self._some(8)), " ".join(self._some(8))) for _ in range(hosts)]
        self._kept: list[tuple[int, list[str]]] = []

    def of(self, number):
        """The text of a page, and the page it comes from."""
        if number % 5 == 4 and self._kept:
            cluster, base = self._draw.choice(self._kept)
            own = list(base)
            for place in self._draw.sample(range(len(own)), max(1, len(own) * self._draw.randint(1, 10) // 100)):
                own[place] = self._some(1)[0]
        else:
            cluster, own = number, self._some(self._words)
            if number % 7 == 0:
                self._kept.append((number, own))
        header, footer = self._around[number % len(self._around)]
        return f"{header}\n{' '.join(own)}\n{footer}", cluster

    def _some(self, count):
        drawn = np.searchsorted(self._cumulated, self._made.random(count))
        return [self._vocabulary[place] for place in drawn.tolist()]


class _Graph:
    """Links: a few pages get most of them; some lead to redirects, nowhere, outside, or are no recommendation."""

    def __init__(self, planted, links, seed):
        self._planted, self._links = planted, links
        self._made = np.random.default_rng(seed + 1)
        self._sources, self._targets = [], []
        self.moved, self.gone = max(1, len(planted.urls) // 20), max(1, len(planted.urls) // 50)

    def of(self, number):
        """The links of a page, as its record has them."""
        count = len(self._planted.urls)
        if number % 11 == 0:
            return []
        targets = (self._made.random(self._links) ** 3 * count).astype(np.int64)
        found = {self._planted.urls[target]: target for target in targets.tolist()}
        links = [(url, None) for url in found]
        reached = set(found.values())
        moved = int(self._made.integers(self.moved))
        links.append((f"https://moved.test/{moved}", None))
        reached.add(moved * 3 % count)
        links.append((f"https://outside.test/{number}", None))
        unfollowed = int(self._made.integers(count))
        if self._planted.urls[unfollowed] not in found:
            links.append((self._planted.urls[unfollowed], "external nofollow"))
        if number % 4 == 0:
            gone = f"https://gone.test/{int(self._made.integers(self.gone))}"
            links.append((gone, None))
            self._planted.dead.setdefault(gone, set()).add(self._planted.urls[number])
        reached.discard(number)
        self._sources.append(np.full(len(reached), number))
        self._targets.append(np.fromiter(reached, np.int64, len(reached)))
        return [{"url": url, "text": f"to {url[-3:]}", "rel": rel} for url, rel in links]

    def finish(self):
        """Say what the graph is."""
        self._planted.edges = np.stack((np.concatenate(self._sources), np.concatenate(self._targets)), axis=1)


def _tail():
    """What all records have in common."""
    plain = msgspec.to_builtins(page_record(request("x")))
    for key in ("url", "text", "word_count", "links", "lang", "lang_detected", "fingerprint"):
        del plain[key]
    plain["content_digest"] = None
    return b"," + msgspec.json.encode(plain)[1:] + b"\n"


def _end(url, outcome, target):
    failed = outcome is Outcome.FAILED
    end = OutcomeRecord(
        url=url, outcome=outcome, reason="http_404" if failed else None, status=404 if failed else 301, target=target,
        attempts=1, depth=1, via=None, seed="host-0.test", at=_AT,
    )  # fmt: skip
    return msgspec.json.encode(end) + b"\n"


def _summary(pages, graph):
    return Summary(
        complete=True,
        stopped_by=None,
        started_at=_AT,
        ended_at=_AT,
        admitted=pages + graph.moved + graph.gone,
        pending=0,
        outcomes={"fetched": pages, "redirected": graph.moved, "failed": graph.gone},
        reasons={},
        refusals={},
        seeds={"given": 1, "bad": 0, "fetched": 1},
        pages=pages,
        wire_bytes=pages * 1000,
        elapsed_s=1.0,
    )
