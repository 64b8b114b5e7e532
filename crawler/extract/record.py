"""What does one line of ``pages.jsonl`` hold, one of ``links.jsonl``, and one of ``sitemaps.jsonl``?

The structs here are the published schema: keys in this order, absent values null, never missing. A record depends
on its response, its request and the configuration only. How the values are found is the other modules' business.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

SCHEMA_VERSION = 1
"""Raised when a key changes its meaning or goes away; new keys do not count."""

# NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR: `str.splitlines` and JavaScript end a line there.
_LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def one_line(line: bytes) -> bytes:
    """`line` of JSON with the line ends escaped that JSON allows in strings and line readers may split at.

    Its newlines stay: within a value JSON has none.
    """
    if not line.isascii():
        for raw, escaped in _LINE_ENDS:
            if raw[-1] in line:  # a tenth of the time of looking for all of it
                line = line.replace(raw, escaped)
    return line


class LinkRecord(msgspec.Struct, frozen=True, gc=False):
    """A hyperlink as its page presents it."""

    #: canonical, without fragment, scope notwithstanding
    url: Annotated[str, Meta(description="canonical http(s) URL without fragment, in scope or not")]
    #: of the first link to this URL on the page
    text: Annotated[
        str,
        Meta(
            description="the page's first link to this URL, read as text is, or if there is nothing to read the "
            "alternative text of its images, else its aria-label or title; one line of at most 200 characters"
        ),
    ]
    #: the attribute of that link, as written
    rel: Annotated[str | None, Meta(description="its rel attribute as written")]


class PageRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fetched HTML page."""

    #: of the request, canonical
    url: Annotated[str, Meta(description="canonical URL of the request that was answered")]
    #: HTTP status, 2xx
    status: Annotated[int, Meta(description="HTTP status")]
    #: link hops; redirects add none
    depth: Annotated[int, Meta(description="link hops from the seed; redirects add none")]
    #: None for a seed
    via: Annotated[str | None, Meta(description="URL of the page this one was first found on; null for a seed")]
    #: as its giver wrote it
    seed: Annotated[str, Meta(description="the seed it descends from, as given")]
    #: oldest first
    redirected_from: Annotated[tuple[str, ...], Meta(description="URLs that redirected here, oldest first")]
    #: RFC 3339, UTC, milliseconds
    fetched_at: Annotated[str, Meta(description="when the request was sent: RFC 3339, UTC, to the millisecond")]
    #: seconds
    elapsed_s: Annotated[float, Meta(description="seconds from the request to the last byte of the body")]
    #: the header, as received
    content_type: Annotated[str | None, Meta(description="the Content-Type header as received")]
    #: WHATWG name, lower case
    charset: Annotated[str, Meta(description="character encoding used: a WHATWG name in lower case")]
    #: how sure `charset` is: all but ``bom``, ``header`` and ``meta`` are our own conclusion
    charset_source: Annotated[
        str,
        Meta(
            description="what told the charset: bom, header, meta, utf-8 (it is valid as such), guess (from its bytes) "
            "or fallback (nothing did)"
        ),
    ]
    #: bytes after content decoding
    body_bytes: Annotated[int, Meta(description="length of the body after content decoding")]
    #: ``sha256:`` and 64 hex digits, of the body after content decoding
    content_digest: Annotated[str, Meta(description="sha256: and the hex digest of the body after content decoding")]
    #: None without a ``<title>``
    title: Annotated[
        str | None,
        Meta(description="the first title element, soft hyphens and the like left out, white space collapsed"),
    ]
    #: content of ``<meta name=description>``
    description: Annotated[str | None, Meta(description="the description meta element, white space collapsed")]
    #: attribute of ``<html>``: lang, else xml:lang
    lang: Annotated[str | None, Meta(description="the lang, else xml:lang, attribute of the html element, as written")]
    #: resolved against the base URL
    canonical: Annotated[str | None, Meta(description="target of link rel=canonical, resolved, without fragment")]
    #: in document order
    h1: Annotated[
        tuple[str, ...],
        Meta(
            description="the h1 elements that have text, read as text is, a line each, without a permalink at the end"
        ),
    ]
    #: None where ``extract.text`` is ``none``
    text: Annotated[
        str | None,
        Meta(
            description="all text of the body but that of scripts, styles, templates and drawings (svg), "
            "a line a block, white space collapsed but for the lines of pre and textarea elements, which are lines "
            "here too, indented as there; without soft hyphens, zero-width spaces, word joiners and byte order marks; "
            "null if not asked for"
        ),
    ]
    #: white-space-separated, so a Chinese sentence is one word; None where `text` is
    word_count: Annotated[
        int | None, Meta(description="white-space-separated words of text, so a Chinese or Japanese sentence is one")
    ]
    #: ``<a href>`` elements, whatever they point at, repetitions counted
    n_links: Annotated[int, Meta(description="number of a (not area) elements with href, whatever they point to")]
    #: None where ``extract.links`` is off
    links: Annotated[
        tuple[LinkRecord, ...] | None,
        Meta(
            description="http(s) targets of the a and area elements, each once, in their order; null if not asked for"
        ),
    ]
    #: keys of this record, and ``body``; ``links`` stands for the page's lines in links.jsonl too
    truncated: Annotated[
        tuple[str, ...],
        Meta(
            description="what was cut short: body (a broken compressed stream), or keys of this record, of which links "
            "stands for the page's lines in links.jsonl too"
        ),
    ]


class LinkLine(msgspec.Struct, frozen=True, gc=False):
    """One link of one page, as its record has it under ``links`` or would if asked for: same links, same order."""

    #: of the page, canonical
    source: Annotated[str, Meta(description="canonical URL of the page the link is on, the url of its record")]
    #: canonical, without fragment, scope notwithstanding
    target: Annotated[
        str,
        Meta(description="canonical http(s) URL it leads to, without fragment, in scope or not; once for each source"),
    ]
    #: as in `LinkRecord`
    text: Annotated[
        str, Meta(description="of the page's first link to the target, as in the links of its record; may be empty")
    ]
    #: as in `LinkRecord`
    rel: Annotated[str | None, Meta(description="rel attribute of that link as written; null without one")]


class SitemapLine(msgspec.Struct, frozen=True, gc=False):
    """One entry of one sitemap, whether it is followed or not."""

    #: canonical
    sitemap: Annotated[str, Meta(description="canonical URL of the sitemap or feed")]
    kind: Annotated[
        str,
        Meta(
            description="url, sitemap for one that an index names, or alternate for the same page in another language "
            "(xhtml:link rel=alternate)"
        ),
    ]
    #: canonical, without fragment, scope notwithstanding
    url: Annotated[
        str, Meta(description="canonical http(s) URL, without fragment, in scope or not; once for each sitemap")
    ]
    #: not checked: a W3C date by the protocol, in RSS one of RFC 822
    lastmod: Annotated[str | None, Meta(description="when it changed, as written; null where the sitemap says nothing")]
    changefreq: Annotated[str | None, Meta(description="how often it changes, as written; null likewise")]
    #: 0 to 1
    priority: Annotated[
        float | None, Meta(description="how important it is on its site, from 0 to 1; null likewise, which means 0.5")
    ]
