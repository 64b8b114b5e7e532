"""What can robots.txt be, other than what RFC 9309 describes? The URL that ends as told is always the front page."""

from __future__ import annotations

import gzip

import brotli

from tests.support.faults.codings import coded, typed
from tests.support.faults.fault import Drip, Endless, Fault, Plain, Reset, Silence, Step, html, ok
from tests.support.faults.redirects import to

_UNREACHABLE = "RFC 9309, 2.3.1.4: unreachable is a complete disallow"
_UNAVAILABLE = "RFC 9309, 2.3.1.3: unavailable, so that any resource may be had"
_LINES = "RFC 9309, 2.2: lines that are none are passed over"
_CLOSED = b"User-agent: *\nDisallow: /\n"
_TEXT = b"text/plain"


def _at_robots(name: str, steps: tuple[Step, ...] | Step, **more: object) -> Fault:
    return Fault(
        name=f"robots-{name}", steps=steps if isinstance(steps, tuple) else (steps,), path="/robots.txt", **more
    )  # type: ignore[arg-type]


def _open(name: str, *steps: Step, because: str, **more: object) -> Fault:
    return _at_robots(name, steps, text="a good page", because=because, **more)


def _shut(name: str, *steps: Step, reason: str = "robots", because: str, **more: object) -> Fault:
    return _at_robots(name, steps, ends="excluded", reason=reason, because=because, **more)


def _unreachable(name: str, *steps: Step, because: str = _UNREACHABLE, **more: object) -> Fault:
    return _shut(name, *steps, reason="robots_unreachable", because=because, **more)


def _status(line: bytes, body: bytes = _CLOSED) -> bytes:
    return ok(body, status=b"HTTP/1.1 " + line)


def _text(body: bytes) -> bytes:
    return typed(body, _TEXT)


def _groups(turn: int) -> bytes:
    """A thousand groups that are not ours."""
    return b"".join(b"User-agent: bot%d-x\nDisallow: /\n" % number for number in range(turn * 1000, turn * 1000 + 1000))


FOUND = (
    _shut("closed", _text(_CLOSED), because="RFC 9309, 2.2.2"),
    _shut("typed-as-an-image", typed(_CLOSED, b"image/png"), because="Google reads it whatever its type"),
    _shut("untyped", typed(_CLOSED, None), because="Google reads it whatever its type"),
    _shut("of-status-206", _status(b"206 Partial Content"), because="RFC 9309, 2.3.1.1: 2xx is success"),
    _shut("of-status-201", _status(b"201 Created"), because="RFC 9309, 2.3.1.1: 2xx is success"),
    _shut("with-bom", _text(b"\xef\xbb\xbf" + _CLOSED), because="robots.cc passes over it"),
    _shut("of-bare-cr", _text(_CLOSED.replace(b"\n", b"\r")), because="RFC 9309, 2.2: EOL is CR, LF or both"),
    _shut("with-nuls", _text(b"\0\0\n" + _CLOSED.replace(b"/", b"/\0x")), because="robots.cc ends a line there"),
    _shut("after-binary", _text(bytes(range(256)) * 40 + b"\n" + _CLOSED), because=_LINES),
    _shut("misspelt", _text(b"useragent *\nDissalow /\n"), because="robots.cc takes these spellings"),
    _shut("without-last-newline", _text(_CLOSED[:-1]), because="the end of the file ends the line"),
    _shut("gzipped", coded(gzip.compress(_CLOSED), b"gzip"), because="RFC 9110, 8.4"),
    _shut("in-br", coded(brotli.compress(_CLOSED), b"br"), because="RFC 9110, 8.4"),
    _shut(
        "of-unknown-coding",
        coded(_CLOSED, b"utf-8"),
        because="browsers pass over codings they do not know, and its text is plain to see",
    ),
    _shut(
        "then-endless",
        ok(_CLOSED, length=False),
        Endless(b"# more\n" * 1000, 8 << 20),
        because="RFC 9309, 2.5: at least the first 500 KiB are read",
    ),
    _shut(
        "announcing-gigabytes",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + _CLOSED,
        Endless(b"# more\n" * 1000, 8 << 20),
        because="RFC 9309, 2.5: at least the first 500 KiB are read",
    ),
    _shut(
        "inflating",
        coded(gzip.compress(_CLOSED + b"# more\n" * (1 << 20)), b"gzip"),
        because="RFC 9309, 2.5: at least the first 500 KiB are read",
    ),
    _shut(
        "after-a-long-line",
        _text(b"#" * 400_000 + b"\n" + _CLOSED),
        because="RFC 9309, 2.5: at least the first 500 KiB are read",
    ),
    _shut("dripped", Drip(_text(_CLOSED), every_s=0.01, size=4), because="slow is not wrong"),
)

