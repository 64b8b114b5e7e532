"""What does mining a crawl do, in which order?

    outcomes.jsonl -> where redirects lead, what failed      (here)
    pages.jsonl, links.jsonl -> all that the rest needs      (one pass, parted among workers)
    near, keywords, ranks, dead, languages -> lines          (one after another; edges and keywords by workers again)
    whole files -> beside the crawl's own

What lies between is in a folder of its own on the disk, some 5 KB a page, and gone at the end.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from crawler import __version__
from crawler.clock import rfc3339
from crawler.errors import ConfigError
from crawler.mining.files import (
    DEAD,
    HOST_KEYWORDS,
    HOST_RANKS,
    KEYWORDS,
    LANGUAGES,
    MINE,
    NEAR,
    RANKS,
    STEPS,
    Mined,
    Step,
)
from crawler.mining.parts import parts
from crawler.mining.places import put_in_place, read_mined, refuse_taken, working_folder
from crawler.mining.source import look
from crawler.mining.tasks import Answer, Part, Task
from crawler.mining.work import peak_bytes
from crawler.mining.workers import Workers
from crawler.models import LINKS, OUTCOMES, PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from crawler.directory import CrawlDirectory
    from crawler.mining.ends import Ends
    from crawler.mining.source import Source
    from crawler.mining.table import Table

READ: Final = "read"
TOP: Final = 10
_COPIED_BYTES = 1 << 20


class Asked(NamedTuple):
    """What is asked for."""

    only: tuple[str, ...] = tuple(STEPS)
    jobs: int = 1
    top: int = TOP  #: keywords of a page or host, at most
    pages: Path | None = None  #: page records, where they are not in the directory and no store says where


def mine(directory: CrawlDirectory, asked: Asked, told: Callable[[Step], object] = lambda _: None) -> Mined:
    """Mine a crawl, and put what is found beside its files.

    Args:
        directory: Of the crawl, which knows its sinks.
        asked: What for.
        told: Called as each step is done.

    Raises:
        ConfigError: There is no crawl, numpy is missing, or a rule's file is in the way.
        CrawlerError: A file cannot be read or written, or a worker died.
    """
    _need_numpy()
    source = look(directory, asked.pages)
    refuse_taken(directory, asked.only)
    began = time.monotonic()
    with working_folder(directory.path) as folder, Workers(asked.jobs) as workers:
        run = _Run(source, asked, folder, workers, told)
        run.all()
        mined = Mined(
            version=__version__,
            made_at=rfc3339(time.time()),
            finished=source.is_finished,
            pages=run.table.count,
            bytes_read={name: source.ends[name] for name in source.files},
            parameters=_parameters(asked),
            seconds=round(time.monotonic() - began, 3),
            steps=_with_earlier(run.steps, read_mined(directory.path)),
        )
        (folder / MINE).write_bytes(msgspec.json.format(msgspec.json.encode(mined), indent=2) + b"\n")
        made = [name for step in run.steps for name in step.rows]
        gone = [name for step in run.steps if step.skipped for name in STEPS[step.name]]
        put_in_place(folder, directory, made, gone)
    return mined


def _need_numpy() -> None:
    try:
        import numpy as np  # noqa: F401, PLC0415
    except ImportError as error:
        raise ConfigError(f"mining needs numpy: {error}; pip install 'crawler[mining]'") from error


def _parameters(asked: Asked) -> dict[str, int | float]:
    from crawler.mining.pagerank import DAMPING, TOLERANCE  # noqa: PLC0415 - which need numpy

    return {"damping": DAMPING, "tolerance": TOLERANCE, "top": asked.top}


def _with_earlier(now: Sequence[Step], before: Mined | None) -> tuple[Step, ...]:
    steps = {step.name: step for step in (*(before.steps if before else ()), *now)}
    return tuple(steps[name] for name in (READ, *STEPS) if name in steps)


class _Run:
    """One run, step by step."""

    def __init__(
        self, source: Source, asked: Asked, folder: Path, workers: Workers, told: Callable[[Step], object]
    ) -> None:
        self._source, self._asked, self._folder, self._workers, self._told = source, asked, folder, workers, told
        self.steps: list[Step] = []
        self.table: Table
        self._ends: Ends
        self._pages: list[Answer] = []
        self._links: list[Answer] = []  #: of the file links are read from
        self._counts: Counter[str] = Counter()

    def all(self) -> None:
        """Do what is asked for."""
        self._step(self._read)
        for name in STEPS:
            if name in self._asked.only:
                self._step(getattr(self, f"_{name}"))

    def _step(self, work: Callable[[], Step]) -> None:
        began = time.monotonic()
        done = work()
        step = msgspec.structs.replace(
            done,
            made_at=rfc3339(time.time()),
            pages=self.table.count,
            seconds=round(time.monotonic() - began, 3),
            peak_bytes=peak_bytes() + self._workers.peak_bytes,
        )
        self.steps.append(step)
        self._told(step)

    def _read(self) -> Step:
        from crawler.mining.ends import read_ends  # noqa: PLC0415 - which needs numpy, as those below
        from crawler.mining.table import Table  # noqa: PLC0415

        files, ends, only = self._source.files, self._source.ends, set(self._asked.only)
        self._ends = read_ends(files.get(OUTCOMES), ends.get(OUTCOMES), self._folder)
        wants = only & {"near", "keywords"}
        of_links = only & {"ranks", "dead"}
        has_table = bool(of_links) and ends.get(LINKS, 0) > 0
        wants_here = wants | (of_links | {LINKS} if of_links and not has_table else set())
        self._pages = self._run(
            "pages", parts(files[PAGES], ends[PAGES], self._folder, jobs=self._asked.jobs), wants_here
        )
        self.table = Table(self._folder, self._pages)
        for answer in self._pages:
            self._counts.update(answer.counts)
        self._links = self._pages
        if has_table:
            self._read_links(of_links)
        counts = {name: self._counts[name] for name in ("pages", "texts", "linking", "links")}
        return Step(name=READ, counts=counts | {"hosts": len(self.table.hosts), "failed": len(self._ends)})

    def _read_links(self, wants: set[str]) -> None:
        from crawler.mining.reading_links import source_of  # noqa: PLC0415

        path, end = self._source.files[LINKS], self._source.ends[LINKS]
        of_file = parts(path, end, self._folder, jobs=self._asked.jobs, group=source_of)
        first = len(self._pages)  # parts of both files are told apart by their numbers
        numbered = (msgspec.structs.replace(part, number=first + part.number) for part in of_file)
        self._links = self._run("links", numbered, wants)
        for answer in self._links:
            self._counts.update(answer.counts)

    def _near(self) -> Step:
        from crawler.mining.likeness import alike  # noqa: PLC0415
        from crawler.mining.writing import write_rows  # noqa: PLC0415

        has_texts = bool(self._counts["texts"])
        if not has_texts and not self.table.rows["has_fingerprint"].any():
            return Step(name="near", skipped="records have neither text nor fingerprint (extract.text, extract.fields)")
        found = alike(self.table, self._folder, has_texts=has_texts)
        rows = {NEAR: write_rows(self._draft(NEAR), found.rows)}
        return Step(name="near", rows=rows, counts=found.counts | {"by_text": int(has_texts)})

    def _keywords(self) -> Step:
        from crawler.mining.host_terms import host_rows  # noqa: PLC0415
        from crawler.mining.layout import file  # noqa: PLC0415
        from crawler.mining.telling import FREQUENCIES  # noqa: PLC0415
        from crawler.mining.texts import put_together  # noqa: PLC0415
        from crawler.mining.writing import write_rows  # noqa: PLC0415

        if not self._counts["texts"]:
            return Step(name="keywords", skipped="records have no text (extract.text, extract.fields)")
        paths = [file(self._folder, part, FREQUENCIES) for part in self.table.parts]
        terms = put_together(paths, self._folder / FREQUENCIES)
        hosts = {answer.part: answer.hosts for answer in self._pages}
        done = self._run(
            "keywords", map(_again, self.table.parts), set(), hosts=hosts, numbers={"top": self._asked.top}
        )
        with self._draft(KEYWORDS).open("wb") as out:
            for part in self.table.parts:
                with file(self._folder, part, "keywords").open("rb") as lines:
                    shutil.copyfileobj(lines, out, _COPIED_BYTES)
        rows = {KEYWORDS: sum(answer.counts["rows"] for answer in done)}
        of_hosts = host_rows(self._folder, self.table, self._asked.top)
        rows[HOST_KEYWORDS] = write_rows(self._draft(HOST_KEYWORDS), of_hosts)
        return Step(name="keywords", rows=rows, counts={"terms": terms})

    def _ranks(self) -> Step:
        from crawler.mining.importance import Importance  # noqa: PLC0415
        from crawler.mining.writing import write_rows  # noqa: PLC0415

        if not self._counts["linking"]:
            return Step(name="ranks", skipped="links were not kept (extract.links or export.links)")
        self.table.lay_out()
        places = [answer.part for answer in self._links]
        if self._links is self._pages:
            firsts = dict(zip(places, self.table.firsts, strict=True))
            done = self._run("edges", map(_again, places), set(), firsts=firsts)
        else:
            done = self._run("edges", map(_again, places), set(), numbers={"by_hash": 1})
        found = Importance(self.table, self._folder, places)
        rows = {RANKS: write_rows(self._draft(RANKS), found.rows())}
        rows[HOST_RANKS] = write_rows(self._draft(HOST_RANKS), found.host_rows())
        seen = Counter[str]()
        for answer in done:
            seen.update(answer.counts)
        return Step(
            name="ranks", rows=rows, counts=found.counts | {"links": seen["links"], "to_pages": seen["to_pages"]}
        )

    def _dead(self) -> Step:
        from crawler.mining.dead import write_dead  # noqa: PLC0415

        places = [answer.part for answer in self._links]
        counts = write_dead(self._draft(DEAD), self._folder, self._ends, places)
        return Step(name="dead", rows={DEAD: counts["dead"]}, counts=counts)

    def _languages(self) -> Step:
        from crawler.mining.languages import language_rows  # noqa: PLC0415
        from crawler.mining.writing import write_rows  # noqa: PLC0415

        hosts = [(answer.part, answer.hosts) for answer in self._pages]
        rows = write_rows(self._draft(LANGUAGES), language_rows(self._folder, hosts))
        return Step(name="languages", rows={LANGUAGES: rows})

    def _draft(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _run(
        self,
        what: str,
        of: Iterable[Part],
        wants: set[str],
        *,
        numbers: dict[str, float] | None = None,
        firsts: dict[int, int] | None = None,
        hosts: dict[int, tuple[str, ...]] | None = None,
    ) -> list[Answer]:
        """Have workers do something with each part; their answers in the order of the parts."""
        tasks = (
            Task(
                what=what,
                folder=str(self._folder),
                part=part,
                wants=tuple(sorted(wants)),
                numbers=(numbers or {}) | ({"first": firsts[part.number]} if firsts else {}),
                hosts=hosts[part.number] if hosts else (),
            )
            for part in of
        )
        return sorted(self._workers.run(tasks), key=lambda answer: answer.part)


def _again(number: int) -> Part:
    """A part of which all that counts has been read."""
    return Part(number=number, path="")
