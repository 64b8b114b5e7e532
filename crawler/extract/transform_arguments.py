"""What stands behind a transform's name in a rule? Arguments read, and whatever is wrong with them said.

``name`` alone has none, ``name: value`` one, ``name: [a, b]`` several, ``name: {key: value}`` named ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import re2

from crawler.extract.value_types import Context, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

Step = Callable[[Any, Context], Any]
"""A transform with its arguments: a value, which is not None, and its page -> the value it becomes."""


class Arguments:
    """The arguments of one transform.

    Args:
        given: As read from YAML: None, a scalar, a list or a map.
    """

    __slots__ = ("given",)

    def __init__(self, given: Any) -> None:  # noqa: ANN401 - whatever YAML holds
        self.given = list(given) if isinstance(given, tuple) else given

    def none(self) -> None:
        """There may be no arguments at all."""
        if self.given is not None and self.given not in ({}, []):
            raise self.wrong("no arguments")

    def text(self, example: str, default: str | None = None) -> str:
        """The one argument, text; a number is taken as written."""
        if self.given is None and default is not None:
            return default
        if isinstance(self.given, bool) or not isinstance(self.given, str | int | float):
            raise self.wrong(f"a text, as {example}")
        return str(self.given)

    def texts(self, example: str) -> list[str]:
        """One or several texts."""
        given = self.given if isinstance(self.given, list) else [self.given]
        if not given or not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in given):
            raise self.wrong(f"one or several texts, as {example}")
        return [str(item) for item in given]

    def whole(self, example: str) -> int:
        """The one argument, a whole number."""
        if isinstance(self.given, str) and self.given.lstrip("-").isdecimal() and len(self.given) < 10:
            return int(self.given)
        if isinstance(self.given, bool) or not isinstance(self.given, int):
            raise self.wrong(f"a whole number, as {example}")
        return self.given

    def named(self, names: Sequence[str], scalar: str | None = None) -> dict[str, Any]:
        """Arguments by name, each one of `names`; a single value is the one named `scalar`."""
        if self.given is None:
            return {}
        if isinstance(self.given, Mapping):
            for name in self.given:
                if name not in names:
                    raise self.wrong(
                        f"arguments out of {', '.join(names)}, not {shown(name)}{nearest(str(name), names)}"
                    )
            return {name: Arguments(value) for name, value in self.given.items() if value is not None}
        if scalar is None or isinstance(self.given, list):
            raise self.wrong(f"named arguments: {', '.join(names)}")
        return {scalar: self}

    def flag(self) -> bool:
        """The one argument, true or false."""
        if isinstance(self.given, str) and self.given.lower() in ("true", "false"):
            return self.given.lower() == "true"
        if not isinstance(self.given, bool):
            raise self.wrong("true or false")
        return self.given

    def one_of(self, words: Sequence[str]) -> str:
        """The one argument, one of `words`."""
        if self.given not in words:
            near = nearest(str(self.given)[:40], words)
            raise self.wrong(f"one of {', '.join(words)}, not {shown(self.given)}{near}")
        return str(self.given)

    def wrong(self, expected: str) -> ValueError:
        """What is raised where something else was expected."""
        return ValueError(f"expected {expected}")


def nearest(word: str, words: Sequence[str]) -> str:
    """A suggestion, with a space before it; empty if none of `words` is like `word`."""
    near = get_close_matches(word.lower(), words, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def pattern_in(text: str) -> re2._Regexp[str] | None:
    """The RE2 that stands between slashes in `text`; None if `text` is meant as it stands."""
    if len(text) > 2 and text[0] == text[-1] == "/":
        return compiled_pattern(text[1:-1])
    return None


def compiled_pattern(pattern: str) -> re2._Regexp[str]:
    """`pattern` as RE2.

    Raises:
        ValueError: What RE2 says is wrong with it.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"expected a regular expression as RE2 knows it: {said}") from None
    except UnicodeEncodeError:
        raise ValueError("expected a regular expression in Unicode") from None
