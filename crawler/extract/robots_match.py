"""Do the rules of a robots.txt allow a path, and which of them decides?

The longest matching pattern decides, between equals the allowing one (RFC 9309 section 2.2.2), as in Google's
open-source parser (github.com/google/robotstxt). Beyond it, both sides are percent-normalised (same section):
``/%7Efoo``, ``/~foo`` and ``/%7efoo`` are one path.

A hostile file must not make a match slow, so rules with a ``*`` are limited. The first `MAX_WILDCARDS` patterns of a
group are matched as Google does, up to `MAX_WORK` for one path (all 500 on paths of 250 characters, if their pieces
have 10). Beyond either limit a Disallow counts as matching whatever begins with its literal text before the first
``*``, at the rank of its full length, and an Allow is dropped: what Google's parser refuses is never allowed.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from crawler.url import regular_escapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import Robots

MAX_WILDCARDS = 500
MAX_WORK = 1_500_000
"""In comparisons of one character with another, of which a million takes 0.3 ms at worst (CPython 3.11)."""

_WORK_PER_PIECE = 350
"""What beginning a search costs, in the same unit."""

# What a normalised path is written in, besides escapes. The apostrophe is escaped because the WHATWG URL parser, which
# makes our URLs, escapes it in queries only; `*` and `$` because they mean something in patterns.
_PLAIN_CHARACTERS = r"!#&()+-;=?-\[\]_a-z~"
_PLAIN = re.compile(f"[{_PLAIN_CHARACTERS}]*")
_PLAIN_OR_ESCAPED = re.compile(f"[%{_PLAIN_CHARACTERS}]*")
_SPELLINGS = tuple(
    character if _PLAIN_OR_ESCAPED.fullmatch(character) else f"%{ord(character):02X}"
    for character in map(chr, range(256))
)


class _Wildcard(NamedTuple):
    """A rule with a ``*``."""

    length: int  #: of the whole pattern: its rank
    allow: bool
    start: str  #: before the first star
    pieces: tuple[str, ...]  #: between stars, none empty
    end: str  #: after the last star
    anchored: bool  #: whether `end` must end the path
    piece_chars: int  #: of the longest text that is searched for

    def matches(self, path: str) -> bool:
        """Whether a path that begins with `start` goes on as the rule wants.

        Each piece is taken at its first chance: if any match exists, that is one.
        """
        at = len(self.start)
        for piece in self.pieces:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        if self.anchored:
            return len(path) - len(self.end) >= at and path.endswith(self.end)
        return path.find(self.end, at) >= 0

    def work(self, path: str) -> int:
        """What `matches` may cost at most."""
        return len(path) * self.piece_chars + _WORK_PER_PIECE * (len(self.pieces) + 1)


class Matcher:
    """The rules of a `Robots`, compiled for many questions.

    The limits on rules with a ``*``, and what becomes of those beyond, are the module's: see above.
    """

    __slots__ = ("_cut", "_exact", "_lengths", "_prefixes", "_start_lengths", "_wildcards")

    def __init__(self, robots: Robots) -> None:
        #: whole paths (rules ending in `$` without `*`) and path prefixes (rules without either) -> allow?
        self._exact: dict[str, bool] = {}
        self._prefixes: dict[str, bool] = {}
        #: of Disallow rules beyond the limit: text before the first star -> length of the longest pattern
        self._cut: dict[str, int] = {}
        wildcards: dict[str, bool] = {}
        for allow, pattern in robots.rules:
            star = pattern.find("*")
            if star >= 0 and len(wildcards) == MAX_WILDCARDS:
                start = pattern[:star]
                if not allow and len(pattern) > self._cut.get(start, 0):
                    self._cut[start] = len(pattern)
                continue
            if star >= 0:
                rules, key = wildcards, pattern
            elif pattern.endswith("$"):
                rules, key = self._exact, pattern[:-1]
            else:
                rules, key = self._prefixes, pattern
            rules[key] = allow or rules.get(key, False)  # of equal patterns the allowing one wins
        #: text before the first star -> the rules, the strongest first
        self._wildcards: dict[str, list[_Wildcard]] = {}
        for wildcard in sorted((_wildcard(*rule) for rule in wildcards.items()), reverse=True):
            self._wildcards.setdefault(wildcard.start, []).append(wildcard)
        self._lengths = _lengths(self._prefixes)
        self._start_lengths = _lengths(chain(self._wildcards, self._cut))

    def allows(self, path_and_query: str) -> bool:
        """Whether `path_and_query` (starting with ``/``, without fragment) may be requested.

        ``/robots.txt`` always may.
        """
        path = path_and_query
        if not _PLAIN.fullmatch(path):
            path = _normal_path(path)
        return self._verdict(path)[1] or path == "/robots.txt"

    def _verdict(self, path: str) -> tuple[int, bool]:
        """The length of the pattern that decides on a normalised path (0 if none does), and whether it allows it."""
        best, allowed = 0, True
        exact = self._exact.get(path)
        if exact is not None:
            best, allowed = len(path) + 1, exact
        else:
            verdict_on = self._prefixes.get
            for length in self._lengths:
                verdict = verdict_on(path[:length])
                if verdict is not None:
                    best, allowed = min(length, len(path)), verdict
                    break
        if self._start_lengths:
            return self._with_wildcards(path, best, allowed=allowed)
        return best, allowed

    def _with_wildcards(self, path: str, best: int, *, allowed: bool) -> tuple[int, bool]:
        """The verdict, given that of the other rules and the length of the pattern it is from."""
        work_left = MAX_WORK
        for start_length in self._start_lengths:
            if start_length > len(path):
                continue
            start = path[:start_length]
            cut = self._cut.get(start, 0)
            if cut > best:
                best, allowed = cut, False
            for rule in self._wildcards.get(start, ()):
                if rule.length < best or (rule.length == best and allowed):
                    break
                work_left -= rule.work(path)
                if rule.matches(path) if work_left >= 0 else not rule.allow:
                    best, allowed = rule.length, rule.allow
                    break
        return best, allowed


def deciding_rule(robots: Robots, path_and_query: str) -> tuple[bool, str] | None:
    """The rule of `robots` by which `Matcher` allows a path or not: (allow?, normalised pattern).

    None where no rule is about it. ``/robots.txt`` is allowed whatever the rules.
    """
    path = _normal_path(path_and_query)
    length, allowed = Matcher(robots)._verdict(path)  # noqa: SLF001
    if path == "/robots.txt" or not length:
        return None
    decided = [
        pattern
        for allow, pattern in robots.rules
        if allow is allowed and len(pattern) == length and path.startswith(pattern.removesuffix("$").partition("*")[0])
    ]
    matching = (pattern for pattern in decided if _matches(pattern, path))  # if none does, it was beyond the limits
    return next(((allowed, pattern) for pattern in chain(matching, decided)), None)


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern, taken at its word, matches a path that begins with its text before the first star."""
    if "*" in pattern:
        return _wildcard(pattern, allow=False).matches(path)
    return pattern[-1] != "$" or path == pattern[:-1]


