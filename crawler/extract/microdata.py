"""Which microdata items does a page hold? By the HTML standard's rules (html.spec.whatwg.org, "Microdata").

Found with one search for items and properties, not by walking the document: a property belongs to the nearest item
around it. Where pages are written otherwise than the standard has it, and mean something, they are understood:

- a ``content`` attribute counts on every element (W3C's note on microdata, 2018, and schema.org's examples);
- text is as a reader sees it, white space collapsed, where the standard has every line break of the source;
- ``itemref`` that names an item of its own, without ``itemprop``, brings that item's properties;
- an ``<input>`` whose property ends in ``-input`` says what is to be put in, as schema.org's actions write it for
  other formats: ``required name=search_term``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from crawler.extract.html import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborAttributes, LexborHTMLParser, LexborNode

    Resolve = Callable[[str], str | None]

MAX_VALUES = 10_000
"""Items and values of properties, counted wherever they stand."""
MAX_DEPTH = 16
"""Of items within items, and of texts within texts, which are read once each."""
MAX_CHARS = 100_000
"""Of one text; ten times as many of all together."""

_URL_ATTRIBUTES = {"a": "href", "area": "href", "link": "href", "object": "data"} | dict.fromkeys(
    ("audio", "embed", "iframe", "img", "source", "track", "video"), "src"
)
_VALUE_ATTRIBUTES = {"data": "value", "meter": "value", "time": "datetime"}
_INPUT_ATTRIBUTES = ("multiple", "readonly", "required", "name", "min", "max", "minlength", "maxlength", "step")
_SWITCHES = frozenset(("multiple", "readonly", "required"))


class Microdata(NamedTuple):
    """The items of one page."""

    #: ``{"type": [...], "id": URL or None, "properties": {name: [values]}}`` each; values are texts and items
    items: list[dict[str, Any]]
    was_cut: bool  #: whether there was more than may be kept


def microdata(tree: LexborHTMLParser, resolve: Resolve) -> Microdata:
    """The top-level items of `tree`, in document order; `resolve` makes a canonical http(s) URL of an href."""
    reader = _Reader(tree, resolve)
    items = []
    for node in reader.top_level:
        if not reader.has_room():
            break
        items.append(reader.item(node))
    return Microdata(items, reader.was_cut)


class _Around(NamedTuple):
    """What a node stands in."""

    item: int | None  #: the nearest item
    roots: tuple[int, _Roots] | None  #: the nodes named by an itemref between the two, innermost first
    texts: int  #: how many properties that are no items, all the way up


_Roots: TypeAlias = "tuple[int, _Roots] | None"
_NOWHERE = _Around(None, None, 0)


class _Reader:
    """Finds the items of one page. Nodes are known by their `mem_id`."""

    def __init__(self, tree: LexborHTMLParser, resolve: Resolve) -> None:
        self._resolve = resolve
        self._room, self._room_chars = MAX_VALUES, 10 * MAX_CHARS
        self.was_cut = False
        scopes = tree.css("[itemscope]")
        properties = tree.css("[itemprop]") if scopes else []
        self._scopes = {node.mem_id for node in scopes}
        self._places = {node.mem_id: place for place, node in enumerate(properties)}
        #: the items that no other has as a property
        self.top_level = [node for node in scopes if node.mem_id not in self._places]
        self._referenced = _referenced(tree, scopes)
        self._roots = {node.mem_id for node in self._referenced.values()}
        self._known: dict[int, _Around] = {}
        self._texts: dict[int, str] = {}
        self._of_item: dict[int | None, list[LexborNode]] = {}
        self._of_root: dict[int, list[LexborNode]] = {}
        for node in properties:
            around = self._around(node)
            self._of_item.setdefault(around.item, []).append(node)
            roots, depth = around.roots, 0
            while roots is not None and depth < MAX_DEPTH:
                root, roots = roots
                self._of_root.setdefault(root, []).append(node)
                depth += 1
            self.was_cut = self.was_cut or roots is not None

    def _around(self, node: LexborNode) -> _Around:
        path: list[int] = []
        at = node.parent
        while at is not None and (mem_id := at.mem_id) not in self._known:
            path.append(mem_id)
            at = at.parent
        around = self._known[at.mem_id] if at is not None else _NOWHERE
        for mem_id in reversed(path):  # so that no node is passed twice, however many properties stand in it
            item, roots, texts = around
            if mem_id in self._scopes:
                around = _Around(mem_id, None, texts)
            else:
                if mem_id in self._roots:
                    roots = (mem_id, roots)
                around = _Around(item, roots, texts + (mem_id in self._places))
            self._known[mem_id] = around
        return around

    def has_room(self) -> bool:
        """Whether another item may be read."""
        self.was_cut = self.was_cut or self._room <= 0
        return self._room > 0

    def item(self, node: LexborNode, above: tuple[int, ...] = ()) -> dict[str, Any]:
        """The item that `node` is; `above` are those it is a property of. One that is among them stays empty."""
        attributes = node.attrs
        item_id = attributes.get("itemid") if "itemtype" in attributes else None
        properties: dict[str, list[Any]] = {}
        self._room -= 1
        if node.mem_id not in above:
            if len(above) < MAX_DEPTH:
                self._read_properties(node, (*above, node.mem_id), properties)
            else:
                self.was_cut = True
        return {
            "type": (attributes.get("itemtype") or "")[:MAX_CHARS].split(),
            "id": self._url(item_id) if item_id is not None else None,
            "properties": properties,
        }

    def _read_properties(self, item: LexborNode, above: tuple[int, ...], into: dict[str, list[Any]]) -> None:
        for node in self._properties_of(item):
            for name in dict.fromkeys((node.attrs.get("itemprop") or "").split()):
                if self._room <= 0:
                    self.was_cut = True
                    return
                self._room -= 1
                is_item = node.mem_id in self._scopes
                into.setdefault(name, []).append(self.item(node, above) if is_item else self._text(node))

    def _properties_of(self, item: LexborNode) -> list[LexborNode]:
        nodes = self._of_item.get(item.mem_id, [])
        references = (item.attrs.get("itemref") or "").split()
        if not references:
            return nodes
        found = {node.mem_id: node for node in nodes}
        for reference in dict.fromkeys(references):
            root = self._referenced.get(reference)
            if root is None or len(found) > MAX_VALUES:
                continue
            if root.mem_id in self._places:
                found[root.mem_id] = root
            elif root.mem_id in self._scopes:
                found.update((node.mem_id, node) for node in self._of_item.get(root.mem_id, ()))
            found.update((node.mem_id, node) for node in self._of_root.get(root.mem_id, ()))
        found.pop(item.mem_id, None)
        return sorted(found.values(), key=lambda node: self._places[node.mem_id])

    def _text(self, node: LexborNode) -> str:
        """The value of a property that is no item."""
        text = self._texts.get(node.mem_id)
        if text is None:
            text = self._texts[node.mem_id] = self._value(node)
        if len(text) > min(MAX_CHARS, self._room_chars):
            self.was_cut = True
            text = text[: min(MAX_CHARS, self._room_chars)]
        self._room_chars -= len(text)
        return text

    def _value(self, node: LexborNode) -> str:
        attributes, tag = node.attrs, node.tag or ""
        name = "content" if tag == "meta" or "content" in attributes else _VALUE_ATTRIBUTES.get(tag, "")
        if tag == "meta" or name in attributes:
            return (attributes.get(name) or "").strip()
        if tag in _URL_ATTRIBUTES:
            href = attributes.get(_URL_ATTRIBUTES[tag])
            return self._url(href) if href is not None else ""
        if tag == "input":
            return _wanted_input(attributes) if (attributes.get("itemprop") or "").endswith("-input") else ""
        if self._around(node).texts >= MAX_DEPTH:
            self.was_cut = True
            return ""
        return text_of(node)

    def _url(self, href: str) -> str:
        """Canonical, with its fragment; as written where it is no http(s) URL."""
        href = href.strip()
        url = self._resolve(href)
        if url is None:
            return href[:MAX_CHARS]
        _, sign, fragment = href.partition("#")
        return url if "#" in url else f"{url}{sign}{fragment}"


def _referenced(tree: LexborHTMLParser, scopes: list[LexborNode]) -> dict[str, LexborNode]:
    """The first node of each id that an item refers to."""
    wanted: set[str] = set()
    for node in scopes:
        wanted.update((node.attrs.get("itemref") or "").split())
    found: dict[str, LexborNode] = {}
    if wanted:
        for node in tree.css("[id]"):
            name = node.attrs.get("id")
            if name in wanted:
                found.setdefault(name, node)
    return found


def _wanted_input(attributes: LexborAttributes) -> str:
    return " ".join(
        name if name in _SWITCHES else f"{name}={attributes.get(name) or ''}"
        for name in _INPUT_ATTRIBUTES
        if name in attributes
    )
