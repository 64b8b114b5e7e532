"""Crawls that scrape, by rules and by a function of one's own, as their users run them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from crawler.dataset.records import scraped as items
from tests.crawl.conftest import COMMAND, environment, options
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

RULES = """
extract:
  rules:
    - name: product
      match: "*/p/*"
      unique: [sku]
      fields:
        sku: {css: .sku, required: true}
        name: h1
        price: {css: .price, type: float}
"""
FUNCTION = """
from crawler import Follow

def offers(page):
    if page.url.endswith("/p/3"):
        raise ValueError("no third")
    if page.url.endswith("/hang"):
        while True:
            pass
    for node in page.css("h1"):
        yield {"name": node.text(), "kind": page.kind}
    if page.url.endswith("/p/1"):
        print("what is printed here is nobody's")
        yield Follow("/hidden", priority=1, carry={"from": page.url})
    if page.carried:
        yield {"carried": page.carried["from"]}
"""


class Shop:
    """Ten products, of which two share a number, one has none and one costs a word."""

    def respond(self, host, path, visit):
        if path == "/":
            body = "".join(f"<a href=/p/{n}>x</a>" for n in range(10)) + "<h1>Shop</h1>"
        elif path.startswith("/p/"):
            n = int(path[3:])
            sku = "" if n == 5 else f"<b class=sku>S{n % 9}</b>"
            body = f"<h1>Lamp {n}</h1>{sku}<i class=price>{'dear' if n == 4 else n}</i>"
        elif path in ("/hidden", "/hang"):
            body = "<h1>Hidden</h1>"
        else:
            return Reply(404)
        return Reply(200, (("Content-Type", "text/html; charset=utf-8"),), body.encode())


@pytest.fixture
def shop():
    with Server(Shop()) as server:
        yield server


def configured(folder, text, function=""):
    conf = folder / "conf"
    conf.mkdir()
    (conf / "crawl.yaml").write_text(text)
    if function:
        (conf / "mine.py").write_text(function)
    return conf / "crawl.yaml"


def test_rules_leave_records_rejects_a_summary_and_an_export(crawler, shop, tmp_path):
    done = crawler("http://a.test/", "-c", configured(tmp_path, RULES), *options(shop))
    assert done.code == 0, done.stderr
    records = done.lines("product.jsonl")
    assert sorted((record["sku"], record["name"]) for record in records) == sorted(
        (f"S{n % 9}", f"Lamp {n}") for n in range(10) if n not in (4, 5)
    )
    assert {record["_url"].rpartition("/")[2] for record in done.lines("product.rejects.jsonl")} == {"4", "5"}
    assert "Rule product: 8 records, 2 rejects\n" in done.stderr
    assert "  product.jsonl          8 records of rule product\n" in done.stderr
    summary = json.loads((done.directory / "summary.json").read_text())
    assert summary["rules"]["product"]["hosts"]["a.test"]["fill"]["sku"] == 0.9
    assert sorted(record["sku"] for record in items(done.directory, "product")) == sorted(r["sku"] for r in records)
    out = tmp_path / "out.jsonl"
    exported = crawler(done.directory, "product", "--to", out, command="export")
    assert exported.code == 0, exported.stderr
    assert exported.stderr == "7 records; 1 dropped, as others have the same sku and a smaller URL\n"
    urls = [json.loads(line)["_url"] for line in out.read_text().splitlines()]
    assert "http://a.test/p/0" in urls
    assert "http://a.test/p/9" not in urls


def test_page_records_that_go_elsewhere_leave_those_of_rules_where_they_are(crawler, shop, tmp_path):
    config, out = configured(tmp_path, RULES), tmp_path / "pages.jsonl"
    done = crawler("http://a.test/", "-c", config, "-o", out, *options(shop))
    assert done.code == 0, done.stderr
    assert len(out.read_text().splitlines()) == 11
    assert len(done.lines("product.jsonl")) == 8
    taken = crawler("http://a.test/", "-c", config, "-o", done.directory / "product.jsonl", "--fresh", *options(shop))
    assert taken.code == 2
    assert "is a file of the crawl directory itself" in taken.stderr
    streamed = crawler("http://a.test/", "-c", config, "-o", "-", *options(shop), directory="other")
    assert len(streamed.stdout.splitlines()) == 11
    assert len(streamed.lines("product.jsonl")) == 8


@pytest.mark.parametrize("name", ["product.jsonl", "product.rejects.jsonl", "files.jsonl"])
def test_a_damaged_file_is_refused_by_name_and_repaired_where_asked(crawler, shop, tmp_path, name):
    config = configured(tmp_path, RULES)
    arguments = ["http://a.test/", "-c", config, *options(shop, 'export.files=["*/p/*"]')]
    done = crawler(*arguments)
    assert done.code == 0, done.stderr
    path = done.directory / name
    before = {
        file: sorted(line["path" if file == "files.jsonl" else "_url"] for line in done.lines(file))
        for file in ("product.jsonl", "product.rejects.jsonl", "files.jsonl")
    }
    assert len(before["files.jsonl"]) == 10
    path.write_bytes(path.read_bytes()[:-5])
    refused = crawler(*arguments, "--resume")
    assert refused.code == 1
    assert str(name) in refused.stderr
    assert "--repair" in refused.stderr
    again = crawler(*arguments, "--repair")
    assert again.code == 0, again.stderr
    assert f"{name} is not whole beyond byte" in again.stderr
    for file, lines in before.items():
        assert sorted(line["path" if file == "files.jsonl" else "_url"] for line in again.lines(file)) == lines
    assert "Rule product: 8 records, 2 rejects\n" in again.stderr
    assert len(again.pages) == 11


LISTINGS = """
extract:
  rules:
    - name: listed
      match: "*/list*"
      each: .item
      fields: {name: h2, price: i, note: p}
      follow:
        - {css: a, url: ["*/p/*"], priority: 20, carry: [name, price, note]}
        - {css: a.next, priority: 5}
      skip: ["*/p/*7", {css: footer}]
    - name: detail
      match: "*/p/*"
      fields: {name: h1, listed_name: {carried: name}, listed_price: {carried: price, type: int}}
      follow: []
