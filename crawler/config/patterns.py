"""Which patterns may `scope.include` and `scope.exclude` hold, and what are they in RE2?

A pattern is a glob on a whole canonical URL, or RE2 between slashes, found anywhere in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import re2

from crawler.errors import ConfigError, UrlError
from crawler.url import canonicalize, glob_to_regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILDCARD: Final = re.compile(r"[*?]")
_SCHEMES: Final = ("http://", "https://")


def pattern_problem(pattern: str) -> str | None:
    """What was expected instead of `pattern`, as it cannot be compiled or can never match; None if it can."""
    if not _is_expression(pattern) and (problem := _glob_problem(pattern)):
        return problem
    try:
        re2.compile(_regex(pattern), _options())
    except re2.error as error:
        return f"expected a regular expression as RE2 knows it: {error.args[0].decode(errors='replace')}"
    return None


def pattern_set(patterns: Sequence[str]) -> re2.Set:
    """One set of all `patterns`, numbered in order; each is without `pattern_problem`. There is at least one.

    Raises:
        ConfigError: If RE2 can hold each but not all of them.
    """
    combined = re2.Set.SearchSet(_options())
    for pattern in patterns:
        combined.Add(_regex(pattern))
    try:
        combined.Compile()
    except re2.error:
        raise ConfigError(
            f"expected fewer or shorter patterns: these {len(patterns)}, include and exclude, "
            "are too large for RE2 when taken together"
        ) from None
    return combined


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr what is raised
    return options


def _is_expression(pattern: str) -> bool:
    return len(pattern) > 2 and pattern[0] == pattern[-1] == "/"


def _regex(pattern: str) -> str:
    return pattern[1:-1] if _is_expression(pattern) else glob_to_regex(pattern)


def _glob_problem(glob: str) -> str | None:
    """Why no canonical URL matches `glob`."""
    if not glob.isascii():
        return "expected ASCII, as in canonical URLs: percent-encoded, a host in punycode (xn--)"
    literal = _WILDCARD.split(glob, maxsplit=1)[0]
    if literal == glob:
        return _literal_problem(glob)
    if any(scheme.startswith(literal) or literal.startswith(scheme) for scheme in _SCHEMES):
        return None
    return f"expected a glob that can match a whole URL, or /RE2/ (did you mean *{glob}?)"


def _literal_problem(literal: str) -> str | None:
    """As `_glob_problem`, without wildcards: only a canonical URL is one."""
    try:
        canonical = canonicalize(literal)
    except UrlError:
        hint = "" if any(scheme.startswith(literal) for scheme in _SCHEMES) else f" (did you mean *{literal}*?)"
        return f"expected a glob that can match a whole URL, or /RE2/{hint}"
    if canonical == literal:
        return None
    return f"expected a URL in its canonical form, as there is no wildcard (did you mean {canonical}?)"
