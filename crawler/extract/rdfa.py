"""What does a page say in RDFa? RDFa Core 1.1 (w3.org/TR/rdfa-core, section 7.5) as HTML+RDFa 1.1 adapts it.

The rules go from element to element, each with what its parent has left to it. Elements that say nothing, and have
nothing within that does, are never looked at: what counts is found with one search, and judged with the elements
around it. What comes out is expanded JSON-LD, an object for each subject, in the order they come up.

Text is as a reader sees it, white space collapsed. Lists (``inlist``) are read as single values; what the vocabularies
themselves say (RDFa's vocabulary expansion) is not fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.extract.html import text_of
from crawler.extract.rdfa_terms import INITIAL_PREFIXES, RDF, TERMS, TERMS_1_0, USES_VOCABULARY, XSD, Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    Resolve = Callable[[str], str | None]

MAX_VALUES = 10_000
MAX_CHARS = 100_000
"""Of one text; twenty times as many of all statements together."""
MAX_DEPTH = 16
"""Of texts within texts, which are read once each."""
_MAX_DECLARING = 500  # elements that declare prefixes
_MAX_OPEN = 100  # relations whose other end is to be found within

_SPEAKING = "[property], [typeof], [rel], [rev], [vocab], [about], [resource]"
_MARKUP = frozenset((f"{RDF}XMLLiteral", f"{RDF}HTML"))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TIMES = (
    (re.compile(r"-?\d{4,}-\d\d-\d\d"), "date"),
    (re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "dateTime"),
    (re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "time"),
    (re.compile(r"-?\d{4,}-\d\d"), "gYearMonth"),
    (re.compile(r"-?\d{4,}"), "gYear"),
    (re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"), "duration"),
)


class Rdfa(NamedTuple):
    """The statements of one page."""

    #: ``{"@id": IRI, "@type": [IRI], IRI: [{"@id": IRI} or {"@value": text, "@language": or "@type":}]}`` each
    subjects: list[dict[str, Any]]
    was_cut: bool  #: whether there was more than may be kept


def rdfa(tree: LexborHTMLParser, resolve: Resolve) -> Rdfa:
    """The statements of `tree`; `resolve` makes a canonical http(s) URL of an href, the page's own of an empty one."""
    reader = _Reader(tree, resolve)
    for node in tree.css(_SPEAKING):
        reader.context_of(node)
    for node in reader.opened:  # grows on the way
        for end in node.css("[href], [src]"):
            reader.context_of(end)
    return Rdfa(list(reader.subjects.values()), reader.was_cut)


class _Context(NamedTuple):
    """What an element leaves to those within it: the specification's evaluation context."""

    subject: str
    object: str
    names: Names
    language: str
    #: relations whose other end is the next subject within: the IRI and whether this is the end it starts from
    open: tuple[tuple[str, bool], ...] = ()
    texts: int = 0


class _Reader:
    def __init__(self, tree: LexborHTMLParser, resolve: Resolve) -> None:
        self._resolve = resolve
        self.subjects: dict[str, dict[str, Any]] = {}
        self.was_cut = False
        #: elements with relations whose other end may be a plain link within
        self.opened: list[LexborNode] = []
        self._seen: set[tuple[str, str, str]] = set()
        self._room, self._room_chars = MAX_VALUES, 20 * MAX_CHARS
        self._declaring, self._opened, self._blank = _MAX_DECLARING, _MAX_OPEN, 0
        root = tree.root
        version = (root.attrs.get("version") or "") if root is not None and root.tag == "html" else ""
        names = Names(INITIAL_PREFIXES, {**TERMS, **TERMS_1_0} if "RDFa 1.0" in version else TERMS, None)
        base = resolve("") or ""
        self._start = _Context(base, base, names, "")
        self._contexts: dict[int, _Context] = {}

    def context_of(self, node: LexborNode) -> _Context:
        """What `node` leaves to those within it, after all that it and those around it say has been noted."""
        path: list[LexborNode] = []
        at: LexborNode | None = node
        while at is not None and at.mem_id not in self._contexts:
            if at.is_element_node:
                path.append(at)
            at = at.parent
        context = self._contexts[at.mem_id] if at is not None else self._start
        for element in reversed(path):
            context = self._contexts[element.mem_id] = _Element(self, element, context).context
        return context

    def iri(self, href: str) -> str | None:
        """What a URL means, with its fragment; as written where it is not of http(s), None where it has no scheme."""
        href = href.strip()
        url = self._resolve(href)
        if url is None:
            return href[:MAX_CHARS] if _SCHEME.match(href) else None
        _, sign, fragment = href.partition("#")
        return url if "#" in url else f"{url}{sign}{fragment}"

    def names(self, names: Names, attributes: dict[str, str | None]) -> Names:
        """What names mean within an element."""
        changed = names.within(attributes, self.iri)
        if changed is names:
            return names
        self._declaring -= 1
        if self._declaring < 0:
            self.was_cut = True
            return names
        return changed

    def may_open(self) -> bool:
        """Whether the other end of one more relation may be looked for."""
        self._opened -= 1
        self.was_cut = self.was_cut or self._opened < 0
        return self._opened >= 0

    def blank(self) -> str:
        """A subject without a name."""
        self._blank += 1
        return f"_:b{self._blank - 1}"

    def say(self, subject: str, relation: str, value: dict[str, str] | str) -> None:
        """Note a statement, once; `value` is text with what is known of it, or an IRI."""
        key = (subject, relation, value if isinstance(value, str) else repr(value))
        if key in self._seen:
            return
        length = len(subject) + len(relation) + len(value if isinstance(value, str) else value["@value"])
        if self._room <= 0 or length > self._room_chars:
            self.was_cut = True
            return
        self._seen.add(key)
        self._room -= 1
        self._room_chars -= length
        about = self.subjects.setdefault(subject, {"@id": subject})
        if relation == f"{RDF}type" and isinstance(value, str):
            about.setdefault("@type", []).append(value)
        else:
            about.setdefault(relation, []).append({"@id": value} if isinstance(value, str) else value)


