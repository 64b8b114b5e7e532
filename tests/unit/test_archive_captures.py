"""Answers come out of an archive as they went in, and out of others' archives as far as these tell."""

from __future__ import annotations

import gzip
import io
import zlib

import brotli
import msgspec
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.archive.captures import Captures, Source
from crawler.archive.compose import Original, compose, payload_digest, warc_date, warcinfo
from crawler.archive.entry import Entry
from crawler.fetch.lenient import MAX_HEADERS
from crawler.models import HostKey, Kind, Outcome, Request, Response, Url

HEADERS = (
    (b"Content-Type", b"text/html"),
    (b"transfer-encoding", b"chunked"),
    (b"X-\xe9", b"\xff two"),
    (b"Vary", b""),
)


def entry(url="https://a.test/x?y=1", body=b"<p>body", **changed):
    url = Url(url)
    request = Request(
        url=url,
        host_key=HostKey("a.test"),
        scope_host="www.a.test",
        depth=3,
        via="https://a.test/",
        seed="a.test é\r\nOutcome: no",
        kind=Kind.SITEMAP,
        attempt=2,
        redirected_from=("https://b.test/",),
        context=b"\0opaque\xff",
    )
    response = Response(
        url=url,
        status=200,
        headers=HEADERS,
        body=body,
        fetched_at=1_700_000_000.1239,
        elapsed_s=0.123456789,
        address="2001:db8::1",
        status_line=b"HTTP/1.0 200 Oll Korrect",
        request_head=b"GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\n\r\n",
        is_cut=True,
    )
    response = msgspec.structs.replace(response, **changed)
    return Entry(
        request=request, response=response, outcome=Outcome.FETCHED, reason="sitemap", target="https://t.test/"
    )


def archived(*entries, originals=None):
    originals = originals or [None] * len(entries)
    parts = [warcinfo("x.warc.gz", "test", "2026-01-01T00:00:00.000Z")]
    for one, original in zip(entries, originals, strict=True):
        parts += compose(one, payload_digest(one.response), original).members
    return b"".join(parts)


@pytest.fixture
def captures(tmp_path):
    def read(*files, **options):
        sources = []
        for number, data in enumerate(files):
            path = tmp_path / f"{number}.warc.gz"
            path.write_bytes(data)
            sources.append(Source(path))
        return Captures(sources, **options)

    return read


def test_an_answer_comes_back_as_it_was_with_all_that_is_known_of_its_request(captures):
    was = entry()
    (found,) = captures(archived(was))
    assert found.request == was.request
    assert found.response == msgspec.structs.replace(was.response, request_head=b"")
    assert (found.outcome, found.reason, found.target) == (was.outcome, was.reason, was.target)


@pytest.mark.parametrize("status_line", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 200 \xc3\xa9"])
@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"0\r\n\r\n", bytes(70_000), gzip.compress(b"packed")])
def test_no_body_is_taken_for_something_else(captures, body, status_line):
    coding = ((b"Content-Encoding", b"gzip"),) if body[:1] == b"\x1f" else ()
    was = entry(body=body, headers=HEADERS + coding, status_line=status_line)
    (found,) = captures(archived(was))
    assert found.response.body == body
    assert found.response.headers == was.response.headers


def test_a_length_beside_chunks_is_put_aside_with_them_and_comes_back(captures):
    was = entry(headers=(*HEADERS, (b"Content-Length", b"3")))
    members = b"".join(gzip.decompress(member) for member in compose(was, payload_digest(was.response), None).members)
    assert b"\r\nX-Crawl-transfer-encoding: chunked\r\n" in members
    assert b"\r\nX-Crawl-Content-Length: 3\r\n" in members
    (found,) = captures(archived(was))
    assert found.response.headers == was.response.headers


def test_a_length_alone_stays_what_it_is(captures):
    was = entry(headers=((b"Content-Length", b"8"),))
    assert b"\r\nContent-Length: 8\r\n\r\n<p>body" in gzip.decompress(archived(was))


