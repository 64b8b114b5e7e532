"""What rule do suggestions make, as its writer would put it into YAML, and does it give the examples?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.extract.suggest_values import Agreement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest import FieldSuggestion, Suggestion
    from crawler.extract.suggest_measure import Candidate

NAME = "suggested"


def rule_of(suggestion: Suggestion, pages: Sequence[Parsed]) -> dict[str, Any] | None:
    """A rule as plain values under its YAML keys; None if nothing was found.

    Args:
        suggestion: What was learnt.
        pages: What it was learnt from: the rule is for URLs like theirs.
    """
    if not suggestion.fields:
        return None
    rule: dict[str, Any] = {"name": NAME}
    if pattern := _pattern([page.url for page in pages]):
        rule["match"] = pattern
    if pages[0].tree is None:  # whether `each` is CSS or JMESPath goes by this
        rule["match"] = {"url": [pattern], "type": pages[0].kind} if pattern else {"type": pages[0].kind}
    if suggestion.each is not None:
        rule["each"] = suggestion.each
    rule["fields"] = {field.name: _field(field, suggestion) for field in suggestion.fields}
    return rule


def _field(field: FieldSuggestion, suggestion: Suggestion) -> str | dict[str, Any]:
    best = field.candidates[0]
    plain = field_of(best, is_amount=field.is_amount)
    second = _alternative(field, suggestion)
    if second is not None:
        shared = {key: value for key, value in plain.items() if key in ("transform", "type")}
        sources = [{key: value for key, value in each.items() if key not in shared} for each in (plain, second)]
        return {"any": [_short(source) for source in sources], **shared}
    return _short(plain)


def field_of(candidate: Candidate, *, is_amount: bool) -> dict[str, Any]:
    """One way to a value, as a field under its YAML keys."""
    plain: dict[str, Any] = {}
    if candidate.json is not None:
        plain["json"] = candidate.json
        if candidate.within is not None:
            plain["in"] = candidate.within
    else:
        plain["css"] = candidate.css
        if candidate.attr is not None:
            plain["attr"] = candidate.attr
    if candidate.agreement is Agreement.URL:
        plain["type"] = "url"
    elif is_amount or candidate.agreement is Agreement.NUMBER:
        plain |= {"transform": ["number"], "type": "decimal"}
    return plain


def _alternative(field: FieldSuggestion, suggestion: Suggestion) -> dict[str, Any] | None:
    """For data in JSON, the best selector of what people see, if it is sound: one of the two may go away."""
    if field.candidates[0].json is None or suggestion.each is not None or field.candidates[0].within is None:
        return None
    for candidate in field.candidates[1:]:
        if candidate.json is None and candidate.is_sure and candidate.score >= 70:
            other = field_of(candidate, is_amount=field.is_amount)
            if other.get("type") == field_of(field.candidates[0], is_amount=field.is_amount).get("type"):
                return other
    return None


def _short(plain: dict[str, Any]) -> str | dict[str, Any]:
    return plain["css"] if set(plain) == {"css"} else plain


def _pattern(urls: Sequence[str]) -> str | None:
    """A glob for all of them and their like: what they begin with, up to a slash below the host."""
    if len(set(urls)) == 1:
        folder = urls[0].partition("?")[0].rpartition("/")[0]
        return f"{folder}/*" if folder.count("/") > 2 and not set(folder) & set("*?") else None
    first, last = min(urls), max(urls)  # what these have in common, all have
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    start = first[:same].rpartition("/")[0]
    return f"{start}/*" if start.count("/") > 2 and not set(start) & set("*?") else None
