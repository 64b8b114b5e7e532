"""What may a configuration hold, for an editor to know?  JSON Schema (draft 2020-12), made from the sections.

``msgspec.json.schema`` cannot make it: it refuses defaults of foreign types, which durations, sizes and rates are.
A schema says less than `crawler.config.rules` and the file reader check, and nothing else.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import inspect

from crawler.config import CrawlConfig, Section
from crawler.config.file import to_plain
from crawler.config.scraping import FieldConfig
from crawler.units import Duration, Number, Rate, Size

VERSION: Final = 1

_NUMBER: Final = r"[0-9]+(\.[0-9]+)?"
_UNITS: Final[dict[type, dict[str, Any]]] = {
    Duration: {
        "type": ["string", "integer"],
        "pattern": rf"^(0|{_NUMBER} ?({'|'.join(Duration.UNITS)}))$",
        "minimum": 0,
        "maximum": 0,
        "examples": ["500ms", "2s", "5m", 0],
    },
    Size: {
        "type": ["string", "integer"],
        "pattern": rf"^{_NUMBER} ?({'|'.join(Size.UNITS)})?$",
        "minimum": 0,
        "examples": ["64KiB", "10MiB", 512],
    },
    Number: {"type": ["string", "number"], "pattern": rf"^{_NUMBER}$", "minimum": 0, "examples": [2, 1.5]},
    Rate: {"type": "string", "pattern": rf"^{_NUMBER} ?/({'|'.join(Rate.PERIODS)})$", "examples": ["5/s", "30/min"]},
}
_SIMPLE: Final[dict[type, str]] = {
    inspect.BoolType: "boolean",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.StrType: "string",
    inspect.NoneType: "null",
}


_FIELD: Final[Any] = inspect.type_info(FieldConfig)
"""The one section that may hold others of its kind, so it stands under ``$defs``."""


def json_schema() -> dict[str, Any]:
    """The schema of a configuration file, with every key's description and default."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:crawler:schema:config:{VERSION}",
        "title": "Crawl configuration",
        **_schema(inspect.type_info(CrawlConfig), to_plain(CrawlConfig())),
        "$defs": {FieldConfig.__name__: _section(_FIELD, to_plain(FieldConfig()))},
    }


def _schema(wanted: inspect.Type, default: object) -> dict[str, Any]:
    """The schema of a value of type `wanted`, which is `default` where it is not given."""
    match wanted:
        case inspect.Metadata():
            return _schema(wanted.type, default) | (wanted.extra_json_schema or {})
        case inspect.StructType() if wanted.cls is FieldConfig:
            return {"$ref": f"#/$defs/{FieldConfig.__name__}"}
        case inspect.StructType():
            return _section(wanted, default)
        case inspect.DictType():
            return {"type": ["object", "null"], "additionalProperties": _schema(wanted.value_type, None)}
        case inspect.VarTupleType():
            return {"type": ["array", "null"], "items": _schema(wanted.item_type, None)}
        case _:
            return _scalar(wanted)


def _scalar(wanted: inspect.Type) -> dict[str, Any]:
    match wanted:
        case inspect.UnionType():
            return {"anyOf": [_member(member) for member in wanted.types]}
        case inspect.LiteralType():
            return {"enum": list(wanted.values)}
        case inspect.CustomType():
            return dict(_UNITS[wanted.cls])
        case inspect.IntType() if wanted.ge is not None:
            most = {} if wanted.le is None else {"maximum": wanted.le}
            return {"type": "integer", "minimum": wanted.ge, **most}
        case _:
            return {"type": _SIMPLE[type(wanted)]}


def _member(wanted: inspect.Type) -> dict[str, Any]:
    """One of several types that a value may have; null, where it is meant, is another of them."""
    bare = wanted.type if isinstance(wanted, inspect.Metadata) else wanted
    if isinstance(bare, inspect.StructType) and issubclass(bare.cls, Section) and bare.cls is not FieldConfig:
        return _schema(wanted, to_plain(bare.cls())) | {"type": "object"}
    schema = _schema(wanted, None)
    if isinstance(bare, inspect.VarTupleType):
        return schema | {"type": "array"}
    return schema | {"type": "object"} if isinstance(bare, inspect.DictType) else schema


def _section(section: inspect.StructType, defaults: object) -> dict[str, Any]:
    properties = {}
    for field in section.fields:
        name = field.encode_name
        default = defaults.get(name) if isinstance(defaults, dict) else None
        properties[name] = _schema(field.type, default)
        if default is not None:
            properties[name].setdefault("default", default)
    return {
        "type": ["object", "null"],
        "description": (section.cls.__doc__ or "").partition("\n")[0],
        "properties": properties,
        "additionalProperties": False,
    }
