"""Which transforms make a text of a text, or a list of texts? Pure and linear; texts do not grow without bound."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser

from crawler.extract.flatten import flattened
from crawler.extract.html import text_of
from crawler.extract.text import collapsed
from crawler.extract.transform_arguments import compiled_pattern, pattern_in
from crawler.extract.value_types import converted

if TYPE_CHECKING:
    from collections.abc import Callable

    import re2

    from crawler.extract.transform_arguments import Arguments, Step
    from crawler.extract.value_types import Context

MAX_CHARS: Final = 10_000_000
"""Of a text that a transform makes, and of one that a regular expression is applied to."""

MAX_PARTS: Final = 10_000
"""Of a text that is split."""

MAX_MATCHES: Final = 20_000
"""Of a regular expression in a text. Python's RE2 takes up to 10 us for each, so a fifth of a second."""

_REFERENCE: Final = re.compile(r"\\(?:([0-9])|(.?))", re.DOTALL)


def as_text(value: Any, context: Context) -> str:  # noqa: ANN401 - whatever JSON holds
    """`value` as text, which scalars are."""
    return value if isinstance(value, str) else str(converted(value, "str", context))


def on_text(function: Callable[[str], Any]) -> Step:
    """A step that wants no page."""
    return lambda value, context: function(as_text(value, context))


def strip(arguments: Arguments) -> Step:
    """White space, or the characters given, at both ends."""
    if arguments.given is None:
        return on_text(str.strip)
    characters = arguments.text("strip: '*'")
    return on_text(lambda text: text.strip(characters))


def collapse(arguments: Arguments) -> Step:
    """Every run of white space as one space, none at the ends; no invisible characters."""
    arguments.none()
    return on_text(collapsed)


def case(change: Callable[[str], str]) -> Callable[[Arguments], Step]:
    """A transform of letter case."""

    def make(arguments: Arguments) -> Step:
        arguments.none()
        return on_text(change)

    return make


def replace(arguments: Arguments) -> Step:
    """Each text or /RE2/ by another."""
    given = arguments.given
    pairs = list(given.items()) if isinstance(given, dict) else [given]
    steps = []
    for pair in pairs:
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2 and all(_is_scalar(item) for item in pair)
        if not is_pair or not str(pair[0]):
            raise arguments.wrong("a text and its replacement: [from, to], or {from: to, …}")
        steps.append(_replacing(str(pair[0]), str("" if pair[1] is None else pair[1])))
    if not steps:
        raise arguments.wrong("a text and its replacement: [from, to], or {from: to, …}")
    return on_text(_in_turn(steps))


def remove(arguments: Arguments) -> Step:
    """Nothing in the place of each text or /RE2/."""
    unwanted = arguments.texts("remove: ['€', '/[a-z]+/']")
    if not all(unwanted):
        raise arguments.wrong("texts that are not empty")
    return on_text(_in_turn([_replacing(text, "") for text in unwanted]))


def regex(arguments: Arguments) -> Step:
    """What the first group of RE2 matches, or all of it; None where it does not match."""
    given = arguments.text("regex: 'SKU ([0-9]+)'")
    pattern = pattern_in(given) or compiled_pattern(given)
    group = 1 if pattern.groups else 0

    def find(text: str) -> str | None:
        match = pattern.search(_for_pattern(text))
        return match[group] if match else None

    return on_text(find)


def split(arguments: Arguments) -> Step:
    """The texts between separators, stripped, empty ones left out."""
    separator = arguments.text("split: ','", default="")
    pattern = pattern_in(separator)

    def parts_of(text: str) -> list[str]:
        if pattern is not None:
            parts = _split_by(pattern, _for_pattern(text))
        else:
            parts = text.split(separator or None, MAX_PARTS)
        found = [part for part in map(str.strip, parts) if part]
        if len(found) > MAX_PARTS:
            raise ValueError(f"expected a text of at most {MAX_PARTS} parts")
        return found

    return on_text(parts_of)


