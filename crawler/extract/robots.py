"""What does a robots.txt allow our agent?

`parse` turns a body into the rules of the one group that speaks to us (RFC 9309, reading broken files as
Google's open-source parser does: github.com/google/robotstxt, robots.cc); `Matcher` answers for paths. Who fetches
the file, what an HTTP error means and how long a verdict holds is politeness'.

Beyond Google's parser, both sides are percent-normalised (RFC 9309 section 2.2.2): ``/%7Efoo``, ``/~foo`` and
``/%7efoo`` are one path.

A hostile file must not make a match slow, so rules with a ``*`` are limited. The first `MAX_WILDCARDS` patterns of a
group are matched as Google does, up to `MAX_WORK` for one path (all 500 on paths of 250 characters, if their pieces
have 10). Beyond either limit a Disallow counts as matching whatever begins with its literal text before the first
``*``, at the rank of its full length, and an Allow is dropped: what Google's parser refuses is never allowed.
"""

from __future__ import annotations

import math
import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from crawler.models import Robots
from crawler.url import regular_escapes

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BODY_BYTES = 500 * 1024
"""What lies beyond is not read (RFC 9309 section 2.5 asks for at least this much)."""

MAX_WILDCARDS = 500
MAX_WORK = 1_500_000
"""In comparisons of one character with another, of which a million takes 0.3 ms at worst (CPython 3.11)."""

_WORK_PER_PIECE = 350
"""What beginning a search costs, in the same unit."""

_MAX_LINE_BYTES = 2083 * 8 - 1  # as robots.cc
_MAX_DELAY_S = 86_400.0

# Keys are recognised by prefix, misspellings included, as robots.cc does (`KeyIsUserAgent` and its neighbours).
_USER_AGENT = ("user-agent", "useragent", "user agent")
_DISALLOW = ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw")
_SITEMAP = ("sitemap", "site-map")
_CRAWL_DELAY = ("crawl-delay", "crawldelay")

_LINE_END = re.compile(rb"\r\n|\r|\n")
_PRODUCT_TOKEN = re.compile(r"[A-Za-z_-]*")
_REQUEST_RATE = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})\s*([smh]?)", re.IGNORECASE)
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600}

# What a normalised path is written in, besides escapes. The apostrophe is escaped because the WHATWG URL parser, which
# makes our URLs, escapes it in queries only; `*` and `$` because they mean something in patterns.
_PLAIN_CHARACTERS = r"!#&()+-;=?-\[\]_a-z~"
_PLAIN = re.compile(f"[{_PLAIN_CHARACTERS}]*")
_PLAIN_OR_ESCAPED = re.compile(f"[%{_PLAIN_CHARACTERS}]*")
_SPELLINGS = tuple(
    character if _PLAIN_OR_ESCAPED.fullmatch(character) else f"%{ord(character):02X}"
    for character in map(chr, range(256))
)


def parse(body: bytes, agent: str) -> Robots:
    """What `body` says to `agent`.

    Args:
        body: The file after content decoding; only its first 500 KiB are read. Any bytes will do.
        agent: A product token (``examplebot``) or a User-Agent header, of which the first product's name is taken.

    Returns:
        The merged rules of all groups naming the token exactly (case ignored), else those of ``*``. The crawl
        delay is the longest that the group asks for as Crawl-delay or Request-rate.
    """
    name = product_name(agent)
    named, anyone = _Group(), _Group()
    sitemaps: dict[str, None] = {}
    in_named = in_anyone = group_has_rules = False
    for key, value in _directives(body):
        if key.startswith(_USER_AGENT):
            if group_has_rules:
                in_named = in_anyone = group_has_rules = False
            if value == "*" or value[:2] in ("* ", "*\t"):
                in_anyone = True
            elif name and _names(value, name):
                in_named = named.exists = True
        elif key.startswith(_SITEMAP):
            if value:
                sitemaps[value.encode("latin-1").decode("utf-8", "replace")] = None
        elif in_named or in_anyone:
            # As in robots.cc, a group that names us and `*` together counts as ours only, and only Allow and
            # Disallow end a run of User-agent lines.
            group = named if in_named else anyone
            group_has_rules |= group.take(key, value)
    group = named if named.exists else anyone
    return Robots(rules=tuple(group.rules), crawl_delay_s=group.delay_s, sitemaps=tuple(sitemaps))


