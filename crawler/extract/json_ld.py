"""What do the JSON-LD blocks of a page hold? Read as leniently as search engines read them; what it means is left open.

Strict JSON is read at once. What is not gets a second chance, without what people put into it: comments of HTML and
JavaScript, CDATA marks, commas before a closing bracket, line breaks in strings, escapes that JSON does not know,
several values one after another, or all of it escaped as if for HTML. Values stay as they are: no contexts are
applied, no graphs flattened (JSON-LD 1.1, section 7, says how blocks stand in HTML).
"""

from __future__ import annotations

import html
import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

SCRIPTS = 'script[type*="ld+json" i]'
"""Finds the blocks; `of_scripts` looks at the type again."""

MAX_CHARS = 1024**2
"""Of all blocks together; those from the one that crosses it on are left out."""
MAX_DEPTH = 64
"""Of objects and lists within each other; what is deeper is null."""

_TYPE = "application/ld+json"

# A string, its end missing or not; a comment, likewise. Each alternative takes all that it begins, so time is linear.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?"?'
_STRINGS = re.compile(_STRING, re.DOTALL)
_COMMENTS = re.compile(rf"({_STRING})|/\*(?:.*?\*/|.*)|<!--(?:.*?-->|.*)|//[^\n]*|<!\[CDATA\[|\]\]>", re.DOTALL)
_MARKS = re.compile(rf"({_STRING})|<!--|-->", re.DOTALL)
_COMMAS = re.compile(rf"({_STRING})|,[\s,]*+([\]}}]?)", re.DOTALL)
_ESCAPES = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9A-Fa-f]{4})|(.?))', re.DOTALL)
_BETWEEN = re.compile(r"[\s,;]*")


class JsonLd(NamedTuple):
    """The JSON-LD of one page."""

    values: list[Any]  #: the top values of all blocks, in order; a list at the top stands for its items, null for none
    unread: int  #: how many blocks could not be read, or not to their end
    was_cut: bool  #: whether there was more than may be kept


def json_ld(tree: LexborHTMLParser) -> JsonLd:
    """All that is in the blocks of `tree`. Any page will do."""
    return of_scripts(tree.css(SCRIPTS))


def of_scripts(scripts: Iterable[LexborNode]) -> JsonLd:
    """All that is in those of `scripts`, in document order, that are JSON-LD blocks."""
    values: list[Any] = []
    unread = chars = 0
    was_cut = False
    for script in scripts:
        kind = script.attrs.get("type") or ""
        if kind.partition(";")[0].strip().lower() != _TYPE:
            continue
        text = script.text_lexbor()
        chars += len(text)
        if chars > MAX_CHARS:
            was_cut = True
            break
        found, is_whole, is_deep = _read(text)
        unread += not is_whole
        was_cut = was_cut or is_deep
        for value in found:
            values += value if type(value) is list else (value,)
    return JsonLd([value for value in values if value and type(value) is dict], unread, was_cut)


def _read(text: str) -> tuple[list[Any], bool, bool]:
    """The values in `text`; whether that is all there is; and whether some was too deep to keep."""
    try:
        values, is_whole = [msgspec.json.decode(text)], True
    except (msgspec.DecodeError, RecursionError):
        values, is_whole = _read_leniently(text)
    else:
        if text.count("{") + text.count("[") <= MAX_DEPTH:
            return values, is_whole, False
    copier = _Copier()
    return [copier.copy(value) for value in values], is_whole, copier.is_deep


def _read_leniently(text: str) -> tuple[list[Any], bool]:
    text = text.strip("\ufeff \t\r\n")
    if "&quot;" in text and '"' not in text:
        text = html.unescape(text)
    values, is_whole = _values(_mended(text))
    if text.startswith("<!--") and not values:  # a comment hid it from browsers of old
        return _values(_mended(_MARKS.sub(r"\1", text)))
    return values, is_whole


def _mended(text: str) -> str:
    """`text` without what JSON does not allow and people write."""
    text = _COMMAS.sub(_mended_commas, _COMMENTS.sub(r"\1", text))
    return _STRINGS.sub(_mended_string, text) if "\\" in text else text


def _mended_commas(found: re.Match[str]) -> str:
    return found[1] or found[2] or ","


def _mended_string(string: re.Match[str]) -> str:
    return _ESCAPES.sub(lambda escape: escape[0] if escape[1] else escape[2], string[0])


def _values(text: str) -> tuple[list[Any], bool]:
    """The values that follow each other in `text`, up to the first that is broken, and whether none is."""
    values: list[Any] = []
    at = _past_separators(text, 0)
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return values, False
        values.append(value)
        at = _past_separators(text, at)
    return values, True


def _past_separators(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _integer(digits: str) -> int | float | None:
    if len(digits) > 18:  # what does not fit 64 bits, MessagePack and most databases do not know
        return _float(digits)
    return int(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_float, parse_constant=lambda _: None)


class _Copier:
    """Copies values without halves of surrogate pairs, and down to `MAX_DEPTH`."""

    def __init__(self) -> None:
        self.is_deep = False

    def copy(self, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(value, str):
            return _without_surrogates(value)
        if not isinstance(value, dict | list):
            return value
        if depth == MAX_DEPTH:
            self.is_deep = True
            return None
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        return {_without_surrogates(key): self.copy(item, depth + 1) for key, item in value.items()}


def _without_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
