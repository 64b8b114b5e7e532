"""What has `crawler mine` found in a crawl? The first lines of its files, and its counts."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

import msgspec

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError
from crawler.mining.files import (
    HOST_KEYWORDS,
    HOST_RANKS,
    LANGUAGES,
    MINE,
    NEAR,
    RANKS,
    HostKeywords,
    HostRank,
    Language,
    NearDuplicate,
    Rank,
)
from crawler.mining.places import read_mined
from crawler.report.facts_mined import Cluster, MinedFacts
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_PAGES, MAX_HOSTS, MAX_CLUSTERS, MAX_EXAMPLES, MAX_LANGUAGES = 50, 50, 30, 5, 100

T = TypeVar("T", bound=msgspec.Struct)


def mined_of(directory: Path, pages: int, remarks: list[str]) -> MinedFacts:
    """What was found in the crawl in `directory`, which has so many pages now; empty where nobody has mined it."""
    mined = read_mined(directory)
    if mined is None:
        return MinedFacts()
    rows = {name: count for step in mined.steps for name, count in step.rows.items()}
    near = next((step.counts for step in mined.steps if step.name == "near"), {})
    old = sorted({step.pages for step in mined.steps} - {pages})
    if old:
        remarks.append(
            f"Some of what {MINE} tells of was made of {counted(old[0], 'page')}, and there are {pages:,} now: "
            "crawler mine brings it up to date."
        )
    try:
        return MinedFacts(
            made_at=datetime.fromisoformat(mined.made_at).timestamp(),
            pages=mined.pages,
            clusters=tuple(islice(_clusters(directory, rows), MAX_CLUSTERS)),
            n_clusters=near.get("clusters", 0),
            n_alike=near.get("pages", 0),
            ranks=_first(directory, rows, RANKS, Rank, MAX_PAGES),
            n_ranks=rows.get(RANKS, 0),
            host_ranks=_first(directory, rows, HOST_RANKS, HostRank, MAX_HOSTS),
            n_host_ranks=rows.get(HOST_RANKS, 0),
            host_keywords=_first(directory, rows, HOST_KEYWORDS, HostKeywords, MAX_HOSTS),
            n_host_keywords=rows.get(HOST_KEYWORDS, 0),
            languages=_first(directory, rows, LANGUAGES, Language, MAX_LANGUAGES),
            n_languages=rows.get(LANGUAGES, 0),
        )
    except (CrawlerError, msgspec.DecodeError, ValueError) as error:
        remarks.append(f"What crawler mine has found is left out: {error}")
        return MinedFacts()


def _clusters(directory: Path, rows: dict[str, int]) -> Iterator[Cluster]:
    for _, pages in groupby(_lines(directory, rows, NEAR, NearDuplicate), attrgetter("cluster")):
        shown = list(islice(pages, MAX_EXAMPLES))
        yield Cluster(
            pages=shown[0].size,
            exact=sum(page.exact for page in shown),
            urls=tuple(page.url for page in shown),
        )


def _first(directory: Path, rows: dict[str, int], name: str, kind: type[T], most: int) -> tuple[T, ...]:
    return tuple(islice(_lines(directory, rows, name, kind), most))


def _lines(directory: Path, rows: dict[str, int], name: str, kind: type[T]) -> Iterator[T]:
    """The lines of a file that mining wrote; none if it did not."""
    path = directory / f"{name}.jsonl"
    if name in rows and path.exists():
        decoder = msgspec.json.Decoder(kind)
        yield from map(decoder.decode, Lines(path))
