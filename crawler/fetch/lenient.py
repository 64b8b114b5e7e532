"""What does a head say that breaks the rules of HTTP? What browsers read in it, or nothing.

For heads that aiohttp's parser refuses (`fetch.message`): slower than that, linear in their length. The rules are
Chromium's (net/http/http_util.cc, http_response_headers.cc, http_stream_parser.cc) where Firefox
(netwerk/protocol/http/nsHttpResponseHead.cpp) agrees or reads more; docs/http.md says where neither is followed. What
was read so never shares its connection with another answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import HttpVersion, hdrs
from aiohttp.http import RawResponseMessage
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_HEADERS = 5000
"""As many as newer curls take; browsers take any number, but each costs memory here and in a parser."""

_BEGINNING = re.compile(rb".{0,4}?(http|icy )", re.IGNORECASE | re.DOTALL)
#: of anything that may still become `_BEGINNING`
_PERHAPS_BEGINNING = re.compile(rb".{0,4}?(h(t(tp?)?)?|i(c(y ?)?)?)?\Z|.{0,4}?(http|icy )", re.IGNORECASE | re.DOTALL)
_LINE_END = re.compile(rb"[\r\n]+")
_VERSION = re.compile(rb"http/(\d)\d*\.(\d)", re.IGNORECASE)
_STATUS = re.compile(rb"\d+")
_STATUS_DIGITS = 3
_LENGTH = re.compile(r"0*[0-9]{1,18}")
_LENGTH_DIGITS = 20  # of what fits into 64 bits, as far as aiohttp's parser goes
_LEAST_GZIP_BYTES = 18
_SHOWN_BYTES = 40
_SPACE = b" \t"
_SPACE_TEXT = " \t"
_REFUSED_CODINGS = frozenset(("gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"))
"""Transfer codings that would leave a body unreadable. Any other word is passed over, as it most likely changes
nothing: ``identity``, say, which is no coding of RFC 9112 any more, but older servers name it."""


def check_beginning(begun: bytes | bytearray, *, is_all: bool = False) -> None:
    """Refuse what cannot become a head, as soon as that can be told: it may never come to an end.

    Args:
        begun: Its first bytes, blank lines before it left out.
        is_all: Whether nothing will follow.

    Raises:
        FetchError: ``protocol``.
    """
    if not (_BEGINNING if is_all else _PERHAPS_BEGINNING).match(begun):
        raise FetchError("protocol", f"no HTTP, but {bytes(begun[:_SHOWN_BYTES])!r}")


def parse_head(head: bytes) -> RawResponseMessage:
    """What `head` says, up to and with its empty line; ``Content-Length`` is a number or not among its `headers`.

    Raises:
        FetchError: ``protocol``: browsers would not show the answer either.
    """
    check_beginning(head, is_all=True)
    if b"\0" in head:
        raise FetchError("protocol", "a NUL in the head")
    begins = _BEGINNING.match(head)
    first, *lines = _LINE_END.split(head[begins.start(1) :] if begins else head)
    version, code, reason = _status(first)
    raw_headers = _headers(lines)
    if len(raw_headers) > MAX_HEADERS:
        raise FetchError("protocol", f"more than {MAX_HEADERS} headers")
    headers = CIMultiDict((name.decode("utf-8", "surrogateescape"), _text(value)) for name, value in raw_headers)
    is_chunked = names_chunked(headers.getall(hdrs.TRANSFER_ENCODING, ()))
    lengths = headers.popall(hdrs.CONTENT_LENGTH, ())
    if not is_chunked and (length := _length(lengths)) is not None:
        headers[hdrs.CONTENT_LENGTH] = length
    return RawResponseMessage(
        version, code, reason, CIMultiDictProxy(headers), raw_headers, True, None, False, is_chunked  # noqa: FBT003
    )  # fmt: skip


def names_chunked(values: Iterable[str]) -> bool:
    """Whether chunks are to be undone, given the values of all ``Transfer-Encoding`` headers.

    Raises:
        FetchError: ``protocol``: so would be something that nobody undoes.
    """
    codings = [coding.strip(_SPACE_TEXT).lower() for coding in ",".join(values).split(",")]
    for coding in codings:
        if coding in _REFUSED_CODINGS:
            raise FetchError("protocol", f"transfer coding {coding!r}, expected chunked")
    return "chunked" in codings


def length_of(announced: str) -> int:
    """The number that a ``Content-Length`` is known to be. It may begin with more zeros than `int` takes digits."""
    return int(announced[-_LENGTH_DIGITS:])


def is_whole_gzip(message: RawResponseMessage, body: bytes | bytearray) -> bool:
    """Whether `body`, which is shorter than its ``Content-Length``, is whole all the same.

    Some servers compress a body and announce the length that it had before, which gzip writes at its end (RFC 1952
    section 2.3.1). Browsers allow for that; that nothing is missing the checksum tells, in the worker.
    """
    if (
        message.headers.get(hdrs.CONTENT_ENCODING, "").lower() not in ("gzip", "x-gzip")
        or len(body) < _LEAST_GZIP_BYTES
    ):
        return False
    return int.from_bytes(body[-4:], "little") == length_of(message.headers[hdrs.CONTENT_LENGTH])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _status(line: bytes) -> tuple[HttpVersion, int, str]:
    """Version, status and reason of the first line.

    Raises:
        FetchError: ``protocol``: the status is no number of at most three digits.
    """
    words = line.split(None, 2)
    number = _VERSION.match(words[0])
    version = HttpVersion(1, 0) if number is None else HttpVersion(int(number[1]), int(number[2]))
    if len(words) == 1:
        return version, 200, ""  # as browsers have it
    digits = _STATUS.match(words[1])
    if digits is None or len(digits[0]) > _STATUS_DIGITS:
        raise FetchError("protocol", f"status {words[1][:_SHOWN_BYTES]!r}")
    reason = b" ".join((words[1][digits.end() :], *words[2:])).strip()
    return version, int(digits[0]), _text(reason)


def _headers(lines: Sequence[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Names and values; lines that are neither a header nor the continuation of one are passed over."""
    found: list[tuple[bytes, list[bytes]]] = []
    can_go_on = False
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if can_go_on:
                found[-1][1].append(line.strip(_SPACE))
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(_SPACE)
        can_go_on = bool(colon and name)
        if can_go_on:
            found.append((name, [value.strip(_SPACE)]))
    return tuple((name, b" ".join(part for part in values if part)) for name, values in found)


def _length(values: Iterable[str]) -> str | None:
    """The length of the body; None if none is given that can be read, and it ends with the connection.

    Raises:
        FetchError: ``protocol``: there are several that differ.
    """
    given = {length.strip(_SPACE_TEXT) for length in ",".join(values).split(",")} - {""}
    if len(given) > 1:
        raise FetchError("protocol", f"lengths that differ: {', '.join(sorted(given))[:_SHOWN_BYTES]}")
    return next((length for length in given if _LENGTH.fullmatch(length)), None)
