"""What does a line of a rule's file hold? JSON Schema, from what the rule says of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.config.scraping import FieldConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config.scraping import RuleConfig

_TYPES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "decimal": {"type": "string"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "url": {"type": "string", "format": "uri"},
    "list": {"type": "array"},
    "object": {"type": "object"},
}
_ERRORS = {
    "type": "array",
    "description": "why it was rejected",
    "items": {
        "type": "object",
        "properties": {
            "field": {"type": "string", "description": "dotted, as in offers[2].price"},
            "value": {"description": "as got, shortened; null where there was none"},
            "expected": {"type": "string"},
        },
        "required": ["field", "value", "expected"],
    },
}


def items_schema(rules: Sequence[RuleConfig]) -> dict[str, Any]:
    """The schema of a line of any of these rules; of one alone if there is one."""
    schemas = [_item(rule) for rule in rules]
    return schemas[0] if len(schemas) == 1 else {"title": "One record of a rule", "anyOf": schemas}


def rejects_schema() -> dict[str, Any]:
    """The schema of a line of any rule's file of rejects."""
    properties = {**_ours({"type": "string"}), "_errors": _ERRORS}
    return {
        "title": "One reject of a rule: what was got of its fields, and why that is no record",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _ours(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "_url": {"type": "string", "description": "canonical URL of the page"},
        "_fetched_at": {"type": "string", "format": "date-time", "description": "when it was asked for, UTC"},
        "_rule": {**rule, "description": "the rule"},
    }


def _item(rule: RuleConfig) -> dict[str, Any]:
    properties = {**_ours({"const": rule.name}), **_properties(rule.fields)}
    return {
        "title": f"One line of {rule.name}.jsonl",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _properties(fields: dict[str, str | FieldConfig]) -> dict[str, Any]:
    return {name: _value(FieldConfig(css=field) if isinstance(field, str) else field) for name, field in fields.items()}


def _value(field: FieldConfig) -> dict[str, Any]:
    value = _one(field)
    if field.many and field.type != "list":
        value = {"type": "array", "items": value}
    if value and not (field.required or field.default is not None or field.many):
        return {"anyOf": [value, {"type": "null"}]}
    return value


def _one(field: FieldConfig) -> dict[str, Any]:
    """What a value is, as far as the rule says; empty for anything."""
    if field.fields is not None:
        properties = _properties(field.fields)
        return {"type": "object", "properties": properties, "required": list(properties)}
    if field.type is not None:
        return _TYPES[field.type]
    if field.const is not None and not field.transform and field.regex is None:
        return {"const": field.const}
    is_text = (field.css is not None and field.json is None) or field.url is not None
    return {"type": "string"} if is_text and not field.transform else {}
