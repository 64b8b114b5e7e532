"""Rules as a user writes them, on pages as a server sends them: for tests of the rules engine."""

from __future__ import annotations

import textwrap

from selectolax.lexbor import LexborHTMLParser

from crawler.config.file import ConfigMistakesError, loads
from crawler.errors import UrlError
from crawler.extract.parsed import Parsed
from crawler.extract.rules import RuleSet
from crawler.url import canonicalize, resolve

URL = "https://shop.test/lamps/blue?page=2&q=a%20b"


def configured(rules):
    """The rules of a YAML text that is the list of them, or one of them."""
    text = textwrap.dedent(rules).strip("\n")
    if not text.startswith("-"):
        text = "- " + textwrap.indent(text, "  ").strip()
    return loads("extract:\n  rules:\n" + textwrap.indent(text, "    ") + "\n", "crawl.yaml").config.extract.rules


def mistakes_of(rules):
    """What a person is told of wrong rules, place and all, as (line, column, key, value, expected)."""
    try:
        configured(rules)
    except ConfigMistakesError as error:
        return [
            (each.place.line - 2, each.place.column, each.key, each.value, each.expected) for each in error.mistakes
        ]
    return []


def page(html=None, *, value=None, kind=None, url=URL, carried=None):
    """A parsed page."""
    return Parsed(
        url=url,
        base_url=url,
        status=200,
        headers=(),
        fetched_at="2026-01-02T03:04:05.678Z",
        kind=kind or ("json" if html is None else "html"),
        text=html or "",
        tree=LexborHTMLParser(html) if html is not None else None,
        value=value,
        carried=carried,
    )


def resolving(url=URL):
    """What references on a page mean."""

    def resolved(href):
        try:
            return canonicalize(resolve(href, url))
        except UrlError:
            return None

    return resolved


def scraped(rules, parsed):
    """What rules give of a page."""
    return RuleSet(configured(rules)).scrape(parsed, resolving(parsed.url))


def record_of(fields, parsed):
    """The one record of a rule with these fields, which are YAML."""
    result = scraped("name: r\nfields:\n" + textwrap.indent(textwrap.dedent(fields).strip("\n"), "  "), parsed)
    assert not result.rejects, result.rejects
    ((_, record),) = result.records
    return record


def errors_of(fields, parsed):
    """Why a record with these fields is rejected: (field, value, expected)."""
    result = scraped("name: r\nfields:\n" + textwrap.indent(textwrap.dedent(fields).strip("\n"), "  "), parsed)
    assert not result.records
    ((_, record),) = result.rejects
    return [tuple(error.values()) for error in record["_errors"]]
