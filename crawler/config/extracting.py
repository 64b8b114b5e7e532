"""What a page record holds, and what is written beside it: the sections that extraction and export read."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from crawler.config.base import Section
from crawler.config.record_fields import CHOSEN, IDENTITY
from crawler.config.scraping import RuleConfig


class FeaturesConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which features of a page are worked out; those that are not are null in its record."""

    meta: Annotated[
        bool, Meta(description="site_name, author, published, modified, hreflang and feeds: what the page says.")
    ] = True
    language: Annotated[bool, Meta(description="lang_detected: the language of the text, as it reads.")] = True
    fingerprint: Annotated[
        bool, Meta(description="fingerprint: 64 bits of the main text, near-duplicates differ in few.")
    ] = True
    counts: Annotated[
        bool, Meta(description="sentence_count, reading_s, text_ratio, n_internal, n_external, n_nofollow.")
    ] = True
    headings: Annotated[bool, Meta(description="headings: h1 to h6, as an outline.")] = True
    json_ld: Annotated[bool, Meta(description="json_ld: the page's JSON-LD blocks.")] = True
    opengraph: Annotated[bool, Meta(description="opengraph and twitter: their meta elements.")] = True
    images: Annotated[bool, Meta(description="images: URL and alternative text.")] = False
    tables: Annotated[bool, Meta(description="tables: as lists of rows.")] = False
    microdata: Annotated[bool, Meta(description="microdata: items with their types and properties.")] = False
    rdfa: Annotated[bool, Meta(description="rdfa: RDFa Lite and Core 1.1, as subjects with properties.")] = False


class ExtractConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a page record holds, and which other records a page gives."""

    text: Annotated[
        Literal["main", "all", "markdown", "none"],
        Meta(
            description="The page's main text, without navigation and the like; all its visible text; the main text as "
            "Markdown; or none."
        ),
    ] = "main"
    links: Annotated[bool, Meta(description="List the page's links in its record. They are followed either way.")] = (
        True
    )
    html: Annotated[bool, Meta(description="Keep the page's HTML in its record, decoded to Unicode.")] = False
    headers: Annotated[
        tuple[str, ...], Meta(description="Response headers to keep in the record, such as etag; * keeps all.")
    ] = ()
    fields: Annotated[
        tuple[Annotated[str, Meta(extra_json_schema={"enum": [*IDENTITY, *CHOSEN]})], ...] | None,
        Meta(
            description="The keys of the record that are worked out, such as [title, h1, n_links], whatever features "
            "says; all others are null, but for url and what else tells what was fetched and how. null is every key.",
            extra_json_schema={"minItems": 1, "uniqueItems": True},
        ),
    ] = None
    features: FeaturesConfig = FeaturesConfig()
    rules: Annotated[
        tuple[Annotated[RuleConfig, Meta(extra_json_schema={"type": ["object", "string"]})], ...],
        Meta(
            description="Scraping rules, or the name of a file of them beside this one; names may stand in the list "
            "too: see docs/rules.md.",
            extra_json_schema={"type": ["array", "string", "null"]},
        ),
    ] = ()
    python: Annotated[
        str | None,
        Meta(
            description="A function of your own, package.module:function, which gets each parsed page and yields "
            "records and links: see docs/python.md."
        ),
    ] = None


class ExportConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written beside the records, and how."""

    compress: Annotated[
        Literal["none", "gzip", "zstd"],
        Meta(description="How files of records are compressed: pages.jsonl.gz, .zst. Readable while written."),
    ] = "none"
    links: Annotated[
        bool, Meta(description="Write links.jsonl: a line for each link of each page, followed or not.")
    ] = False
    sitemaps: Annotated[
        bool,
        Meta(description="Write sitemaps.jsonl: a line for each entry of each sitemap, with its lastmod and priority."),
    ] = False
    files: Annotated[
        tuple[str, ...],
        Meta(
            description="Keep the bodies of answers whose URL or content type matches one of these, such as *.pdf and "
            "image/*, under files/, with a line each in files.jsonl."
        ),
    ] = ()
    warc: Annotated[
        bool, Meta(description="Write a WARC 1.1 archive of every request that ended a URL, for `crawler reparse`.")
    ] = False
    report: Annotated[
        bool,
        Meta(description="Write report.html when the crawl has ended; `crawler report DIR` writes it at any time."),
    ] = True
