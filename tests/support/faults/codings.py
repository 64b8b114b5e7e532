"""What can be wrong with what a body is said to be: its type, its character encoding, its content coding."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli

from tests.support.faults.fault import Fault, html, ok

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PAGE = html("shown, " * 400)
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(60)
_SNIFFED = "MIME Sniffing standard, section 7"
_SHOWN = "browsers and curl show it"
_REFUSED = "ERR_CONTENT_DECODING_FAILED; curl --compressed fails with 23 or 61"


def typed(body: bytes, content_type: bytes | None, *headers: bytes) -> bytes:
    """An answer of that type, or of none."""
    lines = [b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body)]
    if content_type is not None:
        lines.insert(1, b"Content-Type: " + content_type)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _page(name: str, content_type: bytes | None, body: bytes = html("shown"), *, because: str = _SNIFFED) -> Fault:
    return Fault(name=name, steps=(typed(body, content_type),), text="shown", because=because)


def _file(name: str, content_type: bytes | None, body: bytes = html(), *headers: bytes) -> Fault:
    return Fault(
        name=name, steps=(typed(body, content_type, *headers),), reason="not_html", attempts=1, because=_SNIFFED
    )


TYPES = (
    _file("html-as-plain-text", b"text/plain"),
    _file("html-as-plain-text-of-old-apache", b"text/plain; charset=ISO-8859-1"),
    _file("html-as-an-image", b"image/png"),
    _file("html-as-octets", b"application/octet-stream"),
    _file("html-as-json", b"application/json"),
    _file("html-untyped-nosniff", None, html(), b"X-Content-Type-Options: nosniff"),
    _file("image-untyped", None, _PNG),
    _file("image-of-nonsense-type", b"nonsense", _PNG),
    _file("text-untyped", None, b"hello <html>"),
    _page("html-untyped", None),
    _page("html-of-empty-type", b""),
    _page("html-of-nonsense-type", b"nonsense"),
    _page("html-of-half-a-type", b"text/"),
    _page("html-of-any-type", b"*/*"),
    _page("html-of-unknown-type", b"unknown/unknown; charset=utf-8"),
    _page("html-untyped-behind-spaces", None, b"\r\n \t " + html("shown")),
    _page("html-in-capitals", b"TEXT/HTML ; CHARSET=UTF-8"),
    _page("html-with-a-remark", b"text/html (generated)", because="Chromium and Firefox end the type at the space"),
    _page("html-without-semicolon", b"text/html charset=utf-8", because="the type ends at the space"),
    _page("html-with-broken-parameters", b'text/html;;=; charset; x="', because="what is no parameter is ignored"),
    Fault(
        name="image-as-html",
        steps=(typed(_PNG, b"text/html"),),
        because="a browser shows what the bytes are as text: HTML is believed (MIME Sniffing standard, section 7)",
    ),
    Fault(
        name="html-nosniff",
        steps=(typed(html("shown"), b"text/html", b"X-Content-Type-Options: nosniff"),),
        text="shown",
        because="it is what it says",
    ),
    Fault(
        name="two-types-html-last",
        steps=(typed(html("shown"), b"text/plain", b"Content-Type: text/html"),),
        text="shown",
        because="the last that is well-formed (Fetch standard, extract a MIME type)",
    ),
    Fault(
        name="two-types-html-first",
        steps=(typed(html(), b"text/html", b"Content-Type: text/plain"),),
        reason="not_html",
        because="the last that is well-formed (Fetch standard, extract a MIME type)",
    ),
    Fault(
        name="two-types-nonsense-last",
        steps=(typed(html("shown"), b"text/html", b"Content-Type: nonsense"),),
        text="shown",
        because="the last that is well-formed (Fetch standard, extract a MIME type)",
    ),
)


def _text(name: str, content_type: bytes, body: bytes, because: str = "HTML standard, 13.2.3.2", text: str = "Grüße"):
    return Fault(name=name, steps=(typed(body, content_type),), text=text, because=because)


_GREETING = "<!doctype html><title>A page</title><p>Grüße aus dem Süden</p>"
_META = _GREETING.replace("<title>", "<meta charset=windows-1251><title>")
_SAMPLE = _GREETING.encode("latin-1")
CHARSETS = (
    _text("charset-bogus", b"text/html; charset=no-such", _GREETING.encode(), "an unknown label is none"),
    _text("charset-empty", b"text/html; charset=", _GREETING.encode(), "an empty label is none"),
    _text("charset-of-control-characters", b"text/html; charset=\x01\x02", _GREETING.encode(), "no label"),
    _text("charset-very-long", b"text/html; charset=" + b"u" * 30_000, _GREETING.encode(), "an unknown label is none"),
    _text("charset-utf-7", b"text/html; charset=utf-7", _GREETING.encode(), "no label of the Encoding standard"),
    _text("charset-quoted", b'text/html; charset="iso-8859-1"', _SAMPLE),
    _text("charset-half-quoted", b'text/html; charset="iso-8859-1', _SAMPLE, "a quote may end with the header"),
    _text("charset-within-a-quote", b'text/html; x="; charset=utf-8"; charset=latin1', _SAMPLE, "it is x's"),
    _text("charset-twice", b"text/html; charset=latin1; charset=utf-8", _SAMPLE, "the first counts (MIME Sniffing)"),
    _text("charset-against-meta", b"text/html; charset=utf-8", _META.encode(), "the header goes before"),
    _text("charset-against-bom", b"text/html; charset=koi8-r", b"\xef\xbb\xbf" + _META.encode(), "the BOM goes before"),
    _text("charset-without-type", b"; charset=latin1", _SAMPLE, "Chromium reads it all the same"),
    _text("meta-of-utf-16-in-ascii", b"text/html", _META.replace("windows-1251", "utf-16").encode()),
    _text("meta-bogus", b"text/html", _META.replace("windows-1251", "no-such").encode()),
    _text("utf-16-with-bom", b"text/html", b"\xff\xfe" + _GREETING.encode("utf-16-le")),
    _text("utf-16-big-with-bom", b"text/html; charset=utf-8", b"\xfe\xff" + _GREETING.encode("utf-16-be")),
    _text("utf-16-labelled", b"text/html; charset=utf-16", _GREETING.encode("utf-16-le")),
    _text("utf-16-without-a-word", b"text/html", _GREETING.encode("utf-16-le"), "guessed by its zero bytes"),
    _text("utf-16-big-without-a-word", b"text/html", _GREETING.encode("utf-16-be"), "guessed by its zero bytes"),
    _text("utf-16-of-odd-length", b"text/html; charset=utf-16le", _GREETING.encode("utf-16-le") + b"\0"),
    _text("latin-1-said-to-be-utf-8", b"text/html; charset=utf-8", _SAMPLE, "what is no UTF-8 is U+FFFD", "Gr\ufffd"),
    _text("utf-8-cut-within-a-character", b"text/html; charset=utf-8", _GREETING.encode() + b"\xc3"),
    _text("charset-that-is-unsafe", b"text/html; charset=iso-2022-kr", _SAMPLE, "the replacement encoding", "\ufffd"),
    Fault(
        name="utf-8-said-to-be-utf-16",
        steps=(typed(html(), b"text/html; charset=utf-16"),),
        because="browsers show Chinese-looking rubbish: the header goes before",
    ),
    Fault(
        name="utf-32-with-bom",
        steps=(typed(b"\xff\xfe\0\0" + _GREETING.encode("utf-32-le"), b"text/html"),),
        because="there is no UTF-32 in browsers: it is UTF-16 with many NULs",
    ),
    Fault(
        name="utf-32-without-a-word",
        steps=(typed(_GREETING.encode("utf-32-be"), b"text/html; charset=utf-32"),),
        because="there is no UTF-32 in browsers: an unknown label is none",
    ),
)


def coded(body: bytes, coding: bytes, *headers: bytes) -> bytes:
    """A page with that Content-Encoding."""
    return ok(body, b"Content-Encoding: " + coding, *headers)


def _decoded(name: str, body: bytes, coding: bytes, because: str = _SHOWN) -> Fault:
    return Fault(name=name, steps=(coded(body, coding),), text="shown", because=because)


def _undecodable(name: str, body: bytes, coding: bytes, because: str = _REFUSED) -> Fault:
    return Fault(
        name=name,
        steps=(coded(body, coding),),
        ends="failed",
        reason="bad_encoding",
        attempts=1,
        because=because,
    )


def _raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


def _spoilt(body: bytes) -> bytes:
    """With a byte in the middle that is another."""
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 0xFF, body[middle + 1] ^ 0xFF)) + body[middle + 2 :]


def _times(count: int, body: bytes) -> bytes:
    for _ in range(count):
        body = gzip.compress(body)
    return body


_GZIP, _ZLIB, _BR, _ZSTD = gzip.compress(PAGE), zlib.compress(PAGE), brotli.compress(PAGE), zstd.compress(PAGE)
_BY_NAME = ((b"gzip", _GZIP), (b"deflate", _ZLIB), (b"br", _BR), (b"zstd", _ZSTD))

CONTENT_CODINGS = (
    *(_decoded(f"{name.decode()}-good", body, name) for name, body in _BY_NAME),
    *(
        _decoded(f"{name.decode()}-cut", body[: len(body) * 4 // 5], name, "Chromium shows as far as it goes")
        for name, body in ((b"gzip", _GZIP), (b"deflate", _ZLIB))
    ),
    *(_decoded(f"{name.decode()}-then-garbage", body + b"garbage", name) for name, body in _BY_NAME),
    *(
        _undecodable(f"{name.decode()}-that-is-none", PAGE, name)
        for name in (b"gzip", b"deflate", b"br", b"zstd", b"x-gzip")
    ),
    _undecodable("gzip-spoilt", _GZIP[:10] + b"\xff" * 30, b"gzip"),
    _undecodable("deflate-spoilt", _ZLIB[:2] + b"\xff" * 30, b"deflate"),
    _undecodable("br-spoilt", _BR[:12] + b"\xff" * 30, b"br"),
    _undecodable(
        "zstd-spoilt", _spoilt(zstd.compress(PAGE, options={zstd.CompressionParameter.checksum_flag: 1})), b"zstd"
    ),
    _undecodable("gzip-said-to-be-br", _GZIP, b"br"),
    _undecodable("gzip-said-to-be-deflate", _GZIP, b"deflate"),
    _undecodable("deflate-said-to-be-gzip", _ZLIB, b"gzip"),
    _undecodable("zstd-said-to-be-gzip", _ZSTD, b"gzip"),
    _decoded("deflate-without-wrapper", _raw_deflate(PAGE), b"deflate"),
    _decoded("gzip-of-wrong-checksum", _GZIP[:-8] + bytes(8), b"gzip", "Chromium and Firefox do not look at it"),
    _decoded("gzip-of-two-members", gzip.compress(PAGE[:40]) + gzip.compress(PAGE[40:]), b"gzip", "RFC 1952, 2.2"),
    _decoded("gzip-of-an-empty-member", gzip.compress(b"") * 50 + _GZIP, b"gzip", "RFC 1952, 2.2"),
    _decoded("zstd-of-two-frames", zstd.compress(PAGE[:40]) + zstd.compress(PAGE[40:]), b"zstd", "RFC 8878, 3.1"),
    _decoded("gzip-with-names", b"\x1f\x8b\x08\x18" + bytes(6) + b"name\0remark\0" + _GZIP[10:], b"gzip"),
    _decoded("gzip-in-capitals", _GZIP, b" X-GZIP ", "RFC 9110, 8.4.1: case is ignored, x-gzip is gzip"),
    _decoded("gzip-twice", _times(2, PAGE), b"gzip, gzip"),
    _decoded("gzip-within-br", brotli.compress(_GZIP), b"gzip, br"),
    _decoded("gzip-five-times", _times(5, PAGE), b"gzip, gzip, gzip, gzip, gzip", "curl takes five"),
    _undecodable("gzip-six-times", _times(6, PAGE), b"gzip, gzip, gzip, gzip, gzip, gzip", "curl refuses: bombs nest"),
    _undecodable("gzip-once-said-twice", _GZIP, b"gzip, gzip"),
    Fault(
        name="gzip-in-two-headers",
        steps=(coded(_times(2, PAGE), b"gzip", b"Content-Encoding: gzip"),),
        text="shown",
        because="RFC 9110, 5.3: two headers are one list",
    ),
    Fault(
        name="gzip-twice-said-once",
        steps=(coded(_times(2, PAGE), b"gzip"),),
        because="browsers show rubbish: the label text/html is believed",
    ),
    Fault(
        name="gzip-unsaid",
        steps=(typed(_GZIP, b"text/html"),),
        because="browsers show rubbish: the label text/html is believed",
    ),
    Fault(
        name="gzip-file-with-coding",
        steps=(typed(_GZIP, b"application/x-gzip", b"Content-Encoding: gzip"),),
        reason="not_html",
        because="it is saved, as its type says",
    ),
    Fault(
        name="coding-of-an-empty-body",
        steps=(coded(b"", b"gzip"),),
        because="nothing is nothing in any coding: browsers show an empty page",
    ),
    _decoded("coding-identity", PAGE, b"identity"),
    _decoded("coding-empty", PAGE, b""),
    _decoded("coding-of-commas", _GZIP, b",, gzip,"),
    _decoded("coding-none", PAGE, b"none", "Chromium and Firefox pass over codings they do not know"),
    _decoded("coding-utf-8", PAGE, b"UTF-8", "Chromium and Firefox pass over codings they do not know"),
    _decoded("coding-unknown-above-gzip", _GZIP, b"gzip, utf-8", "Firefox passes over it and undoes the other"),
    _undecodable("coding-unknown", _spoilt(_GZIP), b"rot13", "browsers show rubbish; curl fails with 61"),
)

_ZEROS = bytes(12 << 20)


def _bomb(name: str, body: bytes, coding: bytes) -> Fault:
    return Fault(
        name=name,
        steps=(coded(body, coding),),
        ends="failed",
        reason="bomb",
        attempts=1,
        because="it would fill the memory: browsers have no limit but that, we have fetch.max_ratio and fetch.max_body",
    )


BOMBS = (
    _bomb("bomb-gzip", gzip.compress(_ZEROS, 6), b"gzip"),
    _bomb("bomb-deflate", zlib.compress(_ZEROS), b"deflate"),
    _bomb("bomb-br", brotli.compress(_ZEROS, quality=2), b"br"),
    _bomb("bomb-zstd", zstd.compress(_ZEROS), b"zstd"),
    _bomb("bomb-within-gzip", gzip.compress(gzip.compress(_ZEROS)), b"gzip, gzip"),
)

CODINGS = TYPES + CHARSETS + CONTENT_CODINGS + BOMBS
