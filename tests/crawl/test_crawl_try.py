"""`crawler try`: what one page gives and how its rules did, or in words why there is nothing."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
import time

import pytest

from crawler.cli import run
from crawler.demo import shop
from tests.crawl.conftest import COMMAND, Ran, environment, options
from tests.support.server import Server
from tests.support.web import Reply

pytestmark = pytest.mark.slow


class Site:
    """A page that is not there, one that leads to it, one that is no page, one that takes for ever."""

    def __init__(self):
        self.slow_asked = threading.Event()

    def respond(self, host, path, visit=1):
        if path == "/slow":
            self.slow_asked.set()
        replies = {
            "/missing": Reply(404),
            "/moved": Reply(301, (("Location", "/missing"),)),
            "/data": Reply(200, (("Content-Type", "text/csv"),), b"a,b"),
            "/slow": Reply(200, (("Content-Type", "text/html"),), b"<p>", delay_s=30.0),
        }
        if path in replies:
            return replies[path]
        answer = shop.respond(path)
        return Reply(answer.status, answer.headers, answer.body)


RULES = """
- name: products
  match: "*/category/*"
  each: article.product
  fields:
    name: h2
    price: {css: .prize, transform: [number], type: decimal, required: true}
  follow: [{css: "a[rel=next]", priority: 5}]
- name: posts
  match: "*/journal/*"
  fields: {title: h1}
"""


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def settings(site):
    """Options of `try` for a site on loopback."""
    with Server(site) as server:
        yield options(server, "limits.default.delay=0")[2:]


@pytest.mark.parametrize(
    ("path", "told", "printed"),
    [
        ("missing", "http://a.test/missing failed (http_404: Not Found)", 1),
        ("old-shop", "http://a.test/old-shop/welcome failed (redirect_loop: a redirect to a URL of its own chain", 2),
        ("moved", "http://a.test/missing failed (http_404: Not Found)", 2),
        ("data", "http://a.test/data fetched (not_html: a 2xx answer that is not HTML)", 1),
    ],
)
def test_a_url_without_a_record_is_explained_beside_its_json(crawler, settings, path, told, printed):
    ran = crawler(f"http://a.test/{path}", *settings, "--json", command="try")
    assert ran.code == 3
    assert ran.stderr.startswith(f"No page record: {told}")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout.count(b'"outcome"') == printed


@pytest.mark.parametrize("item", ["list.txt", "-", "ftp://x/y", "two words", "missing.txt"])
def test_anything_but_one_url_or_host_is_a_usage_error(here, tmp_path, item):
    (tmp_path / "list.txt").write_text("http://a.test/\n")
    ran = here(item)
    assert ran.code == 2
    assert ran.stdout == b""
    assert repr(item) in ran.stderr


def test_an_interrupted_try_exits_130(site, settings, tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "try", "http://a.test/slow", *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
    )
    assert site.slow_asked.wait(30)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # another one, as two of a kind may arrive as one
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Run `crawler try` in this process, for what needs no server: a process of its own takes most of a second."""

    def tried(*arguments):
        code = run(["try", *arguments, "--set=parse.backend=inline"])
        said = capsys.readouterr()
        return Ran(code, said.out.encode(), said.err, tmp_path)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tried


@pytest.fixture
def listing(tmp_path):
    """A page of the shop, as a file, and rules for it of which one field is wrong."""
    (tmp_path / "page.html").write_text(shop.find_page("/category/notebooks"))
    (tmp_path / "rules.yaml").write_text(RULES)
    return ("page.html", "--url", "http://shop.test/category/notebooks", "-c", "rules.yaml")


def test_a_person_reads_what_each_rule_did_and_what_it_nearly_matched(here, listing):
    ran = here(*listing)
    text = ran.stdout.decode()
    assert (ran.code, ran.stderr) == (0, "")
    for line in (
        "title           Notebooks - Alder & Reed",
        "  name            6 of 6: Pocket Notebook | Field Book | Dot Grid A5 | …",
        "                  css h2 matches 6",
        "                  css .prize matches nothing",
        "                    but .price matches 6: a class of the page like 'prize'",
        "  follow          a[rel=next]: 1 link, priority 5",
        "  followed        1 with priority 5, by rule products",
        "                  http://shop.test/category/notebooks?page=2",
        "  not followed    1 by robots.skip_rel: nofollow",
    ):
        assert line in text.splitlines()
    assert "rule products: 6 items, 0 records, 6 rejects" in text
    assert "rule posts: not for this page" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_same_as_json_is_the_lines_a_crawl_writes(here, listing, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES.replace(".prize", ".price"))
    ran = here(*listing, "--json")
    page, *items = _objects(ran.stdout.decode())
    assert page["title"] == "Notebooks - Alder & Reed"
    assert [item["_rule"] for item in items] == ["products"] * 6
    assert (items[0]["name"], items[0]["price"]) == ("Pocket Notebook", "6.50")


def test_a_page_is_fetched_once_and_scraped_by_a_whole_configuration(crawler, site, tmp_path):
    with Server(site) as server:
        given = options(server, "limits.default.delay=0")[2:]
        (tmp_path / "crawl.yaml").write_text("extract:\n  rules: rules.yaml\n")
        (tmp_path / "rules.yaml").write_text(RULES)
        ran = crawler("http://a.test/journal/why-paper-has-a-grain", "-c", "crawl.yaml", *given, command="try")
        asked = [hit.path for hit in server.log.of("a.test") if hit.path != "/robots.txt"]
    assert asked == ["/journal/why-paper-has-a-grain"]
    assert ran.code == 0
    assert b"rule posts: 1 item, 1 record, 0 rejects" in ran.stdout


