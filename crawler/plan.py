"""What is to be crawled, and where do its files go?"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.config.file import as_written
from crawler.config.fleet import is_shared
from crawler.config.function import located
from crawler.config.secrets import revealed
from crawler.directory import State
from crawler.errors import ConfigError
from crawler.fetch.cookies_txt import read_cookies
from crawler.seedlist import Item
from crawler.seeds import read_seeds
from crawler.sinks import own_sinks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from crawler.checkpoint import Committed, Keeper
    from crawler.config import CrawlConfig, FetchConfig
    from crawler.dataset.where import Where
    from crawler.directory import CrawlDirectory
    from crawler.fetch.base import Fetcher
    from crawler.fleet.enrolment import Enrolment
    from crawler.generations import Generation
    from crawler.given import GivenSink
    from crawler.seeds import Seed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be crawled, and where its files go."""

    config: CrawlConfig
    directory: CrawlDirectory
    #: items of the SEED grammar; `config.seeds` if empty
    seeds: tuple[str, ...] = ()
    #: whether `config` is the crawl's own, as it was stored: its seeds are not asked for now, then
    is_stored: bool = False
    #: what relative seed files of the configuration are relative to
    folder: Path | None = None
    #: what the seed ``-`` reads
    stdin: BinaryIO | None = None
    #: where page records go instead of DIR/pages.jsonl
    pages: Path | None = None
    #: go on with a crawl that lies in the directory; begin one if none does
    resume: bool = False
    #: which of the URLs that failed are tried again; None for none
    retry: Where | None = None
    #: what was typed to have it done, without secrets; empty where a program asks for it
    command: tuple[str, ...] = ()
    #: make a crawl whole whose files are damaged, before it goes on
    repair: bool = False
    #: which generation of an earlier crawl it is; None for a crawl of its own
    generation: Generation | None = None
    #: called with each commit; being slow in it slows the crawl
    committed: Callable[[Committed], Awaitable[None]] | None = None
    #: the user's own, written besides those of the configuration
    sinks: Sequence[GivenSink] = ()
    #: makes the user's own fetcher, in the loop of the crawl; None for HTTP
    fetcher: Callable[[], Fetcher] | None = None
    #: of one worker of several: its place among them; None for a crawl of its own
    enrolment: Enrolment | None = None
    #: whose states checkpoints store besides, by name
    keepers: Mapping[str, Keeper] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory.know(own_sinks(self.config))

    def check(self) -> None:
        """Refuse, before anything is written or moved, to repair or to try again what is not there, and to crawl
        without the secrets, the cookies and the function of the configuration.

        Raises:
            ConfigError: No crawl lies in the directory; a secret or a file is missing; the function cannot be loaded.
        """
        fetch = self.fetch()
        revealed(fetch, os.environ)
        for host in fetch.hosts.values():
            if host.cookies:
                read_cookies(Path(host.cookies))
        if (self.repair or self.retry is not None) and self.directory.state() is State.UNUSED:
            what = "repair" if self.repair else "try again"
            raise ConfigError(f"{self.directory.path}: holds no crawl, so there is nothing to {what}")
        if function := self.effective_config().extract.python:
            from crawler.parse.trial import try_function  # noqa: PLC0415 - only a function pays for what it may use

            try_function(function)

    def has_seeds(self) -> bool:
        """Whether there is anything to begin or to go on with."""
        if self.generation is not None:
            return True
        if is_shared(self.config.frontier):
            return True  # another worker may have given them: Redis knows
        return bool(self.items()) or (self.resume and self.directory.state() is not State.UNUSED)

    def items(self) -> tuple[str, ...]:
        """The seed items as they will be read, relative files of the configuration found in its folder."""
        if self.seeds or self.folder is None:
            return self.seeds or self.config.seeds
        folder = self.folder
        return tuple(str(folder / item) if (folder / item).is_file() else item for item in self.config.seeds)

    def read_seeds(self) -> Iterator[Seed]:
        """The seed list, streamed.

        Raises:
            ConfigError: At once for an item that cannot be meant; while iterating for a file that cannot be read.
        """
        return read_seeds(self.items(), rules=self.config.urls, stdin=self.stdin)

    def read_item(self, number: int, item: str) -> Iterator[Seed]:
        """The seeds of one item, streamed. Errors as `read_seeds`."""
        return read_seeds([item], rules=self.config.urls, stdin=self.stdin, first=number)

    def seed_items(self, earlier: Sequence[str] = ()) -> list[Item]:
        """The items, after the names of those that `earlier` runs were given."""
        items = {name: Item(name, name, is_given=False) for name in earlier}
        for item in self.items():
            name = _name(item)
            if str(Path(item).absolute()) in items:  # a file that is gone
                name = str(Path(item).absolute())
            items[name] = Item(item, name, is_given=bool(self.seeds) or not self.is_stored)
        return list(items.values())

    def fetch(self) -> FetchConfig:
        """How requests are made, cookies.txt files of the configuration found in its folder."""
        folder = (self.folder or Path()).absolute()
        hosts = {
            pattern: msgspec.structs.replace(host, cookies=host.cookies and str(folder / host.cookies))
            for pattern, host in self.config.fetch.hosts.items()
        }
        return msgspec.structs.replace(self.config.fetch, hosts=hosts)

    def effective_config(self, earlier: Sequence[str] = ()) -> CrawlConfig:
        """The configuration in force, with the names of all seed items and files as they are called everywhere."""
        seeds = tuple(item.name for item in self.seed_items(earlier))
        extract = located(self.config.extract, self.folder)
        return msgspec.structs.replace(self.config, seeds=seeds, fetch=self.fetch(), extract=extract)

    def written_config(self) -> CrawlConfig | None:
        """What crawl.yaml says once the crawl has begun; None where that is to be read, as earlier runs gave seeds."""
        return None if self.resume else as_written(self.effective_config())


def _name(item: str) -> str:
    """What a seed item is called where it must mean the same everywhere: bytes that are no text are escaped."""
    with suppress(OSError, ValueError):
        item = str(Path(item).absolute()) if Path(item).exists() else item
    return item.encode(errors="surrogateescape").decode(errors="backslashreplace")
