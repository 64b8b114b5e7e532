"""What may be different when a crawl goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crawler.config.file import dump, loads
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError, CrawlerError
from crawler.reopen import load_stored
from crawler.resume import CONFIG, OUTPUT, changes, check_output, output_blob, stored_config


def config(text=""):
    return loads(text, "test").config


def told(before, now):
    return [str(change) for change in changes(config(before), config(now))]


@pytest.mark.parametrize("text", ["limits: {concurrency: 5}", "limits: {default: {delay: 2s}}"])
def test_nothing_changed_is_nothing_told(text):
    now = config(text)
    assert changes(stored_config({CONFIG: dump(now).encode()}), now) == changes(now, now) == []


def test_limits_fetch_robots_budget_parse_and_checkpoint_change_freely():
    now = """
    limits: {concurrency: 5, hosts: {"*.example.org": {delay: 2s}}}
    fetch: {timeout: 5s}
    robots: {obey: false}
    budget: {pages: 7}
    parse: {workers: 1}
    checkpoint: {every: 5s}
    """
    assert told("", now) == [
        "budget.pages: none -> 7",
        "checkpoint.every: 1s -> 5s",
        "fetch.timeout: 30s -> 5s",
        "limits.concurrency: 200 -> 5",
        'limits.hosts["*.example.org"].delay: none -> 2s',
        "parse.workers: auto -> 1",
        "robots.obey: true -> false",
    ]


def test_whether_there_is_a_report_may_change_though_what_else_is_written_may_not():
    assert told("", "export: {report: false}") == ["export.report: true -> false"]


def test_scope_may_change_and_what_follows_is_said():
    (line,) = told("", "scope: {max_depth: 3}")
    assert line.startswith("scope.max_depth: none -> 3 (")
    assert "refused" in line


def test_seeds_and_name_are_no_change():
    assert told("seeds: [https://a.test/]", "{name: other, seeds: [https://b.test/]}") == []


@pytest.mark.parametrize(
    ("now", "key"),
    [
        ("frontier: memory", "frontier"),
        ("urls: {sort_query: true}", "urls.sort_query"),
        ("extract: {links: false}", "extract.links"),
        ("export: {compress: gzip}", "export.compress"),
    ],
)
def test_what_tells_urls_and_records_apart_may_not_change(now, key):
    with pytest.raises(ConfigError, match=rf"^{key}: "):
        changes(config(""), config(now))


def test_secrets_are_not_shown_and_other_headers_are():
    assert told("", "fetch: {headers: {Authorization: Bearer hush, X-A: b}}") == [
        "fetch.headers.Authorization: none -> <left out>",
        "fetch.headers.X-A: none -> b",
    ]


def test_a_secret_is_no_change_only_because_it_was_not_stored():
    now = config('fetch: {hosts: {a.test: {auth: "u:hush"}}, proxy: "http://u:hush@p.test:1"}')
    stored = stored_config({CONFIG: dump(now).encode()})
    assert "hush" not in repr(stored)
    assert changes(stored, now) == []
    asked = config("fetch: {hosts: {a.test: {auth: 'u:${PASSWORD}'}}}")
    assert [str(change) for change in changes(stored, asked)] == [
        'fetch.hosts["a.test"].auth: <left out> -> u:${PASSWORD}',
        "fetch.proxy: http://u:<left out>@p.test:1 -> none",
    ]


def test_stored_configuration_comes_back():
    now = config("{seeds: [https://a.test/], limits: {concurrency: 3}}")
    assert changes(stored_config({CONFIG: dump(now).encode()}), now) == []
    assert stored_config({}) is None


def test_page_records_may_not_move():
    blobs = {CONFIG: b"", OUTPUT: output_blob(Path("out.jsonl"))}
    check_output(blobs, Path("out.jsonl"))
    check_output({}, Path("new.jsonl"))
    with pytest.raises(ConfigError, match=r"-o .*out\.jsonl"):
        check_output(blobs, None)
    with pytest.raises(ConfigError, match="no -o FILE"):
        check_output({CONFIG: b""}, Path("out.jsonl"))


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_crawl_that_was_killed_while_its_store_was_made_has_no_configuration_yet(tmp_path, mode):
    with closing(sqlite3.connect(tmp_path / "crawl.db")) as store:
        store.execute(f"PRAGMA journal_mode = {mode}")
        store.execute("PRAGMA user_version = 0")
        assert load_stored(CrawlDirectory(tmp_path)) is None


def test_another_database_is_no_store(tmp_path):
    with closing(sqlite3.connect(tmp_path / "crawl.db")) as store:
        store.execute("CREATE TABLE mine (a)")
    with pytest.raises(CrawlerError, match="is not a crawl's store"):
        load_stored(CrawlDirectory(tmp_path))