def normal_pattern(pattern: str) -> str:
    """`pattern` (latin-1 text of its bytes) with its `*` and its final `$` left to mean what they mean."""
    body, anchor = (pattern[:-1], "$") if pattern.endswith("$") else (pattern, "")
    return "*".join(map(_normal, body.split("*"))) + anchor


def _normal_path(path: str) -> str:
    return _normal(path if path.isascii() else path.encode("utf-8", "surrogatepass").decode("latin-1"))


def _normal(text: str) -> str:
    """Unreserved and plain characters as they are, any other as an escape in capitals; `text` is latin-1."""
    if "%" in text:
        text = regular_escapes(text)
    if not _PLAIN_OR_ESCAPED.fullmatch(text):
        text = "".join([_SPELLINGS[byte] for byte in text.encode("latin-1")])
    return text


def _wildcard(pattern: str, allow: bool) -> _Wildcard:  # noqa: FBT001  # the two of a pair
    anchored = pattern.endswith("$")
    start, *middle, end = pattern.removesuffix("$").split("*")
    pieces = tuple(filter(None, middle))
    piece_chars = max(map(len, pieces if anchored else (*pieces, end)), default=0)
    return _Wildcard(len(pattern), allow, start, pieces, end, anchored, piece_chars)


def _lengths(texts: Iterable[str]) -> list[int]:
    """The lengths that occur, longest first."""
    return sorted(set(map(len, texts)), reverse=True)
