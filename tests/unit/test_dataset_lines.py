"""Whole lines out of files that are compressed, torn, damaged, or larger than what may be held."""

from __future__ import annotations

import gzip
import os
import random
import re
import sys

import pytest

from crawler.dataset import lines as module
from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError
from crawler.export.packing import PACKINGS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

KINDS = {packing.suffix: packing.pack for packing in PACKINGS.values()}
PACKED = [suffix for suffix in KINDS if suffix]
BATCHES = [[b"one", b"", b"three\r"], ["vier\u2028".encode()], [b"x" * 5000, b"six"]]
LINES = [line for batch in BATCHES for line in batch]


@pytest.fixture(params=KINDS)
def suffix(request):
    return request.param


@pytest.fixture
def written(tmp_path):
    """Writes a file and gives its path."""

    def write(suffix, data):
        path = tmp_path / f"pages.jsonl{suffix}"
        path.write_bytes(data)
        return path

    return write


def members(suffix, batches=BATCHES):
    return [KINDS[suffix](batch) for batch in batches]


def test_lines_of_several_members_come_in_order(written, suffix):
    data = b"".join(members(suffix))
    lines = Lines(written(suffix, data))
    assert list(lines) == LINES
    assert (lines.position, lines.left_over) == (len(data), False)


def test_an_empty_file_has_no_lines_and_nothing_left_over(written, suffix):
    lines = Lines(written(suffix, b""))
    assert list(lines) == []
    assert (lines.position, lines.left_over) == (0, False)


def test_a_file_cut_at_any_byte_gives_what_is_whole_and_says_if_something_is_left(written, suffix):
    parts = members(suffix, [[b"one", b"two"], [b"three"], [b"four"]])
    whole = b"".join(parts)
    if suffix:
        ends = {0: 0, len(parts[0]): 2, len(parts[0] + parts[1]): 3, len(whole): 4}
    else:
        ends = {0: 0, 4: 1, 8: 2, 14: 3, 19: 4}
    for cut in range(len(whole) + 1):
        good = max(end for end in ends if end <= cut)
        for data, end in ((whole[:cut], None), (whole, cut)):
            lines = Lines(written(suffix, data), end=end)
            assert list(lines) == [b"one", b"two", b"three", b"four"][: ends[good]]
            assert (lines.position, lines.left_over) == (good, cut != good)


def test_reading_goes_on_from_a_position(written, suffix):
    first, *rest = members(suffix)
    lines = Lines(written(suffix, first + b"".join(rest)), start=len(first))
    assert list(lines) == LINES[3:]


def test_position_moves_once_the_next_is_asked_for(written, suffix):
    parts = members(suffix)
    path = written(suffix, parts[0])
    lines = Lines(path)
    blocks = lines.blocks()
    assert next(blocks) == b"one\n\nthree\r\n"
    assert lines.position == 0
    assert next(blocks, None) is None
    assert lines.position == len(parts[0])


def test_memory_is_bounded_by_what_may_be_held(written, suffix, monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 1000)
    monkeypatch.setattr(module, "HELD_BYTES", 3000)
    rows = [b"%d" % n * random.Random(n).randrange(300) for n in range(500)]
    path = written(suffix, KINDS[suffix](rows) + KINDS[suffix]([b"small"]) + KINDS[suffix](rows))
    blocks = list(Lines(path).blocks())
    assert b"".join(blocks) == b"\n".join((*rows, b"small", *rows, b""))
    assert max(map(len, blocks)) < 1000 + 900
    lines = Lines(path)
    assert list(lines) == [*rows, b"small", *rows]
    assert not lines.left_over


def test_a_member_too_long_to_be_held_gives_nothing_before_it_is_closed(written, monkeypatch):
    monkeypatch.setattr(module, "HELD_BYTES", 3000)
    for suffix in PACKED:
        first, second = members(suffix, [[b"good"], [os.urandom(50).hex().encode() for _ in range(1000)]])
        lines = Lines(written(suffix, first + second[:-1]))
        assert list(lines) == [b"good"]
        assert (lines.position, lines.left_over) == (len(first), True)


def test_lines_may_span_pieces_and_members(written, suffix, monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 7)
    whole = b"a line longer than a piece\nshort\n" * 5
    packed = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}[suffix]
    lines = Lines(written(suffix, packed(whole[:10]) + packed(whole[10:90]) + packed(whole[90:])))
    assert list(lines) == whole.splitlines()
    assert not lines.left_over


def test_a_last_member_without_a_newline_is_left_over(written):
    closed = gzip.compress(b"one\n")
    lines = Lines(written(".gz", closed + gzip.compress(b"two\nthr")))
    assert list(lines) == [b"one", b"two"]
    assert (lines.position, lines.left_over) == (len(closed), True)


@pytest.mark.parametrize("suffix", PACKED)
def test_damage_names_the_file_and_the_member_and_what_was_before_stays_good(written, suffix):
    first, second, third = members(suffix)
    for at in range(4):
        path = written(suffix, first + second[:at] + b"\xff" + second[at + 1 :] + third)
        lines, got = Lines(path), []
        told = re.escape(f"{path}: damaged {suffix} data in the member at byte {len(first)}: ")
        with pytest.raises(CrawlerError, match=told):
            got.extend(lines)
        assert got == BATCHES[0]
        assert lines.position == len(first)


@pytest.mark.parametrize("suffix", PACKED)
def test_a_wrong_checksum_is_damage_and_no_line_of_its_member_is_given(written, suffix):
    first, second = members(suffix, [[b"good"], [b"wrong"]])
    at = len(second) - (8 if suffix == ".gz" else 1)
    second = second[:at] + bytes([second[at] ^ 1]) + second[at + 1 :]
    got = []
    with pytest.raises(CrawlerError, match=f"member at byte {len(first)}"):
        got.extend(Lines(written(suffix, first + second)))
    assert got == [b"good"]


@pytest.mark.parametrize("suffix", PACKED)
def test_a_plain_file_under_a_compressed_name_is_named(written, suffix):
    with pytest.raises(CrawlerError, match=rf"pages\.jsonl{suffix}: damaged {suffix} data in the member at byte 0: "):
        list(Lines(written(suffix, b'{"url": "https://a.test/"}\n')))


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(written, suffix, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 10_000)
    monkeypatch.setattr(module, "PIECE_BYTES", 1000)
    path = written(suffix, KINDS[suffix]([b"fine"]) + KINDS[suffix]([b"\0" * 1_000_000]))
    with pytest.raises(CrawlerError, match=r"a line that begins after byte \d+ has more than 10,000 bytes"):
        list(Lines(path))


def test_a_file_that_cannot_be_read_is_named(tmp_path, suffix):
    with pytest.raises(CrawlerError, match=r"cannot be read: No such file"):
        list(Lines(tmp_path / f"pages.jsonl{suffix}"))
