"""Records through Parquet, SQLite, CSV and JSON Lines and back; questions to a crawl in SQL."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crawler.cli import run
from crawler.config import CrawlConfig, ExtractConfig, FieldConfig, RuleConfig
from crawler.config.file import dump
from crawler.dataset.beside import beside, draft_in
from crawler.errors import CrawlerError
from crawler.tables import connect
from crawler.tables.parquet import COLUMNS_KEY
from tests.support.hostile_records import again, lines, meant, write

RULES = (
    RuleConfig(
        name="product",
        unique=("sku",),
        fields={
            "sku": ".sku",
            "Price": FieldConfig(css=".p", type="decimal"),
            "price": FieldConfig(css=".q", type="float"),
            "stock": FieldConfig(css=".s", type="int"),
            'odd "name".x': FieldConfig(css=".o", type="int", many=True),
            "offers": FieldConfig(fields={"by": ".b", "n": FieldConfig(css=".n", type="int")}, many=True, css=".f"),
            "any": FieldConfig(css=".any", transform=("strip",)),
            "never": FieldConfig(css=".never", type="int"),
        },
    ),
)
ITEMS = [
    {"sku": "a", "Price": "1.10", "price": 1.0, "stock": 2**63 - 1, 'odd "name".x': [1, 2], "any": 7},
    {
        "sku": "b",
        "Price": None,
        "price": 2.5,
        "offers": [{"by": "x", "n": 3}],
        "any": [1, {"b": 123456789012345678901}],
    },
    {"sku": "b", "Price": "x", "price": 1e300, "any": "text"},
    {"sku": None, "Price": "", "price": None, "any": None, "added": True},
]


@pytest.fixture(scope="module")
def crawl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables") / "crawl"
    folder.mkdir()
    (folder / "crawl.yaml").write_text(dump(CrawlConfig(extract=ExtractConfig(rules=RULES))))
    write(folder / "pages.jsonl", 60)
    items = [{"_url": f"https://a.test/{n}", "_rule": "product", **item} for n, item in enumerate(ITEMS)]
    (folder / "product.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
    (folder / "outcomes.jsonl").write_text("")
    (folder / "summary.json").write_text("{}")
    return folder


def parquet(path):
    """The rows of a Parquet file, and its columns' types."""
    with closing(duckdb.connect()) as connection:
        ((told,),) = connection.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?", [str(path), COLUMNS_KEY]
        ).fetchall()
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        columns = json.loads(told)
        assert names == [column["name"] for column in columns]
        fields = [column["field"] for column in columns]
        types = dict(zip(fields, (column["type"] for column in columns), strict=True))
        return [dict(zip(fields, row, strict=True)) for row in found.fetchall()], types


def sqlite(path, table):
    with closing(sqlite3.connect(path)) as connection:
        told = connection.execute('SELECT "field", "type" FROM _columns WHERE "table" = ?', (table,)).fetchall()
        rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
        return [dict(zip((name for name, _ in told), row, strict=True)) for row in rows], dict(told)


@pytest.mark.parametrize("name", ["pages", "product"])
def test_records_come_back_from_parquet_as_they_were(crawl, tmp_path, name):
    to = tmp_path / "out.parquet"
    assert run(["export", str(crawl), name, "--all", "--to", str(to)]) == 0
    rows, types = parquet(to)
    assert [again(row, types, nested_text=False) for row in rows] == [*map(meant, lines(crawl / f"{name}.jsonl"))]


@pytest.mark.parametrize("name", ["pages", "product"])
def test_records_come_back_from_sqlite_as_they_were(crawl, tmp_path, name):
    to = tmp_path / "out.sqlite"
    assert run(["export", str(crawl), "--all", "--to", str(to)]) == 0
    rows, types = sqlite(to, name)
    assert [again(row, types, nested_text=True) for row in rows] == [*map(meant, lines(crawl / f"{name}.jsonl"))]


