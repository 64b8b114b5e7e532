"""Everything that reads a crawl, or mends one, takes a generation that a refresh has made for what it is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import msgspec
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawler.cli import run
from crawler.dataset.why import explain
from crawler.report.collect import collect
from tests.support.killing import Crawl
from tests.support.refreshing import Generation, Refreshes
from tests.support.report_sums import agrees

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning"),  # of warcio's
]

KEPT = ("export.warc=true", 'export.files=["text/*"]')


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory):
    with Refreshes(tmp_path_factory.mktemp("read"), pages_per_host=12, more=KEPT) as refreshes:
        yield refreshes


@pytest.fixture
def made(refreshes, request):
    """A crawl's directory with its second generation in force."""
    with refreshes.copy(request.node.name[:60]) as crawl:
        assert crawl.complete().code == 0
        yield crawl.directory


def summary(directory):
    return msgspec.json.decode((directory / "summary.json").read_bytes())


def urls(directory, name):
    return [msgspec.json.decode(line)["url"] for line in (directory / f"{name}.jsonl").read_bytes().splitlines()]


def goes_on(directory, *arguments):
    life = Crawl(directory, arguments).complete()
    assert life.code == 0, life.stderr
    return life


def test_report_store_and_files_agree(made):
    report = collect(made, now=0.0)
    assert report.remarks == ()
    agrees(report, made)
    assert (report.generation, report.kept) == (2, report.outcomes["unchanged"])
    assert report.kept > 0
    assert report.seeds.fetched == report.seeds.given == 4
    assert (summary(made)["generation"], summary(made)["base"]) == (2, "crawl@1")


def test_repaired_it_has_every_page_once_though_nothing_can_be_carried_over_any_more(made):
    before = sorted(urls(made, "pages"))
    path = made / "pages.jsonl"
    os.truncate(path, path.stat().st_size // 2)
    goes_on(made, "--repair")
    assert sorted(urls(made, "pages")) == before
    report = collect(made, now=0.0)
    assert report.remarks == ()
    agrees(report, made)
    assert 0 < report.outcomes["unchanged"] < len(before)
    assert summary(made)["generation"] == 2


def test_repaired_without_its_store_it_is_the_same_generation_still(made, refreshes):
    before = sorted(urls(made, "pages"))
    (made / "crawl.db").unlink()
    goes_on(made, "--repair")
    assert sorted(urls(made, "pages")) == before
    assert summary(made)["generation"] == 2
    assert summary(made)["outcomes"]["unchanged"] == 0
    assert collect(made, now=0.0).remarks == ()
    assert Generation.of(made).answers == refreshes.whole.answers
    assert Crawl(made, ["--refresh"]).complete().code == 0
    assert summary(made)["generation"] == 3


def test_what_failed_is_tried_again_in_it(made):
    with closing(sqlite3.connect(made / "crawl.db")) as base:
        (failed,) = base.execute("SELECT count(*) FROM done WHERE outcome = 'failed'").fetchone()
    assert failed
    goes_on(made, "--retry-failed")
    assert summary(made)["generation"] == 2
    assert summary(made)["outcomes"]["failed"] == failed
    agrees(collect(made, now=0.0), made)


class _Options:
    verbose = False

    def __init__(self, inputs):
        self.inputs = inputs


def test_archive_is_whole_when_the_generation_before_is_gone(refreshes, capsys):
    with refreshes.copy("pruned") as crawl:
        crawl.arguments = ["--refresh", "--set=refresh.keep=0"]
        assert crawl.complete().code == 0
        directory = crawl.directory
        assert [path.name for path in directory.parent.iterdir()] == ["crawl"]
        archives = sorted((directory / "warc").glob("*.warc.gz"))
        checker = Checker(_Options([str(path) for path in archives]))
        checker.process_all()
        assert checker.exit_value == 0
        profiles, dates = set(), {}
        for path in archives:
            with path.open("rb") as file:
                for record in ArchiveIterator(file):
                    headers = record.rec_headers
                    if record.rec_type == "response":
                        dates.setdefault(headers["WARC-Target-URI"], set()).add(headers["WARC-Date"])
                    elif record.rec_type == "revisit":
                        profiles.add(headers["WARC-Profile"].rpartition("/")[2])
                        of = headers["WARC-Refers-To-Target-URI"]
                        assert headers["WARC-Refers-To-Date"] in dates[of], of
        assert profiles == {"server-not-modified", "identical-payload-digest"}
        capsys.readouterr()
        assert run(["reparse", str(directory), "--json"]) == 0
        told = msgspec.json.decode(capsys.readouterr().out)
        assert told["answers"] == len(urls(directory, "pages")) + len(urls(directory, "outcomes"))
        assert {
            name: found["changed"] + found["added"] + found["removed"] for name, found in told["differences"].items()
        } == {
            "pages": 0,
            "items": 0,
        }


def test_why_tells_since_when_a_page_is_as_it_is(made):
    records = [msgspec.json.decode(line) for line in (made / "pages.jsonl").read_bytes().splitlines()]
    facts = {record["url"]: explain(made, record["url"], 0.0) for record in records}
    unchanged = {url: found for url, found in facts.items() if found.outcome == "unchanged"}
    assert {found.reason for found in unchanged.values()} == {"not_modified", "same_content"}
    for record in records:
        found = facts[record["url"]]
        if found.outcome == "unchanged":
            assert found.last_visit.since == record["fetched_at"]
            assert bool(found.last_visit.asked_with) == (found.reason == "not_modified")
