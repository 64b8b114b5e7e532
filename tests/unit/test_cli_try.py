"""What `crawler try` prints of a file: readable at any width, and nothing in it that a terminal obeys."""

from __future__ import annotations

import json

import pytest

from crawler.cli import run
from crawler.cli.try_watch import stamp
from crawler.demo import shop
from tests.support.rules import configured

HOSTILE = (
    "<!doctype html><html lang='e\x1b[31mn'><title>T&#27;[31m\x07 \u202e\u200b</title>"
    "<meta property=og:title content='o\x1b[2J'>"
    '<script type="application/ld+json">{"@type": "Product", "name": "N\\u001b[2J\\u009b", "\\u009b": 1}</script>'
    "<body><div class='it\x1b[2Jem pri\\1ce price\\g<0>'><h1>H\x1b[2J 24.99</h1></div>"
    "<a href='/x\x1b[2J'>li\x1b[2Jnk</a><a href='http://h\x1bost/'>z</a><img src='/i\x1b.png' alt='\x9b2J'>"
)
FOR_HOSTILE = """
- name: a
  fields:
    t: title
    h: {css: h1, type: int}
    p: .price
    n: {json: name, in: "json_ld:Product"}
    all: {json: "@", in: "json_ld"}
  follow: [a, .nope]
"""
MISSED = """
- name: each_wrong
  each: article.prodct
  fields: {name: h2}
- name: match_wrong
  match: {css: article.prodct}
  fields: {name: h2}
- name: items_wrong
  each: article.product h2
  fields: {price: .price}
- name: json_wrong
  each: {json: offers, in: json_ld}
  fields: {price: {json: price}}
- name: long
  fields: {name: main article.product h2 a.a-class-name-that-fills-the-line-and-more-of-it-than-anyone-would-write}
"""


