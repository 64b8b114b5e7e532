"""Which links may enter? Pure: built from `ScopeConfig` alone, so that parser workers can build their own.

A link must pass all rules, cheapest first; the first that refuses it is the one counted and printed:

1. ``scope.max_depth: 3`` - more link hops from the seed than allowed. Redirects are no hops.
2. ``scope.stay_on: host`` - the host name differs from the one the seed led to. Scheme and port do not count, ``www.``
   does. With ``domain`` the registrable domains are compared, with ``any`` nothing is.
3. ``scope.exclude: */logout*`` - the pattern, the first as written, matches the URL.
4. ``scope.include`` - there are include patterns and none matches.

Seeds face rules 3 and 4 only. A pattern is a glob on the whole canonical URL (``*`` is any run of characters, ``?`` any
one), or RE2 between slashes, found anywhere in it (``/\\.pdf$/``). All are matched in one pass, in linear time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.patterns import pattern_problem, pattern_set
from crawler.errors import ConfigError
from crawler.models import Kind
from crawler.url import host, registrable_domain

if TYPE_CHECKING:
    from crawler.config import ScopeConfig
    from crawler.models import Request, Url

_MAX_REMEMBERED = 1_000
"""Page scopes of a crawl, and host verdicts of each: where there are more, all are dropped and found out again."""


class Scope:
    """The rules of one crawl.

    Raises:
        ConfigError: If a pattern is not valid RE2 or can never match, naming it, or all are too large taken together.
    """

    def __init__(self, config: ScopeConfig) -> None:
        self._config = config
        self._patterns = _Patterns(config)
        self._pages: dict[tuple[str, bool], PageScope] = {}

    def refusal(self, url: Url, scope_host: str, depth: int) -> str | None:
        """The rule that keeps `url` out, as counted and printed; None if it may enter.

        Args:
            url: The link or redirect target.
            scope_host: Host name at the end of its seed's redirects (`Request.scope_host`).
            depth: Its own link hops from the seed.
        """
        return self.for_page(scope_host, depth).refusal(url, host(url))

    def seed_refusal(self, url: Url) -> str | None:
        """As `refusal`, for a seed: exclude and include only."""
        return self._patterns.refusal(url)

    def late_refusal(self, request: Request, *, resumed: bool) -> str | None:
        """Why an admitted URL must not be requested, as a reason of `reasons.REASONS`; None if it may.

        Seeds are admitted whatever the scope, so that each has an outcome; what an earlier run admitted may be out of
        the scope of this one. What a sitemap lists is asked of each entry.
        """
        if request.kind is Kind.SITEMAP:
            return None
        if request.via is None and not request.redirected_from:
            return "seed_out_of_scope" if self.seed_refusal(request.url) else None
        narrowed = resumed and self.refusal(request.url, request.scope_host, request.depth)
        return "scope_narrowed" if narrowed else None

    def for_page(self, scope_host: str, depth: int) -> PageScope:
        """The same rules for all links of one page, which share `scope_host` and `depth` (one more than the page's).

        Pages whose links fare alike get one and the same object, so that verdicts can be remembered under it.
        """
        limit = self._config.max_depth
        too_deep = limit is not None and depth > limit
        page = self._pages.get((scope_host, too_deep))
        if page is None:
            if len(self._pages) >= _MAX_REMEMBERED:
                self._pages = {}
            page = self._pages[scope_host, too_deep] = PageScope(self._config, self._patterns, scope_host, depth)
        return page


class PageScope:
    """The rules for links that share a scope host and a depth; made by `Scope.for_page`."""

    __slots__ = ("_domain", "_host_refusals", "_patterns", "_scope_host", "_stay_on", "_too_deep")

    def __init__(self, config: ScopeConfig, patterns: _Patterns, scope_host: str, depth: int) -> None:
        limit = config.max_depth
        self._too_deep = f"scope.max_depth: {limit}" if limit is not None and depth > limit else None
        self._stay_on = config.stay_on
        self._domain = registrable_domain(scope_host) if config.stay_on == "domain" else None
        self._scope_host = scope_host
        self._host_refusals: dict[str, str | None] = {scope_host: None}
        self._patterns = patterns

    def refusal(self, url: Url, host: str) -> str | None:
        """As `Scope.refusal`.

        Args:
            url: The link.
            host: Its host name, as `url.host` gives it; the verdict on each is reached once.
        """
        if self._too_deep:
            return self._too_deep
        try:
            refusal = self._host_refusals[host]
        except KeyError:
            refusal = self._host_refusal(host)
            if len(self._host_refusals) >= _MAX_REMEMBERED:
                self._host_refusals = {self._scope_host: None}
            self._host_refusals[host] = refusal
        return refusal or self._patterns.refusal(url)

    def _host_refusal(self, host: str) -> str | None:
        """The verdict on any host but the scope host itself."""
        if self._stay_on == "any" or registrable_domain(host) == self._domain:
            return None
        return f"scope.stay_on: {self._stay_on}"


class _Patterns:
    """The exclude and include patterns as one RE2 set, excludes first."""

    def __init__(self, config: ScopeConfig) -> None:
        self._excludes = [f"scope.exclude: {pattern}" for pattern in config.exclude]
        self._must_include = bool(config.include)
        patterns = [*config.exclude, *config.include]
        for pattern in patterns:
            if problem := pattern_problem(pattern):
                raise ConfigError(f"scope: {pattern!r}: {problem}")
        self._set = pattern_set(patterns) if patterns else None

    def refusal(self, url: Url) -> str | None:
        if self._set is None:
            return None
        matched: list[int] = self._set.Match(url) or []
        first = min(matched, default=len(self._excludes))
        if first < len(self._excludes):
            return self._excludes[first]
        return "scope.include" if self._must_include and not matched else None
