"""Which CSS selectors, JMESPath and RE2 expressions may a rule hold?

CSS is what Lexbor knows: Selectors Level 4 without what needs a user or a renderer. Some of it Lexbor takes and yet
never matches, or closes what was left open as CSS wants it; both are mistakes here.
JMESPath is that of jmespath.org; it has no loops but those over the data, so it takes time linear in them.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jmespath
import re2
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARS: Final = 4_000
"""Of an expression, so that none nests without bound."""
_MAX_JSON_DEPTH: Final = 50

_QUOTED_OR_ESCAPED: Final = re.compile(r"""\\.|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|/\*.*?\*/""", re.DOTALL)
_NEVER: Final = re.compile(r":(active|current|focus|hover)\b", re.IGNORECASE)
_CSS_HINTS: Final = (
    (re.compile(r"::attr\((.*?)\)"), "an attribute is taken with attr: {0}"),
    (re.compile(r"::text"), "the text is taken anyway; without that of elements within, with take: own_text"),
    (re.compile(r"^\s*\.?/"), "XPath is not supported"),
    (re.compile(r"^\s*[>+~]"), "a selector begins with an element, which may be the item itself"),
    (re.compile(r":scope"), "selectors are below the item anyway"),
    (re.compile(r":contains\((.*?)\)"), "text is looked for with :lexbor-contains({0})"),
)
_CLOSING: Final = {"(": ")", "[": "]"}


def css_problem(selector: str) -> str | None:
    """What was expected instead of `selector`, which Lexbor refuses or with which it matches nothing."""
    if len(selector) > MAX_CHARS:
        return f"expected a CSS selector of at most {MAX_CHARS} characters"
    try:
        _any_page().css(selector)
    except (SelectolaxError, UnicodeEncodeError):
        hints = (hint.format(*match.groups()) for sign, hint in _CSS_HINTS if (match := sign.search(selector)))
        hint = next(hints, None)
        return "expected a CSS selector" + (f"; {hint}" if hint else "")
    bare = _QUOTED_OR_ESCAPED.sub("", selector)
    if never := _NEVER.search(bare):
        return f"expected a CSS selector that can match; :{never[1]} needs a user"
    if not _is_closed(bare):
        return "expected a CSS selector that closes its brackets and quotes"
    return None


def jmespath_problem(expression: str) -> str | None:
    """What was expected instead of `expression`."""
    if len(expression) > MAX_CHARS:
        return f"expected JMESPath of at most {MAX_CHARS} characters"
    try:
        parsed = jmespath.compile(expression).parsed
    except JMESPathError as error:
        lines = str(error).splitlines() or [""]
        return f"expected JMESPath: {lines[0].partition(', for expression')[0]}"
    except RecursionError:
        return "expected JMESPath that is nested less"
    return next(_function_problems(parsed), None)


def regex_problem(pattern: str) -> str | None:
    """What was expected instead of `pattern`."""
    try:
        compiled_regex(pattern)
    except re2.error as error:
        return f"expected a regular expression as RE2 knows it: {error.args[0].decode(errors='replace')}"
    return None


def compiled_regex(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
    """`pattern`, which has no problem, ready to search.

    Raises:
        re2.error: It has one.
    """
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr what is raised
    return re2.compile(pattern, options)


@cache
def _any_page() -> LexborHTMLParser:
    return LexborHTMLParser("<p>")


def _is_closed(bare: str) -> bool:
    """Whether a selector, without its strings, closes what it opens; Lexbor closes at the end whatever is open."""
    awaited: list[str] = []
    for character in bare:
        if character in "\"'":
            return False
        if character in _CLOSING:
            awaited.append(_CLOSING[character])
        elif character in ")]" and (not awaited or awaited.pop() != character):
            return False
    return not awaited


def _function_problems(parsed: Any) -> Iterator[str]:  # noqa: ANN401 - its nodes are dicts
    """What is wrong with the functions that a parsed expression calls, which JMESPath itself finds out at each use."""
    todo = [(parsed, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > _MAX_JSON_DEPTH:
            yield "expected JMESPath that is nested less"
            return
        if node["type"] == "function_expression":
            signature = Functions.FUNCTION_TABLE.get(node["value"])
            if signature is None:
                close = get_close_matches(node["value"], Functions.FUNCTION_TABLE, 1)
                yield f"expected a function of JMESPath, not {node['value']}()" + (
                    f" (did you mean {close[0]}?)" if close else ""
                )
                return
            arguments = signature["signature"]
            n_given, is_open = len(node["children"]), any(argument.get("variadic") for argument in arguments)
            if n_given < len(arguments) or (n_given > len(arguments) and not is_open):
                yield f"expected {len(arguments)} arguments for {node['value']}(), found {n_given}"
                return
        todo.extend((child, depth + 1) for child in node["children"] if isinstance(child, dict))