@pytest.fixture
def tried(tmp_path, monkeypatch, capsys):
    """Try a page under rules, in this process: (exit code, what is printed)."""

    def tried(html, rules, *options, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
        code = run(["try", "page.html", *options, "-c", "rules.yaml", "--set", "parse.backend=inline"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return tried


@pytest.mark.parametrize("options", [(), ("--json",), ("--suggest", "24.99"), ("--suggest", "24.99", "--json")])
def test_no_control_character_of_a_page_reaches_the_terminal(tried, options):
    code, said = tried(HOSTILE, FOR_HOSTILE, *options)
    assert code == 0
    assert [c for c in said if not c.isprintable() and c != "\n"] == []


def test_a_rule_that_is_proposed_shows_characters_that_nobody_sees(tried):
    cards = "".join(f"<div class=card><i data-\u200bq='7.{n}0'>é</i></div>" for n in range(3))
    _, said = tried(cards, "[]", "--suggest", "7.10")
    assert [c for c in said if not c.isprintable() and c != "\n"] == []
    (rule,) = configured(said.partition("# a rule, for a file of rules:\n")[2].partition("\n\n")[0])
    assert rule.fields["value"].attr == "data-\u200bq"


def test_what_is_escaped_in_json_means_the_same(tried):
    _, said = tried(HOSTILE, FOR_HOSTILE, "--json")
    page, end = json.JSONDecoder().raw_decode(said)
    assert page["json_ld"][0]["name"] == "N\x1b[2J\x9b"
    assert json.loads(said[end:].partition("\n}\n")[0] + "\n}")["_errors"][0]["field"] == "h"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_how_often_a_selector_matched_is_told_at_any_width(tried, width):
    _, said = tried(shop.find_page("/category/pens"), MISSED, width=width)
    lines = said[said.index("rule long") :].splitlines()
    assert lines[2].endswith("matches nothing")
    assert len(lines[2]) <= width
    assert lines[3].lstrip().startswith("but main article.product h2 matches 6: without")


def test_what_selects_items_and_pages_has_near_misses_too(tried):
    _, said = tried(shop.find_page("/category/pens"), MISSED)
    near = "but article.product matches 6: a class of the page like 'prodct'"
    lines = [line.strip() for line in said[said.index("rule each_wrong") :].splitlines()]
    assert lines[1:3] == ["each            css article.prodct matches nothing", near]
    assert lines[5:7] == ["match.css: article.prodct matches nothing", near]
    assert "each            css article.product h2 matches 6" in lines
    assert "but .price matches 6: on the page, but none within an item" in lines
    assert "each            json offers in json_ld matches nothing" in lines


def test_keys_without_a_value_stand_together_at_the_end(tried):
    _, said = tried("<p>x", "[]", width=60)
    empty, null = said[said.index("\nempty ") :].partition(" extracted in ")[0].split("\nnull ")
    assert {"opengraph,", "twitter,", "headings,", "truncated"} <= set(empty.split())
    assert {"title,", "author,", "html"} <= set(null.split())
    assert max(map(len, said.splitlines())) <= 60


def test_rule_files_that_are_named_are_watched_wherever_they_are(tmp_path):
    rules = tmp_path / "rules" / "shop.yaml"
    rules.parent.mkdir()
    rules.write_text("[more.yaml]")
    more = rules.parent / "more.yaml"
    more.write_text("[]")
    (config := tmp_path / "crawl.yaml").write_text("extract: {rules: [rules/shop.yaml, gone.yaml]}")
    stamps = [stamp(config)]
    for path, text in ((rules, "[ more.yaml]"), (more, "[shop.yaml]"), (tmp_path / "code.py", ""), (config, "{}")):
        path.write_text(text)
        stamps.append(stamp(config))
    assert len(set(stamps)) == len(stamps)
    config.unlink()
    assert stamp(config) != stamps[-1]


@pytest.mark.parametrize("item", ["page.html", "./example.org.html", "../a/b.json", "folder/page.xml.gz"])
def test_a_file_that_is_not_there_is_not_taken_for_a_host(tmp_path, monkeypatch, capsys, item):
    monkeypatch.chdir(tmp_path)
    assert run(["try", item]) == 2
    assert "No such file or directory: expected a page" in capsys.readouterr().err


def test_any_file_is_a_page_if_its_url_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "saved").write_text("<title>T</title>")
    monkeypatch.chdir(tmp_path)
    options = ["--set", "parse.backend=inline", "--url", "http://a.test/x"]
    assert run(["try", "saved", *options]) == 0
    assert "http://a.test/x" in capsys.readouterr().out
    assert run(["try", "gone", *options]) == 2
    assert run(["try", "http://a.test/", *options]) == 2
    assert "is for a file" in capsys.readouterr().err


def test_an_empty_example_is_refused(tried):
    assert tried("<p>x", "[]", "--suggest", " ") == (
        2,
        "crawler: an example is empty; expected a value that stands on the page\n",
    )


def test_a_function_of_ones_own_shows_what_it_yields_and_where_it_fails(tried, tmp_path):
    ready = "def ready(page):\n    yield {'name': page.first('h1')}\n"
    broken = "def broken(page):\n    raise ValueError('no \\x1b[2J')\n"
    (tmp_path / "try_function_of_test.py").write_text(ready + broken)
    code, said = tried("<h1>Lamp</h1>", "extract: {python: 'try_function_of_test:ready'}")
    assert (code, "ready: 1 record\n" in said, '{"name": "Lamp"}\n' in said) == (0, True, True)
    code, said = tried("<h1>Lamp</h1>", "extract: {python: 'try_function_of_test:broken'}")
    assert code == 3
    assert "ValueError: no \\x1b[2J at " in said
    assert "try_function_of_test.py:4 in broken" in said
    assert said.endswith("failed (parse_error: the parser raised an unexpected error)\n")


def test_a_page_that_fails_is_not_parsed_twice_to_suggest_nothing(tried, tmp_path, monkeypatch):
    (tmp_path / "try_failing_of_test.py").write_text("def broken(page):\n    raise ValueError\n")
    monkeypatch.setattr("crawler.cli.try_shown.tried", None)
    code, said = tried("<p>x", "extract: {python: 'try_failing_of_test:broken'}", "--suggest", "x")
    assert (code, said.count("failed (parse_error")) == (3, 1)


def test_an_answer_that_is_no_json_is_said_to_be_none(tmp_path, monkeypatch, capsys):
    (tmp_path / "page.json").write_text("{bad")
    (tmp_path / "rules.yaml").write_text("- {name: api, match: {type: json}, fields: {sku: {json: sku}}}")
    monkeypatch.chdir(tmp_path)
    run(["try", "page.json", "-c", "rules.yaml", "--set", "parse.backend=inline"])
    said = capsys.readouterr().out
    assert "rule api: 0 items, 0 records, 1 reject" in said
    assert "  reject 1        expected JSON: expected a colon at character 4\n" in said