def prefix(arguments: Arguments) -> Step:
    """A text before it."""
    before = arguments.text("prefix: 'SKU-'")
    return on_text(lambda text: bounded(before + text))


def suffix(arguments: Arguments) -> Step:
    """A text after it."""
    after = arguments.text("suffix: ' cm'")
    return on_text(lambda text: bounded(text + after))


def html_unescape(arguments: Arguments) -> Step:
    """Character references read: ``&amp;`` is ``&``."""
    arguments.none()
    return on_text(html.unescape)


def strip_html(arguments: Arguments) -> Step:
    """The text of HTML, on one line."""
    arguments.none()

    def text_in(text: str) -> str:
        if "<" not in text and "&" not in text:
            return collapsed(text)
        body = LexborHTMLParser(flattened(text.encode(errors="replace")).utf8).body
        return text_of(body) if body is not None else ""

    return on_text(text_in)


def url_decode(arguments: Arguments) -> Step:
    """Percent-encoding read: ``%20`` is a space."""
    arguments.none()
    return on_text(unquote)


def bounded(text: str) -> str:
    """`text`, if it is not too long.

    Raises:
        ValueError: If it is.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"expected a text of at most {MAX_CHARS} characters")
    return text


def _is_scalar(value: Any) -> bool:  # noqa: ANN401
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _in_turn(steps: list[Callable[[str], str]]) -> Callable[[str], str]:
    def all_steps(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return steps[0] if len(steps) == 1 else all_steps


def _replacing(old: str, new: str) -> Callable[[str], str]:
    pattern = pattern_in(old)
    if pattern is None:
        return lambda text: _replaced(text, old, new)
    template = _template(pattern, new)

    def replaced(text: str) -> str:
        text = _for_pattern(text)
        pieces: list[str] = []
        end = chars = 0
        for match in pattern.finditer(text):
            pieces += (text[end : match.start()], new := template(match))
            end = match.end()
            chars += len(new)
            if chars > MAX_CHARS or len(pieces) > 2 * MAX_MATCHES:
                raise ValueError(
                    f"expected a text of at most {MAX_CHARS} characters that is matched {MAX_MATCHES} times at most"
                )
        return bounded("".join([*pieces, text[end:]]))

    return replaced


def _replaced(text: str, old: str, new: str) -> str:
    if len(new) > len(old):
        bounded_chars = len(text) + text.count(old) * (len(new) - len(old))
        if bounded_chars > MAX_CHARS:
            raise ValueError(f"expected a text of at most {MAX_CHARS} characters")
    return text.replace(old, new)


def _template(pattern: re2._Regexp[str], new: str) -> Callable[[re2._Match[str]], str]:
    r"""What to put in the place of a match: text in which ``\1`` stands for a group and ``\\`` for a backslash."""
    pieces: list[str | int] = []
    end = 0
    for reference in _REFERENCE.finditer(new):
        pieces.append(new[end : reference.start()])
        end = reference.end()
        if reference[1] is not None and int(reference[1]) <= pattern.groups:
            pieces.append(int(reference[1]))
        elif reference[2] == "\\":
            pieces.append("\\")
        else:
            raise ValueError(f"expected \\0 to \\{min(pattern.groups, 9)} or \\\\ in a replacement, not {reference[0]}")
    pieces.append(new[end:])
    return lambda match: "".join([piece if isinstance(piece, str) else match[piece] or "" for piece in pieces])


def _split_by(pattern: re2._Regexp[str], text: str) -> list[str]:
    parts, end = [], 0
    for match in pattern.finditer(text):
        if match.end() > match.start():
            parts.append(text[end : match.start()])
            end = match.end()
        if len(parts) > MAX_PARTS:
            break
    return [*parts, text[end:]]


def _for_pattern(text: str) -> str:
    """`text` as RE2 takes it: without lone surrogates, which UTF-8 cannot encode."""
    bounded(text)
    return text if text.isascii() else text.encode(errors="replace").decode()
