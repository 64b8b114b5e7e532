"""The report of a refresh: what it kept counts as unchanged, and tells nothing of how fast the crawl was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec
import pytest

from crawler.clock import rfc3339
from crawler.report.collect import collect
from crawler.report.page import html
from tests.support.large_crawl import BEGAN_AT, make
from tests.support.report_sums import adds_up

PAGES = 400
HALF_S = 1800.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A generation whose first 200 pages are as the one before has fetched them."""
    folder = make(tmp_path_factory.mktemp("made") / "crawl", PAGES, hosts=30, words=20, links=5).folder
    with closing(sqlite3.connect(folder / "crawl.db")) as base:
        kept = "has_page AND id <= 200"
        base.execute(f"UPDATE done SET outcome = 'unchanged', reason = 'not_modified', status = 304 WHERE {kept}")
        base.execute(f"UPDATE done SET reason = 'not_due', status = NULL WHERE {kept} AND id <= 50")
        base.execute("UPDATE tally SET urls = urls - 200 WHERE outcome = 'fetched'")
        base.execute("INSERT OR REPLACE INTO tally VALUES ('unchanged', 200)")
        base.execute("INSERT INTO blob VALUES ('generation', ?)", (b'{"number":3}',))
        base.commit()
    run = {"run": 1, "event": "began", "at": rfc3339(BEGAN_AT + HALF_S), "command": ["crawler"], "version": "x"}
    (folder / "runs.jsonl").write_bytes(msgspec.json.encode(run) + b"\n")
    return folder


@pytest.fixture(scope="module")
def report(folder):
    return collect(folder, now=BEGAN_AT + 2 * HALF_S)


def test_files_and_store_agree_on_what_has_not_changed(report):
    assert report.remarks == ()
    assert report.outcomes["unchanged"] == 200
    assert report.pages == PAGES
    assert (report.generation, report.kept) == (3, 200)
    adds_up(report)


def test_its_reasons_are_told_though_no_line_has_them(report):
    unchanged = {reason.reason: reason for reason in report.reasons if reason.outcome == "unchanged"}
    assert {name: reason.count for name, reason in unchanged.items()} == {"not_modified": 150, "not_due": 50}
    assert all(len(reason.examples) == 3 for reason in unchanged.values())


def test_the_timeline_and_the_times_of_answers_are_of_this_generation_alone(report):
    assert sum(report.timeline.pages) == report.latency.count == 200
    assert report.timeline.began_at >= BEGAN_AT  # of outcomes
    assert report.began_at == BEGAN_AT + HALF_S


def test_the_page_tells_how_it_was_found_unchanged(report):
    page = html(report).decode()
    assert "Generation 3. Of 400 pages, 200 are as the generation before has fetched them" in page
    assert "Of 200 unchanged URLs, 150 answered 304, 0 sent the same again, 50 were not asked for." in page


def test_without_its_store_the_dates_of_records_tell_them_apart(folder, tmp_path):
    for path in folder.iterdir():
        if path.name != "crawl.db":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    summary = msgspec.json.decode((tmp_path / "summary.json").read_bytes())
    (tmp_path / "summary.json").write_bytes(msgspec.json.encode(summary | {"generation": 3}))
    report = collect(tmp_path, now=BEGAN_AT)
    assert (report.kept, report.outcomes["unchanged"]) == (200, 200)
