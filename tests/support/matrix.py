"""The kill matrix: one web, crawled again and again in different ways, and killed at other moments each time.

A round is a crawl from nothing to its end, with as many kills as it is told. After each death what is committed is
held against itself, at the end all the crawl has left against an uninterrupted crawl of the same web, and the server's
log against what was promised. Everything random follows from the round's number.
"""

from __future__ import annotations

import random
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.support.audit import Harvest, Progress, conserved
from tests.support.killing import Crawl, Life, spread
from tests.support.manners import well_behaved
from tests.support.server import Server
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.server import Log
    from tests.support.web import Reply

#: pages that redirect, lead nowhere, are forbidden, slow, not HTML, or fail at first; no record depends on their order
ROUGH = Web(
    seed=11,
    hosts=6,
    pages_per_host=650,
    latency_s=0.02,
    error_share=0.04,
    redirect_share=0.06,
    hops=3,
    private_share=0.03,
    flaky_share=0.004,
    flaky_status=500,
    file_share=0.03,
    slow_share=0.01,
    slow_s=0.3,
)

#: an item for each link of a page; some have no short word, and are rejected
RULES = (
    "[{name: items, each: li, fields: {"
    "to: {css: a, attr: href, type: url, transform: [absolute]}, "
    "word: {css: a, regex: '^.{0,6}$', required: true}, "
    "o: {css: a, regex: '.*o.*'}}}]"
)

#: what the command takes to begin
_START_S = 0.4
FEWEST_DEATHS = 3
"""Of a round that proves anything."""
_MOST_TOLD = 6


class Kept:
    """A web whose answers are computed once."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._replies: dict[tuple[str, str, bool], Reply] = {}

    def respond(self, host: str, path: str, visit: int) -> Reply:
        """As `Web.respond`, which answers all visits but the first alike."""
        key = (host, path, visit == 1)
        if key not in self._replies:
            self._replies[key] = self._web.respond(host, path, visit)
        return self._replies[key]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a crawl is done, as far as its records do not depend on it."""

    every: str = "200ms"
    fsync: bool = True
    compress: str = "none"
    parser: str = "process"
    links: bool = False
    delay_s: float = 0.0
    concurrency: int = 8

    @classmethod
    def drawn(cls, draw: random.Random) -> Way:
        """One of the ways of a round."""
        return cls(
            every=draw.choice(("50ms", "100ms", "200ms", "500ms", "1s")),
            fsync=draw.random() < 0.7,
            compress=draw.choice(("none", "none", "gzip", "zstd")),
            parser=draw.choice(("process", "process", "thread")),
            links=draw.random() < 0.5,
        )

    def redrawn(self, draw: random.Random) -> Way:
        """The same but for what may change whenever a crawl goes on."""
        other = Way.drawn(draw)
        return replace(self, every=other.every, fsync=other.fsync, parser=other.parser)

    def arguments(self, web: Web, port: int) -> list[str]:
        """What is typed."""
        settings = (
            f'fetch.resolve={{"*.test": "127.0.0.1:{port}"}}',
            f"limits.default.concurrency={self.concurrency}",
            f"limits.default.delay={self.delay_s}s",
            "limits.adaptive=false",
            f"checkpoint.every={self.every}",
            f"checkpoint.fsync={str(self.fsync).lower()}",
            f"export.compress={self.compress}",
            f"export.links={str(self.links).lower()}",
            f"extract.rules={RULES}",
            f"parse.backend={self.parser}",
            "parse.workers=2",
        )
        return [*web.seeds(), *(f"--set={setting}" for setting in settings)]


@dataclass(frozen=True, kw_only=True)
class Story:
    """How a round went."""

    way: Way
    lives: tuple[Life, ...]
    pages: int
    urls: int
    requests: int  #: the server saw
    #: by how far the crawl had come: nothing committed, some of it, all
    deaths: dict[str, int]
    seconds: float