def test_records_come_back_from_raw_csv_as_they_were(crawl, tmp_path):
    to = tmp_path / "out.csv"
    assert run(["export", str(crawl), "pages", "--raw-cells", "--to", str(to)]) == 0
    _, types = parquet_types(crawl, tmp_path)
    with to.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, line in zip(rows, lines(crawl / "pages.jsonl"), strict=True):
        for name, value in meant(line).items():
            text = types[name] == "VARCHAR"
            assert (row[name] if text else json.loads(row[name], parse_float=Decimal)) == value


def parquet_types(crawl, tmp_path):
    run(["export", str(crawl), "pages", "--to", str(tmp_path / "types.parquet")])
    return parquet(tmp_path / "types.parquet")


def test_a_rule_decides_the_types_of_its_columns_whatever_its_records_hold(crawl, tmp_path):
    run(["export", str(crawl), "product", "--to", str(tmp_path / "p.parquet")])
    with closing(duckdb.connect()) as connection:
        rows = connection.execute(f"DESCRIBE FROM '{tmp_path}/p.parquet'").fetchall()
    types = {name: type_ for name, type_, *_ in rows}
    assert types["never"] == types["stock"] == "BIGINT"
    assert (types["Price"], types["price_2"], types["any"], types["added"]) == (
        "VARCHAR",
        "DOUBLE",
        "VARCHAR",
        "BOOLEAN",
    )
    assert types['odd "name".x'] == "BIGINT[]"
    assert types["offers"] in ("STRUCT(by VARCHAR, n BIGINT)[]", 'STRUCT("by" VARCHAR, n BIGINT)[]')


def test_no_records_still_have_columns(crawl, tmp_path):
    run(["export", str(crawl), "--to", str(tmp_path / "outcomes.parquet")])
    with closing(duckdb.connect()) as connection:
        rows = connection.execute(f"DESCRIBE FROM '{tmp_path}/outcomes.parquet'").fetchall()
        assert connection.execute(f"SELECT count(*) FROM '{tmp_path}/outcomes.parquet'").fetchone() == (0,)
    assert [row[:2] for row in rows][:4] == [
        ("url", "VARCHAR"),
        ("outcome", "VARCHAR"),
        ("reason", "VARCHAR"),
        ("status", "BIGINT"),
    ]


CHANGED = {"url": "https://a.test/", "change": "changed", "fields": [], "items": {"product": {"added": 1}}}


@pytest.mark.parametrize(
    ("name", "record", "column", "type_"),
    [
        ("changes", CHANGED, "similarity", "DOUBLE"),
        ("changes", CHANGED, "change", "VARCHAR"),
        ("runs", {"event": "began", "run": 1}, "ended", "VARCHAR"),
        ("runs", {"event": "began", "run": 1}, "event", "VARCHAR"),
        ("ranks", {"url": "https://a.test/", "rank": 1}, "rank", "DOUBLE"),
        ("keywords", {"url": "https://a.test/"}, "keywords", "STRUCT(term VARCHAR, score DOUBLE)[]"),
        ("dead_links", {"url": "https://a.test/"}, "gone", "BOOLEAN"),
    ],
)
@pytest.mark.parametrize("is_empty", [False, True])
def test_all_files_of_the_crawlers_own_have_published_types(crawl, tmp_path, name, record, column, type_, is_empty):
    folder = tmp_path / "crawl"
    shutil.copytree(crawl, folder)
    (folder / f"{name}.jsonl").write_text("" if is_empty else f"{json.dumps(record)}\n")
    with connect(folder) as connection:
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
        rows = connection.execute(f"FROM {name}").fetchall()
    assert types[column].replace('"', "") == type_
    assert len(rows) == (not is_empty)


