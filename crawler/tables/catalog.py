"""Which tables does a crawl make? One of each file of records in its directory, whoever wrote it, and those of its
store.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.config.file import load, loads
from crawler.config.scraping import RESERVED
from crawler.dataset.ledger import EmptyStoreError, KnownUrls
from crawler.dataset.lines import Lines
from crawler.directory import SPELLINGS, CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.models import PAGES
from crawler.resume import CONFIG, OUTPUT
from crawler.sinks import hook_sink
from crawler.tables.columns import PUBLISHED, kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from crawler.config import CrawlConfig
    from crawler.tables.columns import Kind

_FIRST: Final = (*PUBLISHED,)


class Table(NamedTuple):
    """A file of records."""

    name: str
    path: Path
    #: field -> what it is, as far as that is known; None for what only the values tell
    kinds: Mapping[str, Kind | None]
    #: whether records have these fields and no others
    is_closed: bool
    #: whether nobody adds to the file any more
    is_finished: bool

    #: what is made of the lines of the file; None for the records they are
    made: Callable[[Iterable[bytes], Path], Iterator[bytes]] | None = None

    def lines(self) -> Iterator[bytes]:
        """Its records. Errors as of `Lines`."""
        lines = Lines(self.path)
        return iter(lines) if self.made is None else self.made(lines, self.path)

    @property
    def is_readable(self) -> bool:
        """Whether it can be read as it is by others: all of it is lines, plain, and stays so."""
        if not (self.is_finished and self.is_closed and self.path.suffix not in SPELLINGS):
            return False
        with self.path.open("rb") as file:
            if not file.seek(0, 2):
                return True
            file.seek(-1, 2)
            return file.read(1) == b"\n"


def stored_config(directory: Path) -> CrawlConfig | None:
    """The configuration of a crawl; None if that cannot be had, which then says nothing of its records."""
    crawl = CrawlDirectory(directory)
    try:
        if crawl.config.exists() and crawl.config.stat().st_size:
            return load(crawl.config).config
        if crawl.store.exists():
            with KnownUrls(crawl.store) as known:
                text = known.blob(CONFIG).decode()
            return loads(text, f"the configuration in {crawl.store}").config if text else None
    except EmptyStoreError:
        return None
    except FrontierError:
        return None
    return None


def pages_elsewhere(directory: Path) -> Path | None:
    """Where `crawl -o FILE` put page records, if the store knows of it."""
    store = CrawlDirectory(directory).store
    with suppress(FrontierError):
        if store.exists():
            with KnownUrls(store) as known:
                found = known.blob(OUTPUT)
            return Path(os.fsdecode(found)) if found else None
    return None


def tables_in(directory: Path, config: CrawlConfig | None = None, pages: Path | None = None) -> dict[str, Table]:
    """The files of records of a crawl, by name: those all crawls have first.

    Args:
        directory: Of the crawl.
        config: Its configuration, if that is known.
        pages: Its page records, where they are not in the directory and no store says where.

    Raises:
        ConfigError: There are none: it is no crawl's; or `pages` is no file.
        CrawlerError: One is there twice, as it was written and unpacked.
    """
    crawl = CrawlDirectory(directory)
    rules = config.extract.rules if config else ()
    open_ended = config is None or config.extract.python is not None
    function = hook_sink(config.extract.python) if config and config.extract.python else None
    found: dict[str, Path] = {}
    for spelling in SPELLINGS:
        for path in directory.glob(f"*.jsonl{spelling}"):
            name = path.name.removesuffix(f".jsonl{spelling}")
            if name in found:
                raise CrawlerError(f"{found[name]} and {path.name} are both there, expected one of them")
            found[name] = path
    if pages is not None and not pages.is_file():
        raise ConfigError(f"--pages {pages}: there is no such file")
    if pages is None and (elsewhere := pages_elsewhere(directory)) and elsewhere.is_file():
        pages = elsewhere
    if pages is not None:
        found[PAGES] = pages
    if not found:
        raise ConfigError(f"{directory}: has no files of records (*.jsonl); expected a crawl's directory")
    is_finished = crawl.state() is State.FINISHED
    order = sorted(found, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    tables = {}
    for name in order:
        kinds = {} if name == function else kinds_of(name, rules)
        is_known = bool(kinds) and None not in kinds.values()
        is_closed = is_known and not name.endswith(".rejects") and (name in RESERVED or not open_ended)
        tables[name] = Table(name, found[name], kinds, is_closed, is_finished)
    return tables


def refuse_own(directory: Path, tables: Mapping[str, Table], path: Path) -> None:
    """Do not write over a file of the crawl.

    Raises:
        ConfigError: `path` is one.
    """
    own = CrawlDirectory(directory)
    own.know(tables)
    if own.owns(path) or path.resolve() in {table.path.resolve() for table in tables.values()}:
        raise ConfigError(f"--to {path}: is a file of the crawl itself; name another")