def test_json_and_packed_files_are_pages_too(here, tmp_path):
    import gzip

    (tmp_path / "data.json.gz").write_bytes(gzip.compress(b'{"items": [{"sku": "a1"}, {"sku": "b2"}]}'))
    rules = "- {name: skus, match: {type: json}, each: items, fields: {sku: {json: sku}}}"
    (tmp_path / "rules.yaml").write_text(rules)
    ran = here("data.json.gz", "-c", "rules.yaml")
    assert (ran.code, ran.stderr) == (0, "")
    assert b"rule skus: 2 items, 2 records, 0 rejects" in ran.stdout
    assert here("data.json.gz").code == 3


def test_a_mistake_in_the_rules_is_told_with_its_place(here, listing, tmp_path):
    (tmp_path / "rules.yaml").write_text("- name: a\n  fields:\n    x: {css: 'a[['}\n")
    ran = here(*listing)
    assert ran.code == 2
    assert "rules.yaml:3:" in ran.stderr


def test_a_page_of_an_ended_crawl_is_tried_from_its_archive(crawler, here, site, tmp_path):
    with Server(site) as server:
        given = options(server, "export.warc=true", "scope.max_depth=0")
        assert crawler("http://a.test/category/pens", *given).code == 0
    (tmp_path / "rules.yaml").write_text(RULES.replace(".prize", ".price"))
    ran = here("crawl/http://a.test/category/pens", "-c", "rules.yaml")
    assert (ran.code, ran.stderr) == (0, "")
    assert b"rule products: 6 items, 6 records" in ran.stdout
    assert b"by scope.max_depth: 0" in ran.stdout
    unknown = here("crawl/http://a.test/nowhere")
    assert unknown.code == 2
    assert "its archive has no answer for http://a.test/nowhere" in unknown.stderr
    alone = here("crawl/")
    assert alone.code == 2
    assert "expected one of its pages: crawl/URL" in alone.stderr


def test_a_crawl_without_an_archive_says_how_to_have_one(crawler, here, settings):
    assert crawler("http://a.test/delivery", *settings, "--max-pages", "1", "--delay", "0").code == 0
    ran = here("crawl/http://a.test/delivery")
    assert ran.code == 2
    assert "export.warc: true" in ran.stderr


def test_watching_shows_the_page_again_when_its_rules_change(listing, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "try", *listing, "--watch"],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment(),
    )
    os.close(theirs)
    try:
        assert b".prize matches nothing" in _read_until(ours, b"watching rules.yaml")
        (tmp_path / "rules.yaml").write_text("- {name: products, fields: {name: 'h2[['}}")
        assert b"rules.yaml:1:" in _read_until(ours, b"watching rules.yaml")
        (tmp_path / "rules.yaml").write_text("extract: {python: 'nowhere:offers'}")
        assert b"nowhere" in _read_until(ours, b"watching rules.yaml")
        (tmp_path / "rules.yaml").write_text(RULES.replace(".prize", ".price"))
        assert b"6 items, 6 records, 0 rejects" in _read_until(ours, b"watching rules.yaml")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_examples_give_a_rule_that_another_try_accepts(crawler, site, tmp_path):
    with Server(site) as server:
        given = options(server, "limits.default.delay=0")[2:]
        url = "http://a.test/products/pocket-notebook"
        ran = crawler("--suggest", "6.50", "Pocket Notebook", url, *given, command="try")
        rule = ran.stdout.decode().partition("# a rule, for a file of rules:\n")[2].partition("\n\n")[0]
        (tmp_path / "rules.yaml").write_text(rule)
        tried = crawler(url, "-c", "rules.yaml", "--json", *given, command="try")
    assert (ran.code, ran.stderr) == (0, "")
    _, item = _objects(tried.stdout.decode())
    assert (item["price"], item["name"]) == ("6.50", "Pocket Notebook")


def test_several_pages_are_asked_for_by_one_crawl_within_its_delay(crawler, site):
    with Server(site) as server:
        given = [*options(server)[2:], "--set=limits.default.delay=300ms"]
        urls = [f"http://a.test/products/{name}" for name in ("pocket-notebook", "field-book")]
        ran = crawler("--suggest", "6.50", *urls, *given, command="try")
        hits, gap_s = server.log.of("a.test"), server.log.smallest_gap_s("a.test")
    assert ran.code == 0
    assert "matches 1, 1" in ran.stdout.decode()
    assert len(hits) == 3  # robots.txt once
    assert gap_s >= 0.3


def test_what_stands_nowhere_is_said(here, listing):
    ran = here(listing[0], "--suggest", "no such words")
    assert ran.code == 3
    assert "no such words stands on none of these pages" in ran.stdout.decode()


def _objects(text):
    """The JSON objects that follow one another in a text."""
    found, decoder = [], json.JSONDecoder()
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def _read_until(terminal, mark, within_s=15.0):
    """What a process writes to a terminal up to a line that holds `mark`."""
    read, deadline = b"", time.monotonic() + within_s
    while mark not in read:
        assert time.monotonic() < deadline, read
        read += os.read(terminal, 65536)
    return read
