"""How does code on a page stand in Markdown? Its text as it is, without line numbers, and its language where named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.text import preformatted_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_TEXT: Final = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
_BREAK: Final = create_tag("br").tag_id
_LINES: Final = frozenset(
    create_tag(name).tag_id for name in ["div", "p", "li", "tr", "pre", "h1", "h2", "h3", "h4", "h5", "h6"]
)
_UNREAD: Final = frozenset(
    create_tag(name).tag_id for name in ["script", "style", "template", "button", "svg", "textarea"]
)
_CODE: Final = create_tag("code").tag_id

#: classes of line numbers, as Pygments, GitHub, Prism, hexo and others have them
NUMBER_CLASSES: Final = frozenset(
    ("linenos", "lineno", "linenodiv", "line-number", "line-numbers", "line-numbers-rows", "gutter", "lnt", "blob-num")
)
_LANGUAGE: Final = re.compile(
    r"(?:lang|language|highlight-source|highlight|brush|source|src)[-:]+([A-Za-z][\w+#.-]{0,19})"
)
_WORD: Final = re.compile(r"[A-Za-z][\w+#.-]{0,19}")
_NONE: Final = frozenset(("default", "none", "plain", "plaintext", "notranslate", "source", "code", "highlight"))
_TICKS: Final = re.compile(r"`{3,}")


def code_of(element: LexborNode) -> str:
    """The text within an element, white space as it is, a line a block, without line numbers."""
    parts: list[str] = []
    node: LexborNode | None = element.first_child
    depth = 1
    while node is not None and depth:
        tag = node.tag_id
        child = None
        if tag == _TEXT:
            parts.append(node.text_content or "")
        elif tag == _BREAK:
            parts.append("\n")
        elif tag not in _UNREAD and not is_line_number(node):
            if tag in _LINES and parts and not parts[-1].endswith("\n"):
                parts.append("\n")
            child = node.first_child
        if child is not None:
            node = child
            depth += 1
            continue
        while (after := node.next) is None and depth > 1:
            node = node.parent
            depth -= 1
            if node is None:
                return "".join(parts)
        node = after
    return "".join(parts)


def is_line_number(node: LexborNode) -> bool:
    """Whether an element holds the number of a line, or of several."""
    classes = node.attributes.get("class") if node.is_element_node else None
    return bool(classes) and not NUMBER_CLASSES.isdisjoint((classes or "").split())


def language_of(pre: LexborNode) -> str:
    """The language that classes of a ``<pre>``, of the ``<code>`` within or of the elements around it name."""
    child = pre.first_child
    if child is not None and child.tag_id == _CODE and (found := _named(child, is_own=True)):
        return found
    if found := _named(pre, is_own=True):
        return found
    around = pre.parent
    for _ in range(2):
        if around is None:
            break
        if around.is_element_node and (found := _named(around, is_own=False)):
            return found
        around = around.parent
    return ""


def fenced(code: str, language: str = "") -> list[str]:
    """A fenced code block, whose fence is longer than any in it; none without code."""
    text = preformatted_lines(code)
    if not text.strip():
        return []
    fence = "`" * max((len(run) + 1 for run in _TICKS.findall(text)), default=3)
    return [fence + language, *text.split("\n"), fence]


def _named(element: LexborNode, *, is_own: bool) -> str:
    attributes = element.attributes
    for word in _words(attributes, is_own=is_own):
        language = word.lower()
        if language not in _NONE and _WORD.fullmatch(language):
            return language
    return ""


def _words(attributes: dict[str, str | None], *, is_own: bool) -> Iterator[str]:
    """What may be the name of a language, likelier ones first."""
    for name in ("data-lang", "data-language"):
        yield attributes.get(name) or ""
    classes = (attributes.get("class") or "").split()[:20]
    for name in classes:
        if match := _LANGUAGE.fullmatch(name):
            yield match[1]
    if is_own and "sourceCode" in classes:  # of Pandoc
        yield from (name for name in classes if name != "sourceCode")
    if is_own and "brush:" in classes[:-1]:  # of SyntaxHighlighter
        yield classes[classes.index("brush:") + 1].rstrip(";")
