"""Does a page say what another one said? Hashes of its words, for whoever looks for traps (`crawler.traps`).

Which words there are counts, not how often nor in which order, together with the pictures: a gallery without words has
different pages. Error pages tell the URL that was asked for, lists what was chosen in it: `Marks.words` leaves out the
URL where it stands as such, `Marks.others` all words that are in it too, but for numbers; the loose ones leave out all
numbers and the names of months and weekdays besides. Long made-up words never count.

That takes longer than a hash of the bytes, so of most hosts only one page in thirty-two is looked at, of long URLs one
in four, and the root: by path, so that the same pages are of each mirror.
"""

from __future__ import annotations

from functools import cache
from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from xxhash import xxh3_64_intdigest

from crawler.extract.months import month_names
from crawler.marks import Marks
from crawler.traps.shapes import Kind, family
from crawler.url import path_and_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selectolax.lexbor import LexborHTMLParser

    from crawler.models import Link, Request, Url

ONE_IN = 32
_LONG_PATH, _LONG_SHARE = 5, 8
_MAX_CHARS = 200_000
_MAX_PICTURES = 200
_MOST_LINKS, _MAX_LINKS, _MAX_LEADS = 20_000, 500, 64
_MAX_PICTURE_CHARS = 200
_MADE_UP_CHARS = 16
_DIGITS = b"0123456789"

_SPACES = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTED = bytes.maketrans(_SPACES + _CAPITALS, b" " * len(_SPACES) + _CAPITALS.lower())
_UNTOLD = "script, style, template, noscript"
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miercoles jueves viernes sabado domingo st nd rd th am pm"
)


def is_looked_at(url: Url) -> bool:
    """Whether the page at `url` is among those that are always looked at: more of those that look made by a machine."""
    path = path_and_query(url)
    share = _LONG_SHARE if path.count("/") > _LONG_PATH or path.count("&") > 1 else 1
    return path == "/" or xxh3_64_intdigest(path.encode()) % ONE_IN < share


def leads(url: Url, links: Sequence[Link], depth: int) -> tuple[int, ...]:
    """Which of a page's links lead out of its family, see `traps.shapes`: none, if the page is of none.

    Those into calendars and ever deeper do not count. Known ones do: a list whose items are known is a list still. Of
    many, those with the least fingerprints stand for all: the same ones of each page, wherever they are on it, as
    items may come after a menu of a thousand.
    """
    own = family(url, depth)
    if own is None:
        return ()
    found = []
    if len(links) > _MAX_LINKS:
        links = nsmallest(_MAX_LINKS, links[:_MOST_LINKS], key=attrgetter("fingerprint"))
    for link in links:
        of = family(link.url, depth)
        if of is None or (of != own and of.kind not in (Kind.CALENDAR, Kind.DEEP)):
            found.append(link.fingerprint)
    return tuple(nsmallest(_MAX_LEADS, found))


def marks(request: Request, tree: LexborHTMLParser, leads: tuple[int, ...] = ()) -> Marks:
    """What the page says, with its `leads`. The document loses what has no text of its own."""
    body = tree.body or tree.root
    if body is None:
        return Marks(leads=leads)
    title = tree.css_first("title")
    heading = title.text() if title is not None else ""
    tree.strip_tags(_UNTOLD.split(", "))
    text = " ".join((heading, body.text(separator=" ")[:_MAX_CHARS]))
    of_url = {word for word in _words(request.url) if not word.isdigit()}
    shown = b" ".join(sorted(_words(" ".join(_pictures(tree))) - of_url))
    words = _words(_without_url(text, request.url))
    said = {word for word in words if len(word) < _MADE_UP_CHARS or word.isalpha() or not word.isalnum()}
    others = said - of_url
    if others == said:
        exact, loose = _hash(said, shown), _hash(_loose(said), shown)
        return Marks(words=exact, others=exact, loose_words=loose, loose_others=loose, leads=leads)
    return Marks(
        words=_hash(said, shown),
        others=_hash(others, shown),
        loose_words=_hash(_loose(said), shown),
        loose_others=_hash(_loose(others), shown),
        leads=leads,
    )


def _loose(words: Iterable[bytes]) -> set[bytes]:
    """Those that are no numbers, months or days; of those that have digits, only others than ASCII's keep the rest."""
    kept = {
        word if word.isalpha() else word.translate(None, _DIGITS)
        for word in words
        if word.isalpha() or not word.isascii()
    }
    return kept - _date_words()


def _without_url(text: str, url: Url) -> str:
    """`text` where it does not tell the page's own URL or path, as error pages do."""
    path = path_and_query(url)
    for told in (url, path, unquote(path), path.partition("?")[0]):
        if len(told) > 1 and told in text:
            text = text.replace(told, " ")
    return text


def _words(text: str) -> set[bytes]:
    return set(text.encode(errors="replace").translate(_PARTED).split())


def _pictures(tree: LexborHTMLParser) -> list[str]:
    found = []
    for node in tree.css("img[src]")[:_MAX_PICTURES]:
        src = node.attributes.get("src") or ""
        found.append(src.partition("?")[0][-_MAX_PICTURE_CHARS:])
    return found


def _hash(words: Iterable[bytes], shown: bytes) -> int:
    return xxh3_64_intdigest(b"\n".join((b" ".join(sorted(words)), shown)))


@cache
def _date_words() -> frozenset[bytes]:
    return frozenset(name.encode() for name in (*month_names(), *_DAYS.split()))
