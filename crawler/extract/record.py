"""What does one line of ``pages.jsonl`` hold, one of ``links.jsonl``, and one of ``sitemaps.jsonl``?

The structs here are the published schema: keys in this order, absent values null, never missing. A record depends
on its response, its request and the configuration only. How the values are found is the other modules' business.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from crawler.extract.record_parts import Feed, Heading, Image, Table, Translation

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
    rel: Annotated[str | None, Meta(description="its rel attribute as written, at most 200 characters")]


class PageRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fetched HTML page. What ``extract.fields`` leaves out is None, whatever else is said of it here."""

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
    charset: Annotated[str | None, Meta(description="character encoding used: a WHATWG name in lower case")]
    #: how sure `charset` is: all but ``bom``, ``header`` and ``meta`` are our own conclusion
    charset_source: Annotated[
        str | None,
        Meta(
            description="what told the charset: bom, header, meta, utf-8 (it is valid as such), guess (from its bytes) "
            "or fallback (nothing did)"
        ),
    ]
    #: bytes after content decoding
    body_bytes: Annotated[int, Meta(description="length of the body after content decoding")]
    #: ``sha256:`` and 64 hex digits, of the body after content decoding
    content_digest: Annotated[
        str | None, Meta(description="sha256: and the hex digest of the body after content decoding")
    ]
    #: ``<title>``, og:title or h1: the first with text
    title: Annotated[
        str | None,
        Meta(
            description="the title element, else og:title, else the first h1, soft hyphens and the like left out, "
            "white space collapsed"
        ),
    ]
    #: content of ``<meta name=description>``, else og:description
    description: Annotated[
        str | None, Meta(description="the description meta element, else og:description, white space collapsed")
    ]
    #: attribute of ``<html>``: lang, else xml:lang
    lang: Annotated[str | None, Meta(description="the lang, else xml:lang, attribute of the html element, as written")]
    #: ISO 639-1, for lack of one 639-3
    lang_detected: Annotated[
        str | None,
        Meta(description="language the main text is in, as it reads: ISO 639-1, or 639-3 where there is none"),
    ]
    #: resolved against the base URL
    canonical: Annotated[str | None, Meta(description="target of link rel=canonical, resolved, without fragment")]
    site_name: Annotated[str | None, Meta(description="og:site_name or another name the page gives its site")]
    author: Annotated[str | None, Meta(description="who wrote the page, as it says; several with commas between")]
    #: ISO 8601
    published: Annotated[
        str | None,
        Meta(description="when it was first published, as it says: an ISO 8601 date, with time and offset if it tells"),
    ]
    #: ISO 8601
    modified: Annotated[str | None, Meta(description="when it was last changed, as it says, like published")]
    #: in document order
    h1: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="the h1 elements that have text, read as text is, a line each, without a permalink at the end"
        ),
    ]
    headings: Annotated[
        tuple[Heading, ...] | None, Meta(description="the elements h1 to h6 that have text, in their order")
    ]
    #: None where ``extract.text`` is ``none``
    text: Annotated[
        str | None,
        Meta(
            description="the main text, or all text, of the body, as extract.text asks: without scripts, styles, "
            "templates and drawings (svg), a line a block, white space collapsed but for the lines of pre and textarea "
            "elements, which are lines here too, indented as there; without soft hyphens, zero-width spaces, word "
            "joiners and byte order marks. Or the main text as Markdown. Null if not asked for"
        ),
    ]
    #: white-space-separated, so a Chinese sentence is one word; None where `text` is, but if it is listed
    word_count: Annotated[
        int | None,
        Meta(
            description="white-space-separated words of text, so a Chinese or Japanese sentence is one; of all text "
            "where extract.fields lists it and extract.text is none"
        ),
    ]
    sentence_count: Annotated[
        int | None, Meta(description="sentences of the main text; a line without a full stop is one")
    ]
    #: seconds
    reading_s: Annotated[
        int | None,
        Meta(
            description="seconds it takes to read the main text at 238 words a minute (Brysbaert 2019), Chinese, "
            "Japanese and Thai at 260 to 400 characters a minute"
        ),
    ]
    text_ratio: Annotated[float | None, Meta(description="characters of the main text by characters of the HTML")]
    #: 16 hex digits
    fingerprint: Annotated[
        str | None,
        Meta(
            description="64 bits of the main text as 16 hex digits; near-duplicates differ in few bits; null for a "
            "text of few words"
        ),
    ]
    needs_js: Annotated[bool | None, Meta(description="whether it seems an empty shell that scripts have to fill")]
    #: ``<a href>`` elements, whatever they point at, repetitions counted
    n_links: Annotated[
        int | None, Meta(description="number of a (not area) elements with href, whatever they point to")
    ]
    n_internal: Annotated[
        int | None, Meta(description="of these, those to http(s) URLs of the same registrable domain as the page")
    ]
    n_external: Annotated[int | None, Meta(description="those to http(s) URLs of other domains")]
    n_nofollow: Annotated[int | None, Meta(description="those to http(s) URLs that have nofollow in rel")]
    #: None where ``extract.links`` is off
    links: Annotated[
        tuple[LinkRecord, ...] | None,
        Meta(
            description="http(s) targets of the a and area elements, each once, in their order; null if not asked for"
        ),
    ]
    hreflang: Annotated[
        tuple[Translation, ...] | None, Meta(description="link rel=alternate hreflang: the page in other languages")
    ]
    feeds: Annotated[tuple[Feed, ...] | None, Meta(description="link rel=alternate: the RSS, Atom and JSON feeds")]
    images: Annotated[tuple[Image, ...] | None, Meta(description="the img elements, each URL once, in their order")]
    tables: Annotated[tuple[Table, ...] | None, Meta(description="the table elements that are no mere layout")]
    json_ld: Annotated[
        list[Any] | None,
        Meta(description="the values of its JSON-LD blocks, as they stand there; what cannot be read is left out"),
    ]
    opengraph: Annotated[
        dict[str, list[str | None]] | None,
        Meta(
            description="its Open Graph meta elements: of each property, such as og:image, the contents in order; what "
            "belongs to one of several images stands at its place, null for images that have none"
        ),
    ]
    twitter: Annotated[dict[str, list[str | None]] | None, Meta(description="its Twitter card, likewise by twitter:…")]
    microdata: Annotated[
        list[dict[str, Any]] | None, Meta(description="its microdata items, with type, id and properties")
    ]
    rdfa: Annotated[list[dict[str, Any]] | None, Meta(description="what its RDFa says, by subject")]
    headers: Annotated[
        dict[str, str] | None,
        Meta(
            description="the response headers asked for that came, by name in lower case; repeated ones joined with "
            "commas (set-cookie: with line feeds); null if none was asked for"
        ),
    ]
    html: Annotated[str | None, Meta(description="the HTML, decoded to Unicode; null if not asked for")]
    #: keys of this record, ``body``, ``nesting`` and ``attributes``; ``links`` stands for lines in links.jsonl too
    truncated: Annotated[
        tuple[str, ...],
        Meta(
            description="what was cut short: body (a broken compressed stream), nesting (elements more than 512 deep, "
            "which count as siblings), attributes (over 1,000 of an element), or keys of this record; json_ld also "
            "where a block could not be read, and links stands for the page's lines in links.jsonl too"
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
    rel: Annotated[
        str | None, Meta(description="rel attribute of that link as written, at most 200 characters; null without one")
    ]


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
