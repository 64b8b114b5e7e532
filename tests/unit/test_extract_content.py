import gzip
import random
import sys
import zlib

import brotli
import pytest

from crawler.extract.content import ContentError, decode_content
from crawler.extract.stream_ends import mended

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = b"<p>hello</p>" * 5000
LIMIT = 10 * len(BODY)


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


ENCODED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "Deflate": raw_deflate(BODY),
    "br": brotli.compress(BODY),
    "zstd": zstd.compress(BODY),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_each_coding_is_undone(encoding):
    assert decode_content(ENCODED[encoding], encoding, LIMIT) == (BODY, False)


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_stream_that_ends_early_gives_its_beginning_and_says_so(encoding):
    half = ENCODED[encoding][: len(ENCODED[encoding]) // 2]
    data, truncated = decode_content(half, encoding, LIMIT)
    assert truncated
    assert BODY.startswith(data)


@pytest.mark.parametrize("encoding", ENCODED)
def test_one_byte_over_the_limit_is_too_large(encoding):
    assert decode_content(ENCODED[encoding], encoding, len(BODY)).data == BODY
    with pytest.raises(ContentError) as raised:
        decode_content(ENCODED[encoding], encoding, len(BODY) - 1)
    assert raised.value.reason == "too_large"


@pytest.mark.parametrize("encoding", [*ENCODED, None])
def test_what_is_too_large_is_cut_where_that_is_asked_for(encoding):
    limit = len(BODY) // 2
    assert decode_content(ENCODED.get(encoding, BODY), encoding, limit, cut=True) == (BODY[:limit], True)


@pytest.mark.parametrize("encoding", ENCODED)
def test_an_empty_body_is_empty_under_any_coding(encoding):
    assert decode_content(b"", encoding, LIMIT) == (b"", False)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br"])
def test_a_body_that_is_not_of_its_coding_is_bad_encoding(encoding):
    with pytest.raises(ContentError) as raised:
        decode_content(BODY, encoding, LIMIT)
    assert raised.value.reason == "bad_encoding"


@pytest.mark.parametrize(("body", "encoding"), [(bytes(9), "rot13"), (BODY, ", ".join(["gzip"] * 6))])
def test_unknown_codings_of_what_is_no_text_and_towers_are_bad_encoding(body, encoding):
    with pytest.raises(ContentError) as raised:
        decode_content(body, encoding, LIMIT)
    assert raised.value.reason == "bad_encoding"


@pytest.mark.parametrize(
    ("body", "encoding"), [(BODY, "utf-8"), (gzip.compress(BODY), "gzip, none"), (gzip.compress(BODY), "none, gzip")]
)
def test_unknown_codings_above_and_below_text_are_passed_over(body, encoding):
    assert decode_content(body, encoding, LIMIT) == (BODY, False)


@pytest.mark.parametrize("encoding", [None, "", "identity", "identity, ,IDENTITY"])
def test_identity_leaves_the_body_as_it_is_within_the_limit(encoding):
    assert decode_content(BODY, encoding, len(BODY)) == (BODY, False)
    with pytest.raises(ContentError):
        decode_content(BODY, encoding, len(BODY) - 1)


def test_listed_codings_are_undone_last_first():
    assert decode_content(gzip.compress(brotli.compress(BODY)), "br, GZIP", LIMIT).data == BODY


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_are_joined_and_what_follows_them_is_ignored(encoding):
    members = ENCODED[encoding] * 3 + b"\0\0trailing"
    assert decode_content(members, encoding, LIMIT) == (BODY * 3, False)


def test_a_bomb_is_never_inflated_beyond_its_limit():
    stream = zlib.compressobj(9, wbits=31)
    chunk = bytes(1 << 20)
    bomb = b"".join(stream.compress(chunk) for _ in range(20)) + stream.flush()
    with pytest.raises(ContentError) as raised:
        decode_content(bomb, "gzip", 1 << 16)
    assert raised.value.reason == "too_large"


def test_corruption_within_a_stream_is_bad_encoding():
    whole = gzip.compress(bytes(range(256)) * 400)
    with pytest.raises(ContentError) as raised:
        decode_content(whole[:10] + b"\xff" * 40 + whole[50:], "gzip", LIMIT)
    assert raised.value.reason == "bad_encoding"


@pytest.mark.parametrize("where", ["header", "trailer", "second member"])
def test_gzip_of_a_wrong_checksum_is_read_and_named_as_damaged(where):
    whole = gzip.compress(BODY)
    flawed = {
        "header": b"\x1f\x8b\x08\x1e" + bytes(6) + b"\2\0xx" + b"name\0remark\0" + b"\0\0" + whole[10:],
        "trailer": whole[:-8] + bytes(8) + b"garbage",
        "second member": whole + b"\x1f\x8bgarbage",
    }[where]
    assert decode_content(flawed, "x-gzip", LIMIT) == (BODY, True)


@pytest.mark.parametrize("wrong_bytes", range(1, 18))
def test_no_beginning_of_a_gzip_header_is_mended(wrong_bytes):
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\2\0xxname"
    assert mended(header[:wrong_bytes], "gzip", LIMIT) is None


@pytest.mark.parametrize("size", [10, 16 * 1024, 100_000])
def test_what_follows_a_brotli_stream_is_ignored(size):
    body = bytes(random.Random(size).randbytes(size))
    for rest in (b"x", b"garbage" * 10_000, brotli.compress(b"another")):
        assert decode_content(brotli.compress(body) + rest, "br", LIMIT) == (body, False)


def test_nothing_is_mended_beyond_the_limit():
    zeros = bytes(1 << 20)
    assert mended(gzip.compress(zeros)[:-8] + bytes(8), "gzip", len(zeros) - 1) is None
    assert mended(brotli.compress(zeros) + b"x", "br", len(zeros) - 1) is None


def test_cut_brotli_stream_gives_all_it_can():
    text = b"".join(b"line %d\n" % number for number in range(40_000))
    whole = brotli.compress(text)
    data, truncated = decode_content(whole[: len(whole) // 2], "br", len(text))
    assert truncated
    assert text.startswith(data)
    assert len(data) > len(text) // 4
