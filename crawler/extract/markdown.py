"""How does a part of a page stand as Markdown? Headings, lists, links, images, code, quotes and tables are kept.

CommonMark 0.31, tables and strikethrough as GFM has them. All else is escaped, so that it reads back as text. A
definition list becomes a list of its terms, with what they mean below each. Scripts, styles, templates and what one
fills in or presses are left out. One walk without recursion; what is nested deeper than `MAX_DEPTH` lists and quotes
stands at that depth.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.markdown_blocks import Blocks
from crawler.extract.markdown_code import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from selectolax.lexbor import LexborNode

    from crawler.extract.markdown_inline import Kind

MAX_CHARS: Final = 10_000_000
"""Nothing is added to Markdown that is as long as that."""

_TEXT: Final = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]


def _tags(names: str) -> frozenset[int]:
    return frozenset(create_tag(name).tag_id for name in names.split())


_PRE: Final = create_tag("pre").tag_id
_BLOCKS: Final = _tags(
    "address article aside body caption center details dialog div fieldset figcaption figure footer form header hgroup "
    "html legend main nav optgroup p search section summary tbody tfoot thead"
)
_UNREAD: Final = _tags(
    "script style template head title iframe noembed noframes svg object canvas audio video map button select datalist "
    "textarea input"
)
_EMPHASIS: Final[dict[int, Kind]] = {
    **dict.fromkeys(_tags("b strong"), "strong"),
    **dict.fromkeys(_tags("i em cite var dfn"), "em"),
    **dict.fromkeys(_tags("del s strike"), "strike"),
}
_SOURCES: Final = ("src", "data-src", "data-lazy-src", "data-original")
_PERMALINKS: Final = ("¶", "#", "§", "🔗", "\uf0c1", "")
_ONE_PIXEL: Final = ("0", "1", "0px", "1px")
_SCRIPT: Final = re.compile(r"\s*(?:javascript|data|vbscript):", re.IGNORECASE)


def markdown(
    nodes: Iterable[LexborNode],
    skip: AbstractSet[int] = frozenset(),
    resolve: Callable[[str], str | None] | None = None,
) -> str:
    """What `nodes` say, as Markdown.

    Args:
        nodes: In document order, none within another.
        skip: The `mem_id` of elements within them that are left out.
        resolve: The URL that a reference means, None if there is none; links and images without one are left out.
            Without it references stay as written.
    """
    return rendered(nodes, skip, resolve)[0]


def rendered(
    nodes: Iterable[LexborNode],
    skip: AbstractSet[int] = frozenset(),
    resolve: Callable[[str], str | None] | None = None,
) -> tuple[str, bool]:
    """As `markdown`, and whether it was cut at `MAX_CHARS`."""
    writer = _Writer(skip, resolve or _as_written)
    for node in nodes:
        writer.write(node)
    return writer.text(), writer.is_full


class _Writer(Blocks):
    """One pass over nodes."""

    def __init__(self, skip: AbstractSet[int], resolve: Callable[[str], str | None]) -> None:
        super().__init__()
        self._skip = skip
        self._resolve = resolve

    @property
    def is_full(self) -> bool:
        """Whether no more is taken in."""
        return self.lines.chars + self.inline.chars > MAX_CHARS

    def text(self) -> str:
        """All that was written."""
        self.flush()
        return self.lines.text()

    def write(self, root: LexborNode) -> None:
        """Take in an element and all within it."""
        node: LexborNode | None = root
        depth = 0
        self.flush()
        while node is not None and not self.is_full:
            tag = node.tag_id
            child = None
            if tag == _TEXT:
                self.inline.text(node.text_content or "")
            elif self._enter(node, tag, depth):
                child = node.first_child
                if child is None:
                    self._leave(node, tag, depth)
            if child is not None:
                node = child
                depth += 1
                continue
            while depth and node is not None and node.next is None:
                node = node.parent
                depth -= 1
                if node is not None:
                    self._leave(node, node.tag_id, depth)
            node = node.next if depth and node is not None else None

    def _enter(self, node: LexborNode, tag: int, depth: int) -> bool:
        """Begin an element; whether to look at what is within."""
        if self._skip and node.mem_id in self._skip:
            self.boundary()
            return False
        if (enter := _ENTER.get(tag)) is not None:
            return enter(self, node, depth)
        if tag in _BLOCKS:
            self.boundary()
        elif tag in _UNREAD:
            self.inline.space()
            return False
        return True

    def _leave(self, node: LexborNode, tag: int, depth: int) -> None:
        """End an element."""
        if self.formats and self.formats[-1] == depth:
            self.formats.pop()
            self.inline.end()
        if (leave := _LEAVE.get(tag)) is not None:
            leave(self, node, depth)
        elif tag in _BLOCKS:
            self.boundary()

    def enter_format(self, node: LexborNode, depth: int) -> bool:
        """Emphasis of a kind."""
        if self.inline.start(_EMPHASIS[node.tag_id]):
            self.formats.append(depth)
        return True

    def enter_link(self, node: LexborNode, depth: int) -> bool:
        """A link, if it leads anywhere; what links a heading to itself is nothing to read."""
        href = (node.attributes.get("href") or "").strip()
        if href.startswith("#"):
            child = node.first_child
            is_text = child is not None and child.tag_id == _TEXT and child.next is None
            return not (is_text and child is not None and (child.text_content or "").strip() in _PERMALINKS)
        if href and (url := self._resolve(href)) and self.inline.start("link", url):
            self.formats.append(depth)
        return True

    def enter_image(self, node: LexborNode, _: int) -> bool:
        """An image, but for those of one pixel; scripts that load images late keep their URLs elsewhere."""
        attributes = node.attributes
        if attributes.get("width") in _ONE_PIXEL or attributes.get("height") in _ONE_PIXEL:
            return False
        source = next((found for name in _SOURCES if (found := (attributes.get(name) or "").strip())), "")
        if source.startswith("data:"):
            source = next((found for name in _SOURCES[1:] if (found := (attributes.get(name) or "").strip())), "")
        if source and (url := self._resolve(source)):
            self.inline.image(attributes.get("alt") or "", url)
        return False

    def enter_break(self, _: LexborNode, __: int) -> bool:
        """A line break; two of them part paragraphs."""
        if self.leaf >= 0:
            self.inline.space()
        elif self.inline.line_break() > 1:
            self.flush()
        return False

    def enter_code(self, node: LexborNode, _: int) -> bool:
        """Code within a line, unless a block of code stands in it."""
        child = node.first_child
        if child is not None and child.tag_id == _PRE:
            return True
        self.inline.code(code_of(node))
        return False

    def enter_quoted(self, _: LexborNode, __: int) -> bool:
        """Words of others, within a line."""
        self.inline.text('"')
        return True

    def leave_quoted(self, _: LexborNode, __: int) -> None:
        """The mark at their end."""
        self.inline.text('"')


def _as_written(href: str) -> str | None:
    """A reference as it stands, unless it is script."""
    return None if _SCRIPT.match(href) else href


def _by_tag(names: dict[str, Any]) -> dict[int, Any]:
    return {create_tag(name).tag_id: value for words, value in names.items() for name in words.split()}


_ENTER: Final[dict[int, Callable[[_Writer, LexborNode, int], bool]]] = _by_tag(
    {
        "b strong i em cite var dfn del s strike": _Writer.enter_format,
        "a": _Writer.enter_link,
        "img": _Writer.enter_image,
        "br": _Writer.enter_break,
        "code kbd samp tt": _Writer.enter_code,
        "pre listing xmp": _Writer.enter_pre,
        "q": _Writer.enter_quoted,
        "h1 h2 h3 h4 h5 h6": _Writer.enter_heading,
        "hr": _Writer.enter_rule,
        "ul ol menu dir dl": _Writer.enter_list,
        "li": _Writer.enter_item,
        "blockquote": _Writer.enter_quote,
        "dt": _Writer.enter_term,
        "dd": _Writer.enter_meaning,
        "table": _Writer.enter_table,
        "tr": _Writer.enter_row,
        "td th": _Writer.enter_cell,
    }
)
_LEAVE: Final[dict[int, Callable[[_Writer, LexborNode, int], None]]] = _by_tag(
    {
        "q": _Writer.leave_quoted,
        "h1 h2 h3 h4 h5 h6": _Writer.leave_heading,
        "ul ol menu dir dl": _Writer.leave_list,
        "li blockquote": _Writer.leave_container,
        "dt": _Writer.leave_term,
        "dd tr": _Writer.leave_block,
        "table": _Writer.leave_table,
        "td th": _Writer.leave_cell,
    }
)
