"""What can be wrong with header lines, their ends and their number?"""

from __future__ import annotations

from tests.support.faults.ends import SHOWN, refused, shown
from tests.support.faults.fault import Drip, Endless, Fault, Reset, Silence, html, ok

_BOTH = "Chromium and Firefox show it"
_CR = "Chromium takes it for the end of a line, Firefox for a blank; both show the page"
_NUL = "Chromium (ERR_INVALID_HTTP_RESPONSE), Firefox and curl refuse it"
_PASSED_OVER = "browsers pass over lines that are no header"
_FOLDED = "browsers join folded lines (RFC 9112 section 5.2)"
_TOO_BIG = "Chromium: ERR_RESPONSE_HEADERS_TOO_BIG at 256 KiB; curl stops at 300 KiB"
_CUT = "over TLS ERR_RESPONSE_HEADERS_TRUNCATED; else Chromium and curl make an empty page of it: better tried again"
_BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_RUSSIAN = html("показано").decode().encode("windows-1251")


def _with(name: str, *lines: bytes, because: str = _BOTH) -> Fault:
    return shown(name, ok(SHOWN, *lines), because=because)


LINE_ENDS = (
    shown("lf-only", ok(SHOWN).replace(b"\r\n", b"\n"), because=f"{_BOTH}, and so does curl"),
    shown("lf-after-crlf", ok(SHOWN).replace(b"\r\n\r\n", b"\r\n\n"), because=_BOTH),
    shown("crlf-after-lf", ok(SHOWN).replace(b"\r\n", b"\n", 2).replace(b"\r\n\r\n", b"\n\r\n"), because=_BOTH),
    _with("bare-cr-between-headers", b"X: y\rZ: w", because=_CR),
    _with("bare-cr-in-a-value", b"X: y\rz", because=_CR),
    _with("cr-before-crlf", b"X: y\r", because=_CR),
    _with("cr-for-a-value", b"X:\r", because=_CR),
    shown("bare-cr-after-status-line", ok(SHOWN).replace(b"\r\n", b"\r", 1), because=_CR),
    shown("bare-cr-before-content-length", ok(SHOWN).replace(b"\r\nContent-L", b"\rContent-L"), because=_CR),
    shown("cr-before-a-line", ok(SHOWN).replace(b"\r\nContent-L", b"\n\rContent-L"), because=_CR),
    refused("bare-cr-only", ok(SHOWN).replace(b"\r\n", b"\r"), because="no client sees its end", reason="reset"),
)

LINES = (
    shown(
        "blank-before-colon",
        ok(_RUSSIAN).replace(b"Content-Type: text/html; charset=utf-8", b"Content-Type : text/html; charset=cp1251"),
        text="показано",
        because=f"{_BOTH}, and heed the header",
    ),
    _with("tab-before-colon", b"X\t: y"),
    shown("blank-before-colon-of-length", ok(SHOWN).replace(b"Length:", b"Length :"), Silence(), because=_BOTH),
    shown("tab-before-colon-of-length", ok(SHOWN).replace(b"Length:", b"Length\t:"), Silence(), because=_BOTH),
    shown(
        "blank-before-colon-of-chunked",
        ok(b"", b"Transfer-Encoding : chunked", length=False) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SHOWN), SHOWN),
        Silence(),
        because=_BOTH,
    ),
    _with("no-blank-after-colon", b"X:y"),
    _with("blank-in-a-name", b"X Y: z"),
    _with("brackets-in-a-name", b"X(Y)[z]: w"),
    _with("empty-name", b": y", because=_PASSED_OVER),
    _with("blank-for-a-name", b" : y", because=_PASSED_OVER),
    _with("empty-value", b"X:", b"Y: "),
    _with("no-colon", b"this is no header", because=_PASSED_OVER),
    _with("colons-only", b":::::", b"::", because=_PASSED_OVER),
    shown("folded", ok(SHOWN, b"X: a\r\n b\r\n\tc"), because=_FOLDED),
    shown("folded-from-its-beginning", ok(SHOWN, b"X:\r\n y"), because=_FOLDED),
    shown("folded-into-blanks", ok(SHOWN, b"X: y\r\n \t "), because=_FOLDED),
    shown("folded-length", ok(SHOWN).replace(b"Content-Length: ", b"Content-Length:\r\n "), because=_FOLDED),
    shown("folded-with-lf", ok(SHOWN, b"X: a\n b\n\tc"), because=_FOLDED),
    shown("folded-after-status-line", ok(SHOWN, status=b"HTTP/1.1 200 OK\r\n folded"), because=_PASSED_OVER),
    shown("blank-line-after-status-line", ok(SHOWN, status=b"HTTP/1.1 200 OK\r\n "), because=_PASSED_OVER),
    shown("folded-after-no-header", ok(SHOWN, b"nothing\r\n folded"), because=_PASSED_OVER),
    shown("folded-a-hundred-thousand-times", ok(SHOWN, b"X: a" + b"\n b" * 80_000), because=_FOLDED),
    _with("latin-1-value", b"X: caf\xe9"),
    _with("latin-1-name", b"X\xe9: y"),
    _with("utf-8-value", "X: обед".encode()),
    _with("control-characters-in-a-value", b"X: \x1b[2J\x07\x7f\x01", because="browsers keep them"),
    _with("control-characters-in-a-name", b"X\x1b[2J: y", because=_PASSED_OVER),
    refused("nul-in-a-value", ok(SHOWN, b"X: a\0b"), because=_NUL),
    refused("nul-in-a-name", ok(SHOWN, b"X\0Y: z"), because=_NUL),
    _with("upgrade-offered", b"Upgrade: h2,h2c", b"Connection: Upgrade", because="an offer, as Apache makes it"),
    _with("websocket-key", b"Sec-WebSocket-Key1: y", because="a header like another"),
    _with("content-type-twice", b"Content-Type: text/html; charset=utf-8"),
    _with("date-that-is-none", b"Date: yesterday", b"Last-Modified: 0", b"Expires: -1", b"Age: old"),
)

