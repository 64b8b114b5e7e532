"""What does a person learn of how rules fared on one page? What `RuleSet.explain` gives, for ``crawler try``."""

from __future__ import annotations

from typing import Any

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """Why a record is rejected: one field's value, and what it should have been."""

    #: dotted, as in ``offers[2].price``
    field: str
    #: as got, shortened; None where there was none
    value: Any
    expected: str


def as_plain(error: FieldError) -> dict[str, Any]:
    """An error as a record of rejects has it."""
    return {"field": error.field, "value": error.value, "expected": error.expected}


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one source of a field did, over all items."""

    #: css, json, const, url or carried
    kind: str
    #: the selector, JMESPath expression, part or name, as written
    expression: str
    #: what ``in`` says, of json on an HTML page
    within: str | None = None
    #: elements or values that it gave, over all items; an element without the attribute asked for is one
    found: int = 0
    #: why it could not be worked out, of the first item where that was so
    problem: str | None = None


class FieldReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one field did. Fields of objects have reports of their own, after that of the object."""

    #: dotted, without numbers of list items, as in ``offers.price``
    name: str
    #: in the order they were tried; alternatives that were not needed have found nothing
    sources: tuple[SourceReport, ...] = ()
    #: in how many objects it had a value of its own
    filled: int = 0
    #: in how many it was looked for
    objects: int = 0
    #: the first few values
    values: tuple[Any, ...] = ()
    #: the first few errors
    errors: tuple[FieldError, ...] = ()


class FollowReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one entry of ``follow`` did."""

    #: its css, json or url, as written
    expression: str
    #: links it gave, before scope and the like are asked
    found: int
    priority: int
    #: URLs of the first few, absolute
    urls: tuple[str, ...] = ()


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule did on one page."""

    rule: str
    #: None if it is for this page; else the part of ``match`` that is not satisfied, in words
    why_not: str | None = None
    #: that ``each`` selected; 1 without
    items: int = 0
    fields: tuple[FieldReport, ...] = ()
    records: tuple[dict[str, Any], ...] = ()
    #: what was got, and under ``_errors`` why that is no record
    rejects: tuple[dict[str, Any], ...] = ()
    #: None if the rule does not restrict which links are followed
    follow: tuple[FollowReport, ...] | None = None
    #: by the clock that was handed in
    elapsed_s: float = 0.0

    @property
    def is_matched(self) -> bool:
        """Whether the rule is for this page."""
        return self.why_not is None
