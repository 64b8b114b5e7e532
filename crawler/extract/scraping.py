"""What do scraping rules add to a page: their records, and a say in which links are followed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from crawler.config.rule_kinds import Kind
from crawler.extract.hook import Hook
from crawler.extract.hook_links import links_of_function
from crawler.extract.rule_lines import Lines
from crawler.extract.rule_links import links_by_rules
from crawler.extract.rules import RuleSet
from crawler.models import Fill

if TYPE_CHECKING:
    from crawler.extract.links import Hyperlinks
    from crawler.extract.parsed import Parsed
    from crawler.extract.settings import Settings
    from crawler.extract.targets import PageTargets
    from crawler.models import Link, Refusal


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
    """The rules of a crawl at work, and the user's own function.

    Raises:
        ConfigError: Patterns of rules are too large for RE2; the function cannot be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._rules = RuleSet(settings.extract.rules)
        self._hook = Hook(settings.extract.python) if settings.extract.python is not None else None
        #: what responses there is anything to take of
        self.kinds = self._rules.kinds if self._hook is None else frozenset(get_args(Kind))

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

        Raises:
            HookError: The user's function failed on it.
        """
        scraped = self._rules.scrape(parsed, targets.url, problem)
        links, refusals = links_by_rules(scraped, targets, hyperlinks, nofollow=nofollow)
        fills = scraped.fills
        more: tuple[tuple[str, bytes], ...] = ()
        if self._hook is not None:
            yielded = self._hook(parsed)
            links, refused = links_of_function(yielded.links, links, targets, hyperlinks, nofollow=nofollow)
            refusals += refused
            fills += (Fill(rule=self._hook.sink, records=len(yielded.lines)),)
            more = ((self._hook.sink, b"\n".join(yielded.lines)),) if yielded.lines else ()
        if is_unwanted:
            return Taken(links, refusals, (), ())
        lines = Lines(parsed.url, parsed.fetched_at)
        for rule, record in scraped.records:
            lines.add(rule, record)
        for rule, record in scraped.rejects:
            lines.add(rule, record, rejected=True)
        return Taken(links, refusals, (*lines.records(), *more), fills)
