"""Does a page say what another one said? Two hashes of its words, for whoever looks for traps (`crawler.traps`).

Which words there are counts, not how often nor in which order, together with the pictures: a gallery without words has
different pages. The words of the page's own URL are left out, which error pages repeat, and so are long made-up ones.
The loose hash leaves out numbers and the names of months and weekdays too.

That takes longer than a hash of the bytes, so of most hosts only one page in sixteen is looked at, and the root: by
path, so that the same pages are of each mirror.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.extract.months import month_names
from crawler.url import path_and_query

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from crawler.models import Request, Url

ONE_IN = 16
_MAX_CHARS = 20_000
_MAX_PICTURES = 200
_MAX_PICTURE_CHARS = 200
_MADE_UP_CHARS = 16
_DIGITS = b"0123456789"

_SPACES = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_PARTED = bytes.maketrans(_SPACES, b" " * len(_SPACES))
_UNTOLD = "script, style, template, noscript"
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miercoles jueves viernes sabado domingo st nd rd th am pm"
)


def is_looked_at(url: Url) -> bool:
    """Whether the page at `url` is among those that are always looked at."""
    path = path_and_query(url)
    return path == "/" or xxh3_64_intdigest(path.encode()) % ONE_IN == 0


def marks(request: Request, tree: LexborHTMLParser) -> tuple[int, int]:
    """The exact and the loose hash, 64 bits each. The document loses what has no text of its own."""
    body = tree.body or tree.root
    if body is None:
        return 0, 0
    title = tree.css_first("title")
    heading = title.text() if title is not None else ""
    tree.strip_tags(_UNTOLD.split(", "))
    url = _words(request.url)
    words = _words(f"{heading} {body.text_lexbor()[:_MAX_CHARS]}") - url
    pictures = _words(" ".join(_pictures(tree))) - url
    said = sorted(word for word in words if len(word) < _MADE_UP_CHARS or word.isalpha() or not word.isalnum())
    named = _date_words()
    loose = [word for word in said if len(word.translate(None, _DIGITS)) == len(word) and word not in named]
    shown = b" ".join(sorted(pictures))
    return _hash(said, shown), _hash(loose, shown)


def _words(text: str) -> set[bytes]:
    return set(text.lower().encode(errors="replace").translate(_PARTED).split())


def _pictures(tree: LexborHTMLParser) -> list[str]:
    found = []
    for node in tree.css("img[src]")[:_MAX_PICTURES]:
        src = node.attributes.get("src") or ""
        found.append(src.partition("?")[0][-_MAX_PICTURE_CHARS:])
    return found


def _hash(words: list[bytes], shown: bytes) -> int:
    return xxh3_64_intdigest(b"\n".join((b" ".join(words), shown)))


@cache
def _date_words() -> frozenset[bytes]:
    return frozenset(name.encode() for name in (*month_names(), *_DAYS.split()))
