"""Which spelling of a URL is the one and only? The only maker of canonical URLs.

A canonical URL is ASCII, absolute, http or https, and equal for every spelling that the rules below call
equivalent. Whether a URL may be crawled is left to `crawler.scope`.

1. Parsing and resolution follow the WHATWG URL standard, as browsers do: host in lower case and IDNA ASCII
   form, IPv4 and IPv6 in their one notation, default port dropped, dot segments resolved, backslashes turned,
   tabs and newlines removed, what may not stand in a URL percent-encoded as UTF-8. A host name with a label
   ``xn--…`` that is no valid punycode is refused, as in the standard's editions before 2025: no DNS name has one.
2. Any scheme but http and https is refused, and so is port 0, at which no server can be asked.
3. The fragment is dropped: it is never sent.
4. User name and password are dropped: records and logs must not carry secrets (``fetch.hosts`` does).
5. One trailing dot of the host name is dropped: ``example.org.`` is the same server, and must not be asked
   at twice its pace. A host name that still ends in a dot, or is longer than DNS can carry (253), is refused.
6. An empty query is dropped: ``/a?`` is ``/a``.
7. Percent-encoding (RFC 3986, sections 2.3, 2.4 and 6.2.2): escapes in upper case, escapes of unreserved
   characters decoded, a percent sign that begins no escape written ``%25``. All other escapes stay as they
   are: ``%2F`` is not ``/``, ``%20`` is not ``+``. Characters that browsers send bare stay bare (``[``, ``|``).
8. A result of more than `MAX_URL_CHARS` characters is refused.
9. Only if asked (`UrlsConfig`): query parameters whose name, as spelt in the URL, matches a glob of
   ``drop_params`` are removed; ``sort_query`` orders parameters by name and value and removes empty ones
   (``a&&b``).

Kept apart, since servers may tell them apart: http and https, ``www.`` or not, letter case of the path, empty
path segments (``//``), a trailing slash, ``index.html``, ``?a`` and ``?a=``.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NewType

import can_ada
import re2
from publicsuffixlist import PublicSuffixList
from xxhash import xxh3_64_intdigest

from crawler.config import UrlsConfig
from crawler.errors import UrlError

if TYPE_CHECKING:
    from collections.abc import Callable

Url = NewType("Url", str)
"""A canonical absolute http(s) URL without fragment. Only `crawler.url` makes one."""

HostKey = NewType("HostKey", str)
"""ASCII host name plus a non-default port (``example.org``, ``[::1]:8080``); http and https share one."""

MAX_URL_CHARS = 16_384
"""Twice what most servers accept in a request line; longer ones come from broken or hostile pages."""

MAX_HOST_CHARS = 253
"""RFC 1035, section 2.3.4, less the two octets that do not show."""

STANDARD = UrlsConfig()
"""Rules 1 to 8 and nothing more."""

# Upper-case hex of the octets that are not unreserved: an escape of one of these is in its canonical form.
_KEPT_ESCAPE = "[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]"
_IRREGULAR_ESCAPE = re.compile(rf"%(?!{_KEPT_ESCAPE})([0-9A-Fa-f]{{2}})?")
_USER = re.compile(r"[\\/]{2}[^/\\?#]*@")
_KEPT_DIGITS = re.compile(_KEPT_ESCAPE)


class Base:
    """A page's base URL, parsed once to resolve all its links.

    Args:
        url: Absolute http or https URL in any spelling.
        rules: Opt-in rules for the URLs it makes.

    Raises:
        UrlError: If `url` is not one.
    """

    __slots__ = ("_origin", "_parsed", "_query_rule")

    def __init__(self, url: str, rules: UrlsConfig = STANDARD) -> None:
        canonical = canonicalize(url)
        self._parsed = can_ada.parse(canonical)
        self._origin = canonical[: canonical.index("/", 8) + 1]
        self._query_rule = _query_rule(rules)

    def join(self, href: str) -> Url:
        """The canonical URL that `href` means on this page.

        Raises:
            UrlError: Naming `href` and what is wrong with it. No other exception, whatever the text.
        """
        try:
            resolved: str = (self._parsed + href).href
        except (ValueError, TypeError):  # TypeError: a lone surrogate, which UTF-8 cannot encode
            raise UrlError(f"{_shown(href)} is not a URL") from None
        if not resolved.startswith(self._origin):
            resolved = _plain_authority(resolved, href)
        # Asked here as well, since most links of most pages need none of it.
        if "?" in resolved or "%" in resolved or "#" in resolved or len(resolved) > MAX_URL_CHARS:
            return _canonical_rest(resolved, self._query_rule)
        return Url(resolved)


def canonicalize(text: str, rules: UrlsConfig = STANDARD) -> Url:
    """The canonical spelling of an absolute URL.

    Raises:
        UrlError: Naming `text` and what is wrong with it.
    """
    return _canonical_rest(_plain_authority(resolve(text), text), _query_rule(rules))


def resolve(text: str, base: str | None = None) -> str:
    """What the WHATWG URL standard makes of `text`, of any scheme: rule 1 alone.

    Raises:
        UrlError: If `text`, or `base`, is not a URL.
    """
    try:
        parsed = can_ada.parse(text) if base is None else can_ada.parse(base) + text
    except (ValueError, TypeError):
        expected = "expected http://… or https://…" if base is None else f"base {_shown(base)}"
        raise UrlError(f"{_shown(text)} is not a URL ({expected})") from None
    return str(parsed.href)


def host_key(url: Url) -> HostKey:
    """The queue a URL waits in."""
    return HostKey(url.split("/", 3)[2])


def host(url: Url) -> str:
    """ASCII host name without port; IPv6 addresses keep their brackets."""
    authority = host_key(url)
    if authority[0] == "[":
        return authority[: authority.index("]") + 1]
    return authority.partition(":")[0]


def origin(url: Url) -> str:
    """Scheme, host and a port that is not the default: ``https://example.org:8080``."""
    return url[: url.index("/", 8)]


