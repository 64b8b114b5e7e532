"""Records written to a file of one's own, each key once."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from crawler.cli import export as command
from crawler.cli import run
from crawler.config import CrawlConfig, ExtractConfig, RuleConfig
from crawler.config.file import dump
from crawler.dataset import unique as uniques
from crawler.dataset.exported import written
from crawler.dataset.unique import unique
from crawler.errors import ConfigError, CrawlerError

RULE = RuleConfig(name="product", fields={"sku": ".sku", "n": ".n"}, unique=("sku",))


def line(url, **fields):
    return msgspec.json.encode({"_url": f"https://shop.test/{url}", "_rule": "product", **fields})


LINES = [
    line("b", sku="x", n=1),
    line("c", sku="y", n=2),
    line("a", sku="x", n=3),
    line("a", sku="x", n=4),
    line("d", sku=None, n=5),
    line("d", n=6),
    line("e", sku="y", n=7),
]


@pytest.fixture
def crawl(tmp_path):
    folder = tmp_path / "crawl"
    folder.mkdir()
    (folder / "crawl.yaml").write_text(dump(CrawlConfig(extract=ExtractConfig(rules=(RULE,)))))
    (folder / "product.jsonl").write_bytes(b"\n".join((*LINES, b"")))
    (folder / "pages.jsonl").write_bytes(b'{"url":"https://shop.test/"}\n')
    return folder


def numbers(data):
    return [msgspec.json.decode(one)["n"] for one in data.splitlines()]


def kept(lines, key):
    found = unique(lines, key, "file")
    assert found.records == len(lines)
    numbers = [number for number in range(len(lines)) if number in found]
    assert found.dropped == len(lines) - len(numbers)
    return numbers


def test_of_a_key_the_record_with_the_smallest_url_is_kept_and_of_one_page_the_first():
    assert kept(LINES, ["sku"]) == [1, 2, 4, 5]


def test_records_without_any_field_of_the_key_are_no_doubles():
    assert kept([line("a"), line("b"), line("a", sku=None)], ["sku", "brand"]) == [0, 1, 2]


def test_of_pages_that_share_a_key_the_one_with_the_smallest_url_is_kept_too():
    pages = [b'{"url":"https://a.test/b","title":"x"}', b'{"url":"https://a.test/a","title":"x"}']
    kept = unique(pages, ["title"], Path("pages.jsonl"))
    assert [number in kept for number in range(2)] == [False, True]


def test_keys_of_several_fields_are_alike_only_in_all_of_them():
    lines = [line("c", a="1", b=None), line("b", a="1"), line("a", a="1", b="2"), line("d", a='1","b":"2')]
    assert kept(lines, ["a", "b"]) == [1, 2, 3]


def test_no_records_are_no_trouble():
    assert kept([], ["sku"]) == []


def test_what_is_kept_does_not_depend_on_the_order_in_which_pages_came(monkeypatch):
    monkeypatch.setattr(uniques, "PARTS", 4)
    draw = random.Random(3)
    pages = [
        [line(f"p{page}", sku=draw.randrange(300), n=(page, n)) for n in range(draw.randrange(5))]
        for page in range(500)
    ]
    expected = None
    for _ in range(3):
        draw.shuffle(pages)
        lines = [one for page in pages for one in page]
        chosen = {lines[number] for number in kept(lines, ["sku"])}
        assert chosen == (expected := expected or chosen)


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"sku":1', b"\xff", b'{"_url":1,"sku":1}'])
def test_a_line_that_is_no_record_is_named(bad):
    with pytest.raises(CrawlerError, match=r"^file:2: not a record: "):
        unique([line("a", sku=1), bad], ["sku"], "file")


def export(*arguments):
    done = CliRunner().invoke(command.export, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_export_writes_jsonl_and_says_how_many_it_dropped(crawl, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text("older\n")
    done = export(crawl, "product", "--to", out)
    assert numbers(out.read_bytes()) == [2, 3, 5, 6]
    assert done.stderr == "4 records; 3 dropped, as others have the same sku and a smaller URL\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", "out.jsonl"]


def test_export_may_keep_all_or_go_by_other_fields(crawl, tmp_path):
    out = tmp_path / "out.jsonl"
    assert export(crawl, "product", "--to", out, "--all").stderr == "7 records\n"
    assert numbers(out.read_bytes()) == [1, 2, 3, 4, 5, 6, 7]
    export(crawl, "product", "--to", out, "--unique", "_url")
    assert numbers(out.read_bytes()) == [1, 2, 3, 5, 7]


def test_export_packs_as_the_name_says(crawl, tmp_path):
    export(crawl, "product", "--to", tmp_path / "out.jsonl.gz")
    assert numbers(gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes())) == [2, 3, 5, 6]
    export(crawl, "pages", "--to", tmp_path / "pages.jsonl.zst")


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["gzip", "zstd"])
def test_no_records_are_a_whole_file_to_the_tools_that_unpack_it(crawl, tmp_path, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    (crawl / "product.jsonl").write_bytes(b"")
    to = tmp_path / ("out.jsonl.gz" if tool == "gzip" else "out.jsonl.zst")
    export(crawl, "product", "--to", to)
    assert subprocess.run([tool, "-dc", to], check=True, capture_output=True).stdout == b""


def test_export_writes_to_standard_output(crawl, capfdbinary):
    assert run(["export", str(crawl), "product"]) == 0
    out, err = capfdbinary.readouterr()
    assert numbers(out) == [2, 3, 5, 6]
    assert err.startswith(b"4 records; 3 dropped")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("product", "--to", "out.xlsx"),
            "a name that ends with .jsonl, .jsonl.gz, .jsonl.zst, .csv, .csv.gz, .csv.zst, .parquet, .sqlite, .db, or",
        ),
        (("product", "--to", "out.jsonl", "--raw-cells"), "--raw-cells: is for .csv"),
        (("product", "--raw-cells"), "--raw-cells: is for --to FILE.csv"),
        (("prodct",), "has no records of 'prodct'; expected pages, product"),
        (("../crawl/product",), "has no records of '../crawl/product'"),
        (("product", "--unique", "sku", "--all"), "expected one of them"),
        (("product", "--unique", "skv"), "rule product has no such field; expected "),
    ],
)
def test_what_cannot_be_meant_is_refused(crawl, arguments, told):
    with pytest.raises(ConfigError) as caught:
        export(crawl, *arguments)
    assert told in str(caught.value)


def test_a_file_of_the_crawl_itself_is_not_written_over(crawl):
    for name in ("product.jsonl", "pages.jsonl"):
        with pytest.raises(ConfigError, match="is a file of the crawl itself"):
            export(crawl, "product", "--to", crawl / name)
    assert numbers((crawl / "product.jsonl").read_bytes()) == [1, 2, 3, 4, 5, 6, 7]


def test_what_fails_half_way_leaves_nothing_under_the_final_name(crawl, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text("older\n")
    with (crawl / "product.jsonl").open("ab") as file:
        file.write(b"{broken\n")
    with pytest.raises(CrawlerError, match=r"product\.jsonl:8: not a record"):
        export(crawl, "product", "--to", out)
    with pytest.raises(TypeError), written(out) as write:
        write([b"{}", None])
    assert out.read_text() == "older\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", "out.jsonl"]
