"""What do scraping rules add to a page: their records, and a say in which links are followed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.clock import rfc3339
from crawler.extract.parsed import Parsed
from crawler.extract.rule_lines import Lines
from crawler.extract.rule_links import links_by_rules
from crawler.extract.rules import RuleSet

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from crawler.config.rule_kinds import Kind
    from crawler.extract.links import Hyperlinks
    from crawler.extract.settings import Settings
    from crawler.extract.targets import PageTargets
    from crawler.models import Fill, Link, Refusal, Request, Response, Url


class Taken(NamedTuple):
    """What is taken of one response."""

    #: all that are followed
    links: tuple[Link, ...]
    #: besides those of the page's hyperlinks
    refusals: tuple[Refusal, ...]
    #: as `crawler.models.Page.records`
    records: tuple[tuple[str, bytes], ...]
    fills: tuple[Fill, ...]


class Scraping:
    """The rules of a crawl, at work.

    Raises:
        ConfigError: Their patterns are too large for RE2.
    """

    def __init__(self, settings: Settings) -> None:
        self._rules = RuleSet(settings.extract.rules)
        #: what responses there is anything to take of
        self.kinds = self._rules.kinds

    def take(
        self,
        parsed: Parsed,
        targets: PageTargets,
        hyperlinks: Hyperlinks | None = None,
        *,
        is_unwanted: bool = False,
        nofollow: bool = False,
        problem: str | None = None,
    ) -> Taken:
        """What there is to take of one response.

        Args:
            parsed: The response.
            targets: What hrefs on it mean.
            hyperlinks: Of an HTML page.
            is_unwanted: Whether nothing may be kept of it.
            nofollow: Whether it asks that no link be followed.
            problem: Why it could not be read, or not to its end.
        """
        scraped = self._rules.scrape(parsed, targets.url, problem)
        links, refusals = links_by_rules(scraped, targets, hyperlinks, nofollow=nofollow)
        if is_unwanted:
            return Taken(links, refusals, (), ())
        lines = Lines(parsed.url, parsed.fetched_at)
        for rule, record in scraped.records:
            lines.add(rule, record)
        for rule, record in scraped.rejects:
            lines.add(rule, record, rejected=True)
        return Taken(links, refusals, tuple(lines.records()), scraped.fills)


def parsed_of(
    request: Request,
    response: Response,
    base_url: Url,
    kind: Kind,
    *,
    text: str,
    tree: LexborHTMLParser | None = None,
    value: object = None,
) -> Parsed:
    """A response as rules see it."""
    return Parsed(
        url=request.url,
        base_url=base_url,
        status=response.status,
        headers=response.headers,
        fetched_at=rfc3339(response.fetched_at),
        kind=kind,
        text=text,
        tree=tree,
        value=value,
        carried=_carried(request.context),
    )


def _carried(context: bytes) -> dict[str, object]:
    """What a rule handed over with the link, as JSON; nothing if it was not a rule."""
    if not context:
        return {}
    try:
        return msgspec.json.decode(context, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}
