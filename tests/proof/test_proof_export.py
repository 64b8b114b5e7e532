"""100,000 records of all kinds, hard ones among them, through each format and back: equal, and in constant memory."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from itertools import islice

import duckdb
import pytest

from benchmarks.export import exported, used_by
from crawler.dataset.lines import Lines
from crawler.tables.duck import MEMORY_BYTES
from tests.support.hostile_records import again, lines, meant, write

pytestmark = pytest.mark.timeout(170)

MANY, FEW = 100_000, 10_000
MAY_GROW_BYTES = 24 << 20
"""By ten times the records: one bit each for `--where` and keys, and what an allocator does not give back."""


@pytest.fixture(scope="module")
def crawls(tmp_path_factory):
    """Directories with few pages and with many, the former the first of the latter."""
    folder = tmp_path_factory.mktemp("records")
    for name in ("few", "many"):
        (folder / name).mkdir()
    write(folder / "many/pages.jsonl", MANY, 1_000)
    with (folder / "few/pages.jsonl").open("wb") as file:
        file.writelines(line + b"\n" for line in islice(lines(folder / "many/pages.jsonl"), FEW))
    return folder / "few", folder / "many"


def of_parquet(path):
    with closing(duckdb.connect()) as connection:
        connection.execute("SET threads = 1")
        ((told,),) = connection.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'crawler.columns'", [str(path)]
        ).fetchall()
        types = {column["field"]: column["type"] for column in json.loads(told)}
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        while rows := found.fetchmany(500):
            yield from (again(dict(zip(types, row, strict=True)), types, nested_text=False) for row in rows)


def of_sqlite(path):
    with closing(sqlite3.connect(path)) as connection:
        types = dict(connection.execute('SELECT "field", "type" FROM _columns').fetchall())
        for row in connection.execute("SELECT * FROM pages"):
            yield again(dict(zip(types, row, strict=True)), types, nested_text=True)


def of_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def of_gzip(path):
    with gzip.open(path) as file:
        yield from map(meant, file)


def of_zstd(path):
    yield from map(meant, Lines(path))  # no other reader of it is at hand everywhere


READERS = {".parquet": of_parquet, ".sqlite": of_sqlite, ".csv": of_csv, ".jsonl.gz": of_gzip, ".jsonl.zst": of_zstd}


@pytest.mark.parametrize("suffix", READERS)
def test_a_hundred_thousand_records_come_back_equal_and_memory_does_not_grow_with_them(crawls, tmp_path, suffix):
    to = tmp_path / f"out{suffix}"
    more = ["--raw-cells"] * (suffix == ".csv")
    few, many = (exported(folder, to, *more)[1] for folder in crawls)
    assert many < few + MAY_GROW_BYTES, (few >> 20, many >> 20)
    count = 0
    for record, line in zip(READERS[suffix](to), lines(crawls[1] / "pages.jsonl"), strict=True):
        count += 1
        expected = meant(line)
        if suffix == ".csv":
            assert all(is_cell(record[name], value) for name, value in expected.items())
        else:
            assert record == expected
    assert count == MANY


def is_cell(text, value):
    if isinstance(value, str):
        return text == value
    if isinstance(value, int):
        return text == json.dumps(value)
    return json.loads(text, parse_float=Decimal) == value


def test_a_copied_question_takes_no_more_memory_than_duckdb_is_given(crawls, tmp_path):
    sql = "SELECT url, text FROM pages ORDER BY length(text) DESC, url"  # all of it is sorted
    _, used = used_by("query", str(crawls[1]), sql, "--exact", "--to", str(tmp_path / "sorted.parquet"))
    assert used < MEMORY_BYTES + (200 << 20), used >> 20
