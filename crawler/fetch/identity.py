"""What does a request tell this host, and no other? Header lines, cookies, and whether its certificate counts.

All is chosen by the host of the URL that is asked for, and by nothing else: a redirect, a robots.txt and a sitemap are
requests of their own, so what one host gets is never sent to another. What is more specific replaces what is less: our
own headers, ``fetch.headers``, then each pattern of ``fetch.hosts`` that covers the host, key by key and header by
header (`crawler.config.hosts`). A pattern without a port covers all ports.

What is secret (``auth``, headers by the list in `crawler.config.secrets`, and those that hold a ``${NAME}``) goes over
https, and over http only if the seed that led there was itself given as ``http://``. Whoever names a site without a
scheme, or with https, has not asked for a password in clear text, which one old link or redirect would otherwise bring
about (curl drops it at such a redirect, too). To a port that is not the default it goes only where the seed names it,
or the pattern does: another port may be another's server. Cookies have a rule of their own: `Cookie.secure`.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from crawler.config.base import dotted_key
from crawler.config.headers import header_name_problem, header_value_problem, user_agent_problem
from crawler.config.hosts import matching, split_port
from crawler.config.secrets import is_secret
from crawler.errors import ConfigError
from crawler.fetch.set_cookie import Origin
from crawler.reach import seed_key
from crawler.url import host as name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from crawler.config import FetchConfig, HostFetchConfig
    from crawler.fetch.cookies import Cookies, Jar
    from crawler.models import Request, Url

log = logging.getLogger(__name__)

ACCEPT: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING: Final = "gzip, deflate, br, zstd"

_HOSTS_KEPT: Final = 4096
_BY_HTTP: Final = ("http://", "sitemap:http://")


@dataclass(frozen=True, slots=True, repr=False)  # it holds secrets
class Told:
    """What a host is told."""

    #: header lines, ending with the empty one
    lines: str
    #: what the configuration puts into Cookie: a part of `lines` where there is no jar, of none where there is
    cookie: str
    jar: Jar | None
    verify: bool

    def lines_for(self, url: Url) -> str:
        """The header lines for `url`, which is of this host."""
        if self.jar is None:
            return self.lines
        pairs = self.jar.pairs(origin_of(url))
        kept = {name for name, _ in pairs}
        given = [
            pair for part in self.cookie.split(";") if (pair := part.strip()) and pair.partition("=")[0] not in kept
        ]
        cookies = "; ".join([*given, *(f"{name}={value}" for name, value in pairs)])
        return f"Cookie: {cookies}\r\n{self.lines}" if cookies else self.lines


class Identity:
    """What each host is told.

    Args:
        config: With its secrets: `crawler.config.secrets.revealed`.
        cookies: The jars of `config`.
        hidden: Names, lower case, of headers that are secret though their names do not say so.

    Raises:
        ConfigError: For a header that cannot be sent, in a configuration made in Python.
    """

    def __init__(self, config: FetchConfig, cookies: Cookies, hidden: Collection[str] = ()) -> None:
        if problem := user_agent_problem(config.user_agent):
            raise ConfigError(f"fetch.user_agent: {config.user_agent!r}: {problem}")
        _check(config.headers, "fetch")
        for pattern, host in config.hosts.items():
            _check(host.headers, dotted_key("fetch.hosts", pattern))
        for pattern in config.unverified:
            log.warning("certificates are not checked", extra={"host": pattern})
        self._hidden = frozenset(hidden)
        self._hosts = config.hosts
        self._cookies = cookies
        self._common = {"User-Agent": config.user_agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}
        if config.contact:
            self._common["From"] = config.contact
        _lay_over(self._common, config.headers)
        named = [name for headers in (config.headers, *map(_headers_of, config.hosts.values())) for name in headers]
        self._has_secrets = any(map(self._is_secret, named))
        #: the same for all, where no pattern says otherwise
        self._plain = None if config.hosts else self._find_out("", discreet=False, elsewhere=False)
        self._told = lru_cache(_HOSTS_KEPT)(self._find_out)

    def told(self, request: Request, host: str) -> Told:
        """What `request` tells `host`, which is its URL's, with the port if there is one."""
        discreet = self._has_secrets and _is_exposed(request)
        if self._plain is not None and not discreet:
            return self._plain
        elsewhere = self._has_secrets and ":" in host and _is_elsewhere(host, request.seed)
        return self._told(host, discreet=discreet, elsewhere=elsewhere)

    def _is_secret(self, header: str) -> bool:
        return is_secret(header) or header.lower() in self._hidden

    def _find_out(self, host: str, *, discreet: bool, elsewhere: bool) -> Told:
        """What `host` is told: without secrets if `discreet`, without those of portless patterns if `elsewhere`."""
        matched = [*matching(self._hosts, host)] if self._hosts else []
        sections = [section for _, section in matched]
        headers = self._common
        if sections:
            headers = dict(headers)
            for pattern, section in reversed(matched):
                own = _headers_of(section)
                if elsewhere and not split_port(pattern)[1]:
                    own = self._withheld(own, host, "to another port than the seed's: name it in fetch.hosts")
                _lay_over(headers, own)
        if discreet:
            headers = self._withheld(headers, host, "over http, as the seed was not given as http://")
        jar = self._cookies.jar(next((section.cookies for section in sections if section.cookies), None))
        cookie = next((value for name, value in headers.items() if name.lower() == "cookie"), "")
        sent = headers.items() if jar is None else [pair for pair in headers.items() if pair[0].lower() != "cookie"]
        return Told(
            lines="".join(f"{name}: {value}\r\n" for name, value in sent) + "\r\n",
            cookie=cookie,
            jar=jar,
            verify=next((section.verify for section in sections if section.verify is not None), True),
        )

    def _withheld(self, headers: Mapping[str, str], host: str, where: str) -> dict[str, str]:
        """`headers` without the secrets among them, which are not sent `where`."""
        secret = [name for name in headers if self._is_secret(name)]
        if secret:
            log.warning("secrets withheld", extra={"host": host, "why": f"{', '.join(secret)} not sent {where}"})
        return {name: value for name, value in headers.items() if name not in secret}


def origin_of(url: Url) -> Origin:
    """Of `url` what cookies depend on."""
    path = url[url.index("/", len("https://")) :].partition("?")[0]
    return Origin(host=name_of(url), path=path, secure=url[4] == "s")


def _is_exposed(request: Request) -> bool:
    """Whether `request` goes in clear text, which its seed did not ask for."""
    return request.url[4] == ":" and request.seed != "" and not request.seed.lower().startswith(_BY_HTTP)


def _is_elsewhere(host: str, seed: str) -> bool:
    """Whether `host`, with its port, is not where its seed said."""
    return split_port(host)[1] != "" and seed != "" and seed_key(seed) != host


def _headers_of(section: HostFetchConfig) -> Mapping[str, str]:
    if section.auth is None:
        return section.headers
    credentials = b64encode(section.auth.encode()).decode()  # RFC 7617 section 2.1: UTF-8
    return {**section.headers, "Authorization": f"Basic {credentials}"}


def _lay_over(headers: dict[str, str], others: Mapping[str, str]) -> None:
    """Put `others` among `headers`, in place of those of the same name, whatever its case."""
    taken = {name.lower() for name in others}
    for name in [name for name in headers if name.lower() in taken]:
        del headers[name]
    headers.update(others)


def _check(headers: Mapping[str, str], key: str) -> None:
    for name, value in headers.items():
        if problem := header_name_problem(name) or header_value_problem(value):
            raise ConfigError(f"{dotted_key(f'{key}.headers', name)}: {problem}")
