"""Which of the URLs that failed are meant by ``reason=timeout|connect host=*.example.org``?

Conditions with white space or the word ``and`` between them; all must hold. ``KEY=PATTERN`` or ``KEY!=PATTERN``, the
key one of `KEYS`. The pattern is a glob (``*`` is any run of characters, ``?`` any one) on the whole value, with ``|``
between alternatives; nothing at all stands for what has no value. Quotes as in a shell keep white space together.

Whatever it says, only what a retry may mend is meant: what failed, and what was never asked because its host was given
up or its robots.txt could not be fetched.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

import re2

from crawler.errors import ConfigError
from crawler.models import Outcome, Url
from crawler.politeness.retry import HOST_NOT_HAD
from crawler.reasons import PRIVATE_ADDRESS, REASONS
from crawler.url import glob_to_regex, host_key

if TYPE_CHECKING:
    from crawler.export.outcomes import OutcomeRecord

KEYS = ("outcome", "reason", "status", "url", "host", "via", "seed", "depth", "attempts")
"""``host`` is that of the URL, with a port that is not the default; the others are fields of outcomes.jsonl."""

_CONDITION = re.compile(r"([^=!]*)(!?=)(.*)", re.DOTALL)
_AND = "and"


@dataclass(frozen=True)
class Condition:
    """``key=pattern``, or ``key!=pattern`` where `negated`."""

    key: str
    pattern: str
    negated: bool = False

    def holds(self, record: OutcomeRecord) -> bool:
        """Whether the record's value is as it says."""
        value = host_key(Url(record.url)) if self.key == "host" else getattr(record, self.key)
        return bool(_compiled(self.pattern).match("" if value is None else str(value))) is not self.negated

    def __str__(self) -> str:
        return shlex.quote(f"{self.key}{'!' * self.negated}={self.pattern}")


@dataclass(frozen=True)
class Where:
    """Which URLs to try again; made by `where_of`. No condition: all that may be."""

    conditions: tuple[Condition, ...] = ()

    def admits(self, record: OutcomeRecord) -> bool:
        """Whether this URL is meant."""
        return retryable(record) and all(condition.holds(record) for condition in self.conditions)

    def __str__(self) -> str:
        return " ".join(map(str, self.conditions))


def where_of(text: str) -> Where:
    """The conditions that `text` states; none if it is blank.

    Raises:
        ConfigError: It cannot be meant; says which part of it, and what was expected.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"--where {text!r}: {error}; expected KEY=PATTERN, quoted where there is a space") from error
    conditions: list[Condition] = []
    awaited = True  # at the beginning and after an "and"
    for word in words:
        if word == _AND and not awaited:
            awaited = True
            continue
        conditions.append(_condition(word))
        awaited = False
    if awaited and conditions:
        raise ConfigError(f"--where {text!r}: ends with 'and', expected a condition after it")
    for condition in conditions:
        if condition.key == "reason":
            _check_reasons(condition)
    return Where(tuple(conditions))


def retryable(record: OutcomeRecord) -> bool:
    """Whether trying this URL again may make a difference."""
    if record.outcome is Outcome.EXCLUDED:
        return record.reason in HOST_NOT_HAD or record.reason == PRIVATE_ADDRESS  # more may be allowed by now
    return record.outcome is Outcome.FAILED


def _condition(word: str) -> Condition:
    match = _CONDITION.fullmatch(word)
    if match is None:
        hint = f" (did you mean reason={word}?)" if word in REASONS or word.startswith("http_") else ""
        raise ConfigError(f"--where: {word!r}: expected KEY=PATTERN or KEY!=PATTERN{hint}")
    key, operator, pattern = match.groups()
    if key not in KEYS:
        likely = get_close_matches(key.lower(), KEYS, 1)
        what = f"did you mean {likely[0]}?" if likely else f"expected one of {', '.join(KEYS)}"
        raise ConfigError(f"--where: {word!r}: unknown key {key!r} ({what})")
    condition = Condition(key, pattern, negated=operator == "!=")
    try:
        _compiled(pattern)
    except re2.error as error:
        raise ConfigError(f"--where: {word[:200]!r}: expected a shorter pattern") from error
    except UnicodeEncodeError as error:  # Python made surrogates of bytes that were no UTF-8
        raise ConfigError(f"--where: {word[:200]!r}: expected text in UTF-8") from error
    return condition


def _check_reasons(condition: Condition) -> None:
    """Refuse what is no reason at all; those of a status, and patterns, are left to the records."""
    for name in condition.pattern.split("|"):
        if name and not set(name) & set("*?") and name not in REASONS and name[:5].lower() != "http_":
            likely = get_close_matches(name.lower(), REASONS, 1) or [f"http_{name}"] * name.isdecimal()
            hint = (
                f"did you mean {likely[0]}?" if likely else "such as timeout, dns or http_503; docs/records.md has all"
            )
            raise ConfigError(f"--where: {str(condition)!r}: unknown reason {name!r} ({hint})")


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re2._Regexp[str]:
    """`pattern` as RE2, which takes linear time whatever it says."""
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr what is raised
    options.dot_nl = True
    return re2.compile("|".join(map(glob_to_regex, pattern.split("|"))), options)
