"""The facts of a report, from directories of crawls that were made by hand, whole and damaged."""

from __future__ import annotations

import errno
import gzip
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from crawler.claims import claim
from crawler.config import CrawlConfig
from crawler.config.file import dump, loads
from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError
from crawler.extract.record import PageRecord
from crawler.models import Robots, RobotsFile
from crawler.plan import Plan
from crawler.report import collect_hosts, duplicates, lying, takes_long, write
from crawler.report.collect import collect
from crawler.report.collect_robots import robots_of
from crawler.report.lying import is_running
from crawler.url import canonicalize
from tests.support.large_crawl import BEGAN_AT, make
from tests.support.report_sums import adds_up, agrees
from tests.support.stores import HandMadeCrawl

PAGES = 400
ROOT = Path(__file__).parents[2]


def facts(folder, **more):
    return collect(folder, now=BEGAN_AT, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made") / "crawl", PAGES, hosts=30, words=20, links=5)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy, to be damaged."""
    return shutil.copytree(whole.folder, tmp_path / "crawl")


def told_of(folder, *parts, **more):
    """The report, whose remarks say each of these."""
    report = facts(folder, **more)
    for part in parts:
        assert [remark for remark in report.remarks if part in remark], report.remarks
    assert len(report.remarks) >= len(parts)
    return report


def test_what_was_made_is_what_is_told(whole):
    report = facts(whole.folder)
    agrees(report, whole.folder)
    assert report.remarks == ()
    assert report.pages == PAGES
    assert report.duplicates.pages == whole.duplicates
    assert report.n_dead_links == whole.dead
    assert {host.host: host.pages for host in report.hosts if host.pages} == whole.hosts
    assert (report.pending, report.hosts[0].pending, report.hosts[0].host) == (8, 8, "host-0.test")
    assert report.truncated == {"body": 8}
    assert set(report.languages) == {"en", "de", "fr", "ja", ""}
    assert set(report.content_types) == {"text/html", "application/xhtml+xml", ""}
    assert (report.stopped_by, report.elapsed_s, report.began_at) == ("budget.pages", 3600.0, BEGAN_AT)
    assert [run.ended for run in report.runs] == ["budget.pages"]
    assert len(report.biggest) == len(report.slowest) == 20
    assert report.biggest[0].body_bytes == max(page.body_bytes for page in report.biggest)
    assert 0 < len(report.timeline.pages) <= 240


def test_what_was_made_is_as_a_crawl_writes_it(whole):
    for line in (whole.folder / "pages.jsonl").read_bytes().splitlines():
        page = msgspec.json.decode(line, type=PageRecord)
        assert page.n_links == len({link.url for link in page.links})
        assert all(canonicalize(link.url) == link.url for link in page.links)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_report_of_100_000_pages_adds_up_and_takes_less_than_5_s_and_3_mb(tmp_path):
    made = make(tmp_path / "crawl", 100_000, words=60, links=10)
    assert takes_long(made.folder)
    began = time.process_time()  # of the processor: others may be busy beside this test
    report = write(made.folder)
    assert time.process_time() - began < 5
    assert (made.folder / "report.html").stat().st_size < 3_000_000
    agrees(report, made.folder)
    assert report.duplicates.pages == made.duplicates
    assert len(msgspec.json.encode(report)) < 500_000
    shutil.rmtree(made.folder)


def test_a_full_folder_for_temporary_files_costs_the_duplicates_alone(folder, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(duplicates, "_HELD_BYTES", 200)
    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    report = told_of(folder, "Which pages are duplicates is not known: ")
    agrees(report, folder)
    assert report.duplicates.groups == 0


def test_hosts_that_are_too_many_are_added_up(folder, monkeypatch):
    for module in (collect_hosts, lying):
        monkeypatch.setattr(module, "MAX_HOSTS", 4)
    report = facts(folder)
    adds_up(report)
    assert (len(report.hosts), report.n_hosts) == (4, 30)
    assert report.other_hosts.host == collect_hosts.OTHER_HOSTS
    (folder / "crawl.db").unlink()
    monkeypatch.setattr(collect_hosts, "MAX_TOLD_APART", 6)
    alone = told_of(folder, "the first 6 were told apart; how many there are is not known")
    assert len(alone.hosts) == 4
    assert sum(host.pages for host in (*alone.hosts, alone.other_hosts)) == PAGES
    monkeypatch.setattr(collect_hosts, "MAX_TOLD_APART", 30)  # all of them
    assert not [remark for remark in facts(folder).remarks if "told apart" in remark]


def test_each_pause_is_told_with_what_set_it(folder):
    config = """
    limits:
      default: {delay: 1s}
      hosts: {"host-1.test": {rate: 2/s}, "host-4.test": {delay: 100ms}}
      adaptive: {factor: 3}
    """
    (folder / "crawl.yaml").write_text(config)
    told = {host.host: (host.delay_s, host.why) for host in facts(folder).hosts}
    assert told["host-0.test"] == (2.0, "Crawl-delay of its robots.txt")
    assert told["host-1.test"] == (0.6000000000000001, "it takes 200ms to answer (limits.adaptive)")
    assert told["host-2.test"] == (1.0, "limits.default.delay")
    assert told["host-3.test"] == (8.0, "its errors (limits.adaptive)")
    (folder / "crawl.yaml").write_text(config.replace("{factor: 3}", "false"))
    told = {host.host: (host.delay_s, host.why) for host in facts(folder).hosts}
    assert told["host-1.test"] == (0.5, 'limits.hosts["host-1.test"].rate')
    assert told["host-3.test"] == (1.0, "limits.default.delay")


def test_requests_and_waiting_are_told_where_the_store_has_them(folder):
    with closing(sqlite3.connect(folder / "crawl.db", isolation_level=None)) as db:
        db.execute("UPDATE host SET requests = 12, waited_s = 12")
        host = facts(folder).hosts[0]
        assert (host.requests, host.waited_s) == (12, 12.0)
        for column in ("requests", "waited_s"):  # a store of an earlier version
            db.execute(f"ALTER TABLE host DROP COLUMN {column}")
    host = facts(folder).hosts[0]
    assert (host.requests, host.waited_s) == (None, None)


def test_how_often_fields_are_filled_is_not_known_where_nobody_counted(folder):
    for name in ("crawl.db", "summary.json"):
        (folder / name).unlink()
    (rule,) = facts(folder).rules
    assert (rule.records, rule.items) == (PAGES // 5, 0)
    assert [(field.name, field.filled) for field in rule.fields] == [("name", None), ("price", None)]


def cut(folder, name, share):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])


def test_pages_that_were_cut_off_are_said_to_be_missing(folder):
    cut(folder, "pages.jsonl", 0.5)
    report = told_of(folder, "pages.jsonl: has ", "crawl.db has 424 URLs as fetched")
    assert PAGES / 3 < report.pages < PAGES * 2 / 3
    assert report.admitted == sum(report.outcomes.values()) + report.pending


def test_lines_that_are_no_records_are_left_out(folder):
    lines = (folder / "pages.jsonl").read_bytes().split(b"\n")
    lines[7] = b"\x00" * len(lines[7])
    lines[9] = b'{"url": 3}'
    (folder / "pages.jsonl").write_bytes(b"\n".join(lines))
    report = told_of(folder, "2 lines are no records")
    assert report.pages == PAGES - 2


@pytest.mark.parametrize(
    ("name", "part"), [("pages.jsonl", "pages.jsonl: is not"), ("outcomes.jsonl", "s.jsonl: is n")]
)
def test_files_that_are_gone_are_missed(folder, name, part):
    (folder / name).unlink()
    report = told_of(folder, part)
    assert report.pages in (0, PAGES)


@pytest.mark.parametrize(
    "damage",
    [
        lambda store: store.write_bytes(b"\x7fELF" * 999),
        lambda store: store.write_bytes(store.read_bytes()[:9000]),
        lambda store: store.write_bytes(store.read_bytes()[:4096] + b"\xff" * 40_000),
    ],
    ids=["nothing of ours", "cut off", "overwritten"],
)
def test_a_damaged_store_leaves_what_files_tell(folder, damage):
    damage(folder / "crawl.db")
    report = told_of(folder, "made from the other files alone")
    adds_up(report)
    assert (report.pages, report.pending, report.state) == (PAGES, 8, "finished")
    assert report.elapsed_s == 3600.0


def test_no_store_no_summary_and_no_configuration_leave_the_records(folder):
    for name in ("crawl.db", "summary.json", "crawl.yaml"):
        (folder / name).unlink()
    report = told_of(folder, "crawl.yaml: is not there")
    adds_up(report)
    assert (report.pages, report.state, report.config) == (PAGES, "unfinished", "")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("summary.json", b"{", "not the summary of a crawl"),
        ("summary.json", b'{"outcomes": {"f\xffd": 1}}', "not the summary of a crawl"),
        ("crawl.yaml", b"limits: [", "crawl.yaml"),
        ("crawl.yaml", b"\xff\xfe\x00", "crawl.yaml"),
        ("runs.jsonl", b"nonsense\n", "1 line is no record"),
        ("product.jsonl", b"[1]\n\n", "lines are no records"),
    ],
)
def test_what_else_is_damaged_is_a_remark(folder, name, content, part):
    (folder / name).write_bytes(content)
    if name == "product.jsonl":
        (folder / "crawl.db").unlink()
    told_of(folder, part)


