"""What do rules see of one page, and how much may they take of it? Worked out once, when a rule asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crawler.extract.rule_data import data_of, of_type
from crawler.extract.value_types import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborNode

    from crawler.extract.parsed import Parsed
    from crawler.extract.rule_source import Json
    from crawler.extract.rule_trace import Trace

MAX_NESTED: Final = 16
"""Elements that one selector finds within one another; what lies deeper is left out, as each is gone through again."""
MAX_VALUES: Final = 200_000
"""Elements and values taken of a page, by all rules together."""
MAX_CHARS: Final = 16 * 1024**2
"""Of all texts taken of a page."""
MAX_VALUE_CHARS: Final = 4 * 1024**2
"""Of one text, as of a page's own."""


class RulePage:
    """One parsed response, as rules see it.

    Args:
        parsed: The response.
        resolve: The canonical http(s) URL that a reference on the page means, or None.
        trace: What is to be told of each step, for people; None costs nothing.
        is_whole: Whether it could be read to its end.
    """

    __slots__ = (
        "_data",
        "_values_left",
        "chars_left",
        "context",
        "is_cut",
        "is_whole",
        "parsed",
        "resolve",
        "root",
        "searched",
        "trace",
    )

    def __init__(
        self,
        parsed: Parsed,
        resolve: Callable[[str], str | None],
        trace: Trace | None = None,
        *,
        is_whole: bool = True,
    ) -> None:
        self.is_whole = is_whole
        self.parsed = parsed
        self.resolve = resolve
        self.trace = trace
        #: the item of rules without ``each``: the html element, or the value
        self.root: Any = parsed.value if parsed.tree is None else parsed.tree.root
        self.context = Context(resolve, self._language())
        self._data: dict[str, Any] = {}
        #: by the source that looked into `data`: what it found, and why nothing
        self.searched: dict[Json, tuple[Any, str | None]] = {}
        self._values_left = MAX_VALUES
        self.chars_left = MAX_CHARS
        #: whether something was left out or cut since this was last set to False
        self.is_cut = False

    def _language(self) -> str | None:
        html = self.root if self.parsed.tree is not None else None
        return (html.attributes.get("lang") or html.attributes.get("xml:lang") or None) if html is not None else None

    def data(self, within: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What ``in: within`` means on this page; None if there is no such thing."""
        if within not in self._data:
            name, _, which = within.partition(":")
            if name == "json_ld" and which:  # of the blocks, which are read once
                self._data[within] = of_type(self.data(name) or [], which)
            else:
                self._data[within] = data_of(self.parsed, within, self.resolve)
        return self._data[within]

    def select(self, item: LexborNode, selector: str) -> list[LexborNode]:
        """All elements below `item` that match, in document order; below the whole page it may be the root too."""
        if self._values_left <= 0:
            self.is_cut = True
            return []
        found = item.css(selector)
        if found and found[0].mem_id == item.mem_id and item.mem_id != self.root.mem_id:
            del found[0]
        if len(found) > self._values_left:
            del found[self._values_left :]
            self.is_cut = True
        self._values_left -= len(found)
        return self._not_too_deep(found) if len(found) > MAX_NESTED else found

    def first(self, item: LexborNode, selector: str) -> LexborNode | None:
        """The first of what `select` gives."""
        found = item.css_first(selector)
        if found is not None and found.mem_id == item.mem_id and item.mem_id != self.root.mem_id:
            below = (child.css_first(selector) for child in item.iter())
            return next((node for node in below if node is not None), None)
        return found

    def _not_too_deep(self, found: list[LexborNode]) -> list[LexborNode]:
        """`found` without what is within more than `MAX_NESTED` of them. Goes up from each, but nowhere twice."""
        ids = {node.mem_id for node in found}
        levels: dict[int, int] = {}
        kept = []
        for node in found:
            unknown = []
            at: LexborNode | None = node
            while at is not None and at.mem_id not in levels:
                unknown.append(at.mem_id)
                at = at.parent
            level = levels[at.mem_id] if at is not None else 0
            for mem_id in reversed(unknown):
                level += mem_id in ids
                levels[mem_id] = level
            if levels[node.mem_id] <= MAX_NESTED:
                kept.append(node)
        self.is_cut |= len(kept) < len(found)
        return kept

    def listed(self, values: list[Any]) -> list[Any]:
        """`values`, or as many of them as may still be taken."""
        if len(values) > self._values_left:
            values = values[: self._values_left]
            self.is_cut = True
        self._values_left -= len(values)
        return values

    def text(self, text: str) -> str:
        """`text`, or as much of it as may still be taken."""
        room = min(self.chars_left, MAX_VALUE_CHARS)
        if len(text) > room:
            text = text[:room]
            self.is_cut = True
        self.chars_left -= len(text)
        return text
