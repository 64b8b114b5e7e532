"""What lies in a crawl's directory, and does somebody crawl in it just now?

Opened here, once: the configuration, the store, summary.json, and up to where each file counts. What is missing or
damaged of these becomes a remark, and the rest is told without.
"""

from __future__ import annotations

import fcntl
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawler.config import CrawlConfig
from crawler.config.file import loads
from crawler.dataset.ledger import EmptyStoreError
from crawler.dataset.totals import totals
from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.generations import GENERATION, told_in
from crawler.models import PAGES
from crawler.report.collect_hosts import MAX_HOSTS
from crawler.report.source import Sources
from crawler.resume import CONFIG, OUTPUT
from crawler.rule_health import RULES
from crawler.traps.stored import TRAPS

if TYPE_CHECKING:
    from crawler.account import Summary
    from crawler.dataset.totals import Totals

FINISHED, UNFINISHED, RUNNING = "finished", "unfinished", "running"


class Lying(NamedTuple):
    """What lies in a crawl's directory."""

    directory: CrawlDirectory
    state: str  #: `FINISHED`, `UNFINISHED` or `RUNNING`
    config: CrawlConfig
    text: str  #: of the configuration, YAML
    stored: Totals | None  #: None if there is no store that can be read
    summary: Summary | None
    sources: Sources

    @property
    def generation(self) -> int:
        """Of which generation it is; 1 for a first crawl."""
        if self.stored is not None:
            told = told_in(self.stored.blobs.get(GENERATION, b""))
            return told.number if told else 1
        return self.summary.generation if self.summary else 1


def look(path: Path, pages: Path | None = None, config: CrawlConfig | None = None) -> Lying:
    """See what lies in a directory.

    Args:
        path: The directory.
        pages: Where its page records are, if that is known and elsewhere.
        config: What its crawl.yaml says, if that is known: reading it takes longer than all else of a small crawl.

    Raises:
        ConfigError: No crawl lies there.
    """
    directory = CrawlDirectory(path)
    state = directory.state()
    if state is State.UNUSED:
        raise ConfigError(f"{path}: holds no crawl: there is neither a crawl.db nor an outcomes.jsonl in it")
    remarks: list[str] = []
    # asked first: a crawl that ends meanwhile is told as it was while it ran
    running = state is State.UNFINISHED and is_running(directory)
    summary = None if running else _summary(directory, remarks)
    stored = _stored(directory, remarks)
    text, config = _config(directory, stored, config, remarks)
    if stored is None and config.frontier == "memory":
        remarks.append(
            "The crawl was kept in memory (frontier: memory): pauses of hosts, what their robots.txt says and what was "
            "left to fetch are not known any more."
        )
    if pages is None and stored is not None and (elsewhere := stored.blobs.get(OUTPUT)):
        pages = Path(elsewhere.decode(errors="surrogateescape"))
    sources = Sources(directory, stored.positions if stored else None, pages)
    sources.remarks += remarks
    if stored is None and pages is None and summary and summary.pages and sources.path(PAGES) is None:
        sources.remarks.append(
            f"Page records went elsewhere (-o FILE), and {summary.pages:,} of them are missing here: --pages FILE"
        )
    told = FINISHED if summary is not None else RUNNING if running else UNFINISHED
    return Lying(directory, told, config, text, stored, summary, sources)


def is_running(directory: CrawlDirectory) -> bool:
    """Whether a process holds the directory, this one included. Takes no lock: a crawl may begin just then."""
    if directory.is_ours:
        return True
    # fcntl(2): struct flock of Linux, and of macOS and the BSDs
    is_linux = sys.platform.startswith("linux")
    layout = "hhqqi" if is_linux else "qqihh"
    asked = (fcntl.F_WRLCK, 0, 0, 0, 0) if is_linux else (0, 0, 0, fcntl.F_WRLCK, 0)
    try:
        with directory.lock_file.open("rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(layout, *asked) + bytes(8))
    except OSError:
        return False  # nobody has ever held it, or nobody can be asked
    kind: int = struct.unpack(layout, answer[: struct.calcsize(layout)])[0 if is_linux else 3]
    return kind != fcntl.F_UNLCK


def _summary(directory: CrawlDirectory, remarks: list[str]) -> Summary | None:
    try:
        return directory.read_summary()
    except CrawlerError as error:
        remarks.append(str(error))
        return None


def _stored(directory: CrawlDirectory, remarks: list[str]) -> Totals | None:
    if not directory.store.exists():
        return None
    try:
        return totals(directory.store, blobs=(CONFIG, GENERATION, OUTPUT, RULES, TRAPS), hosts=MAX_HOSTS)
    except EmptyStoreError:
        return None
    except FrontierError as error:
        remarks.append(f"{error}. This page is made from the other files alone.")
        return None


def _config(
    directory: CrawlDirectory, stored: Totals | None, known: CrawlConfig | None, remarks: list[str]
) -> tuple[str, CrawlConfig]:
    """The configuration as it is written, and what it says."""
    try:
        text = directory.config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    name = str(directory.config)
    if not text and stored is not None:
        text, name = stored.blobs.get(CONFIG, b"").decode(errors="replace"), f"the configuration in {directory.store}"
    if not text:
        remarks.append(f"{directory.config}: is not there, so what was asked for is not known.")
        return "", known or CrawlConfig()
    if known is not None:
        return text, known
    try:
        return text, loads(text, name).config
    except ConfigError as error:
        remarks.append(f"{error}. What follows from it, such as pauses, is told as if it were empty.")
        return text, CrawlConfig()
