"""What stands in an HTML document, where no text but that of headings is wanted? Found without `walk` and its boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.head import HEAD_TAGS
from crawler.extract.main_boxes import ANCHOR, Boxes

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_AREA, _H1, _SCRIPT, _TEMPLATE = (create_tag(name).tag_id for name in ("area", "h1", "script", "template"))
_NOTABLE = HEAD_TAGS | {ANCHOR, _AREA, _H1, _TEMPLATE}
#: No element matches two of these, for it would be found twice. Of links and bases only those with href say anything.
_SELECTOR = ", ".join(("[href]", *(f"{name}:not([href])" for name in ("meta", "title", "h1", "template"))))
_NO_BOXES = Boxes()


class Skim:
    """As `Walk` without boxes, but for `structured`, which stays empty.

    Args:
        tree: The document.
        tags: Those of which all elements are wanted besides.
        is_large: Whether a selector pays, which finds all but those in half the time that going through them takes.
    """

    __slots__ = ("_tree", "areas", "boxes", "h1s", "has_templates", "hyperlinks", "marked", "noted", "structured")

    def __init__(self, tree: LexborHTMLParser, tags: frozenset[int], *, is_large: bool) -> None:
        self._tree = tree
        self.hyperlinks: list[LexborNode] = []
        self.areas: list[LexborNode] = []
        self.h1s: list[LexborNode] = []
        self.noted: list[tuple[int, LexborNode]] = []
        self.boxes = _NO_BOXES
        self.structured: set[int] = set()
        #: elements of `tags`, in document order
        self.marked: list[tuple[int, LexborNode]] = []
        #: whether there are templates, whose links only `Walk` finds
        self.has_templates = False
        root = tree.root
        if root is not None:
            self._skim(root, tags, by_selector=is_large and not tags)

    def _skim(self, root: LexborNode, tags: frozenset[int], *, by_selector: bool) -> None:
        anchor, notable = ANCHOR, _NOTABLE | tags
        add_hyperlink, mark = self.hyperlinks.append, self.marked.append
        if by_selector:
            self._note(root, root.tag_id)
        for node in self._tree.css(_SELECTOR) if by_selector else root.traverse():
            tag = node.tag_id
            if tag not in notable:
                continue
            if tag == anchor:
                add_hyperlink(node)
            elif tag in tags:
                mark((tag, node))
                if tag == _H1:
                    self.h1s.append(node)
            else:
                self._note(node, tag)

    def _note(self, node: LexborNode, tag: int) -> None:
        if tag in HEAD_TAGS:
            self.noted.append((tag, node))
        elif tag == _H1:
            self.h1s.append(node)
        elif tag == _AREA:
            self.areas.append(node)
            self.hyperlinks.append(node)
        else:
            self.has_templates = True

    @property
    def scripts(self) -> list[LexborNode]:
        """Looked for when asked for."""
        return self._tree.css("script")
