"""In which words is a fault written down?

A fault is what one host does: the bytes it sends to whoever asks for its `path`, one step after the other, and how the
URL must end. A host asked for anything else answers well: `/robots.txt` with 404, other paths with a small page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN = "fault.test"
"""Each fault has a host of its own below it."""


@dataclass(frozen=True)
class Drip:
    """Send `data` in pieces of `size` bytes, with a pause of `every_s` after each."""

    data: bytes
    every_s: float = 0.05
    size: int = 1


@dataclass(frozen=True)
class Endless:
    """Send `data` again and again, as fast as it is taken, until the client has gone or `most` bytes are sent.

    `make`, if given, gives the data of each turn, so that no two need be alike.
    """

    data: bytes = b""
    most: int = 1 << 30
    make: Callable[[int], bytes] | None = None


@dataclass(frozen=True)
class Silence:
    """Say nothing more, and keep the connection until the client has gone."""


@dataclass(frozen=True)
class Reset:
    """Break the connection with an RST."""


@dataclass(frozen=True)
class Plain:
    """Within TLS: go on without it, as a server does whose two ports are mixed up."""

    data: bytes


@dataclass(frozen=True)
class Cut:
    """Within TLS: end the connection, but not TLS before it (no close_notify, RFC 8446 section 6.1)."""


Step = bytes | Drip | Endless | Silence | Reset | Plain | Cut
"""After the last step the connection is closed, by an orderly FIN."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One host that does one thing wrong, or right but unusually.

    Args:
        name: A DNS label, unique; its host is ``name.fault.test``.
        steps: What is sent to whoever asks for `path`, or a function that is given the request head and the origin
            asked (``http://name.fault.test``) and returns that.
        ends: How the URL ends: an outcome (``fetched``, ``redirected``, ``excluded``, ``failed``).
        reason: As in outcomes.jsonl; None for a page with a record, or a redirect.
        because: What browsers and curl do with it, or the section of the standard that decides.
        text: What the page's text must have in it, where there is a page.
        path: Where the fault is. ``/robots.txt``: the URL that ends as told is the front page, which is a good one.
        deep: Whether it is in all that begins with `path`.
        scheme: Of the URL. What speaks TLS does so with a certificate as `certificate` says.
        certificate: ``good``, ``expired``, ``not_yet``, ``wrong_host``, ``self_signed`` or ``stranger`` (of an unknown
            authority). None: the port speaks no TLS, whatever `scheme` says.
        attempts: How many times it is asked, retries included; None where that does not matter.
        at_connect: Steps taken as soon as a client connects, before anything is read (TLS included).
        seed: The URL asked for, if it is not ``scheme://name.fault.test/path``; ``{name}`` is filled in.
        leads_to: Of a redirect: a URL it leads to, by itself or by others, with that URL's outcome and reason;
            ``{name}`` is filled in here as well.
    """

    name: str
    steps: tuple[Step, ...] | Callable[[bytes, str], tuple[Step, ...]]
    ends: str = "fetched"
    reason: str | None = None
    because: str
    text: str | None = None
    path: str = "/"
    deep: bool = False
    scheme: str = "http"
    certificate: str | None = None
    attempts: int | None = None
    at_connect: tuple[Step, ...] = ()
    seed: str | None = None
    leads_to: tuple[str, str, str | None] | None = None

    @property
    def host(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def url(self) -> str:
        """The URL that ends as told."""
        if self.seed is not None:
            return self.seed.format(name=self.host)
        path = "/" if self.path == "/robots.txt" else self.path
        return f"{self.scheme}://{self.host}{path}"

    @property
    def breaks_host(self) -> bool:
        """Whether it is no path that is broken but all of the host, its robots.txt included."""
        return self.scheme == "https" and (self.certificate != "good" or bool(self.at_connect))

    def is_at(self, path: str) -> bool:
        """Whether that path of its host is faulty. The robots.txt is not, unless it is the fault."""
        return path == self.path or (self.deep and path.startswith(self.path) and path != "/robots.txt")


def html(text: str = "hello", title: str = "A page") -> bytes:
    """A small page."""
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>".encode()


def ok(body: bytes = b"", *headers: bytes, length: bool = True, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """A well-formed answer, but for what `headers` and `status` do to it."""
    lines = [status, b"Content-Type: text/html; charset=utf-8", *headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
