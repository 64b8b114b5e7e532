"""What can go wrong with TLS: before there is any, in the certificate, and after all seemed well.

Certificates that their authority has revoked are no fault that shows: neither Chromium nor curl ask (OCSP) by default.
"""

from __future__ import annotations

from tests.support.faults.fault import Cut, Drip, Fault, Plain, Reset, Silence, Step, html, ok

_NO_CERTIFICATE = "browsers show a warning in place of the page; curl fails with 60"
_NO_HANDSHAKE = "browsers show ERR_SSL_PROTOCOL_ERROR or the like; curl fails with 35"
_NO_CONNECTION = "browsers show ERR_CONNECTION_CLOSED or _RESET; curl fails with 35; it may pass"
_RECORD = b"\x17\x03\x03\x40\x00"  # of 16 KiB application data


def _alert(description: int, level: int = 2) -> bytes:
    """A TLS alert (RFC 8446 section 6), unencrypted."""
    return b"\x15\x03\x03\x00\x02" + bytes((level, description))


def _server_hello(version: bytes) -> bytes:
    """A ServerHello (RFC 5246 section 7.4.1.3) that settles on that version of TLS, and on ECDHE, RSA and AES-128."""
    hello = version + bytes(range(32)) + b"\x00" + b"\xc0\x2f\x00" + b"\x00\x05\xff\x01\x00\x01\x00"
    message = b"\x02" + len(hello).to_bytes(3, "big") + hello
    return b"\x16" + version + len(message).to_bytes(2, "big") + message


def _bad_certificate(certificate: str) -> Fault:
    return Fault(
        name=f"certificate-{certificate.replace('_', '-')}",
        steps=(ok(html()),),
        scheme="https",
        certificate=certificate,
        ends="failed",
        reason="tls",
        attempts=1,
        because=_NO_CERTIFICATE,
    )


def _at_connect(name: str, *steps: Step, reason: str = "tls", attempts: int = 1, because: str = _NO_HANDSHAKE) -> Fault:
    return Fault(
        name=name,
        steps=(),
        at_connect=steps,
        scheme="https",
        ends="failed",
        reason=reason,
        attempts=attempts,
        because=because,
    )


def _within(name: str, *steps: Step, **more: object) -> Fault:
    return Fault(name=name, steps=steps, scheme="https", certificate="good", **more)  # type: ignore[arg-type]


CERTIFICATES = tuple(map(_bad_certificate, ("expired", "not_yet", "wrong_host", "self_signed", "stranger")))

HANDSHAKES = (
    Fault(
        name="plain-http-on-the-tls-port",
        steps=(ok(html(), status=b"HTTP/1.1 400 Bad Request"),),
        scheme="https",
        ends="failed",
        reason="tls",
        attempts=1,
        because=_NO_HANDSHAKE,
    ),
    _at_connect("garbage-for-a-handshake", bytes(range(200, 256)) * 20),
    _at_connect("ssh-for-a-handshake", b"SSH-2.0-OpenSSH_9.2\r\n"),
    _at_connect("alert-no-common-version", _alert(70)),
    _at_connect("alert-handshake-failure", _alert(40)),
    _at_connect("alert-internal-error", _alert(80)),
    _at_connect("alert-name-unknown", _alert(112)),
    _at_connect("alert-of-no-known-kind", _alert(255)),
    _at_connect("only-tls-1-0", _server_hello(b"\x03\x01"), because="no browser speaks it any more"),
    _at_connect("only-tls-1-1", _server_hello(b"\x03\x02"), because="no browser speaks it any more"),
    _at_connect("only-ssl-3", _server_hello(b"\x03\x00"), because="no browser speaks it any more"),
    _at_connect("hello-and-nothing-more", _server_hello(b"\x03\x03"), Silence(), reason="connect", attempts=3),
    _at_connect("handshake-never-answered", Silence(), reason="connect", attempts=3),
    _at_connect("handshake-dripped", Drip(_server_hello(b"\x03\x03"), every_s=0.5), reason="connect", attempts=3),
    _at_connect("handshake-closed", reason="connect", attempts=3, because=_NO_CONNECTION),
    _at_connect("handshake-reset", Reset(), reason="connect", attempts=3, because=_NO_CONNECTION),
    _at_connect("half-a-hello", _server_hello(b"\x03\x03")[:9], reason="connect", attempts=3, because=_NO_CONNECTION),
)

AFTERWARDS = (
    _within("good-tls", ok(html("shown")), text="shown", because="nothing is wrong"),
    _within(
        "no-close-notify-after-a-length",
        ok(html("shown")),
        Cut(),
        text="shown",
        because="the body is whole",
    ),
    _within(
        "no-close-notify-for-an-end",
        ok(html("shown"), length=False),
        Cut(),
        text="shown",
        because="servers forget it: Chromium, Firefox and curl (SSL_OP_IGNORE_UNEXPECTED_EOF) take it for the end",
    ),
    _within(
        "tls-cut-within-the-body",
        ok(html("x" * 4096))[:2000],
        Cut(),
        ends="failed",
        reason="incomplete",
        attempts=3,
        because="Chromium: ERR_CONTENT_LENGTH_MISMATCH; curl fails with 18",
    ),
    _within(
        "tls-cut-within-the-head",
        ok(html())[:30],
        Cut(),
        ends="failed",
        reason="reset",
        attempts=3,
        because="Chromium: ERR_EMPTY_RESPONSE; curl fails with 52 or 56",
    ),
    _within(
        "garbage-after-the-handshake",
        b"\0\1\2 no HTTP at all \xff\r\n\r\n",
        ends="failed",
        reason="protocol",
        because="Chromium: ERR_INVALID_HTTP_RESPONSE; curl fails with 1 (HTTP/0.9)",
    ),
    _within(
        "plain-http-after-the-handshake",
        Plain(ok(html())),
        ends="failed",
        reason="tls",
        because="ERR_SSL_PROTOCOL_ERROR: what is not encrypted might be anybody's",
    ),
    _within(
        "record-of-garbage-after-the-handshake",
        Plain(_RECORD[:3] + b"\x00\x40" + bytes(64)),
        ends="failed",
        reason="tls",
        because="ERR_SSL_BAD_RECORD_MAC_ALERT or the like",
    ),
    _within(
        "alert-after-the-handshake",
        Plain(_alert(80)),
        ends="failed",
        reason="tls",
        because=_NO_HANDSHAKE,
    ),
    _within(
        "half-a-record-then-closed",
        Plain(_RECORD + b"half"),
        Cut(),
        ends="failed",
        reason="reset",
        attempts=3,
        because="ERR_EMPTY_RESPONSE: nothing has come",
    ),
    _within(
        "half-a-record-then-silence",
        Plain(_RECORD + b"half"),
        Silence(),
        ends="failed",
        reason="timeout",
        attempts=3,
        because="browsers and curl wait, and give up",
    ),
    Fault(
        name="tls-on-the-plain-port",
        steps=(_alert(10),),
        ends="failed",
        reason="protocol",
        because="Chromium: ERR_INVALID_HTTP_RESPONSE; curl fails with 1 (HTTP/0.9)",
    ),
    Fault(
        name="plain-request-to-a-tls-port",
        steps=(ok(html("The plain HTTP request was sent to HTTPS port"), status=b"HTTP/1.1 400 Bad Request"),),
        ends="failed",
        reason="http_400",
        because="nginx and Apache say so, and it is an answer",
    ),
)

TLS = CERTIFICATES + HANDSHAKES + AFTERWARDS
