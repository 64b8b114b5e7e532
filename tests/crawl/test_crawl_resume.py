"""Going on with a crawl: after an interruption, a budget or a crash, with what was changed meanwhile."""

from __future__ import annotations

import fcntl
import gzip
import os
import pty
import shlex
import signal
import sqlite3
import subprocess
import termios
import time
from contextlib import closing

import msgspec
import pytest

from crawler.cli import run
from tests.crawl.conftest import COMMAND, environment, options, start
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

WEB = Web(seed=5, pages_per_host=150, error_share=0.05, redirect_share=0.05, file_share=0.05, latency_s=0.005)
HTML = (("Content-Type", "text/html"),)


def until_pages(process, path, count):
    """Wait until a running crawl has committed some pages."""
    while path.read_bytes().count(b"\n") < count if path.exists() else True:
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.005)


def interrupt(folder, web, server, *more, count=20, number=signal.SIGKILL, seeds=None):
    """Begin a crawl and end it by a signal once it has some pages; what it said."""
    settings = options(server, "checkpoint.every=20ms", *more)
    with server.slow_after(count + 10):
        process = start(folder, *(seeds or web.seeds()), *settings, "-d", "crawl")
        until_pages(process, folder / "crawl/pages.jsonl", count)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode in (-signal.SIGKILL, 130)
    return errors.decode()


def log_of(folder):
    return (folder / "crawl/crawl.log").read_text()


def assert_complete(ran, web, code=0):
    assert ran.code == code, ran.stderr
    expected = web.expected()
    ended = ran.endings()
    assert set(ended) == set(expected)
    assert {url: end[0] for url, end in ended.items()} == {url: end.outcome for url, end in expected.items()}


def query(folder, statement):
    path = folder / "crawl/crawl.db"
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def test_an_interrupted_crawl_goes_on_with_the_very_command_it_prints(crawler, tmp_path):
    with Server(WEB) as server:
        told = interrupt(tmp_path, WEB, server, number=signal.SIGINT)
        command = told.split("Go on with:\n")[1].strip()
        assert command.endswith("crawl -d crawl --resume")
        line = command.replace(shlex.split(command)[0], shlex.join(COMMAND), 1) if "-m" not in command else command
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        again = crawler("--resume")
        assert again.code == 0
        assert "Nothing to do" in again.stderr
        assert_complete(again, WEB)
        asked = server.log.counts()
        assert max(asked.values()) == 1  # nothing was in flight that the stop did not wait for


def test_a_terminal_that_is_closed_interrupts_the_crawl_and_nothing_is_lost(crawler, tmp_path):
    ours, theirs = pty.openpty()
    with Server(WEB) as server:
        settings = options(server, "checkpoint.every=20ms")
        process = subprocess.Popen(
            [*COMMAND, "crawl", *WEB.seeds(), *settings, "-d", "crawl"],
            cwd=tmp_path,
            env=environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  (this process has no other threads)
        )
        os.close(theirs)
        with server.slow_after(30):
            until_pages(process, tmp_path / "crawl/pages.jsonl", 20)
            os.close(ours)
            assert process.wait(30) == 130
        assert_complete(crawler("--resume"), WEB)


def test_a_killed_crawl_is_refused_without_a_flag_and_whole_with_resume(crawler, tmp_path):
    with Server(WEB) as server:
        interrupt(tmp_path, WEB, server)
        settings = (*WEB.seeds(), *options(server))
        refused = crawler(*settings)
        assert refused.code == 2
        assert "--resume" in refused.stderr
        assert "--fresh" in refused.stderr
        assert_complete(crawler(*settings, "--resume"), WEB)
    counts = dict(query(tmp_path, "SELECT outcome, urls FROM tally"))
    assert sum(counts.values()) == len(WEB.expected()) == query(tmp_path, "SELECT count(*) FROM url")[0][0]