def path_and_query(url: Url) -> str:
    """What a request line asks for; begins with a slash."""
    return url[url.index("/", 8) :]


def registrable_domain(host: str) -> str:
    """The domain somebody registered: ``example.co.uk`` for ``www.example.co.uk`` (publicsuffix.org, private
    suffixes such as ``github.io`` included).

    Args:
        host: As `host` gives it. Addresses, single labels and public suffixes are returned as they are.
    """
    # A canonical host whose last label is a number is an IPv4 address (WHATWG URL, "ends in a number").
    if host[0] == "[" or host.rpartition(".")[2].isdigit():
        return host
    return _public_suffixes().privatesuffix(host) or host


def is_public_suffix(host: str) -> bool:
    """Whether anybody can register a name below `host` (publicsuffix.org, private suffixes included); not of a name
    that the list does not know, such as ``test`` or ``internal``."""
    suffix: str | None = _public_suffixes().publicsuffix(host, accept_unknown=False)
    return suffix == host


def fingerprint(url: Url, key: int) -> int:
    """What the seen test remembers of `url`: unsigned 64 bits, never 0.

    Args:
        key: The crawl's own, unsigned 64 bits and secret: without it nobody can prepare two URLs that collide.
    """
    return xxh3_64_intdigest(url.encode(), key) or 1


def regular_escapes(text: str) -> str:
    """`text` with rule 7 applied."""
    return _IRREGULAR_ESCAPE.sub(_regular_escape, text)


def glob_to_regex(glob: str) -> str:
    """RE2 for a whole text that matches `glob`, in which only ``*`` (any run) and ``?`` (any character) are special."""
    return "^" + re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".") + "$"


def _plain_authority(resolved: str, given: str) -> str:
    """Rules 2, 4 and 5 on what the parser made of `given`."""
    scheme, _, rest = resolved.partition(":")
    if scheme not in ("http", "https"):
        raise UrlError(f"{_shown(given)} is not http or https but {scheme}")
    authority, _, tail = rest[2:].partition("/")
    server = authority.rpartition("@")[2]
    if server.endswith(":0"):
        raise UrlError(f"{_shown(given)} has port 0 (expected 1 to 65535)")
    name, colon, port = server.partition(":")
    if name[-1] == ".":
        name = name[:-1]
        if name[-1:] in ("", "."):
            raise UrlError(f"{_shown(given)} has a host name that ends in an empty label")
        server = f"{name}{colon}{port}"
    if len(name) > MAX_HOST_CHARS:
        raise UrlError(f"{_shown(given)} has a host name longer than {MAX_HOST_CHARS} characters")
    return f"{scheme}://{server}/{tail}"


def _canonical_rest(url: str, query_rule: Callable[[str], str] | None) -> Url:
    """Rules 3 and 6 to 9, each skipped at the price of one character search."""
    if "#" in url:
        url = url.partition("#")[0]
    if "%" in url:
        url = regular_escapes(url)
    if "?" in url and (query_rule or url[-1] == "?"):
        page, _, query = url.partition("?")
        if query_rule:
            query = query_rule(query)
        url = f"{page}?{query}" if query else page
    if len(url) > MAX_URL_CHARS:
        raise UrlError(f"{_shown(url)} is longer than {MAX_URL_CHARS} characters")
    return Url(url)


def _regular_escape(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        return "%25"
    digits = digits.upper()
    return f"%{digits}" if _KEPT_DIGITS.fullmatch(digits) else chr(int(digits, 16))


@lru_cache(maxsize=8)
def _query_rule(rules: UrlsConfig) -> Callable[[str], str] | None:
    """Rule 9 as a function from query to query, or None if nothing was asked for."""
    if not rules.sort_query and not rules.drop_params:
        return None
    dropped = [re2.compile(glob_to_regex(glob)) for glob in rules.drop_params]

    def apply(query: str) -> str:
        parts = query.split("&")
        for names in dropped:
            parts = [part for part in parts if not names.match(part.partition("=")[0])]
        return "&".join(sorted(filter(None, parts)) if rules.sort_query else parts)

    return apply


@cache
def _public_suffixes() -> PublicSuffixList:
    """Loaded on first use (44 ms, 3 MB) and offline: the list is the one its package carries."""
    return PublicSuffixList()


def _shown(text: str) -> str:
    """`text` for a message: quoted, control characters escaped, at most 200 characters, without user and password."""
    if "@" in text:
        text = _USER.sub("//…@", text, count=1)
    return repr(text if len(text) <= 200 else f"{text[:200]}…")