"""


class Listings:
    """Six pages of ten items. The third item of each is marked nofollow, the note of the fifth is too long to carry."""

    def respond(self, host, path, visit):
        if path.startswith("/list"):
            page = int(path.partition("=")[2] or 0)
            body = "".join(self.item(10 * page + n) for n in range(10)) + "<footer><a href=/p/900>x</a></footer>"
            body += f"<a class=next href='?n={page + 1}'>x</a>" if page < 5 else ""
        elif path.startswith("/p/"):
            n = int(path[3:])
            body = f"<h1>Lamp {n}</h1><a href=/p/{n + 1}>x</a><a href=/list>x</a><a href=/other/{n}>x</a>"
        else:
            return Reply(404)
        return Reply(200, (("Content-Type", "text/html; charset=utf-8"),), body.encode())

    @staticmethod
    def item(n):
        rel, note = "rel=nofollow" * (n % 10 == 3), "x" * 20_000 * (n % 10 == 5)
        links = f"<a {rel} href='/p/{n}#top'>x</a><a href=/cart/{n}>x</a>"
        return f"<div class=item><h2>Lamp {n}</h2><i>{2 * n}</i><p>{note}</p>{links}</div>"


def test_exactly_the_links_of_the_rules_are_followed_with_what_they_carry_after_a_resume_too(crawler, tmp_path):
    config = configured(tmp_path, LISTINGS)
    with Server(Listings()) as server:
        begun = crawler("http://a.test/list", "-c", config, "--max-pages", 12, *options(server))
        assert begun.code == 0, begun.stderr
        assert 0 < len(begun.lines("detail.jsonl")) < 12
        done = crawler("-c", config, "--resume", "--set", "budget.pages=null", *options(server))
        assert done.code == 0, done.stderr
        asked = [hit.path for hit in server.log.hits if hit.path != "/robots.txt"]
    wanted = [n for n in range(60) if n % 10 not in (3, 5, 7)]
    assert sorted(asked) == sorted(["/list", *(f"/list?n={n}" for n in range(1, 6)), *(f"/p/{n}" for n in wanted)])
    records = sorted((line["listed_price"], line["name"], line["listed_name"]) for line in done.lines("detail.jsonl"))
    assert records == [(2 * n, f"Lamp {n}", f"Lamp {n}") for n in wanted]
    assert len(done.lines("listed.jsonl")) == 60
    refused = json.loads((done.directory / "summary.json").read_text())["refusals"]
    assert refused == {
        "robots.skip_rel: nofollow": 6,
        "rules.listed.carry": 6,
        "rules.listed.skip": 6,
        "rules.listed.follow": 66,
        "rules.detail.follow": 3 * len(wanted),
    }


def test_changed_rules_are_refused_at_a_resume_by_name(crawler, shop, tmp_path):
    config = configured(tmp_path, RULES)
    assert crawler("http://a.test/", "-c", config, "--max-pages", 2, *options(shop)).code == 0
    config.write_text(RULES.replace("css: .price", "css: .cost"))
    refused = crawler("-c", config, "--resume", *options(shop))
    assert refused.code == 2
    assert "extract.rules" in refused.stderr
    assert ".cost" in refused.stderr
    assert ".price" in refused.stderr
    config.write_text(RULES)
    again = crawler("-c", config, "--resume", "--set", "budget.pages=null", *options(shop))
    assert again.code == 0, again.stderr
    assert len(again.lines("product.jsonl")) == 8


@pytest.mark.parametrize("backend", ["process", "thread", "inline"])
def test_a_function_of_ones_own_gives_records_and_links_and_fails_its_page_only(crawler, shop, tmp_path, backend):
    config = configured(tmp_path, "extract: {python: 'mine:offers'}\n", FUNCTION)
    done = crawler("http://a.test/", "-c", config, *options(shop, f"parse.backend={backend}"))
    assert done.code == 0, done.stderr
    lines = done.lines("offers.jsonl")
    assert sorted(line["name"] for line in lines if "name" in line) == sorted(
        ["Shop", "Hidden", *(f"Lamp {n}" for n in range(10) if n != 3)]
    )
    assert [line["carried"] for line in lines if "carried" in line] == ["http://a.test/p/1"]
    assert done.endings()["http://a.test/p/3"] == ("failed", "parse_error")
    log = (done.directory / "crawl.log").read_text()
    assert "ValueError: no third at " in log
    assert f"{config.parent}/mine.py:6 in offers: raise ValueError" in log
    assert "Rule offers: 12 records" in done.stderr
    assert done.stdout == b"what is printed here is nobody's\n" * (backend != "process")


def test_a_function_is_found_again_from_another_folder(crawler, shop, tmp_path):
    config = configured(tmp_path, "extract: {python: 'mine:offers'}\n", FUNCTION)
    assert crawler("http://a.test/", "-c", config, "--max-pages", 2, *options(shop)).code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = subprocess.run(
        [*COMMAND, "crawl", "-d", "../crawl", "--resume", "--set", "budget.pages=null"],
        cwd=elsewhere,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    names = [json.loads(line).get("name") for line in (tmp_path / "crawl" / "offers.jsonl").read_text().splitlines()]
    assert len(names) == len(set(names) - {None}) + 1


def test_a_function_that_hangs_meets_the_deadline(crawler, shop, tmp_path):
    config = configured(tmp_path, "extract: {python: 'mine:offers'}\nparse: {deadline: 500ms}\n", FUNCTION)
    done = crawler("http://a.test/hang", "-c", config, *options(shop))
    assert done.endings() == {"http://a.test/hang": ("failed", "parse_deadline")}


@pytest.mark.parametrize(
    ("function", "told"),
    [("def offers(page: return\n", "SyntaxError"), ("def other(page): ...\n", "module mine has no offers")],
)
def test_a_function_that_cannot_be_loaded_is_told_before_anything_is_made(crawler, shop, tmp_path, function, told):
    config = configured(tmp_path, "extract: {python: 'mine:offers'}\n", function)
    done = crawler("http://a.test/", "-c", config, *options(shop))
    assert done.code == 2
    assert told in done.stderr
    assert not done.directory.exists()
    assert not shop.log.hits


def test_a_script_without_a_guard_may_crawl_with_a_function(shop, tmp_path):
    (tmp_path / "mine.py").write_text(FUNCTION)
    script = f"""
        from crawler import CrawlConfig, crawl
        from crawler.config import ExtractConfig, FetchConfig
        config = CrawlConfig(
            extract=ExtractConfig(python="mine:offers"),
            fetch=FetchConfig(resolve={{"*.test": "127.0.0.1:{shop.port}"}}),
        )
        result = crawl("http://a.test/hidden", config, directory="out")
        print(result.rules["offers"].records)
    """
    (tmp_path / "run.py").write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"1\n"), done.stderr
    source = (tmp_path / "run.py").read_bytes()  # as a notebook: there is no file of the main module
    done = subprocess.run(
        [sys.executable, "-"],
        input=source.replace(b'"out"', b'"out2"'),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"1\n"), done.stderr


def test_the_crawl_that_fresh_moved_aside_is_what_a_new_one_is_held_against(crawler, tmp_path):
    class Site:
        changed = False

        def respond(self, host, path, visit):
            links = "".join(f"<a href=/p/{n}>x</a>" for n in range(60)) if path == "/" else ""
            body = f"{links}<h1>x</h1><b class={'id' if self.changed else 'sku'}>S</b>"
            return Reply(200, (("Content-Type", "text/html"),), body.encode())

    site = Site()
    rules = RULES.replace(", required: true", "")
    config = configured(tmp_path, rules)
    with Server(site) as server:
        assert crawler("http://a.test/", "-c", config, *options(server)).code == 0
        site.changed = True
        done = crawler("http://a.test/", "-c", config, "--fresh", *options(server))
    assert done.code == 0, done.stderr
    assert "Rules find less than before:\n  product.sku is filled in 0.0% of records, and was in 100.0% " in done.stderr
    assert Path(done.directory / "product.jsonl").exists()
