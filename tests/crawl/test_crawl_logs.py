"""The log of a crawl and the account of its runs, as the command writes them."""

from __future__ import annotations

import signal
import time

import msgspec
import pytest

from crawler import crawl
from crawler.cli.log_lines import LogLine
from crawler.config.file import loads
from crawler.runs import read_runs
from tests.crawl.conftest import options, start
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

SECRET = "s3cret"


class Moody(Web):
    """A host that asks to be left alone for a second, once, and one whose robots.txt asks for a pause."""

    def respond(self, host, path, visit=1):
        if path == "/robots.txt":
            return (
                Reply(200, (("Content-Type", "text/plain"),), b"User-agent: *\nCrawl-delay: 0.7\n")
                if (host == "slow.test")
                else Reply(404)
            )
        if host == "busy.test" and path == "/" and visit == 1:
            return Reply(503, (("Retry-After", "1"),))
        links = b"".join(b"<a href=/%d>x</a>" % number for number in range(2))
        return Reply(200, (("Content-Type", "text/html"),), links)


def lines_of(content):
    return [msgspec.json.decode(line, type=LogLine) for line in content.splitlines()]


def test_json_lines_tell_why_each_host_waits_and_name_crawl_host_and_url(crawler):
    with Server(Moody()) as server:
        settings = options(server, "name=moody", "fetch.user_agent=test (+https://a.test/)")
        ran = crawler("http://busy.test/", "http://slow.test/", *settings, "-q", "-v", "--log-format", "json")
    assert ran.code == 0, ran.stderr
    content = (ran.directory / "crawl.log").read_text()
    assert ran.stderr == content, "-q and -v leave nothing but the log on standard error"
    lines = lines_of(content)
    assert {line.crawl for line in lines} == {"moody"}
    waits = {(line.host, line.why) for line in lines if line.event == "host waits"}
    assert ("busy.test", "it asked to be left alone") in waits
    assert ("slow.test", "its robots.txt asks for 0.7 s between requests") in waits
    fetched = {line.url for line in lines if line.event == "fetched"}
    assert fetched == {page["url"] for page in ran.pages}
    assert all(line.host and line.attempt for line in lines if line.url)
    assert [line.event for line in lines][-1] == "crawl ends"


def test_each_run_is_accounted_for_and_one_that_was_killed_has_no_end(crawler, tmp_path):
    web = Web(seed=3, pages_per_host=40, latency_s=0.02)
    with Server(web) as server:
        settings = options(server, "checkpoint.every=20ms", f"fetch.headers.X-Api-Key={SECRET}")
        with server.slow_after(20):  # so it has not ended by itself
            process = start(tmp_path, *web.seeds(), *settings, "-d", "crawl")
            while not (tmp_path / "crawl/pages.jsonl").exists() or not (tmp_path / "crawl/pages.jsonl").stat().st_size:
                assert process.poll() is None
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=20)
        ran = crawler("--resume", f"--set=fetch.headers.X-Api-Key={SECRET}")
        assert ran.code == 0, ran.stderr
    rows = read_runs(ran.directory / "runs.jsonl")
    assert [(row.run, type(row).__name__) for row in rows] == [(1, "Began"), (2, "Began"), (2, "Ended")]
    assert rows[-1].ended == "complete"
    assert rows[0].command[:2] == ("crawler", "crawl")
    assert rows[1].command == (
        "crawler", "crawl", "--resume", "--set=fetch.headers.X-Api-Key=<left out>", "-d", "crawl",
    )  # fmt: skip
    assert rows[0].pid == process.pid
    assert SECRET not in (ran.directory / "runs.jsonl").read_text() + (ran.directory / "crawl.log").read_text()


def test_a_log_is_appended_to_at_a_resume_and_kept_in_so_many_files(crawler):
    with Server(Moody()) as server:
        limits = ["--set=log.max_file=512", "--set=log.keep=2", "-v"]
        first = crawler("http://a.test/", *options(server), *limits, "--max-pages", "1")
        second = crawler("--resume", "--max-pages", "2", "-v")
    assert (first.code, second.code) == (0, 0), second.stderr
    logs = sorted(path.name for path in second.directory.glob("crawl.log*"))
    assert logs == ["crawl.log", "crawl.log.1", "crawl.log.2"]
    assert all((second.directory / name).stat().st_size <= 512 for name in logs)
    text = "".join((second.directory / name).read_text() for name in reversed(logs))
    assert text.endswith(" why=budget.pages\n")
    assert all(" [crawl] " in line for line in text.splitlines())
    assert "crawl.log.1  " in second.stderr, "the summary names it"
    first_log = first.stderr + second.stderr
    assert all(line in first_log for line in text.splitlines())


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("log.format=xml", "log.format: xml: expected one of text, json"),
        ("log.keep=-1", "log.keep: -1: expected"),
        ("log.max_file=0", "log.max_file: 0: expected more than 0"),
        ("log.file=x", "log.file: "),
    ],
)
def test_a_log_that_cannot_be_meant_is_refused(crawler, wrong, expected):
    ran = crawler("a.test", "--set", wrong)
    assert ran.code == 2
    assert expected in ran.stderr


def test_a_run_from_python_has_an_account_without_a_command(tmp_path):
    with Server(Moody()) as server:
        text = "limits: {default: {delay: 0s}}\nparse: {backend: inline}\n"
        config = loads(f"{text}fetch: {{resolve: {{'*.test': '127.0.0.1:{server.port}'}}}}", "")
        crawl("http://a.test/", config.config, directory=tmp_path / "crawl")
    began, ended = read_runs(tmp_path / "crawl/runs.jsonl")
    assert (began.command, ended.ended) == ((), "complete")
    assert not (tmp_path / "crawl/crawl.log").exists()
