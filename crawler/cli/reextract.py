"""Which configuration does `crawler reparse` extract with? The crawl's own, with what is asked for of extraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.config.file import load, loads
from crawler.config.rule_files import is_rule_file
from crawler.config.tree import read_tree
from crawler.parse.trial import try_function
from crawler.reopen import load_stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.config.file import Loaded
    from crawler.directory import CrawlDirectory


def configuration(crawl: CrawlDirectory | None, path: Path | None, overrides: Sequence[str]) -> CrawlConfig:
    """What to extract with.

    Args:
        crawl: Whose archive is read; None if it is nobody's that is known.
        path: A configuration, of which extract, export and parse count, or a file of rules, of which these do.
        overrides: Laid over it, or over the crawl's own where it is rules or None.

    Raises:
        ConfigError: It cannot be used.
    """
    asked = None if path is None else load(path, or_rules=True)
    is_rules = asked is not None and _is_rules(asked)
    if path is not None and not is_rules:
        asked = load(path, overrides)
    stored = load_stored(crawl, overrides if asked is None or is_rules else ()) if crawl else None
    base = stored.config if stored else loads("", "defaults", overrides).config
    if asked is not None and path is not None:
        base = _laid_over(base, asked.config, path, is_rules=is_rules, is_known=stored is not None)
    if base.extract.python is not None:
        try_function(base.extract.python)
    return base


def _laid_over(base: CrawlConfig, asked: CrawlConfig, path: Path, *, is_rules: bool, is_known: bool) -> CrawlConfig:
    extract = asked.extract
    if is_rules:
        return replace(base, extract=replace(base.extract, rules=extract.rules))
    if extract.python is not None:
        extract = replace(extract, python=str(path.parent.absolute() / extract.python))
    if not is_known:
        return replace(asked, extract=extract)
    return replace(base, extract=extract, export=asked.export, parse=asked.parse)


def _is_rules(loaded: Loaded) -> bool:
    tree = read_tree(loaded.text, "", [])
    return tree is not None and is_rule_file(tree)