NUMBERS = (
    _with("four-hundred-cookies", *(b"Set-Cookie: c%d=%d; Path=/" % (n, n) for n in range(400))),
    _with(
        "broken-cookies", b"Set-Cookie: =", b"Set-Cookie:", b"Set-Cookie: \xff\xfe=;;;", b"Set-Cookie: a=b; Max-Age=x"
    ),
    _with("four-thousand-headers", *(b"X-%d: y" % n for n in range(4000)), because="within Chromium's 256 KiB"),
    _with("line-of-200-kb", b"X: " + b"y" * 200_000, because="within Chromium's 256 KiB"),
    _with("name-of-100-kb", b"X" * 100_000 + b": y", because="within Chromium's 256 KiB"),
    refused(
        "six-thousand-headers",
        ok(SHOWN, *(b"X: y",) * 6000),
        because="newer curls take 5,000, browsers any number: a drain",
    ),
    refused("hundred-thousand-headers", ok(SHOWN, *(b"X: y",) * 100_000), because=_TOO_BIG),
    refused("line-of-1-mb", ok(SHOWN, b"X: " + b"y" * 1_000_000), because=_TOO_BIG),
    refused("headers-without-end", _BEGUN, Endless(b"X-More: and more\r\n" * 1000), because=_TOO_BIG),
    refused("line-without-end", _BEGUN + b"X: ", Endless(b"y" * 65536), because=_TOO_BIG),
    refused("folds-without-end", _BEGUN + b"X: y\r\n", Endless(b" y\r\n" * 10_000), because=_TOO_BIG),
    refused("status-line-without-end", b"HTTP/1.1 200 ", Endless(b"OK " * 20_000), because=_TOO_BIG),
    refused(
        "location-of-100-kb",
        ok(SHOWN, b"Location: /" + b"x" * 100_000, status=b"HTTP/1.1 302 Found"),
        because="read as Chromium does, but no URL of ours is longer than 16,384 characters",
        reason="bad_redirect",
    ),
)

HALVES = (
    refused("half-a-status-line", b"HTTP/1.1 2", because=_CUT, reason="reset"),
    refused("half-a-head", _BEGUN + b"X-Half: ", because=_CUT, reason="reset"),
    refused("head-without-its-empty-line", _BEGUN, because=_CUT, reason="reset"),
    refused("half-a-head-then-reset", _BEGUN + b"X-Half: ", Reset(), because="ERR_CONNECTION_RESET", reason="reset"),
    refused("half-a-head-then-silence", _BEGUN, Silence(), because="all wait, and give up", reason="timeout"),
    refused("half-a-status-line-then-silence", b"HT", Silence(), because="all wait, and give up", reason="timeout"),
    refused(
        "head-dripped-too-slowly",
        Drip(ok(SHOWN, *(b"X-%d: y" % n for n in range(50))), every_s=0.3),
        because="all wait, and give up",
        reason="timeout",
    ),
    shown("head-dripped", Drip(ok(SHOWN), every_s=0.001, size=8), because="it comes in time"),
    shown("body-dripped-from-the-head-on", ok(b"", length=False), Drip(SHOWN, 0.001, 8), because="it comes in time"),
)

HEADERS = (*LINE_ENDS, *LINES, *NUMBERS, *HALVES)
