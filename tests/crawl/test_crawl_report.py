"""`crawler report` and report.html: of crawls that have ended, run, were interrupted, killed, damaged."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler import crawl as crawl_here
from crawler.cli import run
from crawler.config.file import loads
from crawler.report import put
from crawler.report.collect import collect
from crawler.report.facts import Report
from tests.crawl.conftest import COMMAND, environment, in_folder, options, start
from tests.support.report_sums import adds_up, agrees
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

WEB = Web(
    hosts=3,
    pages_per_host=60,
    error_share=0.1,
    redirect_share=0.1,
    private_share=0.1,
    file_share=0.1,
)
EXPECTED = WEB.expected(stay_on_host=True)
RULES = "extract.rules=[{name: things, fields: {title: {css: title}, first: {css: a, required: true}, none: .nothing}}]"
STORE = "frontier=sqlite"


@pytest.fixture(scope="module")
def server():
    with Server(WEB) as server:
        yield server


def seeds():
    return [*WEB.seeds(), "two words"]


def facts(folder, **more):
    return collect(folder, now=time.time(), **more)


def asked(folder, *arguments):
    """`crawler report crawl ARGUMENTS`."""
    return in_folder(folder)("crawl", *arguments, command="report")


@pytest.fixture(scope="module")
def crawled(server, tmp_path_factory):
    """A folder with a crawl that has ended."""
    folder = tmp_path_factory.mktemp("report")
    ran = in_folder(folder)(*seeds(), *options(server, STORE, RULES))
    assert ran.code == 0, ran.stderr
    assert "report.html     this and more as a page, for a browser" in ran.stderr
    return folder


def test_counts_of_a_crawl_that_has_ended_add_up_with_its_files_store_and_summary(crawled):
    report = facts(crawled / "crawl")
    agrees(report, crawled / "crawl")
    assert report.admitted == len(EXPECTED)
    assert report.remarks == ()
    assert (report.state, report.complete, report.pending) == ("finished", True, 0)
    assert (report.seeds.given, report.seeds.bad, report.seeds.fetched) == (4, 1, 3)
    assert [given for given, _ in report.seeds.bad_examples] == ["argument 4: two words"]


def test_each_dead_link_is_there_with_the_pages_that_link_to_it(crawled):
    report = facts(crawled / "crawl")
    dead = {url for url, end in EXPECTED.items() if end.reason == "http_404"}
    assert report.n_dead_links == len(dead)
    lines = [(crawled / "crawl" / name).read_bytes().splitlines() for name in ("pages.jsonl", "outcomes.jsonl")]
    pages, ends = [[msgspec.json.decode(line) for line in some] for some in lines]
    for link in report.dead_links:
        linking = {page["url"] for page in pages if link.url in [target["url"] for target in page["links"]]}
        (via,) = [end["via"] for end in ends if end["url"] == link.url]  # which may link to what redirects there
        assert link.linked_from[0] == via
        assert set(link.linked_from) <= linking | {via}
        assert link.n_linked_from == len(linking | {via})
        dead.remove(link.url)
    assert not dead


def test_what_rules_found_is_told_with_samples_and_rejects(crawled):
    (rule,) = facts(crawled / "crawl").rules
    fields = {field.name: field for field in rule.fields}
    assert rule.pages == rule.records + rule.rejects == rule.items > 0
    assert fields["title"].filled == rule.pages
    assert fields["title"].samples
    assert (fields["none"].filled, fields["none"].samples) == (0, ())
    if rule.rejects:
        assert rule.rejected[0][0].startswith("first: expected ")


def test_pace_robots_and_links_kept_out_are_told_with_their_why(crawled):
    report = facts(crawled / "crawl")
    assert [(host.delay_s, host.why) for host in report.hosts] == [(0.0, "limits.default.delay")] * 3
    assert [robots.verdict for robots in report.robots] == ["rules"] * 3
    assert sum(robots.disallowed for robots in report.robots) == report.outcomes["excluded"] > 0


def test_the_command_writes_the_page_and_prints_the_facts(crawled):
    written = asked(crawled, "-o", "page.html")
    assert (written.code, written.stderr) == (0, "")
    assert written.stdout.startswith(b"page.html: ")
    assert (crawled / "page.html").read_bytes().lower().startswith(b"<!doctype html")
    assert asked(crawled, "-o", "-").stdout.lower().startswith(b"<!doctype html")
    agrees(msgspec.json.decode(asked(crawled, "--json").stdout, type=Report), crawled / "crawl")


def test_pages_written_at_once_and_by_way_of_a_link_are_whole(tmp_path):
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(page)
    contents = [bytes([letter]) * 3_000_000 for letter in b"abcd"]
    with ThreadPoolExecutor(len(contents)) as pool:
        for _ in range(5):
            assert [*pool.map(put, [link] * len(contents), contents)]
            assert page.read_bytes() in contents
    assert sorted(tmp_path.iterdir()) == [link, page]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["crawl", "-o", "crawl/pages.jsonl"], "is no HTML page"),
        (["crawl", "-o", "nowhere/page.html"], "there is no folder nowhere"),
        (["crawl", "-o", "crawl"], "is a folder"),
        (["crawl", "-o", "queue"], "-o queue: is no regular file; -o - writes to standard output"),
        (["crawl", "--json", "-o", "x"], "expected neither"),
        (["crawl", "--open", "-o", "-"], "expected no -o -"),
        (["crawl", "--pages", "nowhere"], "there is no such file"),
        (["nowhere"], "nowhere: holds no crawl"),
    ],
)
def test_what_cannot_be_done_is_refused(crawled, arguments, why, monkeypatch, capsys):
    monkeypatch.chdir(crawled)
    if not Path("queue").exists():
        os.mkfifo("queue")
    before = (crawled / "crawl/pages.jsonl").read_bytes()
    assert run(["report", *arguments]) == 2
    told = capsys.readouterr()
    assert (told.out, why in told.err) == ("", True)
    assert (crawled / "crawl/pages.jsonl").read_bytes() == before


def test_the_page_is_shown_in_a_browser_where_that_is_asked_for(crawled, monkeypatch, capsys):
    monkeypatch.chdir(crawled)
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run(["report", "crawl", "--open"]) == 0
    assert opened == [(crawled / "crawl/report.html").as_uri()]
    assert "No browser" in capsys.readouterr().err


def test_a_crawl_is_told_while_it_runs_after_it_was_killed_and_when_it_has_ended(tmp_path):
    web = Web(pages_per_host=400, latency_s=0.01, error_share=0.1, private_share=0.05)
    folder = tmp_path / "crawl"
    with Server(web) as slow:
        settings = options(slow, STORE, "checkpoint.every=20ms", "limits.default.concurrency=2")
        with slow.slow_after(60):  # so it cannot have ended before it is looked at
            crawl = start(tmp_path, *web.seeds(), *settings, "-d", "crawl", "-q")
            try:
                running = None
                while running is None or running.pages < 20:
                    running = facts(folder) if (folder / "crawl.db").exists() else None
                    if running:
                        adds_up(running)
                        assert running.state in ("running", "unfinished")  # the latter before it holds the directory
            finally:
                crawl.kill()
                crawl.communicate(timeout=30)
        assert running.state == "running"
        killed = facts(folder)
        assert (killed.state, killed.complete) == ("unfinished", False)
        agrees(killed, folder)
        assert killed.pages >= running.pages
        assert killed.pending > 0
        assert asked(tmp_path).code == 0
        assert (folder / "report.html").exists()
        with slow.slow_after(10):
            crawl = start(tmp_path, "-d", "crawl", "--resume", "-q")
            more = killed.pages
            while more == killed.pages:
                more = facts(folder).pages
            crawl.send_signal(signal.SIGINT)
            crawl.communicate(timeout=30)
        assert crawl.returncode == 130
        assert not (folder / "report.html").exists()
        stopped = facts(folder)
        assert stopped.state == "unfinished"
        agrees(stopped, folder)
        settings = options(slow, STORE, "limits.default.concurrency=32")
        ended = in_folder(tmp_path)("--resume", *settings)
    assert ended.code == 0, ended.stderr
    report = facts(folder)
    agrees(report, folder)
    assert report.admitted == len(web.expected())
    assert report.elapsed_s >= stopped.elapsed_s > killed.elapsed_s


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_compressed_files_elsewhere_and_records_of_few_fields_are_read(server, tmp_path, compress):
    name = {"gzip": "p.jsonl.gz", "zstd": "p.jsonl.zst"}[compress]
    settings = (f"export.compress={compress}", "extract.fields=[title, links]", "extract.links=true")
    ran = in_folder(tmp_path)(*WEB.seeds(), "-o", name, *options(server, STORE, *settings), "-q")
    assert ran.code == 0, ran.stderr
    report = facts(tmp_path / "crawl")
    adds_up(report)
    assert report.pages > 50
    assert report.duplicates.groups == 0
    assert [remark for remark in report.remarks if "whether they are duplicates" in remark]
    assert report.n_dead_links == len(report.dead_links) > 0


def test_a_crawl_in_memory_is_told_from_its_files(server, tmp_path):
    ran = in_folder(tmp_path)(*seeds(), "-o", "p.jsonl", *options(server, "frontier=memory", RULES), "-q")
    assert ran.code == 0, ran.stderr
    assert b"--pages FILE" not in (tmp_path / "crawl/report.html").read_bytes()  # it knew where they are
    report = facts(tmp_path / "crawl", pages=tmp_path / "p.jsonl")
    agrees(report, tmp_path / "crawl")
    assert report.admitted == len(EXPECTED)
    assert [remark for remark in report.remarks if "frontier: memory" in remark]
    without = asked(tmp_path)
    assert without.code == 0
    assert "--pages FILE" in without.stderr
    assert asked(tmp_path, "--pages", "p.jsonl").code == 0


def test_how_to_go_on_is_told_as_it_can_be_typed(server, tmp_path):
    ran = in_folder(tmp_path)(*WEB.seeds(), "-o", "p.jsonl", *options(server, STORE, "budget.pages=5"), "-q")
    assert ran.code == 0, ran.stderr
    page = LexborHTMLParser((tmp_path / "crawl/report.html").read_text())
    (command,) = [
        tag.text().removeprefix("Go on with crawler crawl ") for tag in page.css("p") if "Go on" in tag.text()
    ]
    ended = in_folder(tmp_path)(*shlex.split(command), "-q")
    assert ended.code == 0, ended.stderr
    assert facts(tmp_path / "crawl").complete


def test_links_that_only_links_jsonl_keeps_are_found_there(server, tmp_path):
    settings = options(server, STORE, "extract.links=false", "export.links=true", "export.report=false")
    ran = in_folder(tmp_path)(*WEB.seeds(), *settings, "-q")
    assert ran.code == 0, ran.stderr
    assert not (tmp_path / "crawl/report.html").exists()
    report = facts(tmp_path / "crawl")
    assert max(link.n_linked_from for link in report.dead_links) > 1
    assert report.remarks == ()
    (tmp_path / "crawl/links.jsonl").unlink()
    report = facts(tmp_path / "crawl")
    assert {link.n_linked_from for link in report.dead_links} == {1}
    assert "only the page it was first found on" in report.remarks[-1]


def test_a_budget_leaves_a_report_and_the_next_run_replaces_it(server, tmp_path):
    first = in_folder(tmp_path)(*WEB.seeds(), *options(server, STORE, "budget.pages=20"), "-q")
    assert first.code == 0, first.stderr
    before = (tmp_path / "crawl/report.html").read_bytes()
    report = facts(tmp_path / "crawl")
    agrees(report, tmp_path / "crawl")
    assert (report.stopped_by, report.pages, report.pending > 0) == ("budget.pages", 20, True)
    second = in_folder(tmp_path)("--resume", *options(server, STORE, "budget.pages=null"), "-q")
    assert second.code == 0, second.stderr
    assert (tmp_path / "crawl/report.html").read_bytes() != before
    assert in_folder(tmp_path)("--resume", "-q").code == 0  # nothing to do
    assert (tmp_path / "crawl/report.html").exists()


def test_a_crawl_from_python_leaves_a_report_too(server, tmp_path):
    settings = [f"fetch.resolve={server.resolve}".replace("'", '"'), "limits.default={delay: 0s, concurrency: 8}"]
    config = loads("", "test", settings).config
    crawl_here(WEB.seeds(), config, directory=tmp_path / "crawl")
    assert (tmp_path / "crawl/report.html").exists()
    agrees(facts(tmp_path / "crawl"), tmp_path / "crawl")


FULL = """
import errno, sys
import crawler.report
def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")
crawler.report.bring_down = full
from crawler.cli import main
main(sys.argv[1:])
"""


def test_what_keeps_the_report_from_being_written_is_told_and_the_crawl_ends_as_it_would(server, tmp_path):
    command = [*COMMAND[:1], "-c", FULL, "crawl", *WEB.seeds(), *options(server, STORE), "-d", "crawl"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "There is no report.html: " in ran.stderr
    assert "No space left on device" in ran.stderr
    assert "report.html  " not in ran.stderr
    assert "Crawl complete" in ran.stderr
    assert not list((tmp_path / "crawl").glob("report.html*"))


WAITING = """
import sys
import crawler.report.collect
def slow(*_, **__):
    print("WRITING", file=sys.stderr, flush=True)
    sys.stdin.read()
    raise SystemExit("nobody interrupted")
