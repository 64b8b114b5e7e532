"""What keys does a configuration have, what does each say, and which values are all that it takes?

For whoever types one; `crawler.config.schema` says more, for editors.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from crawler.config import CrawlConfig
from crawler.config.base import Section, dotted_key

if TYPE_CHECKING:
    from collections.abc import Iterator


class Key(NamedTuple):
    """One key that takes a value of its own."""

    #: dotted
    name: str
    #: a sentence or two; empty if there is nothing to say
    description: str
    #: the values that it takes, if these are all: ``true``, ``false``
    choices: tuple[str, ...]


def keys(section: type[Section] = CrawlConfig, above: str = "") -> Iterator[Key]:
    """Every key below `section` but for sections, in documented order; no entries of maps."""
    for field in msgspec.structs.fields(section):
        name = dotted_key(above, field.encode_name)
        described, bare = _described(field.type)
        if isinstance(bare, type) and issubclass(bare, Section):
            yield from keys(bare, name)
        else:
            yield Key(name, described, _choices(bare))


def _described(wanted: Any) -> tuple[str, Any]:  # noqa: ANN401 - a type, as annotations have it
    description = ""
    while get_origin(wanted) is Annotated:
        metas = [meta for meta in wanted.__metadata__ if isinstance(meta, msgspec.Meta)]
        description = next((meta.description for meta in metas if meta.description), description)
        wanted = get_args(wanted)[0]
    return description, wanted


def _choices(wanted: Any) -> tuple[str, ...]:  # noqa: ANN401
    """All values of a type, as written; none where they cannot be counted."""
    _, wanted = _described(wanted)
    if wanted is bool:
        return "true", "false"
    if wanted is NoneType:
        return ("null",)
    if get_origin(wanted) is Literal:
        return tuple(map(str, get_args(wanted)))
    members = [_choices(member) for member in get_args(wanted)] if get_origin(wanted) not in (tuple, dict) else []
    return tuple(value for member in members for value in member) if members and all(members) else ()
