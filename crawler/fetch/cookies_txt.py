"""What does a cookies.txt file hold? The Netscape format, as curl and browsers' exporters write it.

A line per cookie, seven fields parted by tabs: domain, whether names below it get the cookie too (TRUE or FALSE; a
leading dot of the domain says nothing), path, whether it takes https, end (Unix time, 0 for none), name, value. A line
that begins with ``#HttpOnly_`` is a cookie, any other ``#`` a comment.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.config.hosts import host_problem, split_port
from crawler.errors import ConfigError
from crawler.fetch.set_cookie import MAX_COOKIE_CHARS, Cookie

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS: Final = ("domain", "subdomains", "path", "secure", "expiry", "name", "value")
_HTTP_ONLY: Final = "#HttpOnly_"
_FLAGS: Final = {"TRUE": True, "FALSE": False}
_TIME: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]+)?")
_SENDABLE: Final = re.compile(r"[ -:<-~\x80-\xff]*")  # no control characters, no semicolon


class CookiesFile(NamedTuple):
    """What was read."""

    cookies: tuple[Cookie, ...]  #: expired ones too
    digest: str  #: of all of the file


def read_cookies(path: Path) -> CookiesFile:
    """Read a cookies.txt.

    Raises:
        ConfigError: It cannot be read, or a line is none of the format; no value is quoted.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: expected a cookies.txt file") from error
    cookies = []
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n"), 1):
        line = raw.rstrip("\r").removeprefix(_HTTP_ONLY)
        if not line.strip() or line.startswith("#"):
            continue
        try:
            cookies.append(_cookie(line.split("\t")))
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: {error}") from None
    return CookiesFile(tuple(cookies), hashlib.sha256(data).hexdigest())


def _cookie(fields: list[str]) -> Cookie:
    """Raises ValueError, saying what was expected."""
    if len(fields) == len(_FIELDS) - 1:
        fields = [*fields, ""]  # whose last tab somebody's editor has removed
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{len(fields)} fields, expected 7, parted by tabs: {', '.join(_FIELDS)}")
    domain, below, path, secure, expiry, name, value = fields
    domain = domain.removeprefix(".").lower()
    if host_problem(domain) or domain.startswith("*") or split_port(domain)[1]:
        raise ValueError(f"domain: {domain!r}: expected a host name such as example.org")
    if not path.startswith("/"):
        raise ValueError(f"path: {path!r}: expected one that begins with /")
    if not _TIME.fullmatch(expiry):
        raise ValueError(f"expiry: {expiry!r}: expected Unix time, or 0 for a cookie without an end")
    if not name or not _SENDABLE.fullmatch(name + value) or len(name) + len(value) > MAX_COOKIE_CHARS:
        most = f"at most {MAX_COOKIE_CHARS} characters"
        raise ValueError(f"name and value: expected a name, no semicolon or control character, and {most}")
    return Cookie(
        domain=domain,
        path=path,
        name=name,
        value=value,
        host_only=not _flag("subdomains", below),
        secure=_flag("secure", secure),
        expires_at=float(expiry) or None,
    )


def _flag(field: str, text: str) -> bool:
    if text.upper() not in _FLAGS:
        raise ValueError(f"{field}: {text!r}: expected TRUE or FALSE")
    return _FLAGS[text.upper()]
