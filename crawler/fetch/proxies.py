"""Which proxies has a host?  ``fetch.proxy``, unless a pattern of ``fetch.hosts`` says otherwise, or the environment.

The environment is read as curl and Python's urllib read it: ``HTTP_PROXY`` and ``HTTPS_PROXY`` by the scheme of the
URL, ``ALL_PROXY`` where they are not set, and none for what ``NO_PROXY`` lists; names in lower case win.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined] # unlisted

from crawler.config.base import dotted_key
from crawler.config.fetching import DIRECT, ENVIRONMENT
from crawler.config.hosts import matching
from crawler.config.proxies import proxy_problem
from crawler.errors import ConfigError
from crawler.fetch.proxy import Proxy, Rota
from crawler.url import host_key

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config import FetchConfig
    from crawler.fetch.proxy import Passage
    from crawler.models import HostKey, Url

_ORDERS_KEPT = 4096
_SCHEMES = ("http", "https")


class _Setting(NamedTuple):
    """What one key of the configuration comes to."""

    #: scheme -> proxies; none: directly
    proxies: dict[str, tuple[Proxy, ...]]
    #: what the environment says, if it is asked
    environment: dict[str, str] | None = None


class Proxies:
    """Finds a way for each request.

    Args:
        fetch: Its `proxy`, and those of `hosts`, with nothing left in them to be filled in.
        clock: By which proxies rest.

    Raises:
        ConfigError: For something that is no proxy, here or in the environment. Does not quote it.
    """

    def __init__(self, fetch: FetchConfig, clock: Clock) -> None:
        #: what two keys name is one proxy, which rests for both
        self._by_url: dict[str, Proxy] = {}
        self._default = self._setting(fetch.proxy, "fetch.proxy")
        self._patterns = {
            pattern: self._setting(host.proxy, f"{dotted_key('fetch.hosts', pattern)}.proxy")
            for pattern, host in fetch.hosts.items()
            if host.proxy is not None
        }
        self._rota = Rota(clock)
        self._order = lru_cache(_ORDERS_KEPT)(self._find_order)
        self.worked = self._rota.worked
        self.failed = self._rota.failed

    def passage(self, url: Url) -> Passage | None:
        """The way for one attempt; None: directly."""
        if not self._by_url:
            return None
        scheme, host = url.partition(":")[0], host_key(url)
        order = self._order(scheme, host)
        return self._rota.choose(order, host, tunnel=scheme == "https") if order else None

    def serve(self, host: HostKey) -> bool:
        """Whether some of this host's requests, or all, go through a proxy."""
        return bool(self._by_url) and any(self._order(scheme, host) for scheme in _SCHEMES)

    def _find_order(self, scheme: str, host: HostKey) -> tuple[Proxy, ...]:
        """The proxies of a host in the order in which they are tried."""
        _, setting = next(matching(self._patterns, host), ("", self._default))
        if setting.environment is not None and proxy_bypass_environment(host, setting.environment):
            return ()
        return tuple(sorted(setting.proxies[scheme], key=lambda proxy: proxy.rank(host)))

    def _setting(self, value: str | tuple[str, ...] | None, key: str) -> _Setting:
        if value is None or value == DIRECT:
            return _Setting(dict.fromkeys(_SCHEMES, ()))
        if value == ENVIRONMENT:
            return self._environment(key)
        urls = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
        return _Setting(dict.fromkeys(_SCHEMES, tuple(self._proxy(url, key) for url in urls)))

    def _environment(self, key: str) -> _Setting:
        said = getproxies_environment()
        proxies: dict[str, tuple[Proxy, ...]] = {}
        for scheme in _SCHEMES:
            name = scheme if scheme in said else "all"
            url = said.get(name)
            if url is not None and "://" not in url:
                url = f"http://{url}"
            proxies[scheme] = () if url is None else (self._proxy(url, f"{key}: {name.upper()}_PROXY"),)
        return _Setting(proxies, said)

    def _proxy(self, url: str, key: str) -> Proxy:
        if problem := proxy_problem(url):
            raise ConfigError(f"{key}: {problem}")
        if url not in self._by_url:
            self._by_url[url] = Proxy(url)
        return self._by_url[url]
