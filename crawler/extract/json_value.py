"""What value does a JSON text hold, from a server, or from a script that assigns it?

Strict JSON first (RFC 8259), at full speed. Where that fails, as scripts write it: comments, keys without quotes,
single quotes, trailing commas, ``undefined``, ``NaN``, hexadecimal numbers, ``JSON.parse("…")``. Linear in the text.
Lone surrogates become U+FFFD, so that whatever is read can be written.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

import msgspec

MAX_DEPTH: Final = 200
"""Of lists and objects within one another; JSON that nests deeper is refused."""
_MAX_ASSIGNMENTS: Final = 20
"""Places where a script may assign a variable that are tried."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TOKEN: Final = re.compile(
    r"""[\s\ufeff]*(?:
    (?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<mark>[{}\[\],:])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]{1,16}|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,6})?)(?![\w$]))
    |(?P<parse>JSON\.parse\(\s*(?P<json>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\))
    |(?P<word>[-!]?[\w$]+(?:\s0)?)
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final[dict[str, Any]] = {
    "true": True,
    "false": False,
    "null": None,
    "!0": True,
    "!1": False,
    "undefined": None,
    "void 0": None,
    "NaN": None,
    "Infinity": None,
    "-Infinity": None,
}
_ESCAPE: Final = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class JsonError(ValueError):
    """A text that holds no value, for a reason in words."""


class _End(NamedTuple):
    value: Any
    at: int


def json_value(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The value of a whole text, leniently.

    Raises:
        JsonError: There is none, or it nests too deep.
    """
    text = text.removeprefix("\ufeff")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        end = _lenient(text, 0)
        if text[end.at :].strip(" \t\r\n;\0\ufeff"):
            raise JsonError(f"expected one value, found more at character {end.at}") from None
        value = end.value
    return _bounded(value)


def assigned_value(script: str, variable: str) -> Any:  # noqa: ANN401
    """What `script` assigns to `variable`, named as in ``window.__STATE__``; None if nothing that can be read."""
    names = variable.split(".")
    dotted = re.escape(names[0]) + "".join(
        rf"(?:\.{re.escape(name)}|\[[\"']{re.escape(name)}[\"']\])" for name in names[1:]
    )
    for number, match in enumerate(re.finditer(rf"(?<![\w$.]){dotted}\s*=(?!=)\s*", script)):
        if number >= _MAX_ASSIGNMENTS:
            break
        try:
            return _bounded(_value_at(script, match.end()))
        except JsonError:
            continue
    return None


def _value_at(text: str, at: int) -> Any:  # noqa: ANN401
    """The value that begins at `at`, whatever follows it."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, at)[0]
    except (ValueError, RecursionError):
        return _lenient(text, at).value


def _bounded(value: Any) -> Any:  # noqa: ANN401
    """`value` with U+FFFD for lone surrogates, in keys too, and no numbers that JSON has not.

    Raises:
        JsonError: It nests too deep.
    """
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise JsonError(f"expected at most {MAX_DEPTH} levels of nesting")
        level = [below for each in level if isinstance(each, list | dict) for below in _children(each)]
    return _clean(value) if isinstance(value, str) else value


def _children(container: Any) -> list[Any]:  # noqa: ANN401
    """What is directly within, its texts cleaned in place."""
    if isinstance(container, list):
        for number, value in enumerate(container):
            if isinstance(value, str | float):
                container[number] = _clean(value)
        return container
    for key in [key for key in container if _SURROGATE.search(key)]:
        container[_clean(key)] = container.pop(key)
    for key, value in container.items():
        if isinstance(value, str | float):
            container[key] = _clean(value)
    return list(container.values())


def _clean(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value.isascii() else _SURROGATE.sub("\ufffd", value)


def _lenient(text: str, at: int) -> _End:
    """The value at `at`, as scripts write it, and where it ends."""
    building = _Building()
    while not building.is_done:
        match = _TOKEN.match(text, at)
        if match is None:
            raise JsonError(f"expected JSON at character {at}")
        at = match.end()
        if match.lastgroup == "mark":
            building.mark(match["mark"], at)
        elif match.lastgroup != "comment" and building.add(match, at):
            colon = _TOKEN.match(text, at)
            if colon is None or colon["mark"] != ":":
                raise JsonError(f"expected a colon at character {at}")
            at = colon.end()
    return _End(building.root[0], at)


class _Building:
    """A value while it is being read: the containers that are open, each with the key whose value comes next."""

    def __init__(self) -> None:
        self.root: list[Any] = []
        self._open: list[Any] = [self.root]
        self._keys: list[str | None] = [None]

    @property
    def is_done(self) -> bool:
        """Whether the value is whole."""
        return len(self._open) == 1 and bool(self.root)

    def mark(self, mark: str, at: int) -> None:
        """Take in a bracket, comma or colon; those between values are not missed where they are missing."""
        if mark in "{[":
            if len(self._open) > MAX_DEPTH:
                raise JsonError(f"expected at most {MAX_DEPTH} levels of nesting")
            made: Any = {} if mark == "{" else []
            self._put(made, at)
            self._open.append(made)
            self._keys.append(None)
        elif len(self._open) == 1 or (mark in "}]" and isinstance(self._open[-1], list) != (mark == "]")):
            raise JsonError(f"expected a value at character {at - 1}")
        elif mark in "}]":
            self._open.pop()
            self._keys.pop()

    def add(self, match: re.Match[str], at: int) -> bool:
        """Take in a scalar; whether it is a key, and a colon has to follow."""
        if isinstance(self._open[-1], dict) and self._keys[-1] is None:
            is_text = match.lastgroup == "text"
            self._keys[-1] = _unquoted(match["text"]) if is_text else match[0].strip("\ufeff \t\r\n")
            return True
        self._put(_scalar(match), at)
        return False

    def _put(self, value: Any, at: int) -> None:  # noqa: ANN401
        container = self._open[-1]
        if isinstance(container, list):
            container.append(value)
            return
        key, self._keys[-1] = self._keys[-1], None
        if key is None:
            raise JsonError(f"expected a key at character {at}")
        container[key] = value


def _scalar(match: re.Match[str]) -> Any:  # noqa: ANN401
    kind = match.lastgroup
    if kind == "text":
        return _unquoted(match["text"])
    if kind in ("parse", "json"):
        return json_value(_unquoted(match["json"]))
    token = match[0].strip("\ufeff \t\r\n")
    if kind == "number":
        try:
            return (
                int(token, 16)
                if "x" in token.lower()
                else int(token)
                if token.lstrip("+-").isdecimal()
                else float(token)
            )
        except ValueError:
            return None
    if token not in _WORDS:
        raise JsonError(f"expected a value, not {token[:40]!r}")
    return _WORDS[token]


def _unquoted(quoted: str) -> str:
    """What a JavaScript string literal means."""
    inner = quoted[1:-1]
    if "\\" not in inner:
        return inner
    plain = _ESCAPE.sub(_unescaped, inner)
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), plain)


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) > 2 and escape[0] in "ux":
        number = int(escape[1:].strip("{}"), 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _ESCAPED.get(escape, escape)