def test_as_many_headers_come_back_as_are_fetched(captures):
    was = entry(headers=tuple((b"X-%d" % number, b"y") for number in range(MAX_HEADERS)))
    (found,) = captures(archived(was))
    assert found.response.headers == was.response.headers


def test_a_revisit_has_its_own_headers_and_the_payload_it_refers_to(captures):
    first, again = entry(), entry("https://a.test/again", headers=((b"A", b"b"),), fetched_at=1_800_000_000.0)
    original = Original(first.response.url, warc_date(first.response))
    found = list(captures(archived(first, again, originals=[None, original])))
    assert [one.response.body for one in found] == [b"<p>body"] * 2
    assert found[1].response.headers == ((b"A", b"b"),)
    assert found[1].response.fetched_at == 1_800_000_000.0


def test_a_revisit_finds_its_payload_in_a_later_file_and_keeps_what_is_known_of_it(captures):
    first, again = entry(), entry("https://a.test/again")
    original = Original(first.response.url, warc_date(first.response))
    reading = captures(archived(again, originals=[original]), archived(first))
    found = list(reading)
    assert [one.request.url for one in found] == ["https://a.test/x?y=1", "https://a.test/again"]
    assert found[1].response.body == b"<p>body"
    assert found[1].request.via == "https://a.test/"
    assert not reading.passed_over


def test_a_revisit_whose_payload_is_nowhere_is_counted(captures):
    reading = captures(archived(entry(), originals=[Original("https://no.test/", "2026-01-01T00:00:00Z")]))
    assert list(reading) == []
    assert reading.passed_over == {"unresolved revisit": 1}


