"""What does an XML sitemap or feed list, however badly it is written?

Urlsets and indexes of sitemaps.org, RSS 0.9 to 2.0 and Atom, read by expat in one pass. Element names are compared
without their namespace and letter case; what extensions nest in an entry (images, videos, news) is passed by, but for
``xhtml:link rel=alternate``. Where the text is not well-formed, it is read once more with its commonest mistakes
mended: bare ampersands, HTML's entities, control characters. If that does not help, what came before the break counts.

Nothing is expanded or loaded: a document that declares entities of its own is refused, and those it declares to lie
elsewhere read as nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from html.entities import html5
from typing import TYPE_CHECKING
from xml.parsers import expat

from crawler.extract.content import ContentError
from crawler.extract.sitemap_entries import Entry, Listing

if TYPE_CHECKING:
    from crawler.extract.sitemap_entries import EntryKind

_PIECE_BYTES = 1024**2  # expat before 2.6 goes through an unfinished token again with every piece
_MAX_DEPTH = 1_000  # each open element takes memory
_MAX_VALUE_CHARS = 100  # of a date, a frequency or a priority; no real one is nearly as long
_SITEMAP_ENTRIES: dict[str, EntryKind] = {"url": "url", "sitemap": "sitemap"}
_FEED_ENTRIES: dict[str, EntryKind] = {"item": "url", "entry": "url"}
_ROOTS = {
    "urlset": _SITEMAP_ENTRIES,
    "sitemapindex": _SITEMAP_ENTRIES,
    "rss": _FEED_ENTRIES,
    "rdf": _FEED_ENTRIES,
    "feed": _FEED_ENTRIES,
}
_SITEMAP_FIELDS = frozenset(("loc", "lastmod", "changefreq", "priority"))
_FEED_LINKS = frozenset(("link", "guid"))
#: the first that an entry has tells when it changed; they may be of any vocabulary, as in ``dc:date``
_FEED_DATES = ("updated", "modified", "pubdate", "published", "date")
_OWN_TEXT = "text"

_MENDABLE = frozenset(
    expat.errors.codes[message]
    for message in (expat.errors.XML_ERROR_INVALID_TOKEN, expat.errors.XML_ERROR_UNDEFINED_ENTITY)
)
_MAX_MENDED = 1_000_000
_BLEMISH = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(#[0-9]+;|#x[0-9A-Fa-f]+;|[A-Za-z][A-Za-z0-9]*;)?|[\0-\x08\v\f\x0e-\x1f]", re.DOTALL
)
_XML_ENTITIES = (b"amp;", b"lt;", b"gt;", b"quot;", b"apos;")


def read_xml(utf8: bytes, start: int) -> tuple[Listing, str | None]:
    """What `utf8` lists, from its offset `start` on, and why it was not read to its end; None if it was.

    Raises:
        ContentError: ``bad_sitemap``: it is none, or broken before its first entry.
    """
    reading = _Reading()
    error = reading.read(utf8, start)
    if error and error.code in _MENDABLE:
        mended = _BLEMISH.sub(_mended, utf8, count=_MAX_MENDED)
        if mended != utf8:
            reading = _Reading()
            error = reading.read(mended, start)
    if not reading.root:
        raise ContentError("bad_sitemap", str(error or "no element of a sitemap or feed"))
    if error and not reading.listing.entries:
        raise ContentError("bad_sitemap", f"broken before its first entry: {error}")
    return reading.listing, str(error) if error else None


class _Reading:
    """One pass over a document: which entry it is in, and in which of the entry's children."""

    def __init__(self) -> None:
        self.listing = Listing()
        #: the outermost element of a sitemap or feed; empty while none was met
        self.root = ""
        self._root_depth = 0
        self._is_over = False
        self._kinds: dict[str, EntryKind] = {}
        self._depth = 0
        self._entry_depth = 0  # 0 outside of entries
        self._child_depth = 0  # likewise
        self._kind: EntryKind = "url"
        self._prefix = ""
        self._values: dict[str, str] = {}
        self._alternates: list[str] = []
        self._field = ""  # of which the text is being collected
        self._texts: list[str] = []
        parser = self._parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.specified_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = _refuse_entity

    def read(self, utf8: bytes, start: int) -> expat.ExpatError | None:
        """Go through the document from `start` to its end, or to where it breaks."""
        view = memoryview(utf8)
        try:
            for at in range(start, len(utf8), _PIECE_BYTES):
                self._parser.Parse(view[at : at + _PIECE_BYTES], False)  # noqa: FBT003
            self._parser.Parse(b"", True)  # noqa: FBT003
        except expat.ExpatError as error:
            if self._is_over:  # what follows the root element is none of it
                return None
            self._break_off(in_tag=_is_in_tag(utf8, start + self._parser.ErrorByteIndex))
            return error
        return None

    def _break_off(self, *, in_tag: bool) -> None:
        """Take in the entry that is begun. A text is whole if what breaks the document is the tag after it."""
        self._parser.buffer_text = False  # hands out what it holds
        if self._field and in_tag:
            self._close_field()
        if self._entry_depth:
            self._finish_entry(is_whole=False)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ContentError("bad_sitemap", f"elements are nested deeper than {_MAX_DEPTH}")
        if self._child_depth:
            return
        prefix, local = _parts(name)
        if self._entry_depth:
            self._start_child(prefix, local, attributes)
        elif local in self._kinds:
            self._start_entry(prefix, local, attributes)
        elif not self.root:
            self._start_root(local)

    def _start_root(self, local: str) -> None:
        if local == "html":
            raise ContentError("bad_sitemap", "an HTML page")
        if local in _ROOTS:
            self.root, self._root_depth, self._kinds = local, self._depth, _ROOTS[local]

    def _start_entry(self, prefix: str, local: str, attributes: dict[str, str]) -> None:
        self._entry_depth = self._depth
        self._kind, self._prefix = self._kinds[local], prefix
        if "rdf:about" in attributes:
            self._values["guid"] = attributes["rdf:about"]
        self._open_field(_OWN_TEXT)

    def _start_child(self, prefix: str, local: str, attributes: dict[str, str]) -> None:
        if self._field:
            self._close_field()
        if local in self._kinds:  # the one before was not closed
            self._finish_entry()
            self._start_entry(prefix, local, attributes)
            return
        self._child_depth = self._depth
        if local == "link" and "href" in attributes:
            self._take_link(attributes["href"], attributes.get("rel", ""))
        elif self._kinds is _FEED_ENTRIES:
            if local in _FEED_DATES or (local in _FEED_LINKS and prefix == self._prefix):
                self._open_field(local)
        elif local in _SITEMAP_FIELDS and prefix == self._prefix:
            if local == "loc" and "loc" in self._values:
                self._finish_entry()
            self._open_field(local)

    def _take_link(self, href: str, rel: str) -> None:
        """An ``atom:link`` or ``xhtml:link``."""
        relations = rel.lower().split()
        if self._kinds is _FEED_ENTRIES:
            if not relations:
                self._values.setdefault("link", href)
            elif "alternate" in relations:
                self._values.setdefault("alternate", href)
        elif "alternate" in relations:
            self._alternates.append(href)

    def _end(self, name: str) -> None:  # noqa: ARG002  (expat sees to it that it is the one that began)
        depth = self._depth
        if depth == self._child_depth:
            if self._field:
                self._close_field()
            self._child_depth = 0
        elif depth == self._entry_depth:
            if self._field:
                self._close_field()
            self._finish_entry()
            self._entry_depth = 0
        elif depth == self._root_depth:
            self._is_over = True
        self._depth = depth - 1

    def _open_field(self, name: str) -> None:
        self._field, self._texts = name, []
        self._parser.CharacterDataHandler = self._texts.append

    def _close_field(self) -> None:
        """Note the text of a field; the first of a name counts."""
        self._parser.CharacterDataHandler = None
        text = "".join(self._texts).strip()
        if text:
            self._values.setdefault(self._field, text)
        self._field = ""

    def _finish_entry(self, *, is_whole: bool = True) -> None:
        """List what was noted; an entry that is whole and says no URL is one that is bad."""
        values, alternates = self._values, self._alternates
        self._values, self._alternates = {}, []
        if self._kinds is _FEED_ENTRIES:
            if url := _url_of_feed_entry(values):
                dates = (values[name] for name in _FEED_DATES if name in values)
                self.listing.add(Entry(url, lastmod=_value(next(dates, None))))
            return
        url = values.get("loc") or values.get(_OWN_TEXT, "")
        if not (url or is_whole):
            return
        lastmod, changefreq = _value(values.get("lastmod")), _value(values.get("changefreq"))
        self.listing.add(Entry(url, self._kind, lastmod, changefreq, _priority(values.get("priority"))))
        for href in alternates:
            self.listing.add(Entry(href.strip(), "alternate"))