def test_a_rule_that_has_the_name_of_a_mined_file_keeps_its_own_types(crawl, tmp_path):
    folder = tmp_path / "crawl"
    shutil.copytree(crawl, folder)
    rule = RuleConfig(name="ranks", fields={"rank": ".r"})
    (folder / "crawl.yaml").write_text(dump(CrawlConfig(extract=ExtractConfig(rules=(rule,)))))
    (folder / "ranks.jsonl").write_text('{"_url":"https://a.test/","_rule":"ranks","rank":"first"}\n')
    with connect(folder) as connection:
        assert connection.execute("SELECT rank FROM ranks").fetchall() == [("first",)]


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("status", "1.5", "expected a whole number, not 1.5"),
        ("body_bytes", "9223372036854775808", "of at most 64 bits"),
        ("title", '"\\ud800"', "half a character"),
        ("h1", '["a",1]', "no VARCHAR[]"),
        ("elapsed_s", "1e400", "that a float can hold"),
        ("elapsed_s", "9007199254740993", "a float would lose digits"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_by_file_and_line(crawl, tmp_path, capfd, suffix, field, value, told):
    folder = tmp_path / "crawl"
    folder.mkdir()
    first, second, *_ = lines(crawl / "pages.jsonl")
    record = json.loads(second)
    record[field] = "HERE"
    (folder / "pages.jsonl").write_bytes(first + b"\n" + json.dumps(record).replace('"HERE"', value).encode() + b"\n")
    assert run(["export", str(folder), "pages", "--to", str(tmp_path / f"out{suffix}")]) == 1
    said = capfd.readouterr().err
    assert f"pages.jsonl:2: field '{field}' does not fit" in said
    assert told in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl"]


def test_where_chooses_records_and_leaves_them_as_they_are(crawl, capfdbinary):
    assert run(["export", str(crawl), "pages", "--where", "depth > 3 -- deep"]) == 0
    out = capfdbinary.readouterr().out.splitlines()
    assert out == [line for line in lines(crawl / "pages.jsonl") if json.loads(line)["depth"] > 3]


def test_of_records_with_one_key_one_is_kept_among_those_that_where_chooses(crawl, capfdbinary):
    sql = ["--where", "price_2 > 2.5 OR sku = 'a'", "--select", "sku, price_2 AS p"]
    assert run(["export", str(crawl), "product", *sql]) == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert rows == [{"sku": "a", "p": 1.0}, {"sku": "b", "p": 1e300}]


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite", ".csv.gz", ".jsonl.zst"])
def test_select_writes_columns_of_ones_own_in_each_format(crawl, tmp_path, suffix):
    to = tmp_path / f"out{suffix}"
    assert run(["export", str(crawl), "pages", "--to", str(to), "--select", "depth AS d, sum(depth) OVER () AS s"]) == 0
    source = {".sqlite": None}.get(suffix, str(to))
    if source is None:
        with closing(sqlite3.connect(to)) as connection:
            rows = connection.execute("SELECT d, s FROM result").fetchall()
    else:
        with closing(duckdb.connect()) as connection:
            rows = connection.execute(f"SELECT d, s FROM '{source}'").fetchall()
    depths = [json.loads(line)["depth"] for line in lines(crawl / "pages.jsonl")]
    assert rows == [(depth, sum(depths)) for depth in depths]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_parquet('https://example.test/x.parquet')",
        "SELECT * FROM glob('/*')",
        "COPY pages TO 'stolen.csv'",
        "COPY pages TO '{crawl}/pages.jsonl' (USE_TMP_FILE false)",
        "EXPLAIN ANALYZE COPY pages TO '{crawl}/pages.jsonl' (USE_TMP_FILE false)",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '1TB'",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t (a INT)",
        "",
    ],
)
def test_sql_reaches_no_other_file_and_no_network(crawl, tmp_path, monkeypatch, capfd, sql):
    monkeypatch.chdir(tmp_path)
    before = (crawl / "pages.jsonl").read_bytes()
    assert run(["query", str(crawl), sql.replace("{crawl}", str(crawl))]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "crawler: query: " in err
    assert (crawl / "pages.jsonl").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--where", "--select"])
@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0",
        "1 FROM pages; COPY pages TO 'x.csv'; SELECT 1",
        "1 = 1); ATTACH 'x.db'; SELECT (1",
        "urll",
    ],
)
def test_nor_does_an_expression_of_an_export(crawl, tmp_path, monkeypatch, capfd, option, sql):
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(crawl), "pages", option, sql, "--to", "out.jsonl"]) == 2
    assert f"crawler: {option} " in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_column_is_told_with_one_that_is_like_it(crawl, capfd):
    assert run(["query", str(crawl), "SELECT titel FROM pages"]) == 2
    said = capfd.readouterr().err
    assert '"title"' in said
    assert "\n  pages: url, status, depth" in said
    assert run(["query", str(crawl), "SELECT * FROM page"]) == 2
    assert "did you mean the table pages?" in capfd.readouterr().err


