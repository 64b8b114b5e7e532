"""Which files of records does a configuration ask for, and what does each hold?

Every crawl has `PAGES` and `OUTCOMES`; a rule that has fields brings two of its own name, a function of the user's
one. All are known before the crawl begins: the store keeps a position for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS

if TYPE_CHECKING:
    from crawler.config import CrawlConfig

FILES: Final = "files"  #: bodies that were kept
WARC: Final = "warc"  #: the archive, which is no file of lines
CHANGES: Final = "changes"  #: what became of each URL since the generation before; written once, at the end
REJECTS: Final = ".rejects"  #: follows a rule's name

FOLDERS: Final = (FILES, WARC)
"""Sinks that make a folder of their own name, of many files."""

BUILT_IN: Final = (PAGES, OUTCOMES, LINKS, SITEMAPS, CHANGES)
"""The sinks of lines that a crawl may have whatever its rules."""


def rejects_of(rule: str) -> str:
    """The sink of what a rule rejects."""
    return f"{rule}{REJECTS}"


def hook_sink(function: str) -> str:
    """The sink of what ``extract.python`` yields: the function's own name."""
    return function.rpartition(":")[2]


def scraped_sinks(config: CrawlConfig) -> tuple[str, ...]:
    """The sinks of scraped records, in the order of the configuration."""
    names: list[str] = []
    for rule in config.extract.rules:
        names += [rule.name] * bool(rule.fields)  # others only lead on, but what cannot be read is told of
        names.append(rejects_of(rule.name))
    if config.extract.python is not None:
        names.append(hook_sink(config.extract.python))
    return tuple(dict.fromkeys(names))


def own_sinks(config: CrawlConfig) -> tuple[str, ...]:
    """The sinks a crawl has besides `BUILT_IN`."""
    export = config.export
    return (*scraped_sinks(config), *[FILES] * bool(export.files), *[WARC] * export.warc)


def line_sinks(config: CrawlConfig) -> tuple[str, ...]:
    """All sinks whose files hold lines, in the order in which a checkpoint writes them.

    What is scraped of a page comes before the page's own line: so wherever that stands, the others do.
    """
    export = config.export
    return (*scraped_sinks(config), OUTCOMES, PAGES, *[LINKS] * export.links, *[SITEMAPS] * export.sitemaps)


def is_late(name: str) -> bool:
    """Whether the sink's file is made when there is a first line for it, and not before."""
    return name.endswith(REJECTS)
