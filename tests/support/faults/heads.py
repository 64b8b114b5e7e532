"""What can be wrong with a status line, or with what stands in its place?"""

from __future__ import annotations

from tests.support.faults.ends import SHOWN, refused, shown
from tests.support.faults.fault import Endless, Fault, Reset, Silence, html, ok

_BOTH = "Chromium and Firefox show it"
_VERSION = "browsers take a version they do not know for 1.0 or 1.1"
_STATUS = "Firefox refuses it, and so does curl; Chromium guesses 200"
_NINE = "browsers take it for HTTP/0.9, which they refuse on ports other than 80; curl refuses it everywhere"
_INTERIM = "interim answers are passed over (RFC 9110 section 15.2)"
_NO_BODY = "the status allows no body, and browsers read none"


def _begins(name: str, status: bytes, because: str = _BOTH, before: bytes = b"") -> Fault:
    return shown(name, before + ok(SHOWN, status=status), because=because)


def _fails(name: str, status: bytes, because: str = _STATUS, reason: str = "protocol") -> Fault:
    return refused(name, ok(SHOWN, status=status), because=because, reason=reason)


STATUS_LINES = (
    _begins("lower-case-status-line", b"http/1.1 200 ok", "Chromium compares HTTP/ without regard to case"),
    _begins("mixed-case-status-line", b"hTtP/1.1 200 oK"),
    _begins("no-reason", b"HTTP/1.1 200"),
    _begins("blank-for-a-reason", b"HTTP/1.1 200 "),
    _begins("two-blanks-before-status", b"HTTP/1.1  200  OK"),
    _begins("blanks-after-reason", b"HTTP/1.1 200 OK  \t "),
    _begins("tabs-in-status-line", b"HTTP/1.1\t200\tOK", "browsers see no status there and take 200"),
    _begins("no-status", b"HTTP/1.1", "browsers take a missing status for 200"),
    _begins("status-glued-to-reason", b"HTTP/1.1 200OK", "Chromium reads the digits"),
    _begins("no-version", b"HTTP 200 OK", _VERSION),
    _begins("no-minor-version", b"HTTP/1 200 OK", _VERSION),
    _begins("version-2-in-text", b"HTTP/2 200", _VERSION),
    _begins("version-20-in-text", b"HTTP/2.0 200 OK", _VERSION),
    _begins("version-09-in-text", b"HTTP/0.9 200 OK", _VERSION),
    _begins("version-12", b"HTTP/1.2 200 OK", _VERSION),
    _begins("version-of-many-digits", b"HTTP/1.10000000000 200 OK", _VERSION),
    _begins("version-of-words", b"HTTP/one.one 200 OK", _VERSION),
    _begins("shoutcast", b"ICY 200 OK", "Firefox takes it for HTTP/1.0; Chromium shows it as text"),
    _begins("latin-1-reason", b"HTTP/1.1 200 d\xe9j\xe0 vu"),
    _begins("utf-8-reason", "HTTP/1.1 200 обед".encode()),
    _begins("control-characters-in-reason", b"HTTP/1.1 200 \x1b[31mred\x07\x7f", "browsers keep them"),
    _begins("reason-of-100-kb", b"HTTP/1.1 200 " + b"OK " * 34_000, "Chromium reads heads of up to 256 KiB"),
    _begins("byte-order-mark", b"HTTP/1.1 200 OK", "Chromium passes over four bytes", before=b"\xef\xbb\xbf"),
    _begins("four-bytes-of-junk", b"HTTP/1.1 200 OK", "Chromium passes over four bytes", before=b"ab\r\n"),
    _begins("blank-before-status-line", b"HTTP/1.1 200 OK", "Chromium passes over four bytes", before=b" "),
    _begins("blank-lines-before-status-line", b"HTTP/1.1 200 OK", "RFC 9112 section 2.2, applied to us", b"\r\n\n" * 9),
    _fails("five-bytes-of-junk", b"junk!HTTP/1.1 200 OK", _NINE),
    _fails("status-word", b"HTTP/1.1 fine OK"),
    _fails("status-missing-before-reason", b"HTTP/1.1 OK"),
    _fails("status-negative", b"HTTP/1.1 -200 OK"),
    _fails("status-in-hexadecimal", b"HTTP/1.1 0xC8 OK", "Firefox refuses it; Chromium reads 0"),
    _fails("status-1000", b"HTTP/1.1 1000 OK", "Fetch's tests, Firefox and curl refuse it"),
    _fails("status-of-four-digits", b"HTTP/1.1 0200 OK", "Firefox and curl refuse it"),
    _fails("status-0", b"HTTP/1.1 0 OK", "no success to any client; curl refuses what is below 100"),
    _fails("status-099", b"HTTP/1.1 099 OK", "no success to any client; curl refuses what is below 100"),
    _fails("status-999", b"HTTP/1.1 999 Request denied", "a status like another, and no success", "http_999"),
    _fails("status-666", b"HTTP/1.1 666 Evil", "a status like another, and no success", "http_666"),
    _fails("nul-in-status-line", b"HTTP/1.1 200 O\0K", "Chromium (ERR_INVALID_HTTP_RESPONSE) and curl refuse it"),
)

