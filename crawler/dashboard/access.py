"""Who may look at the dashboard, and tell the crawl what to do?

A page of another site must not: browsers send requests to loopback for whoever asks. So a request has to name this
server as its host (a name that was made to lead here, DNS rebinding, is another one), must not come from another
origin (``Origin`` and ``Sec-Fetch-Site``, of the Fetch standard and W3C Fetch Metadata), and is never given leave to
(no CORS). Where other machines can reach it, or a token was set, each needs the token besides: as ``Authorization:
Bearer`` (RFC 6750), or once as ``?token=`` of a URL, for which a browser is given a cookie.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.dashboard.address import Bound

TOKEN_VARIABLE: Final = "CRAWLER_SERVE_TOKEN"  # noqa: S105  (where one may be, and none)
MIN_TOKEN: Final = 16  #: characters

_SESSION_OF: Final = b"crawler dashboard session"
_HERE: Final = ("same-origin", "none")


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: HTTPStatus
    why: str


def token_for(environment: Mapping[str, str], *, needed: bool) -> tuple[str | None, bool]:
    """The token that requests must bring, None for none, and whether it was made up here.

    Args:
        environment: May set one in `TOKEN_VARIABLE`.
        needed: Whether there must be one.

    Raises:
        ConfigError: The one that is set could be guessed, or does not fit into a header.
    """
    given = environment.get(TOKEN_VARIABLE)
    if given is None:
        return (secrets.token_urlsafe(32), True) if needed else (None, False)
    if len(given) < MIN_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise ConfigError(
            f"{TOKEN_VARIABLE}: {len(given)} characters; expected at least {MIN_TOKEN} of ASCII without spaces, such "
            "as `openssl rand -hex 32` gives"
        )
    return given, False


class Access:
    """Decides for one server.

    Args:
        bound: Where it listens.
        token: What requests must bring; None for nothing.
    """

    def __init__(self, bound: Bound, token: str | None) -> None:
        self._names = bound.names()
        self._any_ip = ip_address(bound.ip).is_unspecified
        self._token = token
        #: browsers keep cookies by host and not by port, and there may be a dashboard at each
        self.cookie = f"crawler_{bound.port}"
        #: what the cookie holds: not the token, so that who reads it has no more than a look at this server
        self.session = hmac.new(token.encode(), _SESSION_OF, sha256).hexdigest() if token else ""

    def refusal(self, method: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Refusal | None:
        """Why this request is not answered; None if it is.

        Args:
            method: In capitals.
            headers: Found whatever their letters' case.
            cookies: By name.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        has_token = scheme.lower() == "bearer" and self.knows(token)
        if not (has_token or self._is_here(headers.get("Host", ""))):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST, "this server is not called that: use the address that crawler printed"
            )
        if not self._is_from_here(method, headers):
            return Refusal(HTTPStatus.FORBIDDEN, "requests from other origins are refused")
        if method == "POST" and headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected Content-Type: application/json")
        if self._token is None or has_token or _same(cookies.get(self.cookie, ""), self.session):
            return None
        return Refusal(
            HTTPStatus.UNAUTHORIZED, "expected the token that crawler printed: /?token=… or Authorization: Bearer …"
        )

    def knows(self, token: str) -> bool:
        """Whether it is the token; takes as long for any of its length."""
        return self._token is not None and _same(token, self._token)

    def is_misled(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a request that brings the token in its URL is not for this server, or of another origin."""
        return not (self._is_here(headers.get("Host", "")) and self._is_from_here(method, headers))

    def _is_here(self, host: str) -> bool:
        """Whether a Host header names this server. Its port does not matter: a tunnel may have another."""
        name = host.lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        return name in self._names or (self._any_ip and _is_ip(name))

    def _is_from_here(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether no page of another origin has made the request; to be led here by a link is a person's own doing."""
        host, origin = headers.get("Host", "").lower(), headers.get("Origin")
        if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
            return False
        site = headers.get("Sec-Fetch-Site")
        if site is None or site in _HERE:
            return True
        is_led = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
        return method in ("GET", "HEAD") and is_led


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode(errors="surrogateescape"))


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