def test_resume_begins_where_nothing_was_begun(crawler):
    with Server(WEB) as server:
        assert_complete(crawler(*WEB.seeds(), *options(server), "--resume"), WEB)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The directory of a crawl that was killed."""
    folder = tmp_path_factory.mktemp("killed")
    web = Web(pages_per_host=400, latency_s=0.005)
    with Server(web) as server:
        interrupt(folder, web, server, count=1)
    return folder / "crawl"


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("extract.text=none", "extract.text"),
        ("urls.sort_query=true", "urls.sort_query"),
        ("export.compress=gzip", "export.compress"),
        ("export.links=true", "export.links"),
        ("frontier=memory", "frontier"),
    ],
)
def test_what_a_record_is_may_not_change_at_a_resume(killed, capsys, setting, key):
    before = (killed / "pages.jsonl").read_bytes()
    assert run(["crawl", "-d", str(killed), "--resume", "--set", setting]) == 2
    assert key in capsys.readouterr().err
    assert (killed / "pages.jsonl").read_bytes() == before


def test_what_changed_is_told_and_logged_and_secrets_are_not(crawler, tmp_path):
    with Server(WEB) as server:
        interrupt(tmp_path, WEB, server)
        ran = crawler("--resume", "--set", "limits.concurrency=7", "--set", "fetch.headers={X-Token: hush}")
    assert_complete(ran, WEB)
    assert "limits.concurrency: 200 -> 7" in ran.stderr
    assert "limits.concurrency: 200 -> 7" in log_of(tmp_path)
    assert "X-Token" in ran.stderr
    assert "hush" not in ran.stderr + log_of(tmp_path)


def test_narrowing_the_scope_refuses_what_was_admitted_before(crawler, tmp_path):
    web = Web(pages_per_host=300, latency_s=0.005)
    with Server(web) as server:
        interrupt(tmp_path, web, server)
        ran = crawler("--resume", "--set", 'scope.exclude=["*/pages/1*", "*/pages/2*"]')
    assert ran.code == 0, ran.stderr
    assert "scope.exclude" in ran.stderr
    ended = ran.endings()
    assert {reason for outcome, reason in ended.values() if outcome == "excluded"} == {"scope_narrowed"}
    assert "http://h0.test/" in ended


def test_seeds_can_be_added_at_a_resume_and_each_has_one_row(crawler, tmp_path):
    web = Web(hosts=3, pages_per_host=60, latency_s=0.005)
    first, second, third = web.seeds()
    (tmp_path / "list.txt").write_text(f"{first}\n")
    with Server(web) as server:
        interrupt(tmp_path, web, server, seeds=["list.txt"])
        (tmp_path / "list.txt").write_text(f"# more\n{second}\n{first}\n")
        ran = crawler(third, "--resume")
        assert_complete(ran, web)
        assert [row["given"] for row in ran.seeds] == [first, second, third]
        assert {row["outcome"] for row in ran.seeds} == {"fetched"}
        again = crawler("list.txt", "--resume")
    assert "Nothing to do" in again.stderr


def test_a_seed_list_from_a_pipe_outlives_the_pipe(crawler, tmp_path):
    class Slow(Web):
        def respond(self, host, path, visit=1):
            return Reply(200, HTML, b"<title>x</title>", 0.02)

    seeds = [f"http://p{number}.test/" for number in range(3000)]
    with Server(Slow()) as server:
        settings = options(server, "checkpoint.every=20ms", "robots.obey=false", "limits.concurrency=4")
        process = start(tmp_path, "-", *settings, "-d", "crawl", stdin=subprocess.PIPE)
        process.stdin.write("\n".join(seeds).encode())
        process.stdin.close()
        until_pages(process, tmp_path / "crawl/pages.jsonl", 10)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        ran = crawler("--resume", "--set", "limits.concurrency=400")
    assert ran.code == 0, ran.stderr
    assert {page["url"] for page in ran.pages} == set(seeds)
    assert [row["given"] for row in ran.seeds] == seeds


def test_a_budget_can_be_raised_and_the_crawl_goes_on(crawler, tmp_path):
    with Server(WEB) as server:
        few = crawler(*WEB.seeds(), *options(server), "--max-pages", "30")
        assert (few.code, len(few.pages)) == (0, 30)
        assert "--resume --set budget.pages=null" in few.stderr
        more = crawler("--resume", "--max-pages", "50")
        assert (more.code, len(more.pages)) == (0, 50)
        assert_complete(crawler("--resume", "--set", "budget.pages=null"), WEB)


def test_a_resume_without_a_file_keeps_the_configuration_it_was_begun_with(crawler, tmp_path):
    with Server(WEB) as server:
        few = crawler(*WEB.seeds(), *options(server), "--depth", "1", "--max-pages", "3")
        (seed,) = WEB.seeds()
        named = crawler(seed, *options(server), "--depth", "1", "--max-pages", "3", directory=None)
        assert (few.code, named.code) == (0, 0)
        for again in (crawler("--resume", "--max-pages", "4"), crawler(seed, "--resume", directory=None)):
            assert again.code == 0, again.stderr
            assert "Changed since the last run: scope" not in again.stderr
        assert max(page["depth"] for page in few.pages) == 1


def test_a_second_process_in_the_directory_is_refused_and_a_dead_one_is_not(crawler, tmp_path):
    with Server(WEB) as server:
        process = start(tmp_path, *WEB.seeds(), *options(server, "limits.default.delay=200ms"), "-d", "crawl")
        until_pages(process, tmp_path / "crawl/pages.jsonl", 1)
        second = crawler("--resume")
        assert second.code == 1
        assert "another process" in second.stderr
        process.kill()
        process.communicate()
        assert_complete(crawler("--resume", "--delay", "0"), WEB)


def test_a_crawl_kept_in_memory_cannot_be_resumed_and_says_so(crawler, tmp_path):
    with Server(WEB) as server:
        interrupt(tmp_path, WEB, server, "frontier=memory")
        refused = crawler("--resume")
        assert refused.code == 2
        assert "--fresh" in refused.stderr


def test_a_directory_of_a_newer_version_is_refused_politely(crawler, tmp_path):
    with Server(WEB) as server:
        interrupt(tmp_path, WEB, server)
        query(tmp_path, "UPDATE meta SET value = 99 WHERE name = 'format'")
        refused = crawler("--resume")
    assert refused.code == 1
    assert "format 99" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_page_records_go_to_the_same_file_or_not_at_all(crawler, tmp_path):
    with Server(WEB) as server:
        few = crawler(*WEB.seeds(), *options(server), "--max-pages", "30", "-o", "out.jsonl")
        assert few.code == 0
        assert "-o out.jsonl" in few.stderr
        elsewhere = crawler("--resume", "--set", "budget.pages=null")
        assert elsewhere.code == 2
        assert "out.jsonl" in elsewhere.stderr
        assert crawler("--resume", "--set", "budget.pages=null", "-o", "out.jsonl").code == 0
        pages = [msgspec.json.decode(line)["url"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
        expected = {url for url, end in WEB.expected().items() if (end.outcome, end.reason) == ("fetched", None)}
        assert len(pages) == len(set(pages))
        assert set(pages) == expected


def test_a_resumed_stream_goes_on_and_skips_nothing(crawler, tmp_path):
    with Server(WEB) as server:
        settings = options(server, "checkpoint.every=20ms")
        process = start(tmp_path, *WEB.seeds(), *settings, "-o", "-", "-d", "crawl")
        first = [process.stdout.readline() for _ in range(40)]
        process.kill()
        first += process.communicate()[0].splitlines(keepends=True)
        rest = crawler("--resume", "-o", "-")
        assert rest.code == 0, rest.stderr
    whole = (tmp_path / "crawl/pages.jsonl").read_bytes().splitlines(keepends=True)
    second = rest.stdout.splitlines(keepends=True)
    assert set(whole) <= {line for line in first if line.endswith(b"\n")} | set(second)
    assert len(second) < len(whole)
    assert second == whole[len(whole) - len(second) :]


def test_robots_txt_is_asked_again_only_once_it_is_stale(crawler, tmp_path):
    with Server(WEB) as server:
        interrupt(tmp_path, WEB, server)
        crawler("--resume", "--max-pages", "60")
        assert server.log.counts()["http://h0.test/robots.txt"] == 1
        query(tmp_path, "UPDATE robots SET expires_at = 1")
        assert_complete(crawler("--resume", "--set", "budget.pages=null"), WEB)
        assert server.log.counts()["http://h0.test/robots.txt"] == 2


class Resting(Web):
    """Asks to be left alone for two seconds, once."""

    def respond(self, host, path, visit=1):
        if path == "/pages/1" and visit == 1:
            return Reply(503, (("Retry-After", "2"),))
        return super().respond(host, path, visit)


def test_a_kill_does_not_make_a_crawl_forget_that_a_host_wants_rest(crawler, tmp_path):
    web = Resting(pages_per_host=40)
    with Server(web) as server:
        settings = options(server, "checkpoint.every=30s", "limits.default.concurrency=1")
        process = start(tmp_path, *web.seeds(), *settings, "-d", "crawl")
        while not query_if_there(tmp_path, "SELECT 1 FROM host WHERE ready_at > 0"):
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.communicate()
        (refused,) = [hit for hit in server.log.hits if hit.status == 503]
        assert_complete(crawler("--resume"), web)
        later = [hit.at for hit in server.log.hits if hit.at > refused.at]
    assert min(later) - refused.at >= 2


def query_if_there(folder, statement):
    try:
        return query(folder, statement)
    except sqlite3.Error:
        return []


def test_the_pause_between_requests_holds_across_a_kill(crawler, tmp_path):
    web = Web(pages_per_host=8)
    with Server(web) as server:
        settings = options(server, "checkpoint.every=20ms", "limits.default.delay=300ms")
        for _ in range(3):
            process = start(tmp_path, *web.seeds(), *settings, "-d", "crawl", "--resume")
            asked = len(server.log.hits)
            while len(server.log.hits) < asked + 2:
                time.sleep(0.005)
            process.kill()
            process.communicate()
        assert_complete(crawler("--resume"), web)
        assert server.log.smallest_gap_s("h0.test") >= 0.3


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_compressed_files_and_links_survive_a_kill(crawler, tmp_path, compress):
    web = Web(pages_per_host=300, latency_s=0.003)
    suffix = {"gzip": ".gz", "zstd": ".zst"}[compress]
    with Server(web) as server:
        settings = options(server, "checkpoint.every=20ms", f"export.compress={compress}", "export.links=true")
        process = start(tmp_path, *web.seeds(), *settings, "-d", "crawl")
        path = tmp_path / f"crawl/pages.jsonl{suffix}"
        while not path.exists() or path.stat().st_size < 10_000:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        with path.open("ab") as file:
            file.write(b"\x1f\x8b torn")
        ran = crawler("--resume")
    assert ran.code == 0, ran.stderr
    from crawler.dataset import records

    pages = list(records.pages(ran.directory))
    links = list(records.links(ran.directory))
    assert sorted(page.url for page in pages) == sorted(web.expected())
    assert [(p.url, link.url) for p in pages for link in p.links] == [(link.source, link.target) for link in links]
    if compress == "gzip":
        assert len(gzip.decompress(path.read_bytes()).splitlines()) == 300
