"""Which tables does a crawl make? One of each file of records in its directory, whoever wrote it, and those of its
store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.config.file import load, loads
from crawler.config.scraping import RESERVED
from crawler.dataset.ledger import EmptyStoreError, KnownUrls
from crawler.dataset.lines import Lines
from crawler.directory import SPELLINGS, CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.resume import CONFIG
from crawler.sinks import hook_sink
from crawler.tables.columns import PUBLISHED, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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

    def lines(self) -> Iterator[bytes]:
        """Its records. Errors as of `Lines`."""
        return iter(Lines(self.path))

    @property
    def is_readable(self) -> bool:
        """Whether it can be read as it is by others: all of it is lines, plain, and stays so."""
        if not (self.is_finished and self.is_closed and self.path.suffix == ".jsonl"):
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


def tables_in(directory: Path, config: CrawlConfig | None = None) -> dict[str, Table]:
    """The files of records in a directory, by name: those all crawls have first.

    Raises:
        ConfigError: There are none: it is no crawl's.
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
