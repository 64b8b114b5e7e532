"""What can be wrong with the length of a body, and with how it ends?"""

from __future__ import annotations

import gzip

from tests.support.faults.ends import SHOWN, refused, shown
from tests.support.faults.fault import Drip, Endless, Fault, Reset, Silence, html, ok

_SAME = "browsers and curl take lengths that agree for one"
_UNREAD = "browsers pass over a length they cannot read, and read until the connection ends; curl refuses it"
_DIFFER = "Chromium: ERR_RESPONSE_HEADERS_MULTIPLE_CONTENT_LENGTH; Firefox: corrupted content"
_CHUNKED_WINS = "chunks win over a length (RFC 9112 section 6.3)"
_HALF = "ERR_CONTENT_LENGTH_MISMATCH; curl fails with 18: half a page must not pass for a whole one"
_WAIT = "browsers show what has come, and wait; curl gives up: half a page must not pass for a whole one"
_LEFT = "what follows a whole answer is left alone"
_CODING = "browsers pass over transfer codings they do not know"
_CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SHOWN), SHOWN)


def _sized(name: str, *lengths: bytes, because: str, sent: bytes = SHOWN) -> Fault:
    """With the Content-Length headers given."""
    lines = (b"Content-Length: " + length for length in lengths)
    return shown(name, ok(sent, *lines, length=False), because=because)


def _coded(name: str, coding: bytes, sent: bytes, because: str, *lines: bytes) -> Fault:
    return shown(name, ok(sent, b"Transfer-Encoding: " + coding, *lines, length=False), because=because)


def _cut(name: str, *then: Silence | Reset, because: str, reason: str) -> Fault:
    """Half a page, of which the length is known."""
    return refused(name, ok(SHOWN)[:-30], *then, because=because, reason=reason)


_SIZE = b"%d" % len(SHOWN)

LENGTHS = (
    _sized("length-twice", _SIZE, _SIZE, because=_SAME),
    _sized("length-fifty-times", *(_SIZE,) * 50, because=_SAME),
    _sized("length-as-a-list", _SIZE + b", " + _SIZE, because=_SAME),
    _sized(
        "length-as-a-list-of-blanks",
        b",," + _SIZE + b" ,\t" + _SIZE + b",",
        because="Chromium passes over empty members",
    ),
    _sized("length-with-zeros", b"000" + _SIZE, because="a number like another"),
    _sized("length-with-10-kb-of-zeros", b"0" * 10_000 + _SIZE, because="a number like another"),
    _sized("lengths-with-10-kb-of-zeros", *(b"0" * 10_000 + _SIZE,) * 2, because=_SAME),
    _sized("length-between-blanks", b" \t " + _SIZE + b" \t ", because="blanks around a value are none of it"),
    _sized("length-of-nothing", b"", because=_UNREAD),
    _sized("length-word", b"many", because=_UNREAD),
    _sized("length-negative", b"-1", because=_UNREAD),
    _sized("length-with-a-sign", b"+" + _SIZE, because=_UNREAD),
    _sized("length-with-a-unit", _SIZE + b" bytes", because=_UNREAD),
    _sized("length-with-a-fraction", _SIZE + b".0", because=_UNREAD),
    _sized("length-in-hexadecimal", b"0x5", because=_UNREAD),
    _sized("length-quoted", b'"5"', because=_UNREAD),
    _sized("length-beyond-64-bits", b"9" * 30, because=_UNREAD),
    _sized("length-of-10-kb-of-digits", b"9" * 10_000, because=_UNREAD),
    refused("lengths-that-differ", ok(SHOWN, b"Content-Length: 5"), because=_DIFFER),
    refused("lengths-that-differ-in-a-list", ok(SHOWN, b"Content-Length: 5, 6", length=False), because=_DIFFER),
    refused("length-and-a-word", ok(SHOWN, b"Content-Length: many"), because=_DIFFER),
    refused(
        "length-of-a-terabyte",
        ok(SHOWN, b"Content-Length: 1000000000000", length=False),
        Silence(),
        because="larger than fetch.max_body, so not even begun",
        reason="too_large",
    ),
)

PAST_THE_END = (
    shown("body-past-its-length", ok(SHOWN) + b"<p>stray", because=_LEFT),
    shown("body-past-its-length-by-a-line", ok(SHOWN) + b"\r\n", because=_LEFT),
    shown("body-past-its-length-without-end", ok(SHOWN), Endless(b"<p>stray" * 1000), because=_LEFT),
    shown("body-past-its-length-and-reset", ok(SHOWN), Reset(), because="the answer is whole"),
    shown("whole-and-stays-open", ok(SHOWN, b"Connection: close"), Silence(), because="the answer is whole"),
    shown(
        "whole-and-stays-open-in-1-0", ok(SHOWN, status=b"HTTP/1.0 200 OK"), Silence(), because="the answer is whole"
    ),
    shown("keep-alive-and-closes", ok(SHOWN, b"Connection: keep-alive"), because="the answer is whole"),
    shown(
        "length-0-with-a-body", ok(b"", b"Connection: close") + SHOWN, text=None, because="browsers show an empty page"
    ),
)

