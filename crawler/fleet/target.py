"""Which Redis or Valkey is a crawl in, and what does its URL say?  Pure.

    redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE][?prefix=…&cluster=true&ca=FILE]

``rediss://`` is the same through TLS, where the server's certificate is verified: by the machine's authorities, or by
those in the file `ca`. User and password are better left to the environment: ``CRAWLER_REDIS_USERNAME`` and
``CRAWLER_REDIS_PASSWORD`` are taken where the URL names none, and ``${NAME}`` in their place is the value of a
variable. Neither is ever shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

USERNAME, PASSWORD = "CRAWLER_REDIS_USERNAME", "CRAWLER_REDIS_PASSWORD"
SCHEMES: Final = ("redis", "rediss")
DEFAULT_PORT: Final = 6379

_EXPECTED: Final = "expected redis://HOST[:PORT][/DATABASE] or rediss://…"
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PREFIX: Final = re.compile(r"[^\s{}*?\[\]\\\x00-\x1f\x7f]{1,200}")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a crawl is."""

    host: str
    port: int = DEFAULT_PORT
    database: int = 0
    tls: bool = False
    ca: str | None = None  #: file of the authorities that may have signed the server's certificate
    prefix: str  #: of all keys of the crawl
    cluster: bool | None = None  #: None to ask the server
    allow_unauthenticated: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """Its URL without user and password, by which the same crawl is found again."""
        options = [f"prefix={quote(self.prefix, safe=':')}"]
        if self.cluster is not None:
            options.append(f"cluster={str(self.cluster).lower()}")
        if self.ca is not None:
            options.append(f"ca={quote(self.ca)}")
        return f"redis{'s' * self.tls}://{self.address}/{self.database}?{'&'.join(options)}"


def target_of(url: str, name: str, environ: Mapping[str, str], *, allow_unauthenticated: bool = False) -> Target:
    """What `url` says.

    Args:
        url: As above.
        name: Of the crawl, which names its prefix (``crawler:NAME``) where the URL does not.
        environ: Where user and password may be.
        allow_unauthenticated: Whether a server on another machine may be one that asks for no password.

    Raises:
        ConfigError: It says something else, or what it refers to is missing; no secret is shown.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{without_secrets(url)!r} is not the URL of a Redis ({_EXPECTED})") from None
    if parts.scheme.lower() not in SCHEMES or not host or parts.fragment:
        raise ConfigError(f"{without_secrets(url)!r} is not the URL of a Redis ({_EXPECTED})")
    options = _options(parts.query, url)
    username, password = _login(parts.netloc, environ)
    tls = parts.scheme.lower() == "rediss"
    if options.get("ca") and not tls:
        raise ConfigError(f"{without_secrets(url)!r}: ca is for rediss:// alone: redis:// is not encrypted")
    target = Target(
        host=host,
        port=port or DEFAULT_PORT,
        database=_database(parts.path, url),
        tls=tls,
        ca=options.get("ca"),
        prefix=_prefix(options.get("prefix"), name, url),
        cluster=_cluster(options.get("cluster"), url),
        allow_unauthenticated=allow_unauthenticated,
        username=username,
        password=password,
    )
    if target.cluster and target.database:
        raise ConfigError(f"{without_secrets(url)!r}: a cluster has database 0 alone")
    return target


def without_secrets(url: str) -> str:
    """`url` as it may be shown and stored: a password that is written out is left out, ``${NAME}`` stays."""
    scheme, separator, rest = url.partition("://")
    ends = [place for place in map(rest.find, "/?#") if place >= 0]
    netloc, tail = rest[: min(ends, default=len(rest))], rest[min(ends, default=len(rest)) :]
    if "@" in tail and "@" not in netloc:  # a password with a slash in it, say: whose end cannot be told
        netloc, tail = f"<left out>@{rest.rpartition('@')[2]}", ""
    login, at, place = netloc.rpartition("@")
    if at and not _is_referring(login):
        user, colon, _ = login.partition(":")
        login = f"{user}{colon}<left out>" if colon else "<left out>"
    return f"{scheme}{separator}{login}{at}{place}{tail}"


def _is_referring(login: str) -> bool:
    user, colon, password = login.partition(":")
    return _REFERENCE.fullmatch(password if colon else user) is not None


def _options(query: str, url: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - {"prefix", "cluster", "ca"}):
        raise ConfigError(f"{without_secrets(url)!r}: unknown {', '.join(unknown)} (expected prefix, cluster or ca)")
    return options


def _login(netloc: str, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """User and password: of the URL, else of the environment."""
    user, _, password = netloc.rpartition("@")[0].partition(":")
    given_user = _revealed(user, environ) or None
    given_password = _revealed(password, environ) or None
    return given_user or environ.get(USERNAME) or None, given_password or environ.get(PASSWORD) or None


def _revealed(text: str, environ: Mapping[str, str]) -> str:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return unquote(text)
    value = environ.get(match[1])
    if not value:
        raise ConfigError(f"the environment variable {match[1]}, of the URL of Redis, is not set")
    return value


def _database(path: str, url: str) -> int:
    text = path.strip("/")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        raise ConfigError(f"{without_secrets(url)!r}: expected the number of a database instead of {text!r}")
    return int(text)


def _prefix(given: str | None, name: str, url: str) -> str:
    prefix = f"crawler:{name}" if given is None else given
    if _PREFIX.fullmatch(prefix) is None:
        raise ConfigError(
            f"{without_secrets(url)!r}: the prefix {prefix!r} cannot begin keys (expected up to 200 characters, no "
            "space, none of {}[]*?\\; give one with ?prefix=…)"
        )
    return prefix


def _cluster(given: str | None, url: str) -> bool | None:
    if given is None:
        return None
    if given.lower() in _TRUE:
        return True
    if given.lower() in _FALSE:
        return False
    raise ConfigError(f"{without_secrets(url)!r}: cluster={given!r} (expected true or false)")
