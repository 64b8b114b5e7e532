"""What of a configuration is secret, and where does it come from?  Pure.

Secrets stand in values of headers, in ``auth`` and in the URLs of proxies and a Redis. There ``${NAME}`` is the value
of an environment variable, which is looked up when it is needed and never stored or shown; ``$${`` is a ``${`` that is
meant literally. In the user and password of a URL the value is percent-encoded on the way.

A secret that is written out instead is left out wherever a configuration is stored or shown:

- an ``auth``;
- the password of a proxy or a Redis, or its user where there is none (some providers take a key for a user);
- the value of a header whose name holds ``authorization``, ``cookie``, ``credential``, ``password``, ``secret``,
  ``session``, ``signature``, ``token`` or, as a word, ``auth``, or ends in ``key``.

What holds a ``${NAME}`` in place of each secret stays as it is written: ``Bearer ${TOKEN}``, ``user:${PASSWORD}``.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from crawler.config.base import dotted_key
from crawler.config.fetching import DIRECT, ENVIRONMENT
from crawler.config.fleet import frontier_problem
from crawler.config.headers import auth_problem, header_value_problem
from crawler.config.proxies import proxy_problem
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.config import CrawlConfig, FetchConfig, HostFetchConfig

    #: where a text stands, and the text -> what is to stand there
    Change = Callable[["Spot", str], str]
    Proxies = str | tuple[str, ...] | None

LEFT_OUT: Final = "<left out>"
"""What stands where a secret stood."""

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_SECRET_NAME: Final = re.compile(
    r"authorization|\bauth\b|cookie|credential|password|secret|session|signature|token|key$", re.IGNORECASE
)
_BETWEEN: Final = re.compile(r"[\s;,]+")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]* +(?=\S)")
_PROXY: Final = re.compile(r"((?:[^:/@]*://)?)(.*)@(.*)", re.DOTALL)


class Spot(NamedTuple):
    """A place in the configuration that may hold a secret."""

    kind: Literal["header", "auth", "proxy", "redis"]
    key: str  #: dotted
    header: str = ""  #: its name


_FRONTIER: Final = Spot("redis", "frontier")


def masked(config: CrawlConfig) -> CrawlConfig:
    """`config` as it may be stored and shown: `LEFT_OUT` stands for every secret that is written out."""
    fetch, frontier = _changed(config.fetch, shown), shown(_FRONTIER, config.frontier)
    return msgspec.structs.replace(config, fetch=fetch, frontier=frontier)


def revealed(fetch: FetchConfig, environ: Mapping[str, str]) -> FetchConfig:
    """`fetch` as it is to be sent, each ``${NAME}`` replaced by what `environ` holds.

    Raises:
        ConfigError: A variable is missing or empty, what it holds cannot be sent, or a secret has been left out. The
            message names key and variable, never a value.
    """
    return _changed(fetch, partial(_revealed, environ))


def revealed_frontier(frontier: str, environ: Mapping[str, str]) -> str:
    """Where the Redis is, with its user and password.

    Raises:
        ConfigError: As of `revealed`.
    """
    return _revealed(environ, _FRONTIER, frontier)


def gaps(fetch: FetchConfig, environ: Mapping[str, str]) -> list[str]:
    """All that would keep `fetch` from being `revealed`."""
    told = []

    def look(spot: Spot, text: str) -> str:
        try:
            _revealed(environ, spot, text)
        except ConfigError as error:
            told.append(str(error))
        return text

    _changed(fetch, look)
    return told


def shown(spot: Spot, text: str) -> str:
    """`text` without its secrets."""
    if spot.kind == "header":
        return text if not text or not is_secret(spot.header) or _refers(text) else LEFT_OUT
    if spot.kind == "auth":
        user, colon, password = text.partition(":")
        return text if _refers(password if colon else user) else LEFT_OUT
    if (match := _PROXY.fullmatch(text)) is None:
        return text
    user, colon, password = match[2].partition(":")
    if password:
        password = password if _refers(password) else LEFT_OUT
    elif user:
        user = user if _refers(user) else LEFT_OUT
    return f"{match[1]}{user}{colon}{password}@{match[3]}"


def is_secret(header: str) -> bool:
    """Whether the value of a header of this name is a secret."""
    return _SECRET_NAME.search(header.replace("_", "-")) is not None


def referring_headers(fetch: FetchConfig) -> frozenset[str]:
    """The names, lower case, of headers whose values hold a ``${NAME}``: secret whatever they are called."""
    sections = (fetch.headers, *(host.headers for host in fetch.hosts.values()))
    return frozenset(name.lower() for headers in sections for name, value in headers.items() if _has_reference(value))


def reference_problem(text: str) -> str | None:
    """What was expected instead of a ``${`` in `text`; None if each begins a ``${NAME}``."""
    if any(match[0] == "${" for match in _REFERENCE.finditer(text)):
        return "expected ${NAME}, the name of an environment variable, or $${ for a ${ that is meant literally"
    return None


def stand_in(text: str) -> str:
    """`text` with something that may stand anywhere in a URL for each ``${NAME}``."""
    return _REFERENCE.sub("1", text)


def _refers(text: str) -> bool:
    """Whether every word of `text` has a ``${NAME}``, but for the name of a scheme before the others."""
    scheme = _SCHEME.match(text)
    words = [word for word in _BETWEEN.split(text[scheme.end() if scheme else 0 :]) if word]
    return bool(words) and all(map(_has_reference, words))


def _has_reference(text: str) -> bool:
    return any(match[1] for match in _REFERENCE.finditer(text))


def _revealed(environ: Mapping[str, str], spot: Spot, text: str) -> str:
    if LEFT_OUT in text:
        raise ConfigError(
            f"{spot.key}: the secret that stood here is not stored: give -c FILE that has it, or use ${{NAME}} for it"
        )
    user, at, rest = text.rpartition("@") if spot.kind in ("proxy", "redis") else ("", "", text)
    value = _filled(user, spot.key, environ, partial(quote, safe="")) + at + _filled(rest, spot.key, environ, str)
    if problem := _problem(spot, value):
        names = ", ".join(match[0] for match in _REFERENCE.finditer(text) if match[1])
        raise ConfigError(f"{spot.key}: {f'with the value of {names}: ' if names else ''}{problem}")
    return value


def _filled(text: str, key: str, environ: Mapping[str, str], encode: Callable[[str], str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        found = environ.get(match[1])
        if not found:
            what = "is empty" if found == "" else "is not set"
            raise ConfigError(f"{key}: {match[0]}: the environment variable {match[1]} {what}")
        return encode(found)

    if problem := reference_problem(text):
        raise ConfigError(f"{key}: {problem}")
    return _REFERENCE.sub(value, text)


def _problem(spot: Spot, value: str) -> str | None:
    match spot.kind:
        case "header":
            return header_value_problem(value)
        case "auth":
            return auth_problem(value)
        case "proxy":
            return proxy_problem(value)
        case "redis":
            return frontier_problem(value)


def _changed(fetch: FetchConfig, change: Change) -> FetchConfig:
    """`fetch` with everything that may hold a secret passed through `change`."""
    return msgspec.structs.replace(
        fetch,
        headers=_headers(fetch.headers, "fetch", change),
        proxy=_proxy(fetch.proxy, "fetch", change),
        hosts={name: _host(host, dotted_key("fetch.hosts", name), change) for name, host in fetch.hosts.items()},
    )


def _host(host: HostFetchConfig, key: str, change: Change) -> HostFetchConfig:
    return msgspec.structs.replace(
        host,
        headers=_headers(host.headers, key, change),
        auth=None if host.auth is None else change(Spot("auth", f"{key}.auth"), host.auth),
        proxy=_proxy(host.proxy, key, change),
    )


def _headers(headers: Mapping[str, str], key: str, change: Change) -> dict[str, str]:
    return {
        name: change(Spot("header", dotted_key(f"{key}.headers", name), name), value) for name, value in headers.items()
    }


def _proxy(proxy: Proxies, key: str, change: Change) -> Proxies:
    if proxy in (None, DIRECT, ENVIRONMENT):
        return proxy
    if isinstance(proxy, str):
        return change(Spot("proxy", f"{key}.proxy"), proxy)
    return tuple(change(Spot("proxy", f"{key}.proxy[{place}]"), url) for place, url in enumerate(proxy))
