"""Where did a URL come from, as far as the lines of a crawl tell?

A page record names the redirects that led to it. The line of a URL without a page does not, but those of the URLs
that redirected to it are there. What is not written anywhere is which host a seed's crawl stays on: the one at the end
of the seed's own redirects.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import UrlError
from crawler.extract.record import PageRecord
from crawler.frontier.seen import Seen
from crawler.models import MAX_REDIRECTS, NORMAL_PRIORITY, SITEMAP_PRIORITY, Kind, Outcome, Request, Url
from crawler.seeds import bare_seed, names_sitemap
from crawler.url import canonicalize, fingerprint, host, host_key

if TYPE_CHECKING:
    from crawler.config import UrlsConfig
    from crawler.export.outcomes import OutcomeRecord


class _Hop(NamedTuple):
    """A redirect to some URL, and what both ends of it have in common."""

    source: str
    depth: int
    via: str | None
    seed: str


class Origins:
    """What is known of origins so far. Takes memory by the number of redirects, and a few bytes a seed.

    Args:
        rules: What a canonical URL is in this crawl.
        key: Of fingerprints.
    """

    def __init__(self, rules: UrlsConfig, key: int) -> None:
        self._rules = rules
        self._key = key
        self._hops: dict[str, _Hop] = {}  # by target
        self._hosts: dict[str, str] = {}  # by seed, where it is not the seed's own
        self._seeds = Seen()  # of which a line was met
        self._sitemaps: set[str] = set()  # that were parsed, and what redirected to them

    def sitemap(self, record: OutcomeRecord) -> None:
        """Note that a URL was asked for as a sitemap. Its redirects have been noted."""
        self._sitemaps.update((record.url, *self._chain(record)))

    def redirect(self, record: OutcomeRecord) -> None:
        """Note that a URL redirected to another, in the order in which that happened."""
        target = self.target(record)
        if target:
            self._hops.setdefault(target, _Hop(record.url, record.depth, record.via, record.seed))
            if record.via is None:
                self._led_to(record.seed, target)

    def target(self, record: OutcomeRecord) -> Url | None:
        """The URL that was admitted because this one redirected to it."""
        if record.outcome is Outcome.REDIRECTED and record.reason is None and record.target is not None:
            return Url(record.target) if self.is_canonical(record.target) else None
        return None

    def request(self, record: PageRecord | OutcomeRecord, attempt: int = 1) -> Request:
        """The request that ended as the record says. Records come in the order of their files."""
        url = Url(record.url)
        if isinstance(record, PageRecord):
            chain = record.redirected_from
            if record.via is None:
                self._led_to(record.seed, url)
        else:
            chain = self._chain(record)
        is_sitemap = url in self._sitemaps or from_robots(record) or (record.via is None and names_sitemap(record.seed))
        return Request(
            url=url,
            host_key=host_key(url),
            scope_host=host(url) if record.via is None else self._scope_host(record.seed, url),
            kind=Kind.SITEMAP if is_sitemap else Kind.PAGE,
            priority=SITEMAP_PRIORITY if is_sitemap else NORMAL_PRIORITY,
            depth=record.depth,
            via=record.via,
            seed=record.seed,
            attempt=attempt,
            redirected_from=chain,
        )

    def is_good(self, record: PageRecord | OutcomeRecord) -> bool:
        """Whether a request can be made of it."""
        return record.depth >= 0 and self.is_canonical(record.url)

    def is_canonical(self, url: str) -> bool:
        """Whether a crawl can have written this URL."""
        try:
            return canonicalize(url, self._rules) == url
        except UrlError:
            return False

    def _chain(self, record: OutcomeRecord) -> tuple[str, ...]:
        chain: list[str] = []
        url, came = record.url, (record.depth, record.via, record.seed)
        while (hop := self._hops.get(url)) and hop[1:] == came and hop.source not in chain:
            chain.append(hop.source)
            url = hop.source
            if len(chain) == MAX_REDIRECTS:
                break
        return tuple(reversed(chain))

    def _scope_host(self, seed: str, url: Url) -> str:
        """As `Request.scope_host`, for what is no seed. If a seed's own line is lost, its first page tells: it was in
        the scope."""
        if seed not in self._hosts and fingerprint(Url(seed), self._key) not in self._seeds:
            self._led_to(seed, url)
        return self._hosts.get(seed) or _own_host(seed) or host(url)

    def _led_to(self, seed: str, url: Url) -> None:
        self._seeds.add(fingerprint(Url(seed), self._key))
        if host(url) != _own_host(seed):
            self._hosts[seed] = host(url)
        else:
            self._hosts.pop(seed, None)


def from_robots(record: PageRecord | OutcomeRecord) -> bool:
    """Whether a robots.txt named it: as a sitemap, for nothing else is found there."""
    return record.via is not None and record.via.endswith("/robots.txt")


def wall(rfc3339: str) -> float:
    """A record's time as wall-clock seconds; 0 if it is none."""
    try:
        return datetime.fromisoformat(rfc3339).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def fetched_at(record: PageRecord) -> float:
    """When a page had been received."""
    return wall(record.fetched_at) + record.elapsed_s


@lru_cache(maxsize=1_000)
def _own_host(seed: str) -> str | None:
    """The host a seed names, as its giver wrote it."""
    found = bare_seed(seed)
    with suppress(UrlError):
        return host(canonicalize(found if "://" in found else f"https://{found}"))
    return None