crawler.report.collect.collect = slow
from crawler.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_is_written_leaves_the_crawl_as_it_ended(server, tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND[:1], "-c", WAITING, "crawl", *WEB.seeds(), *options(server, STORE), "-d", "crawl"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told = b""
    while b"WRITING" not in told and process.poll() is None:
        told += os.read(process.stderr.fileno(), 4096)
    process.send_signal(number)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"There is no report.html: interrupted" in rest
    assert b"Crawl complete" in rest
    assert not list((tmp_path / "crawl").glob("report.html*"))
    assert (tmp_path / "crawl/summary.json").exists()


class Hostile:
    """Pages and failures whose texts would be markup and terminal codes."""

    def respond(self, host, path, visit=1):
        if path == "/robots.txt":
            return Reply(404)
        if path == "/":
            body = "<title>\x1b[31m<script>alert(1)</script></title><a href='/x%3Cscript%3E'>x</a>"
            return Reply(200, (("Content-Type", "text/html; charset=\x1b[31m<b>"),), body.encode())
        return Reply(404)


def test_texts_from_pages_reach_no_terminal(tmp_path):
    with Server(Hostile()) as server:
        in_folder(tmp_path)("http://a.test/", *options(server, STORE), "-q")
    printed = asked(tmp_path, "--json")
    assert b"\x1b" not in printed.stdout
    assert msgspec.json.decode(printed.stdout)["biggest"][0]["title"]
    assert b"<script>alert(1)" not in (tmp_path / "crawl/report.html").read_bytes()