def test_a_damaged_compressed_file_is_read_up_to_there(folder):
    (folder / "crawl.db").unlink()
    packed = [gzip.compress(line + b"\n") for line in (folder / "pages.jsonl").read_bytes().splitlines()]
    packed[50] = packed[50][:20] + b"\x00" * 20 + packed[50][40:]
    (folder / "pages.jsonl.gz").write_bytes(b"".join(packed))
    with pytest.raises(CrawlerError, match="both there"):
        facts(folder)
    (folder / "pages.jsonl").unlink()
    report = told_of(folder, "what comes after is left out")
    assert report.pages == 50


async def test_a_crawl_that_has_only_begun_has_a_report(tmp_path):
    crawl = await HandMadeCrawl(tmp_path / "crawl").open("https://a.test/")
    await crawl.commit()
    report = facts(tmp_path / "crawl")
    adds_up(report)
    assert (report.admitted, report.pending, report.began_at, report.runs) == (1, 1, None, ())
    await crawl.frontier.aclose()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_damaged_there_is_a_report_or_a_clear_error(folder, seed):
    draw = random.Random(seed)
    for _ in range(draw.choice([1, 1, 3])):
        path = draw.choice(sorted(path for path in folder.iterdir() if path.is_file()))
        content = bytearray(path.read_bytes())
        start, end = sorted(draw.randrange(len(content) + 1) for _ in range(2))
        match draw.randrange(4):
            case 0:
                del content[start:]
            case 1:
                content[start : start + 200] = draw.randbytes(draw.randrange(200))
            case 2:
                content[start:start] = content[start:end]
            case 3:
                content = re.sub(rb"(?<=:)[0-9.]+", draw.choice([b"-1", b"1e308", b"null", b"[]"]), content, count=3)
        path.write_bytes(content)
    with suppress(CrawlerError):
        report = facts(folder)
        assert report.admitted == sum(report.outcomes.values()) + report.pending
        assert msgspec.json.encode(report)


