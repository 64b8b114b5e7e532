"""What does the summary tell of scraping rules? How much each found, and what it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.rule_health import worst_host
from crawler.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crawler.rule_health import RuleSummary

_MAX_RULES = 20
_MAX_FIELDS = 12  # of one rule: those that are filled least
_MAX_NAME = 40  # characters
_MAX_LINE = 300
_MAX_FALLEN = 10


def rules_told(rules: Mapping[str, RuleSummary]) -> str:
    """A paragraph a rule; empty if there are none."""
    shown = list(rules.items())[:_MAX_RULES]
    lines = [line for name, rule in shown for line in _rule(name, rule)]
    if len(rules) > len(shown):
        lines.append(f"and {len(rules) - len(shown):,} more rules, in summary.json")
    return "\n".join(lines)


def fallen_told(fallen: Sequence[str]) -> str:
    """What may mean that a site has changed; empty if nothing does."""
    if not fallen:
        return ""
    lines = [f"  {printable(line, _MAX_LINE)}" for line in fallen[:_MAX_FALLEN]]
    if len(fallen) > len(lines):
        lines.append(f"  and {len(fallen) - len(lines):,} more, in crawl.log")
    return "\n".join(("Rules find less than before:", *lines))


def _rule(name: str, rule: RuleSummary) -> Iterator[str]:
    found = f"{counted(rule.records, 'record')}, {counted(rule.rejects, 'reject')}"
    where = "" if rule.pages or rule.records or rule.rejects else ": no page matched it"
    yield f"Rule {printable(name, _MAX_NAME)}: {found}{where}"
    full = [field for field, share in rule.fill.items() if share >= 1.0]
    others = sorted((share, field) for field, share in rule.fill.items() if share < 1.0)
    least = {field for _, field in others[:_MAX_FIELDS]}
    shown = [(printable(field, _MAX_NAME), field) for field in rule.fill if field in least]
    width = max((len(label) for label, _ in shown), default=0)
    for label, field in shown:
        worst = worst_host(rule, field)
        note = f"  ({printable(worst[0], _MAX_NAME)} {percent(worst[1])})" if worst else ""
        yield f"  {label:<{width}}  {percent(rule.fill[field]):>7}{note}"
    if len(others) > len(shown):
        yield f"  {counted(len(others) - len(shown), 'other field')} lacking less, in summary.json"
    if full:
        yield f"  {'all' if not others else 'other'} fields always filled"


def percent(share: float) -> str:
    """A share with one decimal, 100 % and 0 % for nothing less and nothing more."""
    shown = f"{share:.1%}"
    if share < 1.0 and shown == "100.0%":
        shown = "99.9%"
    if share > 0.0 and shown == "0.0%":
        shown = "0.1%"
    return f"{shown[:-1]} %"
