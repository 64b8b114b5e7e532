"""What of an element is a field's value: its text, HTML, Markdown or an attribute?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.html import lines_of, text_of
from crawler.extract.markdown import markdown
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawler.extract.rule_page import RulePage

_RAW = frozenset(create_tag(name).tag_id for name in ("script", "style", "title", "iframe", "noembed", "noframes"))
"""Elements whose content is text alone, but for the parser nothing a reader sees."""


def take(node: LexborNode, what: str, page: RulePage) -> str | None:
    """`what` of a node, as `crawler.config.scraping.FieldConfig.take` names it; None if that is empty."""
    match what:
        case "text":
            text = collapsed(node.text_lexbor()) if node.tag_id in _RAW else text_of(node)
        case "own_text":
            text = collapsed(node.text(deep=False))
        case "lines":
            text = node.text_lexbor().strip() if node.tag_id in _RAW else lines_of(node)
        case "html":
            text = node.html or ""
        case "inner_html":
            text = node.inner_html or ""
        case _:
            text = markdown([node], frozenset(), page.resolve)
    return page.text(text) or None


def attribute(node: LexborNode, name: str, page: RulePage) -> str | None:
    """An attribute as written; None if there is none or it says nothing."""
    value = node.attributes.get(name)
    return page.text(value) or None if value else None
