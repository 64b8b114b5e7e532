"""What do a page and its rules come to? The page as in a crawl, in a parser process; the rules once more, explained.

What the parser process does not survive is never looked at in this one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import uvloop
from selectolax.lexbor import LexborHTMLParser

from crawler.build import open_parser
from crawler.config.scraping import MatchConfig
from crawler.errors import UrlError
from crawler.extract import charset
from crawler.extract.content import decode_content
from crawler.extract.data_page import data_kind, read_data
from crawler.extract.flatten import flattened
from crawler.extract.near_misses import near_misses
from crawler.extract.parsed import parsed_of
from crawler.extract.rule_report import SourceReport
from crawler.extract.rules import RuleSet
from crawler.extract.targets import Targets
from crawler.models import PAGES, ParseFailure
from crawler.parse.base import Job
from crawler.parse.trial import try_function
from crawler.scope import Scope
from crawler.url import Base

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.config.scraping import RuleConfig
    from crawler.extract.near_misses import NearMiss
    from crawler.extract.parsed import Parsed
    from crawler.extract.rule_report import RuleReport
    from crawler.models import Page, Request, Response, Url


_MAX_NEAR = 50


class Tried(NamedTuple):
    """What became of one answer."""

    page: Page | ParseFailure
    #: seconds in the parser, with what it takes to send the page there
    elapsed_s: float
    reports: tuple[RuleReport, ...] = ()
    #: what ``each`` of a rule selected, by the rule's name
    each: dict[str, SourceReport] = {}  # noqa: RUF012 - nothing is ever put in
    #: ``match.css`` of a rule that it keeps from this page, by the rule's name
    kept_by: dict[str, str] = {}  # noqa: RUF012
    #: by selector that matched nothing
    near: dict[str, tuple[NearMiss, ...]] = {}  # noqa: RUF012

    def lines(self, sink: str | None = None) -> list[bytes]:
        """The records, as JSON, of one sink or of all: the page's own first."""
        if isinstance(self.page, ParseFailure):
            return []
        ordered = sorted(self.page.records, key=lambda record: record[0] != PAGES)
        return [line for name, lines in ordered if sink in (None, name) for line in lines.split(b"\n")]


def tried(request: Request, response: Response, config: CrawlConfig, folder: Path) -> Tried:
    """What a crawl under `config`, whose relative paths start from `folder`, would make of one answer.

    Raises:
        ConfigError: The function of ``extract.python`` cannot be loaded.
        CrawlerError: The parser cannot be started.
    """
    parse = msgspec.structs.replace(config.parse, workers=1)
    extract = config.extract
    if extract.python is not None:
        extract = msgspec.structs.replace(extract, python=str(folder.absolute() / extract.python))
        try_function(str(extract.python))
    start = time.perf_counter()
    page = uvloop.run(_page(request, response, msgspec.structs.replace(config, parse=parse, extract=extract)))
    elapsed_s = time.perf_counter() - start
    if isinstance(page, ParseFailure) or not extract.rules:
        return Tried(page, elapsed_s)
    parsed = parsed_answer(request, response, config)
    if parsed is None:
        return Tried(page, elapsed_s)
    targets = Targets(config.urls, 0).of_page(
        parsed.base_url, Scope(config.scope).for_page(request.scope_host, request.depth + 1)
    )
    reports = tuple(RuleSet(extract.rules).explain(parsed, targets.url, clock=time.perf_counter))
    each = dict(_each(parsed, extract.rules, reports))
    kept_by = dict(_kept_by(parsed, extract.rules))
    return Tried(page, elapsed_s, reports, each, kept_by, _near(parsed, reports, (*each.values(),), kept_by.values()))


def parsed_answer(request: Request, response: Response, config: CrawlConfig) -> Parsed | None:
    """An answer that a parser process has survived, as rules see it; None if it is none of HTML, JSON and XML.

    Raises:
        ContentError: Its body cannot be decoded.
    """
    content_type = ", ".join(response.values(b"content-type")) or None
    fetch = config.fetch
    encoding = ", ".join(response.values(b"content-encoding"))
    body = decode_content(response.body, encoding, int(fetch.max_body_bytes), max_ratio=float(fetch.max_ratio or 0))
    kind = data_kind(content_type or "")
    if kind is not None and not (content_type or "").lower().startswith("application/xhtml"):
        data = read_data(kind, body, content_type)
        return parsed_of(request, response, response.url, kind, text=data.text, value=data.value)
    if content_type and "/" in content_type and "html" not in content_type.lower():
        return None
    text = charset.decode(body.data, content_type)
    tree = LexborHTMLParser(flattened(text.utf8).utf8)
    return parsed_of(request, response, _base_url(tree, response.url, config), "html", text=text.text, tree=tree)


async def _page(request: Request, response: Response, config: CrawlConfig) -> Page | ParseFailure:
    async with open_parser(config) as parser:
        return (await parser.parse([Job(request=request, response=response)]))[0]


def _base_url(tree: LexborHTMLParser, url: Url, config: CrawlConfig) -> Url:
    base = tree.css_first("base[href]")
    try:
        return Base(url, config.urls).join(base.attributes.get("href") or "") if base is not None else url
    except UrlError:
        return url


def _each(
    parsed: Parsed, rules: Sequence[RuleConfig], reports: Sequence[RuleReport]
) -> Iterator[tuple[str, SourceReport]]:
    """What selects the items of each rule that is for this page, and how many."""
    items = {report.rule: report.items for report in reports if report.is_matched}
    for rule in rules:
        each = rule.each
        if rule.name not in items or each is None:
            continue
        if isinstance(each, str):
            kind = "css" if parsed.tree is not None else "json"
            yield rule.name, SourceReport(kind=kind, expression=each, found=items[rule.name])
        else:
            yield rule.name, SourceReport(kind="json", expression=each.json, within=each.in_, found=items[rule.name])


def _kept_by(parsed: Parsed, rules: Sequence[RuleConfig]) -> Iterator[tuple[str, str]]:
    """The selectors that must be present on a page, and are not, of each rule."""
    for rule in rules:
        css = rule.match.css if isinstance(rule.match, MatchConfig) else None
        if css is not None and parsed.tree is not None and parsed.tree.css_first(css) is None:
            yield rule.name, css


def _near(
    parsed: Parsed, reports: Sequence[RuleReport], each: Iterable[SourceReport], kept_by: Iterable[str]
) -> dict[str, tuple[NearMiss, ...]]:
    """What is like the selectors that matched nothing, where no other of their field did either."""
    if parsed.tree is None:
        return {}
    missed = [*(source.expression for source in each if source.kind == "css" and not source.found), *kept_by]
    missed += [
        source.expression
        for report in reports
        for field in report.fields
        if field.objects and not any(source.found for source in field.sources)
        for source in field.sources
        if source.kind == "css"
    ]
    missed += [follow.expression for report in reports for follow in report.follow or () if not follow.found]
    wanted = [selector for selector in dict.fromkeys(missed) if selector][:_MAX_NEAR]
    return near_misses(parsed.tree, wanted) if wanted else {}
