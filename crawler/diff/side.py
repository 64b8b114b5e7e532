"""What lies in the directory of one of two crawls that are compared, as of its last checkpoint?

Files are read up to where the store says they are committed: a crawl that runs or was killed has more in them. Without
a store (``frontier: memory``) whole lines count. What cannot be read is an error: a comparison that leaves records out
would tell of changes that there are none of.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.config.file import loads
from crawler.dataset.endings import blob, endings, positions
from crawler.dataset.ledger import EmptyStoreError
from crawler.dataset.lines import Lines
from crawler.directory import State
from crawler.errors import ConfigError, CrawlerError
from crawler.export.packing import suffix
from crawler.models import PAGES
from crawler.resume import CONFIG, OUTPUT
from crawler.sinks import is_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig
    from crawler.dataset.endings import Ending
    from crawler.directory import CrawlDirectory


class Side:
    """One crawl of the two.

    Args:
        directory: Of a crawl that runs, was interrupted or killed, or has ended.

    Raises:
        ConfigError: No crawl lies there, or its crawl.yaml cannot be used.
        CrawlerError: Its store cannot be read.
    """

    def __init__(self, directory: CrawlDirectory) -> None:
        self.directory = directory
        self.path = directory.path
        if directory.state() is State.UNUSED:
            what = "holds no crawl" if self.path.is_dir() else "there is no such folder"
            raise ConfigError(f"{self.path}: {what}; expected the directory of one, with a crawl.db or outcomes.jsonl")
        self._positions = self._stored_positions()
        #: None if it is not known
        self.config = self._config()

    @property
    def has_store(self) -> bool:
        """Whether it is known how each URL ended."""
        return self._positions is not None

    def endings(self) -> Iterator[tuple[str, Ending]]:
        """How each of its URLs ended; nothing where no store says so."""
        return endings(self.directory.store) if self.has_store else iter(())

    def lines(self, sink: str) -> Iterator[bytes]:
        """The committed lines of a sink; nothing if it has no file and none is expected.

        Raises:
            CrawlerError: It is there twice, is not there, or shorter than it was.
        """
        for block in self.blocks(sink):
            yield from block[:-1].split(b"\n")

    def blocks(self, sink: str) -> Iterator[bytes]:
        """The same, many at a time, with their newlines."""
        path = self._file(sink)
        end = self._end(sink, path)
        if path is None:
            if end:
                raise CrawlerError(f"{self.directory.records(sink)}: is not there, and crawl.db says it holds records")
            return
        if end is not None and (size := path.stat().st_size) < end:
            raise CrawlerError(
                f"{path}: has {size:,} bytes, and crawl.db knows of {end:,}: some of it is lost; "
                f"crawler crawl -d {self.path} --repair mends that"
            )
        lines = Lines(path, end=end)
        yield from lines.blocks()
        if lines.left_over and self.has_store:  # without one it may be what a crawl was about to write
            raise CrawlerError(
                f"{path}: what follows byte {lines.position:,} is not whole, and crawl.db says it is committed: "
                "the file is damaged"
            )

    def has(self, sink: str) -> bool:
        """Whether it has a file of that name."""
        return self._file(sink) is not None

    def place(self, sink: str) -> str:
        """What the file of a sink is called in messages."""
        return str(self._file(sink) or self.directory.records(sink))

    def _file(self, sink: str) -> Path | None:
        if sink == PAGES and self._elsewhere is not None:
            return self._elsewhere
        there = self.directory.spellings(sink)
        if len(there) > 1:
            raise CrawlerError(f"{there[0]} and {there[1].name} are both there, expected one of them")
        return there[0] if there else None

    def _end(self, sink: str, path: Path | None) -> int | None:
        """Up to which byte the file counts; None: all of it."""
        if self._positions is None or is_late(sink):
            return None
        if path is not None and self.config is not None:
            written = path.name.endswith(f".jsonl{suffix(self.config.export.compress)}")
            if not written and path != self._elsewhere:  # packed or unpacked since: positions are of what it was
                return None
        return self._positions.get(sink, 0)

    def _stored_positions(self) -> dict[str, int] | None:
        self._elsewhere: Path | None = None
        if not self.directory.store.exists():
            return None
        try:
            output = blob(self.directory.store, OUTPUT)
            if output:
                self._elsewhere = Path(os.fsdecode(output))
            return positions(self.directory.store)
        except EmptyStoreError:
            return None

    def _config(self) -> CrawlConfig | None:
        try:
            text, name = self.directory.config.read_text(encoding="utf-8", errors="replace"), str(self.directory.config)
        except OSError:
            text = ""
        if not text and self.has_store:
            text = blob(self.directory.store, CONFIG).decode(errors="replace")
            name = f"the configuration in {self.directory.store}"
        return loads(text, name).config if text else None