class _Element:
    """What one element says, given what those around it have left."""

    def __init__(self, reader: _Reader, node: LexborNode, around: _Context) -> None:
        self._reader, self._node, self._around = reader, node, around
        self._attributes = attributes = node.attributes
        self._names = reader.names(around.names, attributes)
        language = attributes.get("lang", attributes.get("xml:lang"))
        self._language = around.language if language is None else language.strip()
        self._is_root = node.tag in ("html", "head", "body")  # what is said there is said of the page
        if "vocab" in attributes and self._names.vocab is not None:
            reader.say(reader.iri("") or "", USES_VOCABULARY, self._names.vocab)
        self._relations = self._names.names(self._links("rel"))
        self._reverse = self._names.names(self._links("rev"))
        self._is_link = self._links("rel") is not None or self._links("rev") is not None
        self._types = self._names.names(attributes.get("typeof"))
        self._is_typed = "typeof" in attributes
        self._target = self._first_iri("resource", "href", "src")
        self.context = self._read()

    def _links(self, name: str) -> str | None:
        """The attribute; beside ``property``, plain words in it are HTML's, not RDFa's (HTML+RDFa 1.1, section 3.1)."""
        text = self._attributes.get(name)
        if text is not None and "property" in self._attributes:
            text = " ".join(word for word in text.split() if ":" in word) or None
        return text

    def _first_iri(self, *names: str) -> str | None:
        for name in names:
            text = self._attributes.get(name)
            if text is not None:
                iri = self._names.resource(text, self._reader.iri) if name[0] in "ar" else self._reader.iri(text)
                if iri is not None:
                    return iri
        return None

    def _read(self) -> _Context:
        reader, around, attributes = self._reader, self._around, self._attributes
        about = self._first_iri("about")
        skipped = False
        target: str | None = None  # the specification's current object resource
        typed: str | None = None
        if self._is_link:
            subject = about or around.object
            target = self._target or (reader.blank() if self._is_typed and about is None else None)
            typed = about or target
        elif "property" in attributes and "content" not in attributes and "datatype" not in attributes:
            subject = about or around.object
            if self._is_typed:
                typed = target = about or (around.object if self._is_root else self._target or reader.blank())
        else:
            named = about or self._target
            skipped = named is None and not self._is_root and not self._is_typed and "property" not in attributes
            subject = named or (reader.blank() if self._is_typed and not self._is_root else around.object)
            typed = subject
        if self._is_typed and typed is not None:
            for kind in self._types:
                reader.say(typed, f"{RDF}type", kind)
        still_open: tuple[tuple[str, bool], ...] = ()
        if self._is_link and (self._relations or self._reverse):
            ends = [*((name, True) for name in self._relations), *((name, False) for name in self._reverse)]
            if target is None and reader.may_open():
                target, still_open = reader.blank(), tuple(ends)
            elif target is not None:
                _connect(reader, subject, target, ends)
        self._read_property(subject, typed if about is None else None)
        if not skipped:
            _connect(reader, around.subject, subject, around.open)
        texts = around.texts + ("property" in attributes)
        if skipped:
            return around._replace(names=self._names, language=self._language)
        context = _Context(subject, target or subject, self._names, self._language, still_open, texts)
        if still_open:
            reader.opened.append(self._node)
        return context

    def _read_property(self, subject: str, typed: str | None) -> None:
        names = self._names.names(self._attributes.get("property"))
        if names and (value := self._value(typed)) is not None:
            for name in names:
                self._reader.say(subject, name, value)

    def _value(self, typed: str | None) -> dict[str, str] | str | None:
        attributes = self._attributes
        datatype = self._names.name(kind) if (kind := (attributes.get("datatype") or "").strip()) else None
        content = attributes.get("content")
        if datatype in _MARKUP and content is None:
            return {"@value": (self._node.inner_html or "")[:MAX_CHARS], "@type": datatype or ""}
        if content is None and "datatype" not in attributes:
            if not self._is_link and self._target is not None:
                return self._target
            if self._is_typed and typed is not None:
                return typed
        if content is None and self._node.tag == "time" and (content := attributes.get("datetime")) is not None:
            datatype = datatype or _type_of_time(content.strip())
        text = content.strip() if content is not None else self._text()
        if len(text) > MAX_CHARS:
            self._reader.was_cut = True
            text = text[:MAX_CHARS]
        if datatype is not None:
            return {"@value": text, "@type": datatype}
        return {"@value": text, "@language": self._language} if self._language else {"@value": text}

    def _text(self) -> str:
        if self._around.texts >= MAX_DEPTH:
            self._reader.was_cut = True
            return ""
        return text_of(self._node)


def _connect(reader: _Reader, subject: str, target: str, ends: Iterable[tuple[str, bool]]) -> None:
    for name, is_forward in ends:
        if is_forward:
            reader.say(subject, name, target)
        else:
            reader.say(target, name, subject)


def _type_of_time(text: str) -> str | None:
    for pattern, name in _TIMES:
        if pattern.fullmatch(text):
            return XSD + name
    return None
