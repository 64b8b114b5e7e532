"""What is read of WARC files, whoever wrote them and however they were left."""

from __future__ import annotations

import gzip
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive.record import member, record
from crawler.archive.records import Records
from crawler.errors import CrawlerError


def made(number, block=b"block"):
    return record(
        [("WARC-Type", "response"), ("WARC-Record-ID", f"<urn:x:{number}>"), ("WARC-Target-URI", f"http://a/{number}")],
        [block],
    )


THREE = [made(1), made(2, b"x" * 700_000 + b"\r\n\r\n"), made(3, b"")]
BLOCKS = [b"block", b"x" * 700_000 + b"\r\n\r\n", b""]
WAYS = {
    "plain": b"".join(THREE),
    "a member each": b"".join(map(member, THREE)),
    "by gzip, a member each": b"".join(map(gzip.compress, THREE)),
    "one gzip stream": gzip.compress(b"".join(THREE)),
    "members that end anywhere": b"".join(
        gzip.compress(b"".join(THREE)[start:end]) for start, end in pairwise((0, 10, 11, 400, 650_000, 10_000_000))
    ),
    "with padding": b"".join(map(member, THREE)) + bytes(10_000),
    "without the last newlines": gzip.compress(b"".join(THREE)[:-4]),
}


@pytest.fixture
def file(tmp_path):
    def write(data):
        path = tmp_path / "some.warc.gz"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("way", WAYS)
def test_records_are_found_however_the_file_is_packed(file, way):
    records = Records(file(WAYS[way]))
    assert [record.block for record in records] == BLOCKS
    assert records.torn is None


@pytest.mark.parametrize("way", WAYS)
def test_every_record_is_found_again_by_its_place(file, way):
    path = file(WAYS[way])
    for found in list(Records(path)):
        again = next(iter(Records(path, start=found.start, skip=found.skip)))
        assert (again.fields, again.block) == (found.fields, found.block)


def test_members_of_ours_say_how_long_they_are():
    for text, stored in ((b"text" * 1000, 0), (b"text" * 1000, 1000), (b"", 0), (b"x", 1)):
        data = member(text, stored)
        assert gzip.decompress(data) == text
        assert data[12:14] == b"sl"
        assert int.from_bytes(data[16:20], "little") == len(data)
        assert int.from_bytes(data[20:24], "little") == len(text)


def test_wherever_a_file_is_torn_whole_records_are_read_and_the_rest_is_told(file):
    small = [made(1), made(2), made(3)]
    for parts in (small, [member(part) for part in small]):
        whole = b"".join(parts)
        for cut in range(len(whole)):
            records = Records(file(whole[:cut]))
            blocks = [found.block for found in records]
            complete = sum(cut >= len(b"".join(parts[: n + 1])) for n in range(3))
            assert complete <= len(blocks) <= complete + 1, cut  # all of a record may be there but what ends it
            if cut not in {0, *(len(b"".join(parts[: n + 1])) for n in range(3))} and len(blocks) == complete:
                assert records.torn is not None


def test_reading_stops_at_a_committed_end(file):
    parts = [member(made(1)), member(made(2))]
    records = Records(file(b"".join(parts) + b"rubbish"), end=len(parts[0]))
    assert len(list(records)) == 1
    assert records.torn is None


def test_damage_is_told_with_file_and_byte_after_what_is_good(file):
    first, second = member(made(1)), bytearray(member(made(2, random.Random(1).randbytes(2000))))
    second[-3] ^= 0xFF
    path = file(first + bytes(second))
    reading = iter(Records(path))
    assert next(reading).block == b"block"
    with pytest.raises(CrawlerError, match=rf"some\.warc\.gz: damaged gzip data in the member at byte {len(first):,}"):
        list(reading)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"filedesc://x.arc 0.0.0.0 20110101 text/plain 76\n1 0 x\n", "at byte 0: an ARC file, expected WARC"),
        (b"<html>", "at byte 0: no WARC record: b'<html>'"),
        (made(1) + b"WARC!\r\n\r\n", "at byte 175: no WARC record"),
        (b"WARC/1.0\r\nContent-Length: many\r\n\r\n", "a record whose Content-Length is 'many', expected a number"),
        (b"WARC/1.0\r\nWARC-Type: x\r\n\r\n", "a record whose Content-Length is '', expected a number"),
        (b"WARC/1.0\r\n" + b"x" * 300_000, "a record whose header has over 262,144 bytes"),
        (gzip.compress(made(1) + b"rubbish"), "175 bytes into its gzip member: no WARC record"),
    ],
)
def test_what_is_no_record_is_told_with_its_place(file, data, message):
    with pytest.raises(CrawlerError) as raised:
        list(Records(file(data)))
    assert message in str(raised.value)


def test_headers_may_be_folded_repeated_bare_and_in_any_case_and_encoding(file):
    head = b"WARC/0.18\nwarc-type:Response\nWARC-TARGET-URI: <http://a/>\nX: one\n two\nX: three\n four\nY: \xe9\n"
    (found,) = Records(file(head + b"content-length: 2\n\nab\n\n"))
    assert (found.kind, found.uri, found.field("x"), found.field("y")) == ("response", "http://a/", "one two", "é")
    assert found.block == b"ab"


def test_of_a_large_block_only_so_much_is_kept(file):
    found = list(Records(file(WAYS["one gzip stream"]), most_bytes=1000))
    assert [len(record.block) for record in found] == [5, 1000, 0]
    assert [record.is_cut for record in found] == [False, True, False]


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=400), start=st.integers(0, 200), packed=st.booleans())
def test_any_bytes_give_records_or_one_error(tmp_path_factory, data, start, packed):
    whole = bytearray(b"".join(member(made(n)) if packed else made(n) for n in range(2)))
    whole[start : start + len(data)] = data
    path = tmp_path_factory.mktemp("any") / "x.warc"
    path.write_bytes(whole)
    try:
        for found in Records(path):
            assert len(found.block) <= len(whole) * 1100
    except CrawlerError as error:
        assert "x.warc: " in str(error)  # noqa: PT017