NOT_HTTP = (
    refused("http-09", SHOWN, because=_NINE),
    refused("http-09-of-a-word", b"hi", because=_NINE),
    refused("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Silence(), because=_NINE),
    refused("http-2-settings", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\1\0\0", Silence(), because=_NINE),
    refused("tls-alert", b"\x15\x03\x01\0\x02\x02\x28", because=_NINE),
    refused("ssh-banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", Silence(), because=_NINE),
    refused("smtp-banner", b"220 mail.fault.test ESMTP\r\n", Silence(), because=_NINE),
    refused("rtsp", ok(SHOWN, status=b"RTSP/1.0 200 OK"), because=_NINE),
    refused(
        "five-bytes-then-silence", b"+OK\r\n", Silence(), because="no HTTP can begin so, which need not be waited for"
    ),
    refused("garbage", bytes(range(256)) * 4, because=_NINE),
    refused("nul-bytes-without-end", Endless(bytes(65536)), because=_NINE),
    refused("blank-lines-without-end", Endless(b"\r\n" * 4096), because="ERR_RESPONSE_HEADERS_TOO_BIG at 256 KiB"),
    Fault(
        name="echo",
        steps=lambda head, _: (head + b"\r\n\r\n",),
        ends="failed",
        reason="protocol",
        attempts=1,
        because=_NINE,
    ),
)

NOTHING = (
    refused("accepts-and-never-answers", Silence(), because="browsers and curl wait, and give up", reason="timeout"),
    refused("empty-answer", because="ERR_EMPTY_RESPONSE; curl fails with 52", reason="reset"),
    refused("reset-without-an-answer", Reset(), because="ERR_CONNECTION_RESET; curl fails with 56", reason="reset"),
    refused("blank-line-and-no-more", b"\r\n", because="an empty answer; curl fails with 52", reason="reset"),
)

INTERIM = (
    shown("early-hints", ok(status=b"HTTP/1.1 103 Early Hints", length=False), ok(SHOWN), because=_INTERIM),
    shown("continue-of-http-10", b"HTTP/1.0 100 Continue\r\n\r\n", ok(SHOWN), because=_INTERIM),
    shown("continue-in-one-piece", b"HTTP/1.1 100 Continue\r\n\r\n" + ok(SHOWN), because=_INTERIM),
    shown("unknown-interim-status", b"HTTP/1.1 199 Soon\r\n\r\n" + ok(SHOWN), because=_INTERIM),
    shown("hundred-interim-answers", b"HTTP/1.1 102 Processing\r\n\r\n" * 100, ok(SHOWN), because=_INTERIM),
    shown(
        "broken-interim-answer", b"http/1.1 100 continue\nX : y\n: z\n\n" + ok(SHOWN), because=f"{_BOTH}, {_INTERIM}"
    ),
    refused("interim-answer-alone", b"HTTP/1.1 100 Continue\r\n\r\n", because="half an answer", reason="reset"),
    refused(
        "interim-answer-and-silence",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        Silence(),
        because="browsers and curl wait, and give up",
        reason="timeout",
    ),
    refused(
        "interim-answer-with-a-body",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" + ok(SHOWN),
        because="it has none, so what follows is no head; Chromium: ERR_INVALID_HTTP_RESPONSE",
    ),
    refused(
        "interim-answers-without-end",
        Endless(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" * 100),
        because="heads of more than 256 KiB are refused; curl counts them together, too",
    ),
    refused(
        "switching-protocols",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        Silence(),
        because="nobody asked for it: no client can go on",
    ),
)

STATUSES = (
    shown(
        "no-content", ok(length=False, status=b"HTTP/1.1 204 No Content"), text=None, reason="empty", because=_NO_BODY
    ),
    shown("no-content-with-a-body", ok(SHOWN, status=b"HTTP/1.1 204 Ha"), text=None, reason="empty", because=_NO_BODY),
    shown(
        "reset-content-with-a-body", ok(SHOWN, status=b"HTTP/1.1 205 Ha"), text=None, reason="empty", because=_NO_BODY
    ),
    shown(
        "no-content-that-stays",
        ok(status=b"HTTP/1.1 204 No Content", length=False),
        Silence(),
        text=None,
        reason="empty",
        because=_NO_BODY,
    ),
    shown(
        "partial-content-unasked",
        ok(SHOWN, b"Content-Range: bytes 0-9/10", status=b"HTTP/1.1 206 Partial Content"),
        because="browsers show what there is",
    ),
    shown("created", ok(SHOWN, status=b"HTTP/1.1 201 Created"), because="any 2xx is a success"),
    shown("unknown-success", ok(SHOWN, status=b"HTTP/1.1 299 Fine"), because="any 2xx is a success"),
    _fails("not-modified-unasked", b"HTTP/1.1 304 Not Modified", "there is nothing to show", "http_304"),
    refused(
        "not-modified-that-stays",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        Silence(),
        because="it has no body, whatever it says",
        reason="http_304",
    ),
    _fails("multiple-choices", b"HTTP/1.1 300 Multiple Choices", "a person is to choose", "http_300"),
    _fails("teapot", b"HTTP/1.1 418 I'm a teapot", "no success", "http_418"),
    shown("two-answers", ok(SHOWN) + ok(html("stray")), because="the first counts; nobody asked for another"),
)

HEADS = (*STATUS_LINES, *NOT_HTTP, *NOTHING, *INTERIM, *STATUSES)