def counted(folder, capfd):
    assert run(["query", str(folder), "SELECT count(*) AS n FROM pages"]) == 0
    return json.loads(capfd.readouterr().out)["n"]


@pytest.mark.parametrize("tail", [b"", b'{"url":"torn', b'{"url":"https://a.test/no-newline"}'])
@pytest.mark.parametrize("finished", [True, False])
def test_pages_are_as_many_as_the_file_has_whole_lines(crawl, tmp_path, capfd, tail, finished):
    folder = tmp_path / "some[1]*@2"
    shutil.copytree(crawl, folder)
    with (folder / "pages.jsonl").open("ab") as file:
        file.write(tail)
    if not finished:
        (folder / "summary.json").unlink()
    assert counted(folder, capfd) == 60


def test_compressed_pages_count_as_far_as_members_are_closed(crawl, tmp_path, capfd):
    folder = tmp_path / "packed"
    shutil.copytree(crawl, folder)
    data = (folder / "pages.jsonl").read_bytes()
    (folder / "pages.jsonl").unlink()
    (folder / "pages.jsonl.gz").write_bytes(gzip.compress(data) + gzip.compress(data)[:-30])
    assert counted(folder, capfd) == 60


def test_links_come_from_pages_where_they_have_no_file(crawl, capfd):
    assert run(["query", str(crawl), "SELECT count(*) AS n FROM links"]) == 0
    links = sum(len(json.loads(line)["links"] or ()) for line in lines(crawl / "pages.jsonl"))
    assert json.loads(capfd.readouterr().out) == {"n": links}


@pytest.mark.parametrize("more", [("links", "--to"), ("--to",)])
def test_links_are_exported_from_pages_where_they_have_no_file(crawl, tmp_path, capfd, more):
    to = tmp_path / "links.parquet"
    assert run(["export", str(crawl), *more, str(to)]) == 0
    run(["query", str(crawl), "SELECT * FROM links"])
    asked = list(map(json.loads, capfd.readouterr().out.splitlines()))
    run(["export", str(crawl), "links", "--where", "source <> ''"])
    assert list(map(json.loads, capfd.readouterr().out.rstrip("\n").split("\n"))) == asked
    with closing(duckdb.connect()) as connection:
        found = connection.execute(f"SELECT source, target, text, rel FROM '{to}'").fetchall()
    assert found == [tuple(link.values()) for link in asked]
    assert len(found) > 20


@pytest.fixture
def elsewhere(crawl, tmp_path):
    """A crawl whose page records are in a file of another folder."""
    folder = tmp_path / "crawl"
    shutil.copytree(crawl, folder)
    (folder / "pages.jsonl").rename(tmp_path / "out.jsonl")
    return folder, tmp_path / "out.jsonl"


@pytest.mark.parametrize("is_known", [False, True])
def test_page_records_are_found_where_an_output_file_has_them(elsewhere, tmp_path, capfd, is_known, monkeypatch):
    folder, pages = elsewhere
    if is_known:  # by the store
        monkeypatch.setattr("crawler.tables.catalog.pages_elsewhere", lambda _: pages)
    more = [] if is_known else ["--pages", str(pages)]
    assert run(["query", str(folder), "SELECT count(*) AS n FROM pages", *more]) == 0
    assert json.loads(capfd.readouterr().out) == {"n": 60}
    assert run(["export", str(folder), *more]) == 0
    assert capfd.readouterr().out == pages.read_text()
    with connect(folder, pages=None if is_known else pages, exact=True) as connection:
        assert connection.sql("SELECT count(*) FROM pages").fetchall() == [(60,)]
    before = pages.read_bytes()
    assert run(["export", str(folder), "--to", str(pages), *more]) == 2
    assert run(["query", str(folder), "SELECT 1", "--to", str(pages), *more]) == 2
    assert pages.read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [("export",), ("query", "FROM pages"), ("query", "FROM links"), ("export", "links")]
)
def test_where_no_page_records_are_an_option_is_told_that_says_where(elsewhere, capfd, arguments):
    command, *others = arguments
    assert run([command, str(elsewhere[0]), *others]) == 2
    assert "--pages FILE" in capfd.readouterr().err


