"""Which links does a rule take from a page, with what priority, and what does it hand over? Which does it skip?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import jmespath
import msgspec
from selectolax.lexbor import LexborNode

from crawler.config.patterns import pattern_set
from crawler.config.scraping import as_follow, as_skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config.scraping import FollowConfig, SkipConfig
    from crawler.extract.rule_page import RulePage

MAX_CONTEXT_BYTES: Final = 16 * 1024
"""Of what one link carries, as JSON."""
MAX_LINKS: Final = 100_000
"""That the rules take from one page."""

_HYPERLINKS: Final = "a[href], area[href]"
_CSS_SPECIAL: Final = re.compile(r"([^\w-])")


class Followed(msgspec.Struct, frozen=True):
    """A link that a rule takes from a page."""

    rule: str
    #: as written on the page
    href: str
    priority: int
    #: JSON of what is carried; empty if nothing is; None if it is too large, so that the link is not followed
    context: bytes | None


class Follow:
    """One entry of ``follow``: looked for in each item if it carries something, else on the whole page.

    Args:
        rule: Whose it is.
        given: As written.
        are_values: Whether the items are values of JSON in HTML, so that JMESPath looks at each of them.

    Raises:
        ConfigError: Its patterns are too large for RE2.
    """

    def __init__(self, rule: str, given: str | FollowConfig, *, are_values: bool = False) -> None:
        config = as_follow(given)
        self._rule = rule
        self._finder = _Finder(config.css, config.attr)
        self._json = jmespath.compile(config.json) if config.json is not None else None
        self._urls = pattern_set(config.url) if config.url else None
        self.priority = config.priority
        self._carry = config.carry
        #: whether it is looked for in items
        self.is_of_items = bool(config.carry) or (are_values and config.json is not None)
        #: its css, json or url, as written
        self.expression = config.css or config.json or ", ".join(config.url) or "all links"

    def links(self, item: Any, values: dict[str, Any], page: RulePage) -> list[Followed]:  # noqa: ANN401
        """Those of one item, which has `values`, in the order of the page."""
        is_element = isinstance(item, LexborNode) and self._json is None
        hrefs = self._finder.hrefs(item, page) if is_element else self._texts(item, page)
        if self._urls is not None:
            hrefs = [href for href in hrefs if (url := page.resolve(href)) is not None and self._urls.Match(url)]
        if page.trace is not None:
            page.trace.note_links(self, hrefs)
        if not hrefs:
            return []
        context = self._context(values)
        return [Followed(self._rule, href, self.priority, context) for href in hrefs]

    def _texts(self, item: Any, page: RulePage) -> list[str]:  # noqa: ANN401
        if self._json is None or isinstance(item, LexborNode):
            return []
        try:
            found = self._json.search(item)
        except Exception:  # noqa: BLE001 - what functions make of wrong types is no link
            return []
        values = found if isinstance(found, list) else [found]
        flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
        return page.listed([value for value in flat if isinstance(value, str) and value])

    def _context(self, values: dict[str, Any]) -> bytes | None:
        carried = {name: value for name in self._carry if (value := values.get(name)) is not None}
        if not carried:
            return b""
        try:
            encoded = msgspec.json.encode(carried)
        except (UnicodeEncodeError, RecursionError, TypeError, ValueError):
            return None
        return encoded if len(encoded) <= MAX_CONTEXT_BYTES else None


class Skip:
    """All entries of ``skip`` of a rule.

    Raises:
        ConfigError: Its patterns are too large for RE2.
    """

    def __init__(self, rule: str, given: Sequence[str | SkipConfig]) -> None:
        entries = [as_skip(entry) for entry in given]
        patterns = [entry.url for entry in entries if entry.css is None]
        self.rule = rule
        self._all = pattern_set([pattern for several in patterns for pattern in several]) if any(patterns) else None
        self._some = [
            (_Finder(entry.css, "href"), pattern_set(entry.url) if entry.url else None)
            for entry in entries
            if entry.css is not None
        ]

    def on(self, page: RulePage) -> Skipped:
        """What it keeps out on one page."""
        urls = set()
        for finder, patterns in self._some:
            for href in finder.hrefs(page.root, page) if isinstance(page.root, LexborNode) else ():
                url = page.resolve(href)
                if url is not None and (patterns is None or patterns.Match(url)):
                    urls.add(url)
        return Skipped(self.rule, self._all, frozenset(urls))


class Skipped:
    """The URLs that a rule keeps out on one page."""

    __slots__ = ("_patterns", "_urls", "rule")

    def __init__(self, rule: str, patterns: Any, urls: frozenset[str]) -> None:  # noqa: ANN401 - re2 has no types
        self.rule = rule
        self._patterns = patterns
        self._urls = urls

    def __contains__(self, url: str) -> bool:
        return url in self._urls or (self._patterns is not None and bool(self._patterns.Match(url)))


class _Finder:
    """Finds URLs in an attribute of elements, or of what is in them."""

    def __init__(self, css: str | None, attr: str) -> None:
        self._css = css
        self._attr = attr.lower()
        escaped = _CSS_SPECIAL.sub(r"\\\1", self._attr)
        self._within = _HYPERLINKS if self._attr == "href" else f"[{escaped}]"

    def hrefs(self, item: LexborNode, page: RulePage) -> list[str]:
        """As written, each once."""
        attr = self._attr
        if self._css is None:
            nodes = page.select(item, self._within)
        else:
            nodes = [item] if not self._css else page.select(item, self._css)
        found: dict[str, None] = {}
        for node in nodes:
            if attr in node.attributes:
                found[node.attributes[attr] or ""] = None
                continue
            for below in page.select(node, self._within):
                found[below.attributes[attr] or ""] = None
        return [href for href in found if href][:MAX_LINKS]
