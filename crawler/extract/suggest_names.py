"""Will a class or id still be there tomorrow? Judged by what it looks like.

Build tools make class names from hashes (``css-1q2w3e``, ``Price_root__3kXyZ``), frameworks of small styles from what
a thing looks like (``mt-4``, ``text-lg``), and shops ids from numbers of rows (``product-4711``). Names that people
chose for what a thing is (``price``, ``product-title``) last longest.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]{0,60}")
_SEGMENT: Final = re.compile(r"[-_]+")
_HUMPS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_VOWELS: Final = frozenset("aeiouyAEIOUY")
_MADE_BY_TOOLS: Final = re.compile(
    r"(?:css|sc|jsx|emotion|styled|svelte|astro|v|ng|_ngcontent|ember|react)-[\w-]*\d[\w-]*"
)
_LOOKS: Final = re.compile(
    r"(?:[mp][trblxyse]?|text|bg|font|flex|grid|gap|col|row|w|h|min|max|d|justify|items|align|self|order|border|rounded|"
    r"shadow|leading|tracking|float|pull|space|overflow|z|top|left|right|bottom|inset|opacity|sm|md|lg|xl|xs|hidden|"
    r"visible|clearfix|container|wrapper|wrap|inner|outer|active|first|last|odd|even|selected|open|show|fade|block|"
    r"inline|clear|center|small|large|medium|big|bold|red|green|blue|box|content|left|right|wow|js|is|has|no|u|fw|fs)"
    r"(?:-[\w-]*)?"
)
_MEANINGS: Final = (
    "address amount author avatar availability body brand breadcrumb byline caption category city code comment company "
    "condition contact content count country currency date description detail details discount duration email entry "
    "excerpt fax headline heading isbn item job label lead level list location location manufacturer model name number "
    "offer page phone photo post postal price product published quantity question rating region result review salary "
    "score sku shipping size snippet stars status stock street subtitle summary tag teaser tel text time title topic "
    "type unit updated user value vendor version views weight"
)
_MEANS: Final = frozenset(_MEANINGS.split())


def is_plain(name: str) -> bool:
    """Whether a class or id can stand in a selector as it is, unescaped, and is short enough to be read."""
    return _PLAIN.fullmatch(name) is not None


def is_generated(name: str) -> bool:
    """Whether a tool seems to have made up a class or id, so that the next release will have another."""
    return bool(_MADE_BY_TOOLS.fullmatch(name)) or any(_is_gibberish(part) for part in _SEGMENT.split(name))


def is_looks(name: str) -> bool:
    """Whether a class seems to say how something looks or behaves rather than what it is."""
    return _LOOKS.fullmatch(name) is not None


def is_numbered(name: str) -> bool:
    """Whether an id or class holds a number of two digits or more, so that others hold others."""
    return re.search(r"\d\d", name) is not None


def words_of(name: str) -> list[str]:
    """``productTitle_main-2`` is product, title, main and 2."""
    return [hump.lower() for part in _SEGMENT.split(name) for hump in _HUMPS.findall(part)]


def means_something(name: str) -> bool:
    """Whether one of its words is one that people use for what stands in records."""
    return not _MEANS.isdisjoint(words_of(name))


def _is_gibberish(part: str) -> bool:
    """Of one part between hyphens: letters and digits mixed, humps of a letter or two, or no vowel in a long one."""
    if len(part) < 5:
        return False
    letters = sum(map(str.isalpha, part))
    if letters and letters < len(part) and len(_HUMPS.findall(part)) >= 3:
        return True
    if letters < len(part):
        return False
    humps = _HUMPS.findall(part)
    if len(humps) >= 3 and sum(len(hump) <= 2 for hump in humps) * 2 >= len(humps):
        return True
    return _VOWELS.isdisjoint(part)