def test_free_json_that_duckdb_does_not_read_is_text_of_it(crawl, capfd):
    assert run(["query", str(crawl), "SELECT json_ld FROM pages WHERE json_ld IS NOT NULL"]) == 0
    told = [json.loads(json.loads(line)["json_ld"]) for line in capfd.readouterr().out.splitlines()]
    meant_ = [json.loads(line)["json_ld"] for line in lines(crawl / "pages.jsonl")]
    assert told == [value for value in meant_ if value is not None]
    assert "half \ud800 a character" in [one for value in told for one in value]


def test_without_sql_tables_are_listed(crawl, capfd):
    assert run(["query", str(crawl)]) == 0
    listed = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(one["table"], one["rows"]) for one in listed][:4] == [
        ("pages", 60),
        ("outcomes", 0),
        ("product", 4),
        ("links", sum(len(json.loads(line)["links"] or ()) for line in lines(crawl / "pages.jsonl"))),
    ]
    assert run(["query", str(crawl), "--format", "table"]) == 0
    assert "pages: 60 rows\n  url  " in capfd.readouterr().out


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) AS n FROM pages p JOIN pages USING (url)", 60),
        ("SELECT count(*) AS n FROM pages NATURAL JOIN outcomes", 0),
        ("WITH a AS (SELECT url FROM pages) SELECT count(*) AS n FROM a JOIN pages USING (url)", 60),
        ("SELECT count(*) AS n FROM query_table('pages')", 60),
        ("SELECT count(*) AS n FROM (DESCRIBE product) WHERE column_name = 'never'", 1),
        ("SELECT count(*) AS n FROM information_schema.tables WHERE table_name = 'pages'", 1),
    ],
)
def test_a_question_may_name_tables_in_any_way(crawl, capfd, sql, expected):
    assert run(["query", str(crawl), sql]) == 0
    assert json.loads(capfd.readouterr().out)["n"] == expected


def test_a_file_of_somebody_else_spoils_no_list_and_no_question(crawl, tmp_path, capfd):
    folder = tmp_path / "crawl"
    shutil.copytree(crawl, folder)
    (folder / "notes.jsonl").write_text("no record\n")
    shutil.copy(crawl / "product.jsonl", folder / "a'b\"; drop.jsonl")
    assert run(["query", str(folder)]) == 0
    told = capfd.readouterr()
    assert [json.loads(line)["table"] for line in told.out.splitlines()][:1] == ["pages"]
    assert "notes: cannot be asked" in told.err
    assert "notes.jsonl:1" in told.err
    assert run(["query", str(folder), 'SELECT count(*) AS n FROM "a\'b""; drop"']) == 0
    assert json.loads(capfd.readouterr().out) == {"n": len(ITEMS)}


