"""What can be wrong with chunks?"""

from __future__ import annotations

from tests.support.faults.ends import SHOWN, refused, shown
from tests.support.faults.fault import Drip, Endless, Fault, Reset, Silence, Step, ok

_BOTH = "Chromium shows it, curl fetches it"
_EXTENSION = "browsers and curl pass over extensions"
_REST = "Firefox and curl pass over the rest of the line"
_SIZE = "Chromium and curl refuse it"
_MISSING = "ERR_INCOMPLETE_CHUNKED_ENCODING; curl fails with 18; what is left out may be the end of the page"
_WAIT = "browsers show what has come, and wait; curl gives up"
_INVALID = "ERR_INVALID_CHUNKED_ENCODING; curl fails with 56"
_ONE, _TWO = SHOWN[:20], SHOWN[20:]
_LAST = b"0\r\n\r\n"


def _chunk(data: bytes, size: bytes | None = None, extension: bytes = b"", end: bytes = b"\r\n") -> bytes:
    return (b"%x" % len(data) if size is None else size) + extension + end + data + end


def _head(status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return ok(b"", b"Transfer-Encoding: chunked", length=False, status=status)


def _read(name: str, *chunks: Step, because: str = _BOTH) -> Fault:
    return shown(name, _head(), *chunks, because=because)


def _broken(name: str, *chunks: Step, because: str = _INVALID, reason: str = "protocol") -> Fault:
    return refused(name, _head(), *chunks, because=because, reason=reason)


def _extended(name: str, extension: bytes) -> Fault:
    return _read(name, _chunk(_ONE, extension=extension) + _chunk(_TWO) + _LAST, because=_EXTENSION)


def _sized(name: str, size: bytes, because: str = _BOTH) -> Fault:
    return _read(name, _chunk(_ONE) + _chunk(_TWO, size) + _LAST, because=because)


def _missized(name: str, size: bytes, because: str = _SIZE) -> Fault:
    return _broken(name, _chunk(_ONE) + _chunk(_TWO, size) + _LAST, because=because)


_HEX = b"%x" % len(_TWO)

READ = (
    _extended("chunk-extension", b";name=value"),
    _extended("chunk-extension-quoted", b';name="a;b\\"c"'),
    _extended("chunk-extension-of-nothing", b";"),
    _extended("chunk-extension-odd", b';;;="\\\x80\x00\x1b,=;'),
    _extended("chunk-extension-after-a-blank", b" ;name"),
    _sized("chunk-extension-without-semicolon", _HEX + b" name", _REST),
    _sized("chunk-extension-without-a-blank", _HEX + b"x", _REST),
    _sized("chunk-size-with-a-bare-cr", _HEX + b"\r;x", _REST),
    _sized("chunk-size-with-a-nul", _HEX + b"\0", _REST),
    _extended("chunk-extension-of-10-kb", b";" + b"x" * 10_000),
    _sized("chunk-size-with-blanks", _HEX + b"    ", "servers pad it, and Chromium reads it"),
    _sized("chunk-size-with-a-tab", _HEX + b"\t", _REST),
    _sized("chunk-size-after-a-blank", b" " + _HEX, "Firefox reads it"),
    _sized("chunk-size-with-zeros", b"0" * 200 + _HEX, "Chromium shows it; curl reads 16 digits"),
    _sized("chunk-size-in-capitals", _HEX.upper()),
    _read("chunks-with-lf", _chunk(_ONE, end=b"\n") + _chunk(_TWO, end=b"\n") + b"0\n\n"),
    _read("chunks-with-crlf-and-lf", _chunk(_ONE, end=b"\n") + _chunk(_TWO) + b"0\n\r\n"),
    _read("chunks-of-a-byte", b"".join(_chunk(SHOWN[at : at + 1]) for at in range(len(SHOWN))) + _LAST),
    _read("chunks-dripped", Drip(_chunk(_ONE) + _chunk(_TWO) + _LAST, every_s=0.001, size=3)),
    _read("chunks-byte-by-byte", Drip(_chunk(_ONE) + _chunk(_TWO) + _LAST, every_s=0.0)),
    _read("last-chunk-of-zeros", _chunk(SHOWN) + b"0000;x=y\r\n\r\n"),
    _read("last-chunk-and-no-empty-line", _chunk(SHOWN) + b"0\r\n", because="nothing of the body is missing"),
    _read("last-chunk-and-half-a-trailer", _chunk(SHOWN) + b"0\r\nX: ", because="nothing of the body is missing"),
    _read("trailer", _chunk(SHOWN) + b"0\r\nX: y\r\nZ: w\r\n\r\n", because="browsers pass over it"),
    _read("trailer-that-is-none", _chunk(SHOWN) + b"0\nno header\n: \n folded\n\n", because="browsers pass over it"),
    _read("bytes-after-the-last-chunk", _chunk(SHOWN) + _LAST + b"<p>stray", because="the answer is whole"),
    _read("chunks-after-the-last-chunk", _chunk(SHOWN) + _LAST + _chunk(b"<p>stray"), because="the answer is whole"),
    _read("last-chunk-and-stays-open", _chunk(SHOWN) + _LAST, Silence(), because="the answer is whole"),
    shown("chunks-in-1-0", _head(b"HTTP/1.0 200 OK"), _chunk(SHOWN) + _LAST, because="Firefox and curl undo them"),
)

BROKEN = (
    _missized("chunk-size-of-nothing", b""),
    _missized("chunk-size-word", b"many"),
    _missized("chunk-size-negative", b"-" + _HEX),
    _missized("chunk-size-with-a-sign", b"+" + _HEX, "Chromium and curl refuse it, as does the RFC"),
    _missized("chunk-size-with-0x", b"0x" + _HEX, "Chromium refuses it, curl takes it for the last chunk"),
    _missized("chunk-size-in-quotes", b'"' + _HEX + b'"'),
    _missized("chunk-size-beyond-64-bits", b"1" + b"0" * 16),
    _broken("chunk-longer-than-its-size", _chunk(_ONE) + _chunk(_TWO, b"5") + _LAST),
    _broken("chunk-without-its-end", b"5\r\nhello5\r\nworld\r\n" + _LAST),
    _broken("empty-line-before-a-chunk", _chunk(_ONE) + b"\r\n" + _chunk(_TWO) + _LAST),
    _broken(
        "chunk-extension-of-100-kb",
        _chunk(SHOWN, extension=b";" + b"x" * 100_000) + _LAST,
        because="Chromium: ERR_INVALID_CHUNKED_ENCODING at 16 KiB",
    ),
    _broken("chunk-extension-without-end", b"5;", Endless(b"x" * 65536)),
    _broken("trailer-without-end", _chunk(SHOWN) + b"0\r\n", Endless(b"X: y\r\n" * 10_000)),
    _broken(
        "chunks-that-hold-next-to-nothing",
        Endless(b"1;" + b"x" * 1000 + b"\r\ny\r\n"),
        because="as much as curl allows in a trailer, and more than a page needs: a drain",
    ),
    _broken("good-chunks-then-a-bad-one", _chunk(SHOWN), b"zz\r\n", Silence()),
)

CUT_SHORT = (
    _broken(
        "chunk-shorter-than-its-size",
        _chunk(_ONE) + _chunk(_TWO, b"ffff") + _LAST,
        because=_MISSING,
        reason="incomplete",
    ),
    _broken("chunk-of-15-digits", _chunk(_ONE) + _chunk(_TWO, b"f" * 15), because=_MISSING, reason="incomplete"),
    _broken("last-chunk-missing", _chunk(SHOWN), because=_MISSING, reason="incomplete"),
    _broken("half-a-chunk", _chunk(_ONE) + _chunk(_TWO)[:-9], because=_MISSING, reason="incomplete"),
    _broken("chunk-without-data", _chunk(_ONE) + b"5\r\n", because=_MISSING, reason="incomplete"),
    _broken("half-a-chunk-size", _chunk(SHOWN) + b"0", because=_MISSING, reason="incomplete"),
    _broken("half-a-chunk-then-reset", _chunk(SHOWN)[:-9], Reset(), because="ERR_CONNECTION_RESET", reason="reset"),
    _broken("half-a-chunk-then-silence", _chunk(SHOWN)[:-9], Silence(), because=_WAIT, reason="timeout"),
    _broken("last-chunk-missing-then-silence", _chunk(SHOWN), Silence(), because=_WAIT, reason="timeout"),
    _broken(
        "chunks-without-end",
        Endless(_chunk(b"<p>and more" * 5000)),
        because="larger than fetch.max_body",
        reason="too_large",
    ),
    _broken(
        "chunk-without-end",
        b"fffffffffff\r\n",
        Endless(b"<p>and more" * 5000),
        because="larger than fetch.max_body",
        reason="too_large",
    ),
)

CHUNKING = (*READ, *BROKEN, *CUT_SHORT)