@pytest.mark.parametrize("files", [(), ("notes.txt", "report.html"), ("crawl.yaml",)])
def test_where_no_crawl_lies_there_is_no_report(tmp_path, files):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(ConfigError, match="holds no crawl"):
        facts(tmp_path)


def test_an_empty_store_beside_nothing_is_a_crawl_that_never_began(tmp_path):
    (tmp_path / "crawl.db").touch()
    (tmp_path / "crawl.yaml").write_text(dump(CrawlConfig()))
    assert facts(tmp_path).admitted == 0


def test_runs_are_told_as_they_were_noted(folder):
    rows = [
        {"run": 1, "event": "began", "at": "2027-01-15T08:00:00.000Z", "command": ["crawler", "crawl", "a b"],
         "version": "crawler 1.0", "more": 1},
        {"run": 2, "event": "began", "at": "2027-01-15T09:00:00.000Z", "command": []},
        {"run": 2, "event": "ended", "at": "2027-01-15T09:00:05.000Z", "ended": "budget.pages"},
        {"run": 9, "event": "ended", "at": "2027-01-15T09:00:05.000Z", "ended": "complete"},
    ]  # fmt: skip
    (folder / "runs.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows) + b'{"torn')
    report = facts(folder)
    first, second = report.runs
    assert (first.command, first.version, first.ended, first.ended_at) == (
        "crawler crawl 'a b'",
        "crawler 1.0",
        None,
        None,
    )
    assert (second.ended, second.ended_at - second.began_at) == ("budget.pages", 5.0)
    assert report.began_at == first.began_at


def test_verdicts_on_robots_are_told_in_words_those_that_kept_most_out_first():
    files = [
        RobotsFile(origin="https://a.test", expires_at=0.0, robots=Robots(rules=((False, "/x"),), sitemaps=("s",))),
        RobotsFile(origin="https://b.test", expires_at=0.0, robots=Robots(rules=((True, "/"),), crawl_delay_s=3.0)),
        RobotsFile(origin="https://c.test", expires_at=0.0, robots=Robots(rules=((False, "/"),))),
        RobotsFile(origin="https://d.test", expires_at=0.0, closed="robots_unreachable"),
        RobotsFile(origin="https://e.test", expires_at=0.0, robots=Robots(missing="status 503"), closed="x"),
    ]  # fmt: skip
    told = robots_of(files, {"https://c.test": 7, "https://z.test": 9})
    assert [(one.origin[8], one.verdict, one.disallowed) for one in told] == [
        ("z", "not stored", 9),
        ("c", "disallows all", 7),
        ("b", "allows all", 0),
        ("a", "rules", 0),
        ("d", "disallows all: robots_unreachable", 0),
        ("e", "status 503", 0),
    ]


HOLDER = """
import sys
from pathlib import Path
from crawler.directory import CrawlDirectory
with CrawlDirectory(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""
ASKER = """
import sys
from pathlib import Path
from crawler.directory import CrawlDirectory
from crawler.report.lying import is_running
print(is_running(CrawlDirectory(Path(sys.argv[1]))))
"""


def test_a_directory_held_by_another_process_is_told_and_none_is_held_by_asking(tmp_path):
    directory = CrawlDirectory(tmp_path)
    assert not is_running(directory)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert is_running(directory)
        holder.communicate()
    assert not is_running(directory)


def test_asking_whether_we_hold_a_directory_does_not_let_go_of_it(tmp_path):
    directory = CrawlDirectory(tmp_path)
    with directory.lock():
        assert is_running(directory)
        asked = subprocess.run([sys.executable, "-c", ASKER, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    assert asked.stdout == b"True\n"


def test_the_report_is_one_of_the_crawls_files_and_goes_when_it_goes_on(folder):
    directory = CrawlDirectory(folder)
    directory.report.write_text("<!doctype html>")
    assert directory.report in directory.files()
    assert directory.owns(directory.report)
    directory.reopen()
    assert not directory.report.exists()
    assert directory.state() is State.UNFINISHED


def test_a_report_that_is_no_crawls_is_not_overwritten(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(ConfigError, match="is not a crawl's"), claim(CrawlDirectory(tmp_path)):
        pass


def test_at_the_end_of_a_crawl_its_configuration_is_known_without_reading_it(tmp_path):
    config = loads(
        "{seeds: [a.test], limits: {concurrency: 3}, fetch: {headers: {Authorization: hush}}}", "test"
    ).config
    plan = Plan(config=config, directory=CrawlDirectory(tmp_path), seeds=("https://a.test/",))
    assert plan.written_config() == loads(dump(plan.effective_config()), "crawl.yaml").config
    assert replace(plan, resume=True).written_config() is None


def test_configurations_and_their_seeds_are_cut_where_they_are_endless(folder):
    seeds = [f"https://a.test/{number}" for number in range(10_000)]
    (folder / "crawl.yaml").write_text(dump(CrawlConfig(seeds=tuple(seeds))))
    report = told_of(folder, "of which the first are shown")
    assert (len(report.config), report.seeds.n_items, len(report.seeds.items)) == (200_000, 10_000, 50)
    assert loads(dump(CrawlConfig()), "test").config.export.report