UNTIL_THE_END = (
    shown("no-length", ok(SHOWN, length=False), because="the body ends with the connection"),
    shown("no-length-in-1-0", ok(SHOWN, length=False, status=b"HTTP/1.0 200 OK"), because="as all were, once"),
    shown(
        "no-length-but-keep-alive", ok(SHOWN, b"Connection: keep-alive", length=False), because="it closes after all"
    ),
    shown("no-length-and-no-body", ok(length=False), text=None, because="browsers show an empty page"),
    shown(
        "no-headers-at-all", b"HTTP/1.1 200 OK\r\n\r\n" + SHOWN, because="browsers see by its beginning that it is HTML"
    ),
    refused("no-length-then-reset", ok(SHOWN, length=False), Reset(), because="ERR_CONNECTION_RESET", reason="reset"),
    refused("no-length-then-silence", ok(SHOWN, length=False), Silence(), because=_WAIT, reason="timeout"),
)

CUT_SHORT = (
    _cut("half-a-body", because=_HALF, reason="incomplete"),
    _cut("half-a-body-then-reset", Reset(), because="ERR_CONNECTION_RESET", reason="reset"),
    _cut("half-a-body-then-silence", Silence(), because=_WAIT, reason="timeout"),
    shown(
        "length-of-the-body-before-gzip",
        ok(
            gzip.compress(SHOWN * 9, mtime=0),
            b"Content-Encoding: gzip",
            b"Content-Length: %d" % (9 * len(SHOWN)),
            length=False,
        ),
        because="browsers allow for servers that announce the length before compression; curl fails with 18",
    ),
    refused(
        "half-a-body-in-gzip",
        ok(gzip.compress(SHOWN * 9, mtime=0), b"Content-Encoding: gzip")[:-9],
        because=_HALF,
        reason="incomplete",
    ),
    refused("no-body-at-all", ok(SHOWN)[: -len(SHOWN)], because=_HALF, reason="incomplete"),
    refused("no-body-then-silence", ok(SHOWN)[: -len(SHOWN)], Silence(), because=_WAIT, reason="timeout"),
)

PACES = (
    shown("body-dripped", ok(SHOWN)[: -len(SHOWN)], Drip(SHOWN, every_s=0.001, size=8), because="it comes in time"),
    refused(
        "body-dripped-too-slowly",
        ok(b"", b"Content-Length: 10000", length=False),
        Drip(SHOWN * 99, every_s=0.5),
        because="it does not come in time",
        reason="timeout",
    ),
    refused(
        "body-dripped-without-end",
        ok(length=False),
        Drip(bytes(100_000), every_s=0.05),
        because="it does not come in time",
        reason="timeout",
    ),
    refused(
        "body-without-end",
        ok(html(), length=False),
        Endless(b"<p>and more" * 5000),
        because="larger than fetch.max_body",
        reason="too_large",
    ),
)

CODINGS = (
    _coded("length-beside-chunks", b"chunked", _CHUNKED, _CHUNKED_WINS, b"Content-Length: 5"),
    _coded("lengths-beside-chunks", b"chunked", _CHUNKED, _CHUNKED_WINS, b"Content-Length: 5", b"Content-Length: many"),
    shown(
        "chunks-beside-length",
        ok(_CHUNKED, b"Content-Length: 5", b"Transfer-Encoding: chunked", length=False),
        because=_CHUNKED_WINS,
    ),
    _coded("identity", b"identity", SHOWN, "it changes nothing"),
    _coded(
        "identity-with-a-length", b"identity", SHOWN + b"<p>stray", "it changes nothing", b"Content-Length: " + _SIZE
    ),
    _coded("identity-and-chunked", b"identity, chunked", _CHUNKED, "it changes nothing"),
    _coded("chunked-and-identity", b"chunked, identity", _CHUNKED, "Chromium asks whether it is named, not where"),
    _coded("chunked-in-capitals", b"CHUNKED", _CHUNKED, "codings are the same in any case"),
    _coded("chunked-twice", b"chunked", _CHUNKED, "browsers and curl undo it once", b"Transfer-Encoding: chunked"),
    _coded("chunked-twice-in-a-line", b"chunked, chunked", _CHUNKED, "browsers and curl undo it once"),
    _coded("chunked-among-commas", b",, chunked ,", _CHUNKED, "empty members count for nothing"),
    _coded("transfer-coding-of-nothing", b"", SHOWN, _CODING),
    _coded("transfer-coding-unknown", b"cow", SHOWN, _CODING),
    _coded("transfer-coding-unknown-with-a-length", b"cow", SHOWN, _CODING, b"Content-Length: " + _SIZE),
    _coded("transfer-coding-almost-chunked", b"xchunked", SHOWN, _CODING),
    refused(
        "transfer-coding-gzip",
        ok(_CHUNKED, b"Transfer-Encoding: gzip, chunked", length=False),
        because="browsers undo chunks alone, and would show what is packed",
    ),
    refused(
        "chunked-without-chunks",
        ok(SHOWN + b"\n", b"Transfer-Encoding: chunked", length=False),
        because="ERR_INVALID_CHUNKED_ENCODING; curl fails with 56",
    ),
    refused("chunked-without-a-body", ok(b"", b"Transfer-Encoding: chunked"), because=_HALF, reason="incomplete"),
)

BODIES = (*LENGTHS, *PAST_THE_END, *UNTIL_THE_END, *CUT_SHORT, *PACES, *CODINGS)
