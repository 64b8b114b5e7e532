"""Which records does a page give by the rules, and which of its links are followed? Rules are compiled once.

A rule that is for the page is looked for in each of its items, field by field (`rule_field`). What can be wrong with
a record is written down with it; what can be wrong with a rule was found when its file was read
(`crawler.config.rules_scraping`). Whatever the page, nothing raises, and what is taken of it is bounded
(`rule_page`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jmespath
from selectolax.lexbor import LexborNode

from crawler.config.scraping import EachConfig
from crawler.extract.rule_explain import field_reports, follow_reports
from crawler.extract.rule_field import Field
from crawler.extract.rule_follow import Follow, Skip
from crawler.extract.rule_match import Match
from crawler.extract.rule_page import RulePage
from crawler.extract.rule_report import FieldError, RuleReport, as_plain
from crawler.extract.rule_trace import Trace
from crawler.models import Fill

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.config.scraping import RuleConfig
    from crawler.extract.parsed import Parsed
    from crawler.extract.rule_follow import Followed, Skipped

    Resolve = Callable[[str], str | None]

MAX_ITEMS: Final = 10_000
"""Of one rule on one page; a reject says so where there are more."""


class Scraped:
    """What all rules together give of one page."""

    __slots__ = ("fills", "follow", "records", "rejects", "restricted_by", "skips")

    def __init__(self) -> None:
        #: rule name and record, in order of rules and items
        self.records: list[tuple[str, dict[str, Any]]] = []
        #: rule name and what was got, with a list of errors under ``_errors``
        self.rejects: list[tuple[str, dict[str, Any]]] = []
        #: the only links to be followed; None where no rule says so
        self.follow: list[Followed] | None = None
        #: the first rule that says so
        self.restricted_by = ""
        #: what is not to be followed all the same
        self.skips: list[Skipped] = []
        #: one for each rule that is for the page
        self.fills: tuple[Fill, ...] = ()


class RuleSet:
    """All rules of a crawl.

    Args:
        rules: Without problems.

    Raises:
        ConfigError: Patterns are too large for RE2.
    """

    def __init__(self, rules: Sequence[RuleConfig]) -> None:
        self._rules = [_Rule(rule) for rule in rules]
        #: of response that at least one of them is for
        self.kinds = frozenset(kind for rule in self._rules for kind in rule.match.kinds)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def scrape(self, parsed: Parsed, resolve: Resolve, problem: str | None = None) -> Scraped:
        """What the rules give.

        Args:
            parsed: The page.
            resolve: The canonical http(s) URL that a reference on it means, or None.
            problem: Why it could not be read to its end. Where that left no value at all, rules that are for its URL
                get a reject that says so; else their records have ``body`` under ``_truncated``.
        """
        scraped = Scraped()
        page: RulePage | None = None
        fills = []
        for rule in self._rules:
            if parsed.tree is None and parsed.value is None and problem is not None:
                if rule.match.why_not_by_url(parsed) is None:
                    fills.append(rule.refuse(problem, scraped))
            elif rule.match.why_not(parsed) is None:
                page = page or RulePage(parsed, resolve, is_whole=problem is None)
                fills.append(rule.scrape(page, scraped))
        scraped.fills = tuple(fills)
        return scraped

    def explain(self, parsed: Parsed, resolve: Resolve, clock: Callable[[], float] = float) -> list[RuleReport]:
        """How each rule does on a page, for people.

        Args:
            parsed: The page.
            resolve: As of `scrape`.
            clock: Seconds, from any start, for how long each takes.
        """
        reports = []
        for rule in self._rules:
            start = clock()
            why_not = rule.match.why_not(parsed)
            if why_not is not None:
                reports.append(RuleReport(rule=rule.name, why_not=why_not, elapsed_s=clock() - start))
                continue
            scraped, trace = Scraped(), Trace()
            page = RulePage(parsed, resolve, trace)
            rule.scrape(page, scraped)
            elapsed_s = clock() - start
            report = RuleReport(
                rule=rule.name,
                items=trace.items,
                fields=tuple(field_reports(rule.fields, trace)),
                records=tuple(record for _, record in scraped.records),
                rejects=tuple(record for _, record in scraped.rejects),
                follow=None if rule.follow is None else tuple(follow_reports(rule.follow, trace, page)),
                elapsed_s=elapsed_s,
            )
            reports.append(report)
        return reports


class _Rule:
    def __init__(self, config: RuleConfig) -> None:
        self.name = config.name
        self.match = Match(config)
        each = config.each
        self._each = each if isinstance(each, str) else None
        self._within = each.in_ if isinstance(each, EachConfig) else None
        self._each_json: Any = jmespath.compile(each.json) if isinstance(each, EachConfig) else None
        self.fields = {name: Field(given, name) for name, given in config.fields.items()}
        follow = config.follow
        are_values = isinstance(each, EachConfig)
        self.follow = (
            None if follow is None else [Follow(config.name, given, are_values=are_values) for given in follow]
        )
        self._skip = Skip(config.name, config.skip) if config.skip else None
        if isinstance(each, str) and "html" not in self.match.kinds:
            self._each_json = jmespath.compile(each)

    def scrape(self, page: RulePage, scraped: Scraped) -> Fill:
        """Add what this rule gives to `scraped`; how well its fields did."""
        n_records, n_rejects = len(scraped.records), len(scraped.rejects)
        filled = dict.fromkeys(self.fields, 0)
        followed = scraped.follow or []
        if self.follow is not None and scraped.follow is None:
            scraped.follow, scraped.restricted_by = followed, self.name
        items, are_all = self._items(page)
        if page.trace is not None:
            page.trace.items = len(items)
        for item in items:
            record = self._record(item, page, filled, scraped) if self.fields else {}
            for follow in self.follow or ():
                if follow.is_of_items:
                    followed += follow.links(item, record, page)
        for follow in self.follow or ():
            if not follow.is_of_items:
                followed += follow.links(page.root, {}, page)
        if not are_all:
            self.refuse(f"at most {MAX_ITEMS} items on a page; the others are left out", scraped)
        if self._skip is not None:
            scraped.skips.append(self._skip.on(page))
        return Fill(
            rule=self.name,
            records=len(scraped.records) - n_records,
            rejects=len(scraped.rejects) - n_rejects,
            filled=filled,
        )

    def refuse(self, expected: str, scraped: Scraped) -> Fill:
        """Add a reject that is no record, for what is wrong with the page as a whole."""
        scraped.rejects.append((self.name, {"_errors": [as_plain(FieldError("", None, expected))]}))
        return Fill(rule=self.name, rejects=1, filled=dict.fromkeys(self.fields, 0))

    def _record(self, item: Any, page: RulePage, filled: dict[str, int], scraped: Scraped) -> dict[str, Any]:  # noqa: ANN401
        """The values of one item, added to the records or the rejects and, by field, to those `filled`."""
        record: dict[str, Any] = {}
        wrong: list[FieldError] = []
        cut: list[str] = [] if page.is_whole else ["body"]
        for name, field in self.fields.items():
            page.is_cut = False
            value, errors = field.evaluate(item, page)
            filled[name] += value is not None
            record[name] = field.filled(value)
            wrong += [FieldError(f"{name}{error.field}", error.value, error.expected) for error in errors]
            if page.is_cut:
                cut.append(name)
        if cut:
            record["_truncated"] = cut
        if wrong:
            scraped.rejects.append((self.name, {"_errors": [as_plain(error) for error in wrong], **record}))
        else:
            scraped.records.append((self.name, record))
        return record

    def _items(self, page: RulePage) -> tuple[list[Any], bool]:
        """What ``each`` selects, and whether that is all."""
        if page.root is None:
            return [], True
        if self._each is None and self._each_json is None:
            return [page.root], True
        page.is_cut = False
        if self._each_json is None:
            items: list[Any] = page.select(page.root, self._each or "") if isinstance(page.root, LexborNode) else []
        else:
            try:
                found = self._each_json.search(page.root if self._within is None else page.data(self._within))
            except Exception:  # noqa: BLE001 - what functions make of wrong types is no item
                found = None
            items = [value for value in (found if isinstance(found, list) else [found]) if value is not None]
        return items[:MAX_ITEMS], len(items) <= MAX_ITEMS and not page.is_cut
