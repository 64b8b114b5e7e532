"""Which pages of a site are of one kind, by their URLs, and which is the next to look at?

Pages whose URLs differ in the last segment of the path, in numbers or in values of the query are taken to be alike:
``/products/lamp`` and ``/products/chair`` are both ``/products/*``. Of each kind two are looked at, at most.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from crawler.traps.shapes import Kind, choices, family
from crawler.url import path_and_query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import Url

MAX_OF_A_SHAPE: Final = 2
_DEEP: Final = 8
_MAX_KNOWN: Final = 5_000
_SEEN_ONCE: Final = 3.0  # a kind of which one was seen counts so much less
_RICH: Final = 8.0  # and one that had structured data so much more
_NO_PAGE: Final = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|odt|zip|gz|tar|rar|7z|exe|dmg|iso|apk|jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|"
    r"m4[av]|avi|mov|webm|og[gv]|wav|css|js|json|xml|rss|atom|txt|csv|woff2?|ttf)$",
    re.IGNORECASE,
)
_ACTIONS: Final = (
    "account", "basket", "cart", "checkout", "compare", "login", "logout", "my-account", "password", "print",
    "register", "search", "share", "signin", "sign-in", "signup", "sign-up", "wishlist", "wp-admin", "wp-login.php",
)  # fmt: skip
"""Segments of paths behind which there is something to do, and nothing to read."""
VIEWS: Final = (
    "add-to-cart", "color", "colour", "dir", "direction", "display", "filter", "limit", "mode", "order", "orderby",
    "per_page", "perpage", "print", "replytocom", "share", "size", "sort", "sort_by", "sortby", "view",
)  # fmt: skip
"""Parameters by which a list is shown in another order, or in part; what it lists has pages of its own."""
TRACKING: Final = re.compile(
    r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|sid|session_?id|phpsessid|jsessionid", re.IGNORECASE
)
"""Parameters that say nothing of the page."""


def shape(url: Url) -> str:
    """What `url` shares with its like: ``/products/*``, ``/list?page``."""
    segments = _segments(url)
    general = ["{n}" if segment.isdecimal() else segment for segment in segments[:-1]]
    names = sorted({name for name, _ in choices(url)})
    return f"/{'/'.join([*general, '*'] if segments else [])}" + (f"?{'&'.join(names)}" if names else "")


def action(url: Url) -> str | None:
    """The segment of its path that makes `url` one to act on and not to read: ``cart``; None if there is none."""
    return next((segment for segment in map(str.lower, _segments(url)) if segment in _ACTIONS), None)


class Choice:
    """The URLs known of a site, and which of them says most that is new."""

    def __init__(self) -> None:
        self._known: set[Url] = set()
        self._waiting: defaultdict[str, list[Url]] = defaultdict(list)
        self._count: defaultdict[str, int] = defaultdict(int)
        self._seen: defaultdict[str, int] = defaultdict(int)
        self._rich: set[str] = set()

    def add(self, urls: Iterable[Url]) -> None:
        """Links to these were found."""
        for url in urls:
            if url in self._known or len(self._known) >= _MAX_KNOWN:
                continue
            self._known.add(url)
            if action(url) or _NO_PAGE.search(url.partition("?")[0]) or _is_endless(url) or _is_repeated(url):
                continue
            like = shape(url)
            self._count[like] += 1
            self._waiting[like].append(url)

    def saw(self, url: Url, *, is_rich: bool) -> None:
        """A page was looked at; `is_rich` if it had structured data to make records of."""
        self._known.add(url)
        self._seen[shape(url)] += 1
        if is_rich:
            self._rich.add(shape(url))

    def next(self) -> Url | None:
        """The page to look at next; None if none would say anything new."""
        likely = [like for like, urls in self._waiting.items() if urls and self._seen[like] < MAX_OF_A_SHAPE]
        if not likely:
            return None
        best = max(likely, key=self._worth)  # of equal ones that found first
        waiting = self._waiting[best]
        return waiting.pop(len(waiting) // 2 if self._seen[best] else 0)

    def count(self, like: str) -> int:
        """How many URLs of a shape are known."""
        return self._count[like]

    def _worth(self, like: str) -> float:
        count = self._count[like] * (_RICH if like in self._rich else 1.0)
        return count / _SEEN_ONCE ** self._seen[like]


def _is_endless(url: Url) -> bool:
    """Whether `url` is of those that sites make up without end; archives by date and ``/p/17`` are not."""
    found = family(url, _DEEP)
    if found is None:
        return False
    return found.kind in (Kind.DEEP, Kind.FACETS) or "?" in found.pattern or is_calendar(url)


def _is_repeated(url: Url) -> bool:
    """Whether the same is likely to stand under a shorter URL, too."""
    return any(name.lower() in VIEWS or TRACKING.fullmatch(name) for name, _ in choices(url))


def is_calendar(url: Url) -> bool:
    """Whether `url` is of a calendar, which goes on for ever, and not of an archive by date."""
    found = family(url, _DEEP)
    if found is None or found.kind is not Kind.CALENDAR:
        return False
    return "?" in found.pattern or any(name in found.pattern for name in ("calend", "kalend", "agenda", "/cal/"))


def _segments(url: Url) -> list[str]:
    path = path_and_query(url).partition("?")[0]
    return [segment for segment in path.split("/") if segment]
