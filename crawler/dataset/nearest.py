"""Which known URLs may somebody mean who names one that is not known?

Pure: it makes the spellings that are often taken for one another, and puts candidates in order. Which of them are
known is `ledger`'s to say.
"""

from __future__ import annotations

from contextlib import suppress
from difflib import SequenceMatcher
from itertools import product, takewhile
from operator import eq
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from crawler.errors import UrlError
from crawler.url import Url, canonicalize, path_and_query, registrable_domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.config import UrlsConfig

_INDEXES = ("index.html", "index.htm", "index.php")
_COMPARED_CHARS = 300

_LIKE_URL = 0.8
"""How like a URL of the same host has to be, from 0 to 2, to be worth naming beside better ones."""

_LIKE_HOST = 0.6
"""How like another host name must be (`difflib` ratio) that is not of the same domain."""


def spellings(url: Url, rules: UrlsConfig) -> list[Url]:
    """Other URLs that `url` may stand for, the likelier ones first.

    They differ in the scheme, in ``www.``, or in one of: a slash at the end, letter case of the path, the query,
    ``index.html``, percent-encoding.
    """
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0]
    bare = authority.removeprefix("www.")
    fronts = [
        f"{known_scheme}://{name}"
        for known_scheme in (scheme, "https" if scheme == "http" else "http")
        for name in (authority, bare if bare != authority else f"www.{authority}")
    ]
    tails = list(_tails(path_and_query(url)))
    found: dict[Url, None] = {}
    for (changes, front), (more, tail) in sorted(
        product(enumerate(fronts), enumerate(tails)), key=lambda pair: pair[0][0] + pair[1][0]
    ):
        if changes or more:
            with suppress(UrlError):
                found[canonicalize(front + tail, rules)] = None
    found.pop(url, None)
    return list(found)


def last_part(url: Url) -> str:
    """The last segment of the path with the slash before it, and a slash or query after it; empty for a front page."""
    rest = path_and_query(url)
    path = rest.partition("?")[0].rstrip("/")
    return rest[path.rindex("/") :] if path else ""


def by_likeness(url: Url, candidates: Iterable[str]) -> list[str]:
    """`candidates`, all of one host, those most like `url` first; if some are like it, only those.

    What counts is the beginning they share and, as much, all of it (`difflib`).
    """
    wanted = _compared(url)
    matcher = SequenceMatcher(b=wanted, autojunk=False)

    def likeness(candidate: str) -> float:
        text = _compared(Url(candidate))
        matcher.set_seq1(text)
        shared: int = sum(takewhile(bool, map(eq, text, wanted)))
        return matcher.ratio() + shared / len(wanted)

    ranked = sorted(
        ((likeness(candidate), candidate) for candidate in candidates), key=lambda pair: (-pair[0], pair[1])
    )
    alike = [candidate for ratio, candidate in ranked if ratio >= _LIKE_URL]
    return alike or [candidate for _, candidate in ranked]


def nearest_hosts(name: str, known: Iterable[str]) -> list[str]:
    """The hosts of `known` that may be meant by `name`, the likeliest first.

    Args:
        name: A host, with its port if that is not the default.
        known: Hosts written in the same way.
    """
    domain = _domain(name)
    matcher = SequenceMatcher(b=name, autojunk=False)
    ranked = []
    for host in dict.fromkeys(known):
        matcher.set_seq1(host)
        related = _domain(host) == domain
        if related or (matcher.quick_ratio() >= _LIKE_HOST and matcher.ratio() >= _LIKE_HOST):
            same = _name(host).removeprefix("www.") == _name(name).removeprefix("www.")
            ranked.append((not same, not related, -matcher.ratio(), host))
    return [host for *_, host in sorted(ranked)]


def _tails(rest: str) -> Iterator[str]:
    """What may stand for a path and query, the likeliest first; `rest` itself is the first."""
    path, mark, query = rest.partition("?")
    query = mark + query
    yield rest
    turned = path.rstrip("/") if path.endswith("/") and path != "/" else f"{path}/"
    yield turned + query
    if query:
        yield path
    yield path.lower() + query
    yield turned.lower() + query
    yield rest.lower()
    directory, _, name = path.rpartition("/")
    if name.lower() in _INDEXES:
        yield f"{directory}/{query}"
    else:
        yield from (f"{path.rstrip('/')}/{index}{query}" for index in _INDEXES)
    yield unquote_to_bytes(rest).decode(errors="replace").replace("#", "%23")
    yield rest.replace("+", "%20")
    yield rest.replace("%20", "+")


def _compared(url: Url) -> str:
    return path_and_query(url)[:_COMPARED_CHARS].lower()


def _name(host: str) -> str:
    """Without its port."""
    return host[: host.index("]") + 1] if host[0] == "[" else host.partition(":")[0]


def _domain(host: str) -> str:
    return registrable_domain(_name(host))
