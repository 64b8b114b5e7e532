"""Whatever bytes stand in a seed file, each line of it is a row, good or bad, or the file is refused in clear words."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest

from crawler.errors import ConfigError
from crawler.seedfile import MAX_LINE_BYTES, MAX_NESTING, file_rows, stream_rows
from crawler.seeds import read_seeds


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows_of(name, content):
    path = Path(name)
    path.write_bytes(content)
    return list(file_rows(path))


def lines_of(content):
    return [(row.text, row.place.partition(":")[2], row.error) for row in stream_rows(io.BytesIO(content), "s")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_on_any_system(end):
    content = end.join([b"a.test", b"", b"b.test", b"  c.test"])
    expected = [("a.test", "1", None), ("b.test", "3", None), ("c.test", "4", None)]
    assert lines_of(content) == expected
    assert lines_of(content + end) == expected
    assert lines_of(b"\xef\xbb\xbf" + content) == expected


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_long_list_of_any_line_ends_is_read_line_by_line(end):
    lines = [f"h{number}.test".encode() for number in range(30_000)]
    rows = lines_of(end.join(lines))
    assert [text for text, _, _ in rows] == [line.decode() for line in lines]
    assert rows[-1][1] == "30000"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("over", [-1, 0, 1, MAX_LINE_BYTES - 1, MAX_LINE_BYTES, 5 * MAX_LINE_BYTES])
def test_a_line_that_is_too_long_is_told_and_the_next_is_read(end, over):
    long = b"x" * (MAX_LINE_BYTES + over)
    (_, _, error), *rest = lines_of(long + end + b"a.test" + end + b"b.test")
    assert (error is None) == (over < 0)
    assert rest == [("a.test", "2", None), ("b.test", "3", None)]


def test_csv_rows_of_an_old_mac_are_rows():
    rows = rows_of("s.csv", b'url,note\ra.test,"one\rtwo"\rb.test,x\r')
    assert [(row.text, row.metadata["note"]) for row in rows] == [("a.test", "one\rtwo"), ("b.test", "x")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b"a.test\n"), "gzip; expected a name that ends in .gz"),
        ("a.test\n".encode("utf-16"), "UTF-16; expected UTF-8"),
        ("a.test\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "UTF-16; expected UTF-8"),
        (b"\x28\xb5\x2f\xfd1234", "zstd"),
    ],
)
@pytest.mark.parametrize("name", ["s.txt", "s.csv", "s.jsonl"])
def test_a_file_that_is_no_text_by_its_first_bytes_is_refused_with_what_it_is(content, told, name):
    with pytest.raises(ConfigError, match=told):
        rows_of(name, content)


def test_a_workbook_is_no_csv():
    with zipfile.ZipFile("book.csv", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(ConfigError, match="workbook"):
        list(file_rows(Path("book.csv")))


@pytest.mark.parametrize("deep", [MAX_NESTING - 1, MAX_NESTING, 500, 20_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_json_may_be_nested_only_so_deep(deep, brackets):
    left, right = ("[", "]") if brackets == "[]" else ('{"a":', "}")
    line = f'{{"url": "a.test", "x": {left * deep}1{right * deep}}}\n'
    first, second = rows_of("s.jsonl", line.encode() + b'{"url": "b.test"}\n')
    assert (first.error is None) == (deep < MAX_NESTING)
    assert (second.text, second.error, second.place) == ("b.test", None, "s.jsonl:2")


def test_many_brackets_beside_each_other_are_not_nested():
    (row,) = rows_of("s.jsonl", f'{{"url": "a.test", "x": [{",".join(["[]"] * 500)}]}}'.encode())
    assert row.error is None


@pytest.mark.parametrize(
    "bad",
    [
        '{"url": "a.test", "n": 1e999}',
        '{"url": "a.test", "n": NaN}',
        f'{{"url": "a.test", "n": {"9" * 5000}}}',
        '{"url": "\\ud800"}',
        '{"url": ["a.test"]}',
        '{"url": null}',
        '["a.test"]',
        '"a.test"',
        "null",
        '{"url": "a.test"',
        '{"url": "a.test"} {"url": "b.test"}',
        "\x00",
    ],
)
def test_a_bad_json_line_is_one_bad_row(bad):
    first, second = rows_of("s.jsonl", bad.encode() + b'\n{"url": "b.test"}\n')
    assert first.error
    assert first.place == "s.jsonl:1"
    assert (second.text, second.error, second.place) == ("b.test", None, "s.jsonl:2")


def test_a_quote_that_is_never_closed_is_told_with_how_far_it_reaches():
    content = b'url,note\na.test,x\nb.test,"never\nc.test,y\nd.test,z\n'
    good, bad = rows_of("s.csv", content)
    assert (good.text, good.error) == ("a.test", None)
    assert bad.place == "s.csv:3"
    assert bad.error == "a quote that is never closed; skipped up to line 5"


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_quote_that_is_closed_at_the_end_of_the_file_is_no_mistake(end):
    rows = rows_of("s.csv", f'url,note\na.test,x\nb.test,"one\ntwo"{end}'.encode())
    assert [(row.text, row.error) for row in rows] == [("a.test", None), ("b.test", None)]


def test_a_field_of_csv_that_is_too_long_is_told_and_so_is_what_it_takes_with_it():
    filler = b"".join(b"b" * 10_000 + b"\n" for _ in range(20))
    rows = rows_of("s.csv", b'url,note\na.test,"' + filler + b'"\nc.test,z\n')
    assert rows[0].error.startswith("not CSV: field larger than field limit")
    assert rows[0].place == "s.csv:2"
    assert all(row.error for row in rows)
    assert "never closed" in rows[-1].error  # where it ends, for all that can be known, another begins


def test_an_empty_file_of_any_kind_has_no_rows():
    for name in ("s.txt", "s.csv", "s.jsonl"):
        assert rows_of(name, b"") == []
        assert rows_of(name, b"\xef\xbb\xbf") == []


def test_a_device_is_no_seed_list_unless_it_is_empty():
    assert list(read_seeds([os.devnull])) == []
    for device in ("/dev/zero", "/dev/urandom"):
        with pytest.raises(ConfigError, match="is a device"):
            read_seeds([device])