def test_a_full_disk_is_told_of_by_the_file_that_does_not_fit(crawl, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("crawler.tables.views.spool", fails)
    assert run(["query", str(crawl), "FROM product", "--exact"]) == 1
    told = capfd.readouterr().err
    assert "crawler-" in told
    assert "TMPDIR" in told
    monkeypatch.setattr("crawler.tables.exporting._native", fails_as_sqlite)
    assert run(["export", str(crawl), "product", "--to", str(tmp_path / "out.sqlite")]) == 1
    assert "out.sqlite: cannot be written: database or disk is full" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def fails(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fails_as_sqlite(*_):
    raise sqlite3.OperationalError("database or disk is full")


def test_what_pages_say_does_not_reach_a_terminal_as_commands(crawl, capfd):
    sql = "SELECT 'a\x1b[2J' || chr(10) || chr(8238) || 'b' AS \"x\x1b\", 3 AS n, NULL AS z"
    for shown in ("table", "csv"):
        assert run(["query", str(crawl), sql, "--format", shown]) == 0
        out = capfd.readouterr().out
        assert shown == "csv" or "\x1b" not in out
    assert run(["query", str(crawl), sql, "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out) == [{"x\x1b": "a\x1b[2J\n\u202eb", "n": 3, "z": None}]


def test_sql_may_come_from_a_file(crawl, tmp_path, capfd):
    (tmp_path / "q.sql").write_text("SELECT 1 AS one -- a comment\n;\n")
    assert run(["query", str(crawl), "-f", str(tmp_path / "q.sql")]) == 0
    assert capfd.readouterr().out == '{"one":1}\n'


def test_a_program_asks_a_crawl_too(crawl):
    with closing(connect(crawl, tables=["pages"], exact=True)) as connection:
        assert connection.execute("SELECT count(DISTINCT url) FROM pages").fetchone() == (60,)
    with closing(connect(crawl, tables=["product"], exact=True)) as connection:
        assert connection.execute("SELECT sku FROM product").fetchall() == [("a",), ("b",), ("b",), (None,)]


def test_a_file_of_the_crawl_is_not_written_over(crawl, capfd):
    assert run(["query", str(crawl), "SELECT 1", "--to", str(crawl / "pages.jsonl")]) == 2
    assert "is a file of the crawl itself" in capfd.readouterr().err


def crawler(*arguments, **more):
    # a shell that runs tests in the background has it ignored, which a child inherits
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    made = subprocess.Popen(
        [sys.executable, "-m", "crawler", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )
    signal.signal(signal.SIGINT, before)
    return made


@pytest.mark.slow
def test_ctrl_c_ends_a_query_at_once(crawl):
    busy = "SELECT 0 AS n UNION ALL SELECT count(*) FROM range(100000000000) t(x) WHERE x % 7 = x % 9"
    with crawler("query", crawl, busy) as process:
        wait_until(lambda: len([*Path(f"/proc/{process.pid}/task").iterdir()]) > 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130


def wait_until(holds):
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        os.sched_yield()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".sqlite", ".csv", ".jsonl.zst"])
def test_a_killed_export_leaves_no_half_file_and_the_next_one_tidies_up(tmp_path, suffix):
    folder = tmp_path / "crawl"
    folder.mkdir()
    write(folder / "pages.jsonl", 3_000, 2_000)
    to = tmp_path / f"out{suffix}"
    with crawler("export", folder, "pages", "--to", to) as process:
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob("out*.crawl-new/*")))
        process.kill()
    assert not to.exists()
    assert len(list(tmp_path.glob("out*.crawl-new"))) == 1
    assert run(["export", str(folder), "pages", "--where", "depth = 1", "--to", str(to)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", to.name]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_part_of_an_export(tmp_path, number):
    folder = tmp_path / "crawl"
    folder.mkdir()
    write(folder / "pages.jsonl", 3_000, 2_000)
    with crawler("export", folder, "pages", "--to", tmp_path / "out.csv") as process:
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob("out*.crawl-new/*")))
        process.send_signal(number)
        assert process.wait(10) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["crawl"]


def test_two_exports_to_one_file_do_not_disturb_each_other(tmp_path):
    to = tmp_path / "out.csv"
    with beside(to) as first:
        draft_in(first).write_text("first")
        with beside(to) as second:
            assert first.is_dir()
            draft_in(second).write_text("second")
        assert to.read_text() == "second"
    assert to.read_text() == "first"
    with pytest.raises(CrawlerError, match="cannot be written"), beside(tmp_path / "none" / "out.csv"):
        pass


def test_without_duckdb_what_needs_it_says_how_to_get_it(crawl, tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for arguments in (
        ["query", str(crawl), "SELECT 1"],
        ["export", str(crawl), "--to", str(tmp_path / "pages.parquet")],
    ):
        assert run(arguments) == 2
        assert "pip install 'crawler[data]'" in capfd.readouterr().err
    assert run(["export", str(crawl), "--to", str(tmp_path / "all.sqlite")]) == 0
    assert run(["export", str(crawl), "product", "--to", str(tmp_path / "product.csv")]) == 0