NOTHING_SAID = (
    _open("empty", _text(b""), because="RFC 9309, 2.2.2: no rule, no ban"),
    _open("of-status-204", b"HTTP/1.1 204 No Content\r\n\r\n", because="2xx, and nothing is said"),
    _open("a-page", ok(html("Not found, said with 200")), because=_LINES),
    _open("binary", _text(bytes(range(256)) * 400), because=_LINES),
    _open("in-utf-16", _text(b"\xff\xfe" + _CLOSED.decode().encode("utf-16-le")), because="RFC 9309, 2.2: it is UTF-8"),
    _open("of-nuls", _text(bytes(100_000)), because=_LINES),
    _open("one-line", _text(b"#" * 600_000 + b"\n" + _CLOSED), because="RFC 9309, 2.5: 500 KiB are read"),
    _open(
        "of-a-million-groups",
        ok(length=False),
        Endless(make=_groups, most=30 << 20),
        because="RFC 9309, 2.5: 500 KiB are read; none of them names us",
    ),
    _open(
        "of-a-million-rules",
        _text(b"User-agent: *\n" + b"Disallow: /*a*b*c$\n" * 40_000),
        because="RFC 9309, 2.2.2: none of them is about it",
    ),
    _open("endless", ok(length=False), Endless(b"# " + b"x" * 4096 + b"\n", 8 << 20), because="RFC 9309, 2.5"),
)

UNAVAILABLE = (
    *(
        _open(f"of-status-{status}", _status(b"%d No" % status), because=_UNAVAILABLE)
        for status in (400, 401, 403, 404, 410, 418, 451, 499)
    ),
    _open("redirected-to-itself", to("/robots.txt"), because="RFC 9309, 2.3.1.2: after five hops unavailable"),
    _open("redirected-nowhere", _status(b"302 Found"), because=_UNAVAILABLE),
    _open("redirected-to-a-file", to("file:///robots.txt"), because=_UNAVAILABLE),
    _open("redirected-to-two-places", to("/a", 302, b"", b"Location: /b"), because=_UNAVAILABLE),
    _open("of-status-300", _status(b"300 Choose"), because=_UNAVAILABLE),
    _open("of-status-304", b"HTTP/1.1 304 Not Modified\r\n\r\n", because=_UNAVAILABLE),
    _open("redirected-to-a-page", to("/"), because="RFC 9309, 2.3.1.2: the target is read in its place"),
    _shut(
        "redirected-to-another-host",
        to("http://robots-closed.fault.test/robots.txt"),
        because="RFC 9309, 2.3.1.2: even to another authority",
    ),
    Fault(
        name="robots-redirected-four-times",
        steps=lambda head, _: (
            to(head.split(b" ")[1] + b"x") if b"xxxx" not in head.split(b" ")[1] else _text(_CLOSED),
        ),
        path="/robots.txt",
        deep=True,
        ends="excluded",
        reason="robots",
        because="RFC 9309, 2.3.1.2: at least five hops are followed",
    ),
    Fault(
        name="robots-redirected-for-ever",
        steps=lambda head, _: (to(head.split(b" ")[1] + b"x"),),
        path="/robots.txt",
        deep=True,
        text="a good page",
        because="RFC 9309, 2.3.1.2: after five hops unavailable",
    ),
)

# Nothing of 429 and 503: their retries take minutes, and are `politeness.retry`'s unit tests' to prove.
UNREACHABLE = (
    *(_unreachable(f"of-status-{status}", _status(b"%d No" % status)) for status in (500, 502, 599)),
    _unreachable("of-status-999", _status(b"999 Denied"), because="neither success nor unavailable: the safe side"),
    _unreachable("never-answered", Silence()),
    _unreachable("reset", Reset()),
    _unreachable("closed-without-a-word"),
    _unreachable("no-http", b"SSH-2.0-OpenSSH_9.2\r\n"),
    _unreachable("cut-short", _text(_CLOSED * 40)[:-9]),
    _unreachable("dripped-for-ever", _text(_CLOSED * 40)[:90], Drip(b"#" * 400, every_s=0.2)),
    _unreachable("gzip-cut", coded(gzip.compress(_CLOSED)[:-12], b"gzip"), because="what it forbids is unknown"),
    _unreachable("gzip-that-is-none", coded(_CLOSED, b"gzip"), because="what it forbids is unknown"),
    _unreachable("in-broken-tls", Plain(b"\x15\x03\x03\x00\x02\x02\x50"), scheme="https", certificate="good"),
    _unreachable("redirected-to-broken-tls", to("https://certificate-expired.fault.test/robots.txt")),
    _unreachable("redirected-to-no-host", to("http://no..host/robots.txt")),
)

ROBOTS = FOUND + NOTHING_SAID + UNAVAILABLE + UNREACHABLE
