"""What does a Content-Type header say? As browsers read it (Fetch standard, "extract a MIME type")."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 section 5.6.2
_QUOTED = r'"(?:[^"\\]|\\.)*"?'
_ONE = re.compile(rf'(?:[^",]|{_QUOTED})+')
_ESSENCE = re.compile(rf"[\t\n\r ]*({_NAME}/{_NAME})(?=[\t\n\r ;(]|$)")  # Chromium and Firefox end it there
_PARAMETER = re.compile(rf";[\t\n\r ]*([^;=]*)(?:=({_QUOTED})?([^;]*))?")
_ESCAPED = re.compile(r"\\(.)")
_ANY = "*/*"


class Mime(NamedTuple):
    """What is told of a body."""

    essence: str | None  #: type and subtype, lower case; None where there is none that is well-formed
    charset: str | None  #: the label, as given


@lru_cache(maxsize=64)  # a site has one or two
def read(content_type: str) -> Mime:
    """Of all Content-Type headers of an answer, joined by commas, the last that is well-formed.

    It keeps the charset of the one before if it says the same type without one. Where none is well-formed a charset
    counts all the same, as in Chromium (``html; charset=utf-8``).
    """
    essence = charset = stray = None
    for part in _ONE.findall(content_type):
        label = _charset(part)
        found = _ESSENCE.match(part)
        if found is None or (found[1] == _ANY and essence):
            stray = stray or label
            continue
        same = found[1].lower() == essence
        essence, charset = found[1].lower(), label or (charset if same else None)
    return Mime(essence, charset if essence else stray)


def _charset(part: str) -> str | None:
    """The first charset parameter; single quotes are no part of a label, whoever writes them."""
    for name, quoted, rest in _PARAMETER.findall(part):
        if name.strip().lower() == "charset":
            value = _ESCAPED.sub(r"\1", quoted[1:].removesuffix('"')) if quoted else rest
            return value.strip("\t\n\r '\"") or None
    return None
