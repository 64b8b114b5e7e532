"""Which kinds of response is a scraping rule for?  HTML for what asks with CSS, JSON and XML for plain JMESPath.

What asks for nothing of a response (constants, parts of the URL, what was carried) is for all kinds; a rule with no
more than that is for HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from crawler.config.base import dotted_key
from crawler.config.scraping import EachConfig, as_field, as_follow, as_match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.scraping import FieldConfig, RuleConfig

Kind = Literal["html", "json", "xml"]
Kinds = frozenset[Kind]

HTML: Final[Kinds] = frozenset(("html",))
DATA: Final[Kinds] = frozenset(("json", "xml"))
ALL: Final[Kinds] = HTML | DATA

MAX_DEPTH: Final = 12
"""Of fields within one another, as objects and alternatives."""


def kinds_of_rule(rule: RuleConfig) -> Kinds:
    """The kinds that all its parts are for; none if they contradict one another."""
    parts = [kinds for _, kinds in kinds_of_parts(rule)]
    return ALL.intersection(*parts) if parts else HTML


def kinds_of_parts(rule: RuleConfig) -> Iterator[tuple[str, Kinds]]:
    """What each part of a rule that asks for something is for, with its key below the rule."""
    match = as_match(rule.match)
    if match.type is not None:
        yield "match.type", frozenset((match.type,))
    if match.css is not None:
        yield "match.css", HTML
    if match.json is not None:
        yield "match.json", DATA
    values = DATA  # where plain JMESPath looks
    if isinstance(rule.each, EachConfig):
        values = HTML
        yield "each", HTML
    for name, given in rule.fields.items():
        if (kinds := _kinds_of_field(as_field(given), values, 0)) is not None:
            yield dotted_key("fields", name), kinds
    for position, follow in enumerate(map(as_follow, rule.follow or ())):
        if follow.css is not None or follow.json is not None:
            yield f"follow[{position}]", HTML if follow.css is not None else values


def _kinds_of_field(field: FieldConfig, values: Kinds, depth: int) -> Kinds | None:
    """The kinds of response that can give a field a value; None if it asks for nothing of them."""
    if field.css is not None or field.in_ is not None:
        return HTML
    if field.json is not None:
        return values
    below = [as_field(given) for given in field.any or (field.fields or {}).values()]
    asked = [_kinds_of_field(each, values, depth + 1) for each in below] if depth <= MAX_DEPTH else []
    kinds = [each for each in asked if each is not None]
    if not kinds:
        return None
    return frozenset[Kind]().union(*kinds) if field.any is not None else ALL.intersection(*kinds)
