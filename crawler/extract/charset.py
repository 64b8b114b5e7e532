"""In which character encoding is a body written? As browsers find out, and then some.

In order (HTML standard, "determining the character encoding"): byte order mark, Content-Type header, `<meta>` or XML
declaration; then, undeclared, UTF-8 if the bytes are valid as such, else what `charset_guess` makes of them, else
windows-1252, the standard's default for the Western world. What labels mean is `encodings`' business.

Browsers look through the first 1024 bytes for the `<meta>`, and change their mind if one turns up later. Looking
through the first 16 KiB comes to the same, but for a `<meta>` further down still.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from crawler.extract import mime
from crawler.extract.charset_guess import guess, guess_of_utf8
from crawler.extract.encodings import decode_as, encoding_name

Source = Literal["bom", "header", "meta", "utf-8", "guess", "fallback"]

PRESCAN_BYTES = 16 * 1024
_MAX_START = 500

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_BOM_STARTS = tuple(bom for bom, _ in _BOMS)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding[\t\n\f\r ]*=[\t\n\f\r ]*(["'])([^"'>]+)\1""")

# The standard's prescan as tokens: comment, meta element, other tag, other markup.
_MARKUP = re.compile(rb"<(?:(!--)|(meta)(?=[\t\n\f\r /])|(/?[a-z])|[!/?])", re.IGNORECASE)
_TAG_NAME_END = re.compile(rb"[\t\n\f\r >]")
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)"""
    rb"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r >"'][^\t\n\f\r >]*|(?=>))))?"""
)
_CONTENT_CHARSET = re.compile(
    rb"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"'][^\t\n\f\r ;]*))""", re.IGNORECASE
)


class Text(NamedTuple):
    """A body as text, in the form HTML parsers take."""

    utf8: bytes  #: valid UTF-8 without byte order mark; the body itself where it is that
    charset: str  #: WHATWG name, lower case
    source: Source  #: what told it; ``utf-8``, ``guess`` and ``fallback`` are conclusions of our own
    n_chars: int  #: how many characters it has

    @property
    def text(self) -> str:
        """The characters."""
        return self.utf8.decode()


def decode(body: bytes, content_type: str | None) -> Text:
    """`body` (after content decoding) as text, errors as U+FFFD. Any bytes will do."""
    if body.startswith(_BOM_STARTS):
        for bom, name in _BOMS:
            if body.startswith(bom):
                return _as_text(body[len(bom) :], name, "bom")
    declared = _header_charset(content_type) if content_type else None
    if declared:
        return _as_text(body, declared, "header")
    declared = prescan(body)
    if declared:
        return _as_text(body, declared, "meta")
    n_chars = _n_chars_of_utf8(body)
    if n_chars is not None:
        guessed = guess_of_utf8(body)
        return _as_text(body, guessed, "guess") if guessed else Text(body, "utf-8", "utf-8", n_chars)
    guessed = guess(body)
    return _as_text(body, guessed, "guess") if guessed else _as_text(body, "windows-1252", "fallback")


def prescan(body: bytes) -> str | None:
    """The encoding that the beginning of `body` declares, by the standard's prescan algorithm; None if none."""
    head = body[:PRESCAN_BYTES]
    if head.startswith(b"<\0?\0x\0"):
        return "utf-16le"
    if head.startswith(b"\0<\0?\0x"):
        return "utf-16be"
    at = head.find(b"charset")
    if at >= 0 and (end := head.find(b">", at)) < _MAX_START:
        # What is said in the beginning is said by the first that says it, and pages of a site begin alike.
        declared = _meta_charset_of_start(head[: end + 1])
        if declared:
            return declared
    # Most undeclared pages are told apart here, at the price of two searches.
    declared = _meta_charset(head) if at >= 0 or b"charset" in head.lower() else None
    return declared or _xml_encoding(head)


def _as_text(body: bytes, name: str, source: Source) -> Text:
    n_chars = _n_chars_of_utf8(body) if name == "utf-8" else None
    if n_chars is not None:
        return Text(body, name, source, n_chars)
    text = decode_as(body, name)
    return Text(text.encode(), name, source, len(text))


def _n_chars_of_utf8(body: bytes) -> int | None:
    """How many characters `body` has as UTF-8; None if it is none."""
    if body.isascii():
        return len(body)
    try:
        return len(body.decode())
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=64)  # a site has one or two
def _header_charset(content_type: str) -> str | None:
    label = mime.read(content_type).charset
    return encoding_name(label) if label else None


@lru_cache(maxsize=64)
def _meta_charset_of_start(start: bytes) -> str | None:
    """As `_meta_charset`; a declaration that is whole in the beginning of a body holds for the body."""
    return _meta_charset(start)


def _xml_encoding(head: bytes) -> str | None:
    found = _XML_ENCODING.match(head)
    return _declared(found[2]) if found else None


def _meta_charset(head: bytes) -> str | None:
    """The standard's "prescan a byte stream", running out of bytes being a failure as there."""
    at = 0
    while markup := _MARKUP.search(head, at):
        at = markup.end()
        if markup[1]:
            end = head.find(b"-->", at - 2)
            at = end + 3
        elif markup[2] or markup[3]:
            if markup[3]:
                end_of_name = _TAG_NAME_END.search(head, at)
                if end_of_name is None:
                    return None
                at = end_of_name.start()
            attributes, end = _attributes(head, at)
            at = end
            if markup[2] and end >= 0 and (name := _encoding_of_meta(attributes)):
                return name
        else:
            end = head.find(b">", at)
            at = end
        if end < 0:
            return None
    return None


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """The attributes from `at` on, lower-case names, first of a name; and where they end, -1 if `head` ends first."""
    attributes: dict[bytes, bytes] = {}
    while found := _ATTRIBUTE.match(head, at):
        at = found.end()
        if head[at : at + 1] in (b"", b"="):  # cut short, or a quote that is never closed
            return {}, -1
        name, double, single, bare = found.groups()
        attributes.setdefault(name.lower(), double or single or bare or b"")
    end = head.find(b">", at)
    return attributes, end


def _encoding_of_meta(attributes: dict[bytes, bytes]) -> str | None:
    if b"charset" in attributes:
        return _declared(attributes[b"charset"])
    if attributes.get(b"http-equiv", b"").lower() != b"content-type":
        return None
    found = _CONTENT_CHARSET.search(attributes.get(b"content", b""))
    return _declared(found[1] or found[2] or found[3] or b"") if found else None


def _declared(label: bytes) -> str | None:
    """What a declaration inside a document means: it is readable as ASCII, so it cannot be UTF-16."""
    name = encoding_name(label.decode("latin-1"))
    if name in ("utf-16be", "utf-16le"):
        return "utf-8"
    return "windows-1252" if name == "x-user-defined" else name
