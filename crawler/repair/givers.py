"""Of which URLs can a rule have found something? Of those that its patterns match, as far as it has any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.patterns import pattern_set
from crawler.config.scraping import as_match
from crawler.sinks import REJECTS

if TYPE_CHECKING:
    from crawler.config import CrawlConfig


class Givers:
    """Which sinks a URL can have lines in.

    Args:
        config: Of the crawl.
    """

    def __init__(self, config: CrawlConfig) -> None:
        matches = {rule.name: as_match(rule.match).url for rule in config.extract.rules}
        self._patterns = {name: pattern_set(urls) for name, urls in matches.items() if urls}

    def __call__(self, sink: str, url: str) -> bool:
        """Whether `url` can have a line in the file of a sink."""
        patterns = self._patterns.get(sink.removesuffix(REJECTS))
        return patterns is None or bool(patterns.Match(url))
