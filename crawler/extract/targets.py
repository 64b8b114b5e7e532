"""Where does an href lead, and may the crawl follow? Remembers both: most links of a page are on its siblings too.

Resolving a link, judging it and fingerprinting the URL takes 3 us, recalling the answer 0.1 us. What is remembered
cannot go stale: it depends on the configuration, the scope host and the href, and on no more of the base URL than the
key under which it is kept. By the WHATWG URL standard's parser, for an http(s) base, that is

- nothing or its scheme, host and port, for an href with a scheme of its own or with a slash first: kept by *site*;
- that and its path up to the last slash, for an href that begins with a path segment: kept by *folder*;
- all of it, for an empty one, ``?page=2``, ``http:x``, or one with white space first: not kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import UrlError
from crawler.models import HostKey, Link
from crawler.url import Base, fingerprint, host, host_key, origin

if TYPE_CHECKING:
    from crawler.config import UrlsConfig
    from crawler.models import Url
    from crawler.scope import PageScope

_SCHEME = re.compile(r"[\0- ]*([A-Za-z][A-Za-z0-9+.-]*):")
#: named in refusals; a page could make up any number of others
_KNOWN_SCHEMES = frozenset(("about", "blob", "data", "file", "ftp", "javascript", "mailto", "sms", "tel", "whatsapp"))

_HTTP = ("http://", "https://")
_SEGMENT_START = frozenset("%-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

_MAX_KEPT_CHARS = 1_000
_TARGET_BYTES = 300  # of a target and its place (250 as measured), but for the characters of href and URL
_PLACE_BYTES = 500  # of an empty site or folder


class Target(msgspec.Struct, frozen=True, gc=False):
    """Where an href leads."""

    #: None if it leads to no http(s) URL
    link: Link | None
    #: the scope rule that keeps it out, or what is wrong with the href; None if the link may be followed
    rule: str | None


class Targets:
    """All that is remembered, under one configuration. May be used from several threads.

    Args:
        rules: Opt-in rules for URLs.
        key: The crawl's fingerprint key.
        memory_bytes: Roughly how much to remember. Past it all is forgotten, so that no page can make it grow, and
            what is still in use is back within a few pages.
    """

    def __init__(self, rules: UrlsConfig, key: int, memory_bytes: int = 8 * 1024**2) -> None:
        self.rules = rules
        self.key = key
        self._memory_bytes = self._room = memory_bytes  # threads may miscount by a little
        self._places: dict[tuple[PageScope, str], dict[str, Target]] = {}

    def of_page(self, base_url: Url, scope: PageScope) -> PageTargets:
        """What hrefs mean on a page with this base URL and scope."""
        if self._room <= 0:
            self._places = {}
            self._room = self._memory_bytes
        return PageTargets(self, base_url, scope)

    def place(self, scope: PageScope, prefix: str) -> dict[str, Target]:
        """What is remembered under `scope` for base URLs that begin with `prefix`."""
        known = self._places.get((scope, prefix))
        if known is None:
            known = self._places[scope, prefix] = {}
            self._room -= _PLACE_BYTES + len(prefix)
        return known

    def remember(self, place: dict[str, Target], href: str, target: Target) -> bool:
        """Put `target` in `place`; False if memory is used up or `href` is huge."""
        if self._room <= 0 or len(href) > _MAX_KEPT_CHARS:
            return False
        place[href] = target
        self._room -= _TARGET_BYTES + len(href) + (len(target.link.url) if target.link else 0)
        return True


class PageTargets:
    """What the hrefs of one page mean. Look in `site`, in `folder`, then in `here`, then ask `resolve`; by href."""

    __slots__ = ("_base", "_base_url", "_host", "_host_key", "_origin", "_scope", "_targets", "folder", "here", "site")

    def __init__(self, targets: Targets, base_url: Url, scope: PageScope) -> None:
        self._targets = targets
        self._scope = scope
        self._base_url = base_url
        #: what holds for this page alone
        self.here: dict[str, Target] = {}
        self._base: Base | None = None  # not needed where all is known
        own = origin(base_url)
        self._origin = f"{own}/"
        self._host_key = HostKey(own[own.index("/") + 2 :])
        self._host = ""
        self.site = targets.place(scope, own)  # without the slash: the root is a folder of its own
        self.folder = targets.place(scope, base_url[: base_url.partition("?")[0].rindex("/") + 1])

    def url(self, href: str) -> Url | None:
        """The http(s) URL that `href` means, whoever may follow it."""
        link = self.target(href).link
        return link.url if link else None

    def target(self, href: str) -> Target:
        """What `href` means, looked up wherever it may be known."""
        href = href.partition("#")[0]
        return self.known(href) or self.resolve(href)

    def known(self, href: str) -> Target | None:
        """What is remembered of `href`, any text without ``#``."""
        return self.site.get(href) or self.folder.get(href) or self.here.get(href)

    def resolve(self, href: str) -> Target:
        """What `href`, any text without ``#``, means; from now on remembered wherever it means the same."""
        target: Target | None = None
        first = href[:1]
        place = self.site if first == "/" else self.folder if first in _SEGMENT_START else None
        if ":" in href:
            scheme = _SCHEME.match(href)
            if scheme is not None and (name := scheme[1].lower()) not in ("http", "https"):
                target = Target(None, f"scheme: {name if name in _KNOWN_SCHEMES else 'other'}")
                place = self.site
            elif place is self.folder:  # what comes before the colon may be a scheme
                place = self.site if href.startswith(_HTTP) else None
        if target is None:
            target = self._joined(href)
        if place is None or not self._targets.remember(place, href, target):
            self.here[href] = target
        return target

    def _joined(self, href: str) -> Target:
        base = self._base
        if base is None:
            base = self._base = Base(self._base_url, self._targets.rules)
            self._host = host(self._base_url)
        try:
            url = base.join(href)
        except UrlError:
            return Target(None, "bad_url")
        if url.startswith(self._origin):  # as most do
            queue, name = self._host_key, self._host
        else:
            queue, name = host_key(url), host(url)
        link = Link(url=url, host_key=queue, fingerprint=fingerprint(url, self._targets.key))
        return Target(link, self._scope.refusal(url, name))
