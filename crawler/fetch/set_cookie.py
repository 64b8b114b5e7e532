"""Which cookie does a Set-Cookie header ask to keep (RFC 6265 section 5.2 and 5.3, with the amendments of RFC 6265bis)?

Texts are Latin-1, so that whatever bytes a server sends go back to it unchanged.
"""

from __future__ import annotations

import re
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.url import registrable_domain

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_COOKIE_CHARS: Final = 4096
"""Name and value together; a longer cookie is not kept (RFC 6265bis section 5.6)."""

_MAX_ATTRIBUTE_CHARS: Final = 1024
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SECONDS: Final = re.compile(r"-?[0-9]{1,18}")


class Origin(msgspec.Struct, frozen=True):
    """Of a URL what cookies depend on."""

    host: str  #: without port
    path: str  #: without the query
    secure: bool  #: https


class Cookie(msgspec.Struct, frozen=True, array_like=True):
    """A cookie that is kept."""

    domain: str  #: without a leading dot
    path: str
    name: str
    value: str
    #: sent to `domain` alone, not to the names below it
    host_only: bool
    #: sent over https alone
    secure: bool
    #: wall time; None for one that has no end
    expires_at: float | None = None


def cookie_of(line: str, origin: Origin, now: float) -> Cookie | None:
    """The cookie that the value of a Set-Cookie header from `origin` describes; None if it is to be ignored.

    One whose `Cookie.expires_at` is not after `now` asks for the cookie to be removed.
    """
    pair, *rest = line.split(";")
    name, equals, value = (part.strip(" \t") for part in pair.partition("="))
    if not equals or not name or len(name) + len(value) > MAX_COOKIE_CHARS or _CONTROL.search(line):
        return None
    attributes = {}
    for attribute in rest:
        key, _, text = (part.strip(" \t") for part in attribute.partition("="))
        if len(text) <= _MAX_ATTRIBUTE_CHARS:
            attributes[key.lower()] = text  # the last of several counts
    path = attributes.get("path", "")
    domain = _domain(attributes.get("domain", "").removeprefix(".").lower(), origin.host)
    secure = "secure" in attributes
    if domain is None or (secure and not origin.secure):
        return None
    cookie = Cookie(
        domain=domain or origin.host,
        path=path if path.startswith("/") else _default_path(origin.path),
        name=name,
        value=value,
        host_only=not domain,
        secure=secure,
        expires_at=_expires_at(attributes, now),
    )
    return cookie if _keeps_its_prefix(cookie) else None


def covers(cookie: Cookie, origin: Origin) -> bool:
    """Whether `cookie` is sent to `origin`, where that is of its domain."""
    if cookie.secure and not origin.secure:
        return False
    path = cookie.path
    if not origin.path.startswith(path):
        return False
    return len(origin.path) == len(path) or path.endswith("/") or origin.path[len(path)] == "/"


def _domain(asked: str, host: str) -> str | None:
    """The domain below which a cookie is sent too, empty for `host` alone; None if `host` has no say there.

    A public suffix such as ``co.uk`` is nobody's: a cookie for it would reach strangers.
    """
    if not asked or asked == host:
        return "" if not asked or _is_nobodys(host) else host
    if not host.endswith(f".{asked}") or _is_nobodys(asked):
        return None
    return asked


def _is_nobodys(domain: str) -> bool:
    """Whether `domain` is a public suffix, or an address, below which there are no names."""
    if domain[0] == "[" or domain.rpartition(".")[2].isdigit():
        return True
    below = f"x.{domain}"
    return registrable_domain(below) == below


def _default_path(path: str) -> str:
    return path[: path.rindex("/")] or "/"


def _expires_at(attributes: Mapping[str, str], now: float) -> float | None:
    """Max-Age counts before Expires; what cannot be read is as good as not there."""
    age = attributes.get("max-age", "")
    if _SECONDS.fullmatch(age):
        return now + int(age) if int(age) > 0 else 0.0
    try:
        date = parsedate_tz(attributes.get("expires", ""))
        return float(mktime_tz(date)) if date else None
    except (ValueError, OverflowError):
        return None


def _keeps_its_prefix(cookie: Cookie) -> bool:
    """Whether a name that promises how the cookie was set tells the truth (RFC 6265bis section 4.1.3)."""
    name = cookie.name.lower()
    if name.startswith("__secure-"):
        return cookie.secure
    return not name.startswith("__host-") or (cookie.secure and cookie.host_only and cookie.path == "/")
