"""Who else crawls, and can be gone on with? A row for each crawler of `benchmarks.promises`.

Each is a program beside this file that obeys robots.txt and keeps what its documentation has a crawl resumed from, if
that tells of any way. All take the URL to start from, a folder, and ``fast`` (8 requests at once, no pause) or
``polite`` (as its authors advise).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import UVLOOP, built_with_go, in_venv

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers import Command


@dataclass(frozen=True)
class Written:
    """What is in a crawler's output."""

    urls: list[str]  #: of whole records
    torn: int  #: lines or files that are no whole record


@dataclass(frozen=True)
class Kept:
    """A crawler to hold to its word."""

    name: str
    install: Callable[[], Command]  #: as for `Peer`
    command: Callable[
        [Command, str, Path, str, bool], Command
    ]  #: those words, start, folder, pace, whether it is resumed
    written: Callable[[Path], Written]
    resumed: str  #: how its documentation has a crawl resumed that has died
    polite: str  #: how it is made polite


def _alike(program: Command, start: str, folder: Path, pace: str, _: bool) -> Command:
    return [*program, start, folder, pace]


def _ours(program: Command, start: str, folder: Path, pace: str, resumed: bool) -> Command:
    where = ["-q", "-d", folder / "crawl"]
    if resumed:
        return [*program, "crawl", "--resume", *where]
    fast = ["--delay", "0", "--set", "limits.default.concurrency=8"] if pace == "fast" else []
    return [*program, "crawl", start, *fast, *where]


def _lines(name: str, folder: Path) -> Written:
    """JSON lines."""
    urls, torn = [], 0
    file = folder / name
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            urls.append(json.loads(line)["url"])
        except (ValueError, KeyError, TypeError):
            torn += 1
    return Written(urls, torn)


def _files(folder: Path) -> Written:
    """A JSON file a record, as Crawlee's data set is on disk."""
    urls, torn = [], 0
    for file in sorted((folder / "storage/datasets/default").glob("[0-9]*.json")):
        try:
            urls.append(json.loads(file.read_bytes())["url"])
        except (ValueError, KeyError, TypeError):
            torn += 1
    return Written(urls, torn)


CRAWLERS = (
    Kept(
        "crawler", lambda: [Path(sys.executable), "-m", "crawler"], _ours, partial(_lines, "crawl/pages.jsonl"),
        "`--resume`", "defaults",
    ),
    Kept(
        "Scrapy 2.19", in_venv("scrapy", "kept_scrapy.py", "scrapy==2.19.0", UVLOOP), _alike,
        partial(_lines, "pages.jsonl"), "`JOBDIR`, the same command again (documented for crawls that were stopped)",
        "as `startproject` has it (1 s, one at a time), with AutoThrottle",
    ),
    Kept(
        "Crawlee 1.11", in_venv("crawlee", "kept_crawlee.py", "crawlee==1.11.0", "selectolax==1.0.2", UVLOOP), _alike,
        _files, "storage in files, `purge_on_start=False`", "`respect_robots_txt_file`, ThrottlingRequestManager",
    ),
    Kept(
        "Scrapling 0.5", in_venv("scrapling", "kept_scrapling.py", "scrapling[fetchers]==0.5", UVLOOP), _alike,
        partial(_lines, "pages.jsonl"), "`crawldir`, a checkpoint a second (its default is five minutes)",
        "`robots_txt_obey`, 1 s, one at a time, AutoThrottle",
    ),
    Kept(
        "Colly 2.3", partial(built_with_go, "colly_kept", "colly-kept"), _alike, partial(_lines, "pages.jsonl"),
        "none: begun anew", "`IgnoreRobotsTxt = false`, 1 s, one at a time",
    ),
)  # fmt: skip
