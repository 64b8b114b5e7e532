"""A crawl that is refreshed and killed: made once, copied for each time it is told again, and held against the others.

All copies ask one server, whose web has changed since the crawl they begin with. What a refresh leaves follows from
both, so an uninterrupted one says what each of the others must come to.
"""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.archive.captures import Captures
from crawler.dataset import archived
from crawler.dataset.archived import Current
from tests.support.audit import Harvest, committed_lines
from tests.support.changing import ChangingWeb
from tests.support.killing import Crawl
from tests.support.manners import well_behaved
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.killing import Life

STYLES = ("etag", "modified", "both", "same")
"""Hosts whose answers are the same at each visit: so are the records made of them."""

RULE = (
    "extract.rules=[{name: items, match: '*/pages/*', fields: {sku: {css: .offer, attr: data-sku, required: true}, "
    "price: {css: .offer, attr: data-price, type: float}}}]"
)


@dataclass(frozen=True, kw_only=True)
class Generation:
    """All that a finished generation has left, but for what depends on time."""

    harvest: Harvest
    #: of the archive: of each URL, status and length of the last answer that holds, which is the one that counts: of a
    #: page that was visited twice within the spare time of clocks, both do
    answers: Mapping[str, tuple[int, int]]
    #: of ``export.files``, without times
    bodies: Counter[bytes]
    number: int
    changes: Mapping[str, Mapping[str, Any]]  #: by URL

    @classmethod
    def of(cls, directory: Path) -> Generation:
        """Read it.

        Raises:
            AssertionError: It is not whole, or its files, its store and its summary do not agree.
        """
        number = msgspec.json.decode((directory / "summary.json").read_bytes())["generation"]
        rows = [msgspec.json.decode(line) for line in committed_lines(directory, "changes")] if number > 1 else []
        changes = {row["url"]: {key: row[key] for key in row if key != "after_at"} for row in rows}
        assert len(changes) == len(rows), "URLs twice in changes"
        return cls(
            harvest=Harvest.of(directory),
            answers=_answers(directory),
            bodies=_bodies(directory),
            number=number,
            changes=changes,
        )

    def same_as(self, other: Generation) -> None:
        """Compare with one of the same answers.

        Raises:
            AssertionError: They differ.
        """
        self.harvest.same_as(other.harvest)
        assert self.number == other.number
        assert self.changes == other.changes
        assert self.answers == other.answers
        assert self.bodies == other.bodies


def _answers(directory: Path) -> Mapping[str, tuple[int, int]]:
    if not (directory / "warc").exists():
        return {}
    sources = archived.sources([directory])
    current = Current(Captures(sources), sources)
    found = {got.request.url: (got.response.status, len(got.response.body)) for got in current}
    assert not current.torn
    return found


def _bodies(directory: Path) -> Counter[bytes]:
    """The lines of files.jsonl, each of which has its body, and nothing else lies there."""
    if not list(directory.glob("files.jsonl*")):
        return Counter()
    lines = [msgspec.json.decode(line) for line in committed_lines(directory, "files")]
    there = {str(path.relative_to(directory)) for path in (directory / "files").rglob("*") if path.is_file()}
    assert {line["path"] for line in lines} == there
    return Counter(msgspec.json.encode((line["url"], line["content_digest"], line["path"])) for line in lines)


class Refreshes:
    """A web that has changed since it was crawled, and its crawl to begin with.

    Args:
        folder: Where crawls go.
        delay_s: Between two requests to a host.
        pages_per_host: At first.
    """

    def __init__(
        self, folder: Path, *, delay_s: float = 0.0, pages_per_host: int = 40, more: tuple[str, ...] = ()
    ) -> None:
        self._folder = folder
        self.delay_s = delay_s
        self._more = more
        self.web = ChangingWeb(hosts=len(STYLES), pages_per_host=pages_per_host, styles=STYLES, words=80)
        self._server = Server(self.web)
        self.died_at: list[float] = []

    def __enter__(self) -> Refreshes:
        self._server.__enter__()
        settings = (
            f'fetch.resolve={{"*.test": "127.0.0.1:{self._server.port}"}}',
            f"limits.default.delay={self.delay_s}s",
            "limits.adaptive=false",
            "limits.per_address.concurrency=64",
            "checkpoint.every=50ms",
            "parse.workers=1",
            RULE,
            *self._more,
        )
        self.first = self._folder / "first"
        arguments = [*self.web.seeds(), *(f"--set={setting}" for setting in settings)]
        life = Crawl(self.first, arguments).complete()
        assert life.code == 0, life.stderr
        self.base = Generation.of(self.first)
        self.web.move()
        self.web.plant(3, share=0.1, gone=0.05, new=0.05)
        with self.copy("whole") as crawl:
            life = crawl.complete()
            self.seconds = life.ended - life.began
            self.whole = Generation.of(crawl.directory)
        expected = {url: planted.change for url, planted in self.web.expected().items()}
        assert {url: row["change"] for url, row in self.whole.changes.items()} == expected
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__(*exc)

    @contextmanager
    def copy(self, name: str) -> Iterator[Crawl]:
        """The crawl to begin with, in a folder of its own, about to be refreshed; it is removed unless that failed."""
        folder = self._folder / name
        folder.mkdir()
        directory = shutil.copytree(self.first, folder / "crawl")
        yield Crawl(directory, ["--refresh"], resume=())
        shutil.rmtree(folder)

    def ends_well(self, crawl: Crawl) -> None:
        """What a refresh has left that was killed and gone on with is what one that was not has.

        Raises:
            AssertionError: It is not.
        """
        Generation.of(crawl.directory).same_as(self.whole)
        Generation.of(crawl.directory.with_name("crawl@1")).same_as(self.base)
        names = {path.name for path in crawl.directory.parent.iterdir()}
        assert names == {"crawl", "crawl@1"}, names

    def is_whole(self, crawl: Crawl, life: Life) -> int:
        """Whoever looks after a death finds one generation or the other, complete; its number.

        Raises:
            AssertionError: Neither is there.
        """
        self.died_at += life.killed_at or [life.ended] * life.died
        directory = crawl.directory
        if not directory.exists():  # in the middle of two renames: both are there under their numbers
            Generation.of(directory.with_name("crawl@1")).same_as(self.base)
            directory = directory.with_name("crawl@2")
        found = Generation.of(directory)
        found.same_as(self.whole if found.number == 2 else self.base)
        return found.number

    def behaved(self) -> None:
        """What all crawls together asked of the server kept to the delay, from the first generation to the last.

        Raises:
            AssertionError: It did not.
        """
        well_behaved(self._server.log, delay_s=self.delay_s, concurrency=1, deaths=self.died_at)
