"""Nothing that is compressed takes more time or memory than its limits say, and the limit it meets is named."""

import gzip
import subprocess
import sys
import zlib

import brotli
import pytest

from crawler.config import CrawlConfig
from crawler.config.file import loads
from crawler.errors import ConfigError
from crawler.extract.content import FAIR_BYTES, ContentError, decode_content, fair_bytes
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Kind, Page, Request, Response, Url
from crawler.pools import parser_for

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024**2
HTML = (b"content-type", b"text/html")


def gzip_bomb(size):
    stream = zlib.compressobj(9, wbits=31)
    return b"".join(stream.compress(bytes(MIB)) for _ in range(size // MIB)) + stream.flush()


def brotli_bomb(size):
    stream = brotli.Compressor(quality=5)
    return b"".join(stream.process(bytes(MIB)) for _ in range(size // MIB)) + stream.finish()


BOMBS = {
    "gzip": gzip_bomb(64 * MIB),
    "deflate": zlib.compress(bytes(64 * MIB), 9),
    "br": brotli_bomb(64 * MIB),
    "zstd": zstd.compress(bytes(64 * MIB)),
    "gzip, gzip": gzip.compress(gzip_bomb(64 * MIB)),
    "br, zstd": zstd.compress(brotli_bomb(64 * MIB)),
    "gzip, br, zstd": zstd.compress(brotli.compress(gzip_bomb(64 * MIB), quality=5)),
}


def page_of(body, encoding=None, kind=Kind.PAGE, **settings):
    headers = (HTML, (b"content-encoding", encoding.encode())) if encoding else (HTML,)
    url = Url("https://example.org/a")
    request = Request(url=url, host_key=HostKey("example.org"), scope_host="example.org", kind=kind)
    response = Response(url=url, status=200, headers=headers, body=body)
    return Extractor(Settings(**settings)).page(request, response)


@pytest.mark.parametrize("encoding", BOMBS)
def test_what_inflates_to_more_than_its_ratio_is_a_bomb(encoding):
    assert page_of(BOMBS[encoding], encoding, max_ratio=100).reason == "bomb"
    with pytest.raises(ContentError, match="inflate to more than"):
        decode_content(BOMBS[encoding], encoding, 128 * MIB, max_ratio=100)


@pytest.mark.parametrize("encoding", BOMBS)
def test_without_a_ratio_it_is_too_large(encoding):
    assert page_of(BOMBS[encoding], encoding, max_ratio=0).reason == "too_large"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_told_before_much_of_it_is_inflated(encoding):
    """A process that may take a quarter of what the bomb holds is enough."""
    code = (
        "import resource, sys; from crawler.extract.content import ContentError, decode_content\n"
        "body = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode_content(body, sys.argv[1], 10 << 20, max_ratio=float(sys.argv[2]))\n"
        "except ContentError as error: print(error.reason)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    for ratio, reason, most in (("250", "bomb", 16 * MIB), ("0", "too_large", 40 * MIB)):
        run = subprocess.run(
            [sys.executable, "-c", code, encoding, ratio], input=BOMBS[encoding], capture_output=True, check=True
        )
        said, grown = run.stdout.split()
        assert said.decode() in (reason, "too_large")
        assert int(grown) * (1 if sys.platform == "darwin" else 1024) < most


def test_small_bodies_may_inflate_as_much_as_they_like():
    assert isinstance(page_of(gzip.compress(bytes(FAIR_BYTES)), "gzip", max_ratio=2), Page)
    assert page_of(gzip.compress(bytes(FAIR_BYTES + 1)), "gzip", max_ratio=2).reason == "bomb"


@pytest.mark.parametrize(
    ("wire", "limit", "ratio", "fair"),
    [
        (1000, 10 * MIB, 0, 10 * MIB),
        (1000, 10 * MIB, 250, MIB),
        (10_000, 10 * MIB, 250, 2_500_000),
        (100_000, 10 * MIB, 250, 10 * MIB),
        (1000, 1000, 250, 1000),
        (1000, 10 * MIB, 1e308, 10 * MIB),
    ],
)
def test_what_is_fair_follows_from_size_and_limit(wire, limit, ratio, fair):
    assert fair_bytes(wire, limit, ratio) == fair


def test_a_body_that_was_not_compressed_has_no_ratio():
    assert isinstance(page_of(bytes(2 * MIB), max_ratio=0.5), Page)


@pytest.mark.parametrize(
    ("encoding", "unit"),
    [
        ("gzip", gzip.compress(b"")),
        ("gzip", gzip.compress(b"x")),
        ("zstd", zstd.compress(b"")),
        ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0"),
    ],
)
def test_a_body_of_a_million_empty_streams_is_given_up_early(encoding, unit):
    failure = page_of(unit * (4 * MIB // len(unit)), encoding)
    assert (failure.reason, "compressed streams" in failure.detail) == ("bad_encoding", True)
    assert isinstance(page_of(unit * 1000, encoding), Page)


@pytest.mark.parametrize("encoding", BOMBS)
def test_of_a_sitemap_that_is_a_bomb_the_beginning_is_read_and_the_rest_reported(encoding):
    line = b"https://example.org/" + b"x" * 80 + b"\n"
    body = line * (8 * MIB // len(line))
    for coding in encoding.split(", "):
        body = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}[coding](
            body
        )
    page = page_of(body, encoding, kind=Kind.SITEMAP, max_ratio=10)
    assert len(page.links) == 1
    (refusal,) = (refusal for refusal in page.refusals if refusal.rule == "sitemap: broken off")
    assert f"only its first {FAIR_BYTES} bytes are read" in refusal.examples[0]


def test_a_zipped_sitemap_is_held_to_the_ratio_too():
    line = b"https://example.org/" + b"x" * 80 + b"\n"
    body = gzip.compress(gzip.compress(line * (4 * MIB // len(line))))
    page = page_of(body, kind=Kind.SITEMAP, max_ratio=10)
    assert [refusal.rule for refusal in page.refusals] == ["sitemap: broken off"]
    assert page_of(body, kind=Kind.SITEMAP).refusals == ()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [None, "gzip", "br", "zstd", "gzip, gzip"])
def test_a_robots_txt_without_end_counts_as_far_as_it_is_read(encoding):
    body = b"user-agent: *\ndisallow: /private\n" + b"#" * (32 * MIB)
    for coding in (encoding or "").split(", "):
        if coding:
            body = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}[coding](body)
    page = page_of(body, encoding, kind=Kind.ROBOTS)
    assert page.robots is not None
    assert page.robots.rules == ((False, "/private"),)
    assert page.body_bytes <= 500 * 1024


@pytest.mark.parametrize(("written", "ratio"), [("1000", 1000), ("1.5", 1.5), ("null", 0), ("0", 0)])
def test_the_ratio_is_configured(written, ratio):
    config = loads(
        f"seeds: [example.org]\nfetch: {{max_ratio: {written}}}\nparse: {{backend: inline}}\n", "c.yaml"
    ).config
    assert parser_for(config, 0)._settings.max_ratio == ratio


def test_the_ratio_has_a_default_and_is_no_text():
    assert CrawlConfig().fetch.max_ratio == 250
    with pytest.raises(ConfigError, match=r"fetch\.max_ratio"):
        loads("seeds: [example.org]\nfetch: {max_ratio: much}\n", "c.yaml")