def _is_in_tag(utf8: bytes, at: int) -> bool:
    """Whether the offset is that of a tag, or within one."""
    start = utf8.rfind(b"<", 0, at + 1)
    return start > utf8.rfind(b">", 0, at + 1) and not utf8.startswith(b"<!", start)


def _url_of_feed_entry(values: dict[str, str]) -> str | None:
    """Its page: an Atom link without relation or an RSS one, an alternate, or an id that is a URL."""
    guid = values.get("guid", "")
    is_url = guid.lower().startswith(("http://", "https://"))
    return values.get("link") or values.get("alternate") or (guid if is_url else None)


def _value(text: str | None) -> str | None:
    """A short text on one line."""
    return " ".join(text.split()) if text and len(text) <= _MAX_VALUE_CHARS else None


def _priority(text: str | None) -> float | None:
    try:
        priority = float(text or "")
    except ValueError:
        return None
    return priority if 0 <= priority <= 1 else None


@lru_cache(maxsize=256)  # documents have a dozen names
def _parts(name: str) -> tuple[str, str]:
    """The prefix of an element's name, and what it is called by, in lower case."""
    prefix, _, local = name.rpartition(":")
    return prefix, local.lower()


def _refuse_entity(name: str, _parameter: bool, value: str | None, *_where: str | None) -> None:  # noqa: FBT001
    if value is not None:
        raise ContentError("bad_sitemap", f"it declares the entity {name[:40]!r}")


def _mended(blemish: re.Match[bytes]) -> bytes:
    """What stands for a bare ampersand, for an entity that XML does not know, and for a control character."""
    text, reference = blemish[0], blemish[1]
    if text[:1] == b"<" or (reference and (reference[:1] == b"#" or reference in _XML_ENTITIES)):
        return text
    if text[:1] != b"&":
        return b" "
    meaning = html5.get(reference.decode()) if reference else None
    return escape(meaning or text.decode(), quote=False).encode()
