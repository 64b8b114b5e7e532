"""Which columns has a table, and of which types? What the published schemas and the rules say, not what records hold.

A type is DuckDB's. Text is ``VARCHAR`` (dates and decimals too, which are text in the records), whole numbers
``BIGINT``, others ``DOUBLE``; lists and objects whose members are known are lists, ``STRUCT`` and ``MAP``. What may
hold any JSON is text of JSON: `JSON`. No column cannot be null, which also stands for a field that a record lacks.

Fields of which no schema tells (of a rule's untyped field, of a function's records, of files of others) have the type
that all of their values share, or are `JSON`; all records are looked at for that.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from crawler.config.scraping import FieldConfig, as_field
from crawler.dataset.changed import ChangeRecord
from crawler.export.files import FileRecord
from crawler.export.outcomes import OutcomeRecord, SeedRecord
from crawler.extract.record import LinkLine, PageRecord, SitemapLine
from crawler.mining.files import RECORDS as MINED
from crawler.runs import Began, Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawler.config.scraping import RuleConfig

TEXT: Final = "VARCHAR"
WHOLE: Final = "BIGINT"
NUMBER: Final = "DOUBLE"
BOOL: Final = "BOOLEAN"
JSON: Final = "JSON"

PUBLISHED: Final[dict[str, tuple[type[msgspec.Struct], ...]]] = {
    "pages": (PageRecord,),
    "outcomes": (OutcomeRecord,),
    "links": (LinkLine,),
    "sitemaps": (SitemapLine,),
    "seeds": (SeedRecord,),
    "files": (FileRecord,),
    "changes": (ChangeRecord,),
    "runs": (Began, Ended),
    **{name: (record,) for name, record in MINED.items()},
}
"""Name of a file of records -> what a line of it holds, one of these. A rule may have a name of `MINED`."""

_PLAIN: Final[dict[type, str]] = {
    inspect.StrType: TEXT,
    inspect.IntType: WHOLE,
    inspect.FloatType: NUMBER,
    inspect.BoolType: BOOL,
    inspect.EnumType: TEXT,
    inspect.LiteralType: TEXT,  # those of our records
}
_PYTHON: Final[dict[str, Any]] = {TEXT: str, WHOLE: int, NUMBER: float, BOOL: bool}
_RULE_TYPES: Final = {
    **dict.fromkeys(("str", "decimal", "date", "datetime", "url"), TEXT),
    "int": WHOLE,
    "float": NUMBER,
    "bool": BOOL,
    "list": JSON,
    "object": JSON,
}


class Kind(NamedTuple):
    """What a value is."""

    type: str  #: in DuckDB's words
    #: what msgspec reads it as; None for any JSON
    python: Any

    @property
    def is_nested(self) -> bool:
        """Whether it is a list or an object with known members."""
        return self.python is not None and self.type not in _PYTHON


ANY: Final = Kind(JSON, None)


class Column(NamedTuple):
    """A column of a table."""

    name: str
    field: str  #: what records call it; another name only where two fields differ in nothing but the case of letters
    kind: Kind


def plain(type_: str) -> Kind:
    """Of one of `TEXT`, `WHOLE`, `NUMBER` and `BOOL`."""
    return Kind(type_, _PYTHON[type_])


def kinds_of(name: str, rules: Sequence[RuleConfig]) -> dict[str, Kind | None]:
    """Field -> what it is, as far as it is known what a file of this name holds; None for what its values tell."""
    ours: dict[str, Kind | None] = dict.fromkeys(("_url", "_fetched_at", "_rule"), plain(TEXT))
    for rule in rules:
        if rule.name == name and rule.fields:
            return ours | {field: _value(as_field(given)) for field, given in rule.fields.items()}
        if name == f"{rule.name}.rejects":
            return ours
    published: dict[str, Kind | None] = {}
    for struct in PUBLISHED.get(name, ()):
        if tag := struct.__struct_config__.tag_field:
            published[tag] = plain(TEXT)
        published |= {field.encode_name: _kind(inspect.type_info(field.type)) for field in _fields(struct)}
    return published


def columns(kinds: Mapping[str, Kind]) -> list[Column]:
    """The columns of these fields, in order."""
    named = distinct(kinds)
    return [Column(name, field, kind) for name, (field, kind) in zip(named, kinds.items(), strict=True)]


def distinct(names: Iterable[str]) -> list[str]:
    """These names for columns, none of which SQL takes for another: it does not tell letters by their case."""
    taken: set[str] = set()
    made = []
    for name in names:
        number, one = 1, name or "_"
        while one.lower() in taken:
            number += 1
            one = f"{name}_{number}"
        taken.add(one.lower())
        made.append(one)
    return made


def quoted(name: str) -> str:
    """A name as SQL has it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _fields(struct: type[msgspec.Struct]) -> Iterable[msgspec.structs.FieldInfo]:
    return msgspec.structs.fields(struct)


