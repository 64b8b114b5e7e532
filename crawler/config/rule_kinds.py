"""Which kinds of response is a scraping rule for?  HTML for what asks with CSS, JSON and XML for plain JMESPath.

What asks for nothing of a response (constants, parts of the URL, what was carried) is for all kinds; a rule with no
more than that is for HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from crawler.config.scraping import as_field, as_follow, as_match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.scraping import FieldConfig, FollowConfig, RuleConfig, SkipConfig

Kind = Literal["html", "json", "xml"]
Kinds = frozenset[Kind]

HTML: Final[Kinds] = frozenset(("html",))
DATA: Final[Kinds] = frozenset(("json", "xml"))
ALL: Final[Kinds] = HTML | DATA


def kinds_of_rule(rule: RuleConfig) -> Kinds:
    """The kinds that all its parts are for; none if they contradict one another."""
    kinds = ALL
    for _, part in kinds_of_parts(rule):
        kinds &= part
    return HTML if kinds == ALL and as_match(rule.match).type is None else kinds


def kinds_of_parts(rule: RuleConfig) -> Iterator[tuple[str, Kinds]]:
    """What each part of a rule is for, with its key below the rule."""
    match = as_match(rule.match)
    if match.type is not None:
        yield "match.type", frozenset((match.type,))
    if match.css is not None:
        yield "match.css", HTML
    if match.json is not None:
        yield "match.json", DATA
    for name, field in rule.fields.items():
        yield f"fields.{name}", kinds_of_field(as_field(field))
    for position, follow in enumerate(rule.follow or ()):
        yield f"follow[{position}]", kinds_of_links(as_follow(follow))


def kinds_of_field(field: FieldConfig) -> Kinds:
    """The kinds of response that can give a field a value."""
    if field.css is not None or field.in_ is not None:
        return HTML
    if field.json is not None:
        return DATA
    if field.any is not None:
        return frozenset[Kind]().union(*(kinds_of_field(as_field(other)) for other in field.any))
    kinds = ALL
    for below in (field.fields or {}).values():
        kinds &= kinds_of_field(as_field(below))
    return kinds


def kinds_of_links(links: FollowConfig | SkipConfig) -> Kinds:
    """The kinds of response on which these links can be."""
    if links.css is not None:
        return HTML
    return DATA if getattr(links, "json", None) is not None else ALL
