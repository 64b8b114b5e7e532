"""What does a sitemap list?

By the protocol of sitemaps.org: an XML urlset, an index of further sitemaps, an RSS or Atom feed, or a text with a URL
a line; each gzipped or not. Which of them it is its content tells, as labels and names are often wrong. What is XML
`sitemap_xml` reads; which of the URLs may enter is `sitemap_links`' to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from crawler.extract import charset
from crawler.extract.content import ContentError, Decoded, decode_content
from crawler.extract.sitemap_entries import Entry, Listing
from crawler.extract.sitemap_xml import read_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 50 * 1024**2
"""The protocol's limit, uncompressed: what lies beyond is not read."""

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_GZIP_LAYERS = 2  # beside Content-Encoding: some servers compress what is compressed
_MAX_SHOWN_CHARS = 80
_SPACE = b"\t\n\v\f\r "
_BEFORE_MARKUP = re.compile(rb"(?:[\0\t\n\v\f\r ]|\xef\xbb\xbf)*")
_LINE = re.compile(rb"[^\r\n]+")
_URL_START = re.compile(r"(?:https?:)?/", re.IGNORECASE)


class Sitemap(NamedTuple):
    """What was read."""

    entries: Sequence[Entry]
    #: how many there were beyond those
    beyond: int
    #: why it was not read to its end; None if it was
    broken: str | None


def parse(body: bytes, content_type: str | None, host: str, *, limit: int = MAX_BYTES, is_cut: bool = False) -> Sitemap:
    """What `body` lists. Any bytes will do.

    Args:
        body: After content decoding.
        content_type: The header, of which the charset is heeded and nothing else.
        host: The sitemap's own, by which a line is known as a URL that has no scheme.
        limit: Most bytes to read of it, its own layers of gzip undone.
        is_cut: Whether the body is known to lack its end.

    Raises:
        ContentError: ``bad_sitemap``: neither a sitemap nor a feed, or broken before its first entry.
            ``bad_encoding``: it is gzipped, and its data corrupt.
    """
    data, is_short = _unpacked(body, limit)
    is_cut = is_cut or is_short
    why_cut = f"only its first {limit} bytes are read" if len(data) >= limit else "it ends early"
    utf8 = charset.decode(data.lstrip(_SPACE), content_type).utf8
    found = _BEFORE_MARKUP.match(utf8)
    start = found.end() if found else 0
    if utf8.startswith(b"<", start):
        listing, broken = read_xml(utf8, start)
    else:
        listing, broken = _read_lines(utf8, start, host, is_cut=is_cut), None
    return Sitemap(listing.entries, listing.beyond, why_cut if is_cut else broken)


def lacks_scheme(text: str, host: str) -> bool:
    """Whether `text` is meant as a URL of `host` or of some ``www.`` host, but for its scheme."""
    return text.lower().startswith(("www.", f"{host}/", f"{host}:"))


def _unpacked(body: bytes, limit: int) -> Decoded:
    """`body` without the gzip layers of its own."""
    result = Decoded(body, truncated=False)
    for _ in range(_MAX_GZIP_LAYERS):
        if not result.data.startswith(_GZIP_MAGIC):
            break
        data, is_short = decode_content(result.data, "gzip", limit, cut=True)
        result = Decoded(data, truncated=result.truncated or is_short)
    return result


def _read_lines(utf8: bytes, start: int, host: str, *, is_cut: bool) -> Listing:
    """What a text lists, a URL a line. What is no URL is listed without one, so that it is counted."""
    listing = Listing()
    is_text_of_urls = False
    end = max(utf8.rfind(b"\n"), utf8.rfind(b"\r")) + 1 if is_cut else len(utf8)  # half a URL is another one
    for line in _LINE.finditer(utf8, start, end):
        if listing.is_full:
            listing.beyond += 1
            continue
        text = line[0].decode().strip()
        if text:
            is_url = _URL_START.match(text) is not None or lacks_scheme(text, host)
            is_text_of_urls |= is_url
            listing.add(Entry(text if is_url else ""))
    if not is_text_of_urls:
        begins = utf8[start : start + _MAX_SHOWN_CHARS].decode(errors="replace")
        raise ContentError("bad_sitemap", f"neither XML nor a list of URLs; it begins with {begins!r}")
    return listing
