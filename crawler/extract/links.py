"""Where does a page lead? Resolves its hyperlinks, each target once, and asks the scope which may be followed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import UrlError
from crawler.extract.html import collapsed, collapsed_ascii
from crawler.extract.record import LinkRecord
from crawler.models import Link, Refusal
from crawler.url import Base, fingerprint, host, host_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

    from crawler.models import HostKey, Url
    from crawler.scope import PageScope

MAX_TEXT_CHARS = 200
_MAX_EXAMPLES = 3
_MAX_EXAMPLE_CHARS = 200

_SCHEME = re.compile(r"[\0- ]*([A-Za-z][A-Za-z0-9+.-]*):")
#: named in refusals; a page could make up any number of others
_KNOWN_SCHEMES = frozenset(("about", "blob", "data", "file", "ftp", "javascript", "mailto", "sms", "tel", "whatsapp"))


class Hyperlinks(NamedTuple):
    """The hyperlinks of a page."""

    #: target -> the first element that leads there, in document order
    targets: dict[Url, LexborNode]
    #: ``<a>`` elements with href, whatever it says
    n_links: int


class Refused:
    """Links kept out, counted by rule, with a few examples."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[list[str], int]] = {}

    def add(self, rule: str, example: str) -> None:
        """Count one link that `rule` kept out."""
        examples, count = self._rules.get(rule) or ([], 0)
        if count < _MAX_EXAMPLES:
            examples.append(example[:_MAX_EXAMPLE_CHARS])
        self._rules[rule] = (examples, count + 1)

    def refusals(self) -> tuple[Refusal, ...]:
        """As models have them, in the order the rules first struck."""
        return tuple(
            Refusal(rule=rule, count=count, examples=tuple(examples)) for rule, (examples, count) in self._rules.items()
        )


def resolve(elements: Iterable[LexborNode], base: Base, refused: Refused) -> Hyperlinks:
    """The http(s) targets of ``<a>`` and ``<area>`` elements; other schemes and what is no URL go to `refused`."""
    targets: dict[Url, LexborNode] = {}
    seen: set[str] = set()
    n_links = 0
    for element in elements:
        href = element.attrs.get("href")
        if href is None:  # no such attribute, or one without a value, which is the empty one
            if "href" not in element.attrs:
                continue
            href = ""
        n_links += element.tag == "a"
        href = href.partition("#")[0]
        if href in seen:
            continue
        seen.add(href)
        url = _target(href, base, refused)
        if url is not None and url not in targets:
            targets[url] = element
    return Hyperlinks(targets, n_links)


def _target(href: str, base: Base, refused: Refused) -> Url | None:
    if ":" in href and (found := _SCHEME.match(href)):
        scheme = found[1].lower()
        if scheme not in ("http", "https"):
            refused.add(f"scheme: {scheme if scheme in _KNOWN_SCHEMES else 'other'}", href)
            return None
    try:
        return base.join(href)
    except UrlError:
        refused.add("bad_url", href)
        return None


def followed(urls: Iterable[Url], scope: PageScope, key: int, refused: Refused) -> tuple[Link, ...]:
    """Those of `urls` that may enter, under the crawl's fingerprint `key`; the others go to `refused`."""
    links = []
    hosts: dict[HostKey, str] = {}
    for url in urls:
        queue = host_key(url)
        name = hosts.get(queue)
        if name is None:
            name = hosts[queue] = host(url)
        rule = scope.refusal(url, name)
        if rule is None:
            links.append(Link(url=url, host_key=queue, fingerprint=fingerprint(url, key)))
        else:
            refused.add(rule, url)
    return tuple(links)


def records(targets: dict[Url, LexborNode], limit: int) -> tuple[tuple[LinkRecord, ...], bool]:
    """What the page record says of its first `limit` targets, and whether there were more.

    Targets that an ``<area>`` leads to first have no text and are left out.
    """
    shown = [(url, element) for url, element in targets.items() if element.tag == "a"]
    return tuple(_record(url, element) for url, element in shown[:limit]), len(shown) > limit


def _record(url: Url, element: LexborNode) -> LinkRecord:
    text = collapsed(element.text_lexbor())[:MAX_TEXT_CHARS]
    rel = element.attributes.get("rel")  # a missing key is dear in `attrs`
    return LinkRecord(url=url, text=text, rel=collapsed_ascii(rel) if rel is not None else None)