def by_warcio(gzipped=True, version="1.0"):
    """An archive that another program writes, with one of everything."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=gzipped, warc_version=version)
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "other"}))

    def http(url, status, headers, body, kind="response", **more):
        head = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
        record = writer.create_warc_record(url, kind, payload=io.BytesIO(body), http_headers=head, **more)
        writer.write_record(record)
        return record

    html = [("Content-Type", "text/html; charset=utf-8")]
    chunked = b"5;ext=1\r\n<p>on\r\nA\r\ne and two!\r\n0\r\nTrailer: x\r\n\r\n"
    http("http://A.test/chunked", "200 OK", [*html, ("Transfer-Encoding", "chunked")], chunked)
    http("http://a.test/undone", "200 OK", [*html, ("Transfer-Encoding", "chunked")], b"<p>not chunked")
    packed = zlib.compress(b"<p>packed", wbits=31)
    date = {"WARC-Date": "2017-03-06T04:02:06Z"}
    http("http://a.test/packed", "200 OK", [*html, ("Content-Encoding", "gzip")], packed, warc_headers_dict=date)
    http("http://a.test/moved", "301 Moved", [("Location", "/chunked")], b"")
    writer.write_record(
        writer.create_warc_record(
            "http://a.test/note.txt", "resource", io.BytesIO(b"note"), warc_content_type="text/plain"
        )
    )
    writer.write_record(
        writer.create_warc_record("dns:a.test", "response", io.BytesIO(b"127.0.0.1"), warc_content_type="text/dns")
    )
    writer.write_record(
        writer.create_revisit_record(
            "http://a.test/again",
            payload_digest(Response(url=Url("x"), status=200, body=packed)),
            "http://a.test/packed",
            "2017-03-06T04:02:06Z",
            StatusAndHeaders("200 OK", [*html, ("Content-Encoding", "gzip")], protocol="HTTP/1.1"),
        )
    )
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning")  # of warcio's
@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_archives_of_others_are_read(captures, gzipped, version):
    reading = captures(by_warcio(gzipped, version))
    found = {one.request.url: one for one in reading}
    assert {url: one.response.body[:9] for url, one in found.items()} == {
        "http://a.test/chunked": b"<p>one an",
        "http://a.test/undone": b"<p>not ch",
        "http://a.test/packed": zlib.compress(b"<p>packed", wbits=31)[:9],
        "http://a.test/moved": b"",
        "http://a.test/note.txt": b"note",
        "http://a.test/again": zlib.compress(b"<p>packed", wbits=31)[:9],
    }
    moved = found["http://a.test/moved"]
    assert (moved.response.status, moved.response.header(b"location"), moved.outcome) == (301, "/chunked", None)
    assert found["http://a.test/packed"].response.fetched_at == 1_488_772_926.0
    assert found["http://a.test/packed"].request == Request(
        url=Url("http://a.test/packed"), host_key=HostKey("a.test"), scope_host="a.test", seed="http://a.test/packed"
    )
    assert found["http://a.test/note.txt"].response.header(b"content-type") == "text/plain"
    assert reading.passed_over == {"not HTTP": 1}


def test_what_heritrix_says_of_an_answer_is_used(captures):
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>x"
    fields = b"via: http://a.test/\r\nhopsFromSeed: LLE\r\nfetchTimeMs: 250\r\n\r\n"
    response = (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/p q\r\nWARC-Date: 2017-03-06T04:02:06Z\r\n"
        b"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n" % len(http)
    )
    metadata = (
        b"WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Target-URI: http://a.test/p q\r\nWARC-Concurrent-To: <urn:uuid:1>\r\n"
        b"Content-Length: %d\r\n\r\n" % len(fields)
    )
    (found,) = captures(response + http + b"\r\n\r\n" + metadata + fields + b"\r\n\r\n")
    assert found.request.url == "http://a.test/p%20q"
    assert (found.request.depth, found.request.via, found.response.elapsed_s) == (3, "http://a.test/", 0.25)


@pytest.mark.parametrize(
    ("block", "why"),
    [(b"not http", "no HTTP answer"), (b"HTTP/1.1 xyz\r\n\r\n", "no HTTP answer"), (b"", "no HTTP answer")],
)
def test_what_is_no_answer_is_passed_over_and_counted(captures, block, why):
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Length: %d\r\n\r\n"
    reading = captures(head % len(block) + block)
    assert list(reading) == []
    assert reading.passed_over == {why: 1}


def test_urls_that_are_none_and_other_kinds_of_records_are_counted(captures):
    head = (
        b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nContent-Length: 19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\r\n\r\n"
    )
    kinds = ((b"response", b"http://[bad/"), (b"conversion", b"http://a/"), (b"response", b"ftp://a/"))
    reading = captures(b"".join(head % kind for kind in kinds))
    assert list(reading) == []
    assert reading.passed_over == {"bad URL": 1, "conversion record": 1, "not HTTP": 1}


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", gzip.compress(b"<p>text")),
        (b"x-gzip", gzip.compress(b"<p>text")),
        (b"deflate", zlib.compress(b"<p>text")),
        (b"deflate", zlib.compress(b"<p>text", wbits=-15)),
        (b"br", brotli.compress(b"<p>text" * 100)),
        (b"zstd", b"\x28\xb5\x2f\xfd rest"),
    ],
)
def test_a_content_coding_that_was_undone_already_is_not_believed(captures, coding, packed):
    def response(body):
        http = b"HTTP/2 200\r\nContent-Encoding: %s\r\n\r\n" % coding + body
        head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Length: %d\r\n\r\n"
        return head % len(http) + http + b"\r\n\r\n"

    found = list(captures(response(packed) + response(b"<!doctype html><p>text")))
    assert [one.response.body for one in found] == [packed, b"<!doctype html><p>text"]
    assert [one.response.header(b"content-encoding") for one in found] == [coding.decode(), None]


def test_only_blanks_are_taken_off_headers(captures):
    """A form feed is part of a name, as it was when the answer was fetched: what follows is no Content-Encoding."""
    http = b"HTTP/1.1 200 OK\r\n\fContent-Encoding: gzip\r\n\vTransfer-Encoding:\tchunked \r\n\r\n5\r\nhello"
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Length: %d\r\n\r\n" % len(
        http
    )
    (found,) = captures(head + http + b"\r\n\r\n")
    assert found.response.headers == ((b"\fContent-Encoding", b"gzip"), (b"\vTransfer-Encoding", b"chunked"))
    assert found.response.body == b"5\r\nhello"
