"""How do the blocks of a page become those of Markdown? Each element begins and ends one, or does not.

What begins with an element at one depth ends with the element at the same depth. Headings, cells and terms are one
line: what would be a block within them is white space.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import create_tag

from crawler.extract.markdown_code import code_of, fenced, is_line_number, language_of
from crawler.extract.markdown_inline import Inline, one_line, paragraph
from crawler.extract.markdown_lines import Lines, List
from crawler.extract.markdown_table import Table, is_data

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_OL, _DL = (create_tag(name).tag_id for name in ("ol", "dl"))
_START: Final = re.compile(r"[0-9]{1,9}")
_CLOSING: Final = re.compile(r"(?:(?<=\s)|^)#(?=#*$)")


class Blocks:
    """What of a document is written, and what is open."""

    def __init__(self) -> None:
        self.lines = Lines()
        self.inline = Inline()
        #: depths at which markup within a line began
        self.formats: list[int] = []
        #: where a heading, a cell or a term began: all in it stands on one line; -1 outside of them
        self.leaf = -1
        self._lists: list[List] = []
        #: depths at which items and quotes began
        self._containers: list[int] = []
        self._table: Table | None = None
        self._table_depth = -1

    def boundary(self) -> None:
        """A block begins or ends here."""
        if self.leaf < 0:
            self.flush()
        else:
            self.inline.space()

    def flush(self) -> None:
        """What stands in the line so far is a paragraph."""
        may_be_task = self.lines.is_at_item_start
        if text := self.inline.take():
            self.lines.add(paragraph(text, may_be_task=may_be_task), is_paragraph=True)

    def enter_pre(self, node: LexborNode, _: int) -> bool:
        """A block of code."""
        if self.leaf >= 0:
            self.inline.code(code_of(node))
        else:
            self.flush()
            self.lines.add(fenced(code_of(node), language_of(node)))
        return False

    def enter_heading(self, _: LexborNode, depth: int) -> bool:
        """A heading."""
        self.boundary()
        if self.leaf < 0:
            self.leaf = depth
        return True

    def leave_heading(self, node: LexborNode, depth: int) -> None:
        """A heading is whole."""
        if self.leaf != depth:
            self.inline.space()
            return
        self.leaf = -1
        text = one_line(self.inline.take())
        if text:
            text = _CLOSING.sub(r"\\\g<0>", text)
            self.lines.add([f"{'#' * int((node.tag or 'h1')[1])} {text}"])

    def enter_rule(self, _: LexborNode, __: int) -> bool:
        """A line across the page."""
        self.boundary()
        if self.leaf < 0:
            self.lines.add(["---" if not self._containers else "___"])  # which no list has for its sign
        return False

    def enter_list(self, node: LexborNode, depth: int) -> bool:
        """A list of any kind."""
        self.boundary()
        if self.leaf < 0:
            number = None
            if node.tag_id == _OL:
                start = node.attributes.get("start") or "1"
                number = int(start) if _START.fullmatch(start) else 1
            self._lists.append(self.lines.open_list(depth, number, is_definitions=node.tag_id == _DL))
        return True

    def leave_list(self, _: LexborNode, depth: int) -> None:
        """A list is whole."""
        self.boundary()
        if self._lists and self._lists[-1].depth == depth:
            ended = self._lists.pop()
            if ended.has_term:
                self.lines.close()
            self.lines.close_list(ended)

    def enter_item(self, _: LexborNode, depth: int) -> bool:
        """An item of a list."""
        self.boundary()
        if self.leaf < 0 and self._lists and not self._lists[-1].is_definitions:
            self.lines.open(self._lists[-1])
            self._containers.append(depth)
        return True

    def enter_quote(self, _: LexborNode, depth: int) -> bool:
        """Blocks of others' words."""
        self.boundary()
        if self.leaf < 0:
            self.lines.open()
            self._containers.append(depth)
        return True

    def leave_container(self, _: LexborNode, depth: int) -> None:
        """An item or a quote is whole."""
        self.boundary()
        if self._containers and self._containers[-1] == depth:
            self._containers.pop()
            self.lines.close()

    def enter_term(self, _: LexborNode, depth: int) -> bool:
        """A term of a definition list, or what it means: an item of both."""
        self.boundary()
        terms = self._lists[-1] if self._lists and self._lists[-1].is_definitions else None
        if self.leaf >= 0 or terms is None or self.lines.depth != terms.base + terms.has_term:
            return True
        if terms.has_term:
            self.lines.close()
        self.lines.open(terms)
        terms.has_term = True
        self.leaf = depth
        if self.inline.start("strong"):
            self.formats.append(depth)
        return True

    def leave_term(self, _: LexborNode, depth: int) -> None:
        """A term is whole."""
        if self.leaf == depth:
            self.leaf = -1
            self.lines.add(paragraph(one_line(self.inline.take())), is_paragraph=True)
        else:
            self.boundary()

    def enter_meaning(self, _: LexborNode, __: int) -> bool:
        """What a term means, below it."""
        self.boundary()
        terms = self._lists[-1] if self._lists and self._lists[-1].is_definitions else None
        if self.leaf < 0 and terms is not None and not terms.has_term and self.lines.depth == terms.base:
            self.lines.open(terms)
            terms.has_term = True
        return True

    def enter_table(self, node: LexborNode, depth: int) -> bool:
        """A table of data, or layout."""
        self.boundary()
        if self.leaf < 0 and self._table is None and is_data(node):
            self._table = Table()
            self._table_depth = depth
        return True

    def leave_table(self, _: LexborNode, depth: int) -> None:
        """A table is whole."""
        self.boundary()
        if self._table is not None and self._table_depth == depth:
            table, self._table = self._table, None
            self.lines.add(table.lines())

    def enter_row(self, _: LexborNode, __: int) -> bool:
        """A row of a table, if of layout a block."""
        self.boundary()
        if self._table is not None and self.leaf < 0:
            self._table.start_row()
        return True

    def enter_cell(self, node: LexborNode, depth: int) -> bool:
        """A cell, or if of layout white space."""
        if is_line_number(node):
            return False
        self.inline.space()
        if self._table is not None and self.leaf < 0:
            self.flush()
            self.leaf = depth
        return True

    def leave_cell(self, node: LexborNode, depth: int) -> None:
        """A cell is whole."""
        if self._table is not None and self.leaf == depth:
            self.leaf = -1
            self._table.add(one_line(self.inline.take()), node)
        else:
            self.inline.space()

    def leave_block(self, _: LexborNode, __: int) -> None:
        """A row or the like is whole."""
        self.boundary()
