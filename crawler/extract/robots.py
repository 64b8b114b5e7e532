"""What does a robots.txt say to our agent?

`parse` turns a body into the rules of the one group that speaks to us (RFC 9309, reading broken files as
Google's open-source parser does: github.com/google/robotstxt, robots.cc). What they mean for a path is
`robots_match`'s to say; who fetches the file, what an HTTP error means and how long a verdict holds, politeness'.
"""

from __future__ import annotations

import math
import re

from crawler.extract.robots_match import normal_pattern
from crawler.models import Robots

MAX_BODY_BYTES = 500 * 1024
"""What lies beyond, and the line it begins in, is not read (RFC 9309 section 2.5 asks for at least this much)."""

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
    return Robots(rules=tuple(group.rules), crawl_delay_s=group.delay_s, sitemaps=tuple(sitemaps), agent=name)


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
            self.rules.append((allow, normal_pattern(value)))

    def _add_delay(self, delay_s: float | None) -> None:
        if delay_s is not None:
            self.delay_s = max(delay_s, self.delay_s or 0.0)


def _directives(body: bytes) -> list[tuple[str, str]]:
    """The (lower-case key, value) pairs of a file, as latin-1 text, in order."""
    if len(body) >= MAX_BODY_BYTES:  # half a line may allow, or forbid, far more than the whole of it
        end = max(body.rfind(b"\n", 0, MAX_BODY_BYTES), body.rfind(b"\r", 0, MAX_BODY_BYTES))
        body = body[: end + 1]
    body = body.removeprefix(b"\xef\xbb\xbf")
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
