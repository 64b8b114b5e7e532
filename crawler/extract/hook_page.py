"""What does a user's own function see of a page, and how does it name a link? The two words it needs of us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.models import NORMAL_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from crawler.extract.parsed import Kind, Parsed

_PRIORITIES = range(64)


class Follow:
    """A link to take next; it passes scope and robots.txt as every link does.

    Args:
        url: Absolute, or relative to the page's base URL.
        priority: 0 first, 63 last.
        carry: Values to hand to the page it leads to, which has them as `ParsedPage.carried`.
    """

    __slots__ = ("carry", "priority", "url")

    def __init__(self, url: str, priority: int = NORMAL_PRIORITY, carry: Mapping[str, Any] | None = None) -> None:
        if not isinstance(url, str):
            raise TypeError(f"Follow: url is {url!r}; expected a text")
        if not isinstance(priority, int) or priority not in _PRIORITIES:
            raise ValueError(f"Follow: priority is {priority!r}; expected 0 (first) to 63 (last)")
        self.url = url
        self.priority = priority
        self.carry = dict(carry or {})

    def __repr__(self) -> str:
        return f"Follow({self.url!r}, {self.priority})"


class ParsedPage:
    """One response of status 2xx, parsed.

    Attributes:
        url: Canonical, of the request.
        base_url: What relative URLs in it start from.
        status: HTTP status.
        fetched_at: RFC 3339, UTC.
        kind: ``html``, ``json`` or ``xml``.
        text: The body, decoded.
        tree: Of HTML, as selectolax parses it (`selectolax.lexbor.LexborHTMLParser`); None for the others.
        value: Of JSON, as Python has it; of XML, as nested dicts; None for HTML.
        carried: What the page that led here handed over, by name.
    """

    __slots__ = ("_parsed", "base_url", "carried", "fetched_at", "kind", "status", "text", "tree", "url", "value")

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.url: str = parsed.url
        self.base_url: str = parsed.base_url
        self.status = parsed.status
        self.fetched_at = parsed.fetched_at
        self.kind: Kind = parsed.kind
        self.text = parsed.text
        self.tree: LexborHTMLParser | None = parsed.tree
        self.value: Any = parsed.value
        self.carried: Mapping[str, Any] = parsed.carried

    def css(self, selector: str) -> list[LexborNode]:
        """The elements that match, in document order; none where it is not HTML."""
        return [] if self.tree is None else self.tree.css(selector)

    def first(self, selector: str) -> str | None:
        """The text of the first element that matches, white space collapsed; None if there is none."""
        node = None if self.tree is None else self.tree.css_first(selector)
        return None if node is None else " ".join(node.text().split())

    def header(self, name: str) -> str | None:
        """The first response header called so, whatever its letter case; None if there is none."""
        wanted = name.lower().encode("latin-1", "replace")
        for key, value in self._parsed.headers:
            if key.lower() == wanted:
                return value.decode("latin-1")
        return None

    def __repr__(self) -> str:
        return f"<{self.kind} page {self.url}>"