def product_name(agent: str) -> str:
    """``examplebot`` of ``ExampleBot/2.1 (+https://example.org/bot)``: what User-agent lines are compared with."""
    return agent.partition("/")[0].partition(" ")[0].lower()


def _names(value: str, name: str) -> bool:
    """Whether a User-agent line speaks to the product `name`.

    A product token consists of letters, ``-`` and ``_``, so ``ExampleBot 2`` and ``ExampleBot*`` name examplebot.
    Names that are no token, such as ``bot2``, are beyond the RFC; a line that spells one exactly names it.
    """
    token = _PRODUCT_TOKEN.match(value)
    return (token is not None and token[0].lower() == name) or product_name(value) == name


class _Group:
    """The rules for one agent while the file is being read."""

    def __init__(self) -> None:
        self.exists = False
        self.rules: list[tuple[bool, str]] = []
        self.delay_s: float | None = None

    def take(self, key: str, value: str) -> bool:
        """Note one directive; whether it was an Allow or Disallow, whose end may be the group's."""
        if key.startswith("allow"):
            self._add_rule(value, allow=True)
            directory, slash, file = value.rpartition("/")
            if slash and file.startswith("index.htm"):
                self._add_rule(f"{directory}/$", allow=True)  # robots.cc: it stands for its directory, too
            return True
        if key.startswith(_DISALLOW):
            self._add_rule(value, allow=False)
            return True
        if key.startswith(_CRAWL_DELAY):
            self._add_delay(_crawl_delay_s(value))
        elif key.startswith("request-rate"):
            self._add_delay(_request_rate_delay_s(value))
        return False

    def _add_rule(self, value: str, *, allow: bool) -> None:
        # A pattern starting otherwise can match no path; an empty one says nothing.
        if value.startswith(("/", "*")):
            self.rules.append((allow, _normal_pattern(value)))

    def _add_delay(self, delay_s: float | None) -> None:
        if delay_s is not None:
            self.delay_s = max(delay_s, self.delay_s or 0.0)


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

        The longest matching pattern decides, between equals the allowing one (RFC 9309 section 2.2.2).
        ``/robots.txt`` always may.
        """
        path = path_and_query
        if not _PLAIN.fullmatch(path):
            path = _normal_path(path)
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
            allowed = self._with_wildcards(path, best, allowed=allowed)
        return allowed or path == "/robots.txt"

    def _with_wildcards(self, path: str, best: int, *, allowed: bool) -> bool:
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
        return allowed


def _directives(body: bytes) -> list[tuple[str, str]]:
    """The (lower-case key, value) pairs of a file, as latin-1 text, in order."""
    body = body[:MAX_BODY_BYTES].removeprefix(b"\xef\xbb\xbf")
    pairs = []
    for line in _LINE_END.split(body):
        text = line[:_MAX_LINE_BYTES].split(b"\0", 1)[0].split(b"#", 1)[0].strip(b" \t\v\f").decode("latin-1")
        key, colon, value = text.partition(":")
        if not colon:
            words = text.split()  # robots.cc takes "Disallow /x" as well, but only with exactly two words
            if len(words) != 2:
                continue
            key, value = words
        if key:
            pairs.append((key.strip().lower(), value.strip(" \t\v\f")))
    return pairs


def _crawl_delay_s(value: str) -> float | None:
    try:
        delay_s = float(value)
    except ValueError:
        return None
    return min(delay_s, _MAX_DELAY_S) if math.isfinite(delay_s) and delay_s >= 0 else None


def _request_rate_delay_s(value: str) -> float | None:
    """``1/10s``: one document in ten seconds (the 1996 draft by Koster, and Seznam's extension of it)."""
    found = _REQUEST_RATE.match(value)
    if found is None or not int(found[1]):
        return None
    return min(int(found[2]) * _UNIT_S[found[3].lower()] / int(found[1]), _MAX_DELAY_S)


def _normal_pattern(pattern: str) -> str:
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