class Matrix:
    """Rounds over one web, each in a folder of its own.

    Args:
        folder: Where crawls go; what a round leaves is removed unless it failed.
        web: Each host is crawled from its front page, and not left.
    """

    def __init__(self, folder: Path, web: Web = ROUGH) -> None:
        self.folder = folder
        self._web = web
        self._kept = Kept(web)
        self._whole: dict[bool, Harvest] = {}
        self.uninterrupted_s = 0.0
        self.requests = 0

    def whole(self, *, links: bool = False) -> Harvest:
        """What an uninterrupted crawl leaves, which is held against the web itself."""
        if links not in self._whole:
            with self.crawl(f"whole-{links}", Way(links=links)) as crawl:
                life = crawl.complete()
            self.uninterrupted_s, self.requests = life.ended - life.began, len(crawl.log.hits)
            harvest = Harvest.of(crawl.directory)
            expected = self._web.expected(stay_on_host=True)
            assert harvest.endings.keys() == expected.keys()
            for url, (outcome, reason, _) in harvest.endings.items():
                assert (outcome, reason) == (expected[url].outcome, expected[url].reason), url
            self._whole[links] = harvest
        return self._whole[links]

    def round(self, number: int, *, kills: tuple[int, int] = (5, 12), way: Way | None = None) -> Story:
        """One crawl, killed so many times; each life in a way of its own, or as the one before.

        How long a life is follows from how long an uninterrupted crawl took, and the machine may have become faster or
        slower since: where it proves nothing, as all came too late or too early, it is told again with other lives.

        Raises:
            AssertionError: A promise was broken. The crawl is left as it lies.
        """
        longer = 1.0
        for _ in range(_MOST_TOLD):
            story = self._told(number, kills, way, longer)
            died = sum(story.deaths.values())
            if died >= FEWEST_DEATHS and died > story.deaths["nothing"]:
                break
            longer *= 0.5 if died < FEWEST_DEATHS else 2.0
        return story

    def _told(self, number: int, kills: tuple[int, int], way: Way | None, longer: float) -> Story:
        draw = random.Random(f"round {number}")
        way = way or Way.drawn(draw)
        whole = self.whole(links=way.links)
        count = draw.randint(*kills)
        span_s = longer * (_START_S + 1.5 * self.uninterrupted_s / count)  # a life is half as long on average
        with self.crawl(f"round-{number}", way) as crawl:
            witness = Witness(crawl.directory)

            def after_each(life: Life) -> None:
                witness(life)
                changed = way.redrawn(draw).arguments(self._web, crawl.port)
                crawl.arguments = [] if witness.begun and draw.random() < 0.3 else changed

            crawl.complete(spread(random.Random(f"kills {number}"), count, span_s), after_each)
            again = crawl.live()
            assert again.code == 0, f"a finished crawl that is resumed says so: {again.stderr}"
        harvest = Harvest.of(crawl.directory)
        harvest.same_as(whole)
        well_behaved(crawl.log, delay_s=way.delay_s, concurrency=way.concurrency, deaths=witness.died_at)
        shutil.rmtree(crawl.directory)
        lives = tuple(crawl.lives)
        return Story(
            way=way,
            lives=lives,
            pages=harvest.files["pages"].total(),
            urls=len(harvest.endings),
            requests=len(crawl.log.hits),
            deaths=witness.deaths(),
            seconds=lives[-1].ended - lives[0].began,
        )

    @contextmanager
    def crawl(self, name: str, way: Way) -> Iterator[Killable]:
        """A crawl that may be killed, and a server for it."""
        with Server(self._kept) as server:
            directory = self.folder / name
            arguments = way.arguments(self._web, server.port)
            yield Killable(directory, arguments, log=server.log, port=server.port)


@dataclass(kw_only=True)
class Killable(Crawl):
    """A crawl whose server's log and port are at hand."""

    log: Log
    port: int


class Witness:
    """Sees each death of a crawl, and that what it had committed is sound and never becomes less."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._progress: list[Progress] = [Progress()]
        self.died_at: list[float] = []

    def __call__(self, life: Life) -> None:
        progress, before = conserved(self._directory), self._progress[-1]
        assert progress.admitted >= before.admitted
        assert progress.ended >= before.ended
        assert progress.bytes >= before.bytes
        if life.died:
            self._progress.append(progress)
            self.died_at += life.killed_at

    @property
    def begun(self) -> bool:
        """Whether anything was committed before the latest death."""
        return bool(self._progress[-1].admitted)

    def deaths(self) -> dict[str, int]:
        """How many deaths there were, by how far the crawl had come."""
        ends = self._progress[1:]
        nothing = sum(not progress.admitted for progress in ends)
        seeds = sum(bool(progress.admitted) and not progress.ended for progress in ends)
        return {"nothing": nothing, "seeds only": seeds, "pages": len(ends) - nothing - seeds}
