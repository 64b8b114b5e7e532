"""Can a finished crawl be crawled again, as which generation, where, and by which configuration?

What is taken over into that, once it is open, is `refresh.opening`'s.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, FrontierError
from crawler.generations import Family, Generation, is_free, refuse_numbered, told_by
from crawler.refresh.base import Base
from crawler.refresh.index import forget
from crawler.reopen import load_stored
from crawler.resume import CONFIG, OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.config.file import Loaded, Override


def next_generation(path: Path, *, due: bool = False) -> tuple[Generation, Path]:
    """The generation that a refresh of the crawl in a directory makes or goes on with, and where.

    What was cut short while another was put in force is finished first.

    Raises:
        ConfigError: There is no crawl that can be refreshed, or something is in the way; says what helps.
        CrawlerError: Its store cannot be read, or another process is crawling there.
    """
    refuse_numbered(path)
    family = Family(path)
    half = family.half_published()
    if half is not None:
        with CrawlDirectory(half).lock():
            family.mend()
    _check_base(CrawlDirectory(family.path))
    number = family.number() + 1
    made, old = family[number], family[number - 1]
    if old.exists():
        raise ConfigError(
            f"{old}: is in the way: {family.path} is generation {number - 1}, and would be called so; move it elsewhere"
        )
    if not is_free(made, number):
        raise ConfigError(f"{made}: is in the way: it is not the next generation of {family.path}; move it elsewhere")
    try:
        told = told_by(made)
    except FrontierError:
        told = None  # damaged, for --repair to mend
    if told is not None and due and not told.due:
        raise ConfigError(f"{made}: was begun without --due, and goes on so; remove it to begin with --due")
    return Generation(number=number, base=family.path, due=told.due if told else due), made


def stored_of(generation: Generation, made: Path, overrides: Sequence[Override] = ()) -> Loaded:
    """The configuration a generation goes on with, or begins with: that of the one before.

    Raises:
        ConfigError: It, or an override, cannot be used.
        CrawlerError: It cannot be read.
    """
    loaded = load_stored(CrawlDirectory(made), overrides) or load_stored(CrawlDirectory(generation.base), overrides)
    if loaded is None:
        raise ConfigError(f"{generation.base}: says nothing of how its crawl was begun: --fresh crawls anew")
    return loaded


def _check_base(base: CrawlDirectory) -> None:
    """Refuse to refresh what is not finished, or was not kept."""
    match base.state():
        case State.UNUSED:
            raise ConfigError(f"{base.path}: holds no crawl to refresh: crawl it first, without --refresh")
        case State.UNFINISHED:
            raise ConfigError(
                f"{base.path}: holds an unfinished crawl: --resume goes on with it; --refresh crawls again what is "
                "finished"
            )
        case State.FINISHED:
            pass
    if not base.store.exists():
        raise ConfigError(
            f"{base.path}: has no crawl.db, as its URLs were kept in memory (frontier: memory): there is nothing to "
            "refresh it by; --fresh with --set frontier=sqlite crawls it anew"
        )
    try:
        with Base.plain(base.store) as store:
            begun, output = store.blob(CONFIG), store.blob(OUTPUT)
    except FrontierError as error:
        if "has format" in str(error):
            raise ConfigError(f"{error}; --fresh crawls anew and moves it aside") from error
        raise
    if not begun:
        raise ConfigError(f"{base.store}: says nothing of how its crawl was begun: --fresh crawls anew")
    if output:
        where = output.decode(errors="backslashreplace")
        raise ConfigError(
            f"{base.path}: its page records were written to {where} (-o), and a refresh needs them in the directory"
        )


@contextmanager
def base_held(generation: Generation) -> Iterator[None]:
    """Keep everybody else from the generation in force until the next one is.

    Raises:
        CrawlerError: Another process is crawling there, or has put another in force meanwhile.
    """
    base = CrawlDirectory(generation.base)
    with base.lock():
        family = Family(base.path)
        if base.state() is not State.FINISHED or family.number() + 1 != generation.number:
            raise CrawlerError(f"{base.path}: another process has changed what lies there; run it again")
        family.mend()  # what an earlier refresh was about to remove
        forget(base.path)
        yield
