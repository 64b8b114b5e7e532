"""What is a section of the configuration? Its base, and what several sections share."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def dotted_key(section: str, name: str) -> str:
    """The key of `name` in `section`: ``limits.default``, or ``limits.hosts["*.example.org"]`` as dots would mislead.

    Errors name keys so, and ``--set`` takes them so. `section` is empty for the whole configuration.
    """
    if not _PLAIN_KEY.fullmatch(name):
        return f'{section}["{name}"]'
    return f"{section}.{name}" if section else name


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section."""