def _kind(found: inspect.Type) -> Kind:
    """Of a type of a published schema; `ANY` if any part of it may hold anything."""
    match found:
        case inspect.UnionType(types):
            others = [one for one in types if not isinstance(one, inspect.NoneType)]
            return _kind(others[0]) if len(others) == 1 else ANY
        case inspect.Metadata(type=inner):
            return _kind(inner)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return _listed(_kind(item))
        case inspect.DictType(value_type=value):
            return _mapped(_kind(value))
        case inspect.StructType(cls=struct):
            return _struct({one.encode_name: _kind(inspect.type_info(one.type)) for one in _fields(struct)})
    known = _PLAIN.get(type(found))
    return plain(known) if known else ANY


def _listed(member: Kind) -> Kind:
    return ANY if member.python is None else Kind(f"{member.type}[]", GenericAlias(list, (member.python | None,)))


def _mapped(value: Kind) -> Kind:
    if value.python is None:
        return ANY
    return Kind(f"MAP({TEXT}, {value.type})", GenericAlias(dict, (str, value.python | None)))


def _struct(members: Mapping[str, Kind | None]) -> Kind:
    """An object with these members and no others."""
    known = {name: kind for name, kind in members.items() if kind is not None and kind.python is not None}
    if len(known) < len(members) or not members or len({name.lower() for name in members}) < len(members):
        return ANY
    fields = [(f"f{number}", kind.python | None) for number, kind in enumerate(known.values())]
    names = {f"f{number}": name for number, name in enumerate(known)}
    python = msgspec.defstruct("Member", fields, rename=names, forbid_unknown_fields=True)
    return Kind(f"STRUCT({', '.join(f'{quoted(name)} {kind.type}' for name, kind in known.items())})", python)


def _value(field: FieldConfig) -> Kind | None:
    """Of a rule's field, as `crawler.cli.schema_items` says; None where the rule says nothing."""
    one = _one(field)
    if field.many and field.type != "list" and one is not None:
        one = _listed(one)
    if one is None or field.default is None or one.python is None:
        return one
    try:
        msgspec.convert(field.default, one.python)
    except msgspec.ValidationError:
        return None  # what stands in for a value is of another type
    return one


def _one(field: FieldConfig) -> Kind | None:
    if field.fields is not None:
        return _struct({name: _value(as_field(given)) for name, given in field.fields.items()})
    if field.type is not None:
        type_ = _RULE_TYPES[field.type]
        return ANY if type_ == JSON else plain(type_)
    if field.const is not None and not field.transform and field.regex is None:
        return plain(_of_value(field.const))
    is_text = (field.css is not None and field.json is None) or field.url is not None
    return plain(TEXT) if is_text and not field.transform else None


def _of_value(value: object) -> str:
    if isinstance(value, bool):
        return BOOL
    return TEXT if isinstance(value, str) else WHOLE if isinstance(value, int) else NUMBER
