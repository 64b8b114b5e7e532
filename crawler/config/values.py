"""What does a tree of texts mean as configuration?  Sections, read key by key; every mistake noted, none fatal.

The type a key wants decides how its scalar is read, never the scalar's looks:

- text is taken as written: ``no``, ``12:30``, ``012``, ``1e3`` and ``2024-01-01`` are texts, quoted or not;
- true and false are these words only. ``yes``, ``no``, ``on`` and ``off``, which YAML versions read differently, are
  refused with the word to write instead;
- whole numbers are decimal, not quoted, without leading zeros (``012`` is 10 to YAML 1.1 and 12 to 1.2: refused);
- other numbers, where a key takes them, have a dot with a digit before it, and are not quoted either;
- ``null``, ``~`` or nothing means "not set" where a key allows that; for a section, list or map, its default;
- durations, sizes and rates are read by `crawler.units`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import UNSET

from crawler.config import CrawlConfig, Section, dotted_key
from crawler.config.tree import List as ListNode
from crawler.config.tree import Map, Mistake, Text
from crawler.units import Duration, Number, Rate, Size

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from crawler.config.tree import Node, Place

NULLS: Final = ("", "~", "null", "Null", "NULL")
BOOLS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
OTHER_BOOLS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+][0-9]{1,3})?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_FLOW_ITEM: Final = re.compile(r"[\w/.~][^\s,\[\]{}]*")
_SCALARS: Final[dict[object, str]] = {bool: "true or false", float: "a number", NoneType: "null"}
_SHOWN: Final = 80

SectionT = TypeVar("SectionT", bound=Section)


class Reading:
    """One pass over a tree.

    Args:
        mistakes: Grows by what cannot be read; the keys concerned keep their defaults.
    """

    def __init__(self, mistakes: list[Mistake]) -> None:
        self._mistakes = mistakes
        #: dotted key -> where its value stands; for an entry of a map, where its key does
        self.places: dict[str, Place] = {}
        #: looking a section's fields up takes longer than reading it, and there may be thousands of paces
        self._fields: dict[type[Section], dict[str, msgspec.structs.FieldInfo]] = {}

    def section(self, node: Node, wanted: type[SectionT], key: str = "") -> SectionT:
        """Read a section; `key` is its own dotted key, empty for the whole configuration."""
        if not isinstance(node, Map):
            self._note_no_map(node, key, "expected keys and values, such as name: value")
            return wanted()
        fields = self._fields_of(wanted)
        values: dict[str, Any] = {}
        for name, (place, child) in node.entries.items():
            dotted = dotted_key(key, name)
            if name not in fields:
                self._mistakes.append(
                    Mistake(place, dotted, _unknown(name, list(fields), _dotted_host(key, name, child, fields)))
                )
                continue
            self.places[dotted] = child.place
            value = self._value(child, fields[name].type, dotted)
            if value is not UNSET:
                values[fields[name].name] = value
        return wanted(**values)

    def _fields_of(self, section: type[Section]) -> dict[str, msgspec.structs.FieldInfo]:
        if section not in self._fields:
            self._fields[section] = {field.encode_name: field for field in msgspec.structs.fields(section)}
        return self._fields[section]

    def _value(self, node: Node, wanted: object, key: str) -> object:
        """The value of type `wanted`; UNSET where the default must do."""
        bare = _bare(_member_for(node, wanted))
        section = bare if _is_section(bare) else None
        origin = get_origin(bare)
        if section is None and origin not in (dict, tuple):
            return self._scalar(node, wanted, key)
        if is_null(node):
            return UNSET
        if section is not None:
            return self.section(node, section, key)
        return self._dict(node, get_args(bare)[1], key) if origin is dict else self._tuple(node, get_args(bare)[0], key)

    def _dict(self, node: Node, wanted: object, key: str) -> object:
        if not isinstance(node, Map):
            return self._note_no_map(node, key, "expected a map, such as {name: value}")
        values = {}
        for name, (place, child) in node.entries.items():
            dotted = dotted_key(key, name)
            self.places[dotted] = place
            value = self._value(child, wanted, dotted)
            if value is not UNSET:
                values[name] = value
        return values

    def _tuple(self, node: Node, wanted: object, key: str) -> object:
        if not isinstance(node, ListNode):
            return self._note(node, key, f"expected a list, such as {_list_of(node)}")
        values: list[object] = []
        for position, child in enumerate(node.items):
            dotted = f"{key}[{position}]"
            self.places[dotted] = child.place
            bare = _bare(wanted)
            if is_null(child) and _is_section(bare):
                values.append(self.section(child, bare, dotted))
                continue
            value = self._value(child, wanted, dotted)
            values.append("" if value is UNSET else value)  # so that the places of all others are theirs
        return tuple(values)

    def _scalar(self, node: Node, wanted: object, key: str) -> object:
        if not isinstance(node, Text):
            return self._note(node, key, f"expected {_describe(wanted)}")
        expected = ""
        for value in _meanings(node):
            try:
                return msgspec.convert(value, wanted, dec_hook=_decode_unit)
            except msgspec.ValidationError as error:
                reason = error.__cause__
                expected = str(reason) if isinstance(reason, ValueError) else f"expected {_describe(wanted)}"
        if is_null(node) and not key.endswith("]"):  # an item of a list has no default
            return self._note(node, key, f"{expected}; leave the key out for the default")
        if key.startswith("fetch.") and bool in map(_bare, _members(wanted)) and node.value.lower() not in OTHER_BOOLS:
            return self._note(node, key, expected, "a text")  # cookies: may have been meant to hold some
        return self._note(node, key, expected + _surprise(node) + _hint(_likely(node.value, wanted)))

    def _note(self, node: Node, key: str, expected: str, shown: str | None = None) -> object:
        self._mistakes.append(Mistake(node.place, key, expected, shown or _shown(node)))
        return UNSET

    def _note_no_map(self, node: Node, key: str, expected: str) -> object:
        """Note a lone text where a map belongs; in the fetch section it may be a header with its secret."""
        is_told = key.partition(".")[0] != "fetch" or not isinstance(node, Text)
        return self._note(node, key, expected, None if is_told else "a text")


def is_null(node: Node) -> bool:
    """Whether `node` says "not set"."""
    return isinstance(node, Text) and not node.quoted and node.value in NULLS


def all_keys(section: type[Section] = CrawlConfig, key: str = "") -> Iterator[str]:
    """Every dotted key below `section`, in documented order, sections too; no entries of maps."""
    for field in msgspec.structs.fields(section):
        dotted = dotted_key(key, field.encode_name)
        yield dotted
        bare = _bare(field.type)
        if _is_section(bare):
            yield from all_keys(bare, dotted)


def _unknown(name: str, known: list[str], dotted_host: str | None) -> str:
    elsewhere = [key for key in all_keys() if key.endswith(f".{name}")]
    likely = [dotted_host] if dotted_host else get_close_matches(name, known, 1) or elsewhere[:1]
    return "unknown key" + (_hint(likely[0]) if likely else f", expected one of {', '.join(known)}")


def _dotted_host(key: str, name: str, value: Node, fields: Container[str]) -> str | None:
    """The right key where the dots of a host name were taken for those of a key: `name` stands in the section `key`,
    which has `fields`."""
    section, _, host = key.rpartition(".")
    if section not in ("limits.hosts", "fetch.hosts") or not isinstance(value, Map):
        return None
    names = [host, name]
    while len(value.entries) == 1:
        [(below, (_, value))] = value.entries.items()
        if below in fields or not isinstance(value, Map):
            break
        names.append(below)
    return dotted_key(section, ".".join(names))


def _list_of(node: Node) -> str:
    """A list of a lone scalar, or of names with commas between them, as it is written; for anything else some list."""
    if not isinstance(node, Text) or is_null(node) or len(node.value) > _SHOWN:
        return "[one, two]"
    names = node.value.split(",")
    if all(name.strip().isidentifier() for name in names):
        return f"[{', '.join(map(str.strip, names))}]"
    return f"[{node.value if _FLOW_ITEM.fullmatch(node.value) else msgspec.json.encode(node.value).decode()}]"


def _is_section(bare: object) -> TypeGuard[type[Section]]:
    return isinstance(bare, type) and issubclass(bare, Section)


def _bare(wanted: object) -> object:
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _member_for(node: Node, wanted: object) -> object:
    """Of a union the alternative that a map or a list must be, or the only one; else `wanted` itself."""
    members = [member for member in _members(wanted) if member is not NoneType]
    if len(members) == 1 and not is_null(node):
        return members[0] if get_origin(_bare(members[0])) in (tuple, dict) else wanted
    for member in members if not isinstance(node, Text) else ():
        bare = _bare(member)
        is_map = get_origin(bare) is dict or _is_section(bare)
        if is_map if isinstance(node, Map) else get_origin(bare) is tuple:
            return member
    return wanted


def _members(wanted: object) -> tuple[Any, ...]:
    """The alternatives of a union, or the type itself."""
    bare = _bare(wanted)
    return get_args(bare) if get_origin(bare) in (Union, UnionType) else (wanted,)


def _meanings(node: Text) -> Iterator[bool | int | float | str | None]:
    """What a scalar can mean, likeliest first."""
    if is_null(node):
        yield None
        return
    if not node.quoted and node.value in BOOLS:
        yield BOOLS[node.value]
    elif not node.quoted and _WHOLE.fullmatch(node.value):
        yield int(node.value)
    elif not node.quoted and _FLOAT.fullmatch(node.value):
        yield float(node.value)
    yield node.value


def _decode_unit(unit: type, value: object) -> object:
    if not issubclass(unit, Duration | Number | Size | Rate):
        raise NotImplementedError(f"a key of type {unit.__name__}")
    return unit.parse(value if isinstance(value, str) else "")


def _describe(wanted: object) -> str:
    """What to expect of a scalar type, in words."""
    return " or ".join(_describe_one(member) for member in _members(wanted))


def _describe_one(wanted: object) -> str:
    bare = _bare(wanted)
    if bare is int:
        bounds = next((meta for meta in getattr(wanted, "__metadata__", ()) if meta.ge is not None), None)
        if bounds is None:
            return "a whole number"
        return (
            f"a whole number {f'of at least {bounds.ge}' if bounds.le is None else f'from {bounds.ge} to {bounds.le}'}"
        )
    if get_origin(bare) is Literal:
        return "one of " * (len(get_args(bare)) > 1) + ", ".join(get_args(bare))
    if origin := get_origin(bare):
        return "a list" if origin is tuple else "a map"
    if _is_section(bare):
        names = [field.encode_name for field in msgspec.structs.fields(bare)]
        return f"a map of {' and '.join(names)}" if len(names) < 5 else f"a map of {', '.join(names[:4])} and the like"
    return _SCALARS.get(bare, "text")


def _likely(text: str, wanted: object) -> str | None:
    """What the writer of a wrong `text` probably meant."""
    for member in map(_bare, _members(wanted)):
        if get_origin(member) is Literal and (close := get_close_matches(text.lower(), get_args(member), 1)):
            return str(close[0])
        if member is bool:
            return text.lower() if text.lower() in BOOLS else OTHER_BOOLS.get(text.lower())
        if member is int and (digits := re.fullmatch(r"0*([0-9]{1,18})", re.sub(r"[_, ]", "", text))):
            return digits[1] if digits[1] != text else None
        if member is str:
            return f'"{text}"'
    return None


def _surprise(node: Text) -> str:
    """Why a scalar that other YAML readers may accept is refused."""
    if not node.quoted and (node.value.lower() in OTHER_BOOLS or _LEADING_ZERO.fullmatch(node.value)):
        return f"; YAML 1.1 and 1.2 read {node.value} differently"
    return ""


def _hint(likely: str | None) -> str:
    return f" (did you mean {likely}?)" if likely else ""


def _shown(node: Node) -> str:
    """A node as an error message shows it."""
    if isinstance(node, Text):
        text = msgspec.json.encode(node.value).decode() if node.quoted else node.value or "nothing"
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "a list" if isinstance(node, ListNode) else "a map"
