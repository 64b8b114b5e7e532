"""What must scraping rules satisfy beyond their types?  All that can be known to go wrong before a page is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.config.base import dotted_key
from crawler.config.patterns import pattern_problem
from crawler.config.problem import Problem, quoted
from crawler.config.rule_fields import field_problems, selector_problem, within_problem
from crawler.config.rule_kinds import HTML, kinds_of_parts, kinds_of_rule
from crawler.config.scraping import RESERVED, EachConfig, as_follow, as_match, as_skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.rule_fields import Item
    from crawler.config.rule_kinds import Kinds
    from crawler.config.scraping import RuleConfig


_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def scraping(rules: tuple[RuleConfig, ...]) -> Iterator[Problem]:
    """Everything wrong with `rules`."""
    known: set[str] = set()
    for position, rule in enumerate(rules):
        key = f"extract.rules[{position}]"
        found = [*_name(rule.name, key, known), *_of_rule(rule, key)]
        known.add(rule.name.casefold())
        yield from found
        if not found and not rule.fields and rule.follow is None and not rule.skip:
            yield Problem(key, f"rule {rule.name}", "expected fields, follow or skip: as it is, it does nothing")


def _of_rule(rule: RuleConfig, key: str) -> Iterator[Problem]:
    """Everything wrong with a rule but its name."""
    kinds = kinds_of_rule(rule)
    yield from _match(rule, f"{key}.match")
    if kinds:
        yield from _each(rule, kinds, f"{key}.each")
    else:
        yield _contradiction(rule, key)
    item: Item | None = "node" if kinds <= HTML and not isinstance(rule.each, EachConfig) else "value"
    item = item if kinds else None
    for name, field in rule.fields.items():
        yield from field_problems(field, dotted_key(f"{key}.fields", name), name, item)
    yield from _followed(rule, key)
    yield from _skipped(rule, key)
    for number, name in enumerate(rule.unique):
        if name not in rule.fields:
            yield _unknown_field(f"{key}.unique[{number}]", name, rule)


def _name(name: str, key: str, known: set[str]) -> Iterator[Problem]:
    if not name:
        yield Problem(key, "a rule", "expected a name, which its file gets: name: products")
    elif not _NAME.fullmatch(name):
        expected = "expected a file name: at most 100 ASCII letters, digits, '_' or '-', the last two not first"
        yield Problem(f"{key}.name", quoted(name), expected)
    elif name.casefold() in RESERVED:
        yield Problem(f"{key}.name", name, f"expected another name; {name} is a file that a crawl has already")
    elif name.casefold() in known:
        yield Problem(f"{key}.name", name, "expected a name of its own; another rule has it")


def _contradiction(rule: RuleConfig, key: str) -> Problem:
    """Two parts of a rule that are for different kinds of response."""
    first, kinds = next(kinds_of_parts(rule))
    for part, others in kinds_of_parts(rule):
        if not kinds & others:
            expected = (
                f"expected what is for {_words(kinds)}, as {first} is: CSS and `in` are for HTML, "
                "JMESPath without `in` is for JSON and XML"
            )
            return Problem(f"{key}.{part}", f"for {_words(others)}", expected)
        first, kinds = part, kinds & others
    return Problem(key, "a rule", "expected parts for one kind of response")


def _words(kinds: Kinds) -> str:
    return " or ".join(sorted(kind.upper() for kind in kinds)) or "nothing"


def _match(rule: RuleConfig, key: str) -> Iterator[Problem]:
    match = as_match(rule.match)
    if isinstance(rule.match, str):
        keys = [key]
    else:
        below = key if isinstance(rule.match, tuple) else f"{key}.url"
        keys = [f"{below}[{number}]" for number in range(len(match.url))]
    for place, pattern in zip(keys, match.url, strict=True):
        if problem := pattern_problem(pattern):
            yield Problem(place, quoted(pattern), problem)
    if match.css is not None:
        yield from selector_problem(f"{key}.css", match.css, "css")
    if match.json is not None:
        yield from selector_problem(f"{key}.json", match.json, "json")


def _each(rule: RuleConfig, kinds: Kinds, key: str) -> Iterator[Problem]:
    if rule.each is None:
        return
    if isinstance(rule.each, EachConfig):
        yield from selector_problem(f"{key}.json", rule.each.json, "json")
        yield from within_problem(f"{key}.in", rule.each.in_)
    elif kinds > HTML:
        expected = "expected match.type, as on HTML each is CSS and on JSON and XML JMESPath"
        yield Problem(key, quoted(rule.each), expected)
    else:
        yield from selector_problem(key, rule.each, "css" if kinds == HTML else "json")


def _followed(rule: RuleConfig, key: str) -> Iterator[Problem]:
    for position, given in enumerate(rule.follow or ()):
        follow = as_follow(given)
        below = f"{key}.follow[{position}]"
        place = below if isinstance(given, str) else f"{below}.css"
        if follow.css:  # empty: the item itself
            yield from selector_problem(place, follow.css, "css")
        if follow.json is not None:
            yield from selector_problem(f"{below}.json", follow.json, "json")
        if follow.css is not None and follow.json is not None:
            yield Problem(f"{below}.json", quoted(follow.json), "expected css or json, not both")
        if follow.css is not None and follow.carry and isinstance(rule.each, EachConfig):
            yield Problem(
                place, quoted(follow.css), "expected json, as what carries is looked for in items, here values"
            )
        if not follow.attr:
            yield Problem(f"{below}.attr", '""', "expected the name of an attribute")
        for number, name in enumerate(follow.carry):
            if name not in rule.fields:
                yield _unknown_field(f"{below}.carry[{number}]", name, rule)
        yield from _patterns(follow.url, f"{below}.url")


def _skipped(rule: RuleConfig, key: str) -> Iterator[Problem]:
    for position, entry in enumerate(rule.skip):
        skip = as_skip(entry)
        below = f"{key}.skip[{position}]"
        if isinstance(entry, str):
            if problem := pattern_problem(entry):
                yield Problem(below, quoted(entry), problem)
            continue
        yield from _patterns(skip.url, f"{below}.url")
        if skip.css is not None:
            yield from selector_problem(f"{below}.css", skip.css, "css")
        elif not skip.url:
            yield Problem(below, "nothing", "expected url or css")


def _patterns(patterns: tuple[str, ...], key: str) -> Iterator[Problem]:
    for position, pattern in enumerate(patterns):
        if problem := pattern_problem(pattern):
            yield Problem(f"{key}[{position}]", quoted(pattern), problem)


def _unknown_field(key: str, name: str, rule: RuleConfig) -> Problem:
    known = ", ".join(rule.fields) or "none"
    return Problem(key, quoted(name), f"expected a field of the rule, which has {known}")
