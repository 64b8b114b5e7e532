"""Stopping a crawl at awkward moments, and going on: nothing is lost, and the exit code tells."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from contextlib import suppress

import pytest

from tests.crawl.conftest import COMMAND, environment, options, start
from tests.crawl.test_crawl_resume import until_pages
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

WEB = Web(seed=5, pages_per_host=150, latency_s=0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_seeds_that_came_through_a_pipe_still_open_are_kept_by_a_stop(crawler, tmp_path, number):
    web = Web(hosts=2, pages_per_host=100, latency_s=0.005)
    with Server(web) as server:
        process = start(tmp_path, "-", *options(server), "-d", "crawl", stdin=subprocess.PIPE)
        process.stdin.write(f"{web.seeds()[0]}\n".encode())
        while len(server.log.hits) < 20:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        assert process.wait(20) == 130
        errors = process.communicate()[1].decode()
        assert "Fatal" not in errors
        assert "Nothing is lost" in errors
        rest = crawler("--resume")
        assert rest.code == 4
        assert "Not read to its end" in rest.stderr
        assert len(rest.pages) == 100
        whole = crawler("-", "--resume", stdin="\n".join(web.seeds()).encode())
        assert whole.code == 0, whole.stderr
        assert {page["url"] for page in whole.pages} == set(web.expected())
        assert [row["given"] for row in whole.seeds] == web.seeds()


def test_a_list_from_a_pipe_that_is_gone_does_not_keep_the_crawl_from_going_on(crawler, tmp_path):
    with Server(WEB) as server:
        line = f"crawler crawl <(echo {WEB.seeds()[0]}; sleep 60) {shlex.join(options(server))} -d crawl"
        command = line.replace("crawler ", shlex.join(COMMAND) + " ", 1)
        process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=tmp_path, env=environment())
        until = time.monotonic() + 15
        while len(server.log.hits) < 20 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
        ran = crawler("--resume")
        assert ran.code == 4, ran.stderr
        assert len(ran.pages) == 150
        assert "/dev/fd/" in ran.stderr


def test_a_long_seed_list_does_not_hold_up_a_stop(tmp_path):
    (tmp_path / "list.txt").write_text("".join(f"http://s{number}.test/\n" for number in range(50_000)))
    with Server(WEB) as server:
        process = start(tmp_path, "list.txt", *options(server, "robots.obey=false"), "-d", "crawl")
        while len(server.log.hits) < 200:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.communicate()
        assert process.returncode == 130
        assert not (tmp_path / "crawl/seeds.jsonl").exists()


def test_a_signal_while_the_crawl_is_opened_stops_it_and_says_how_to_go_on(crawler, tmp_path):
    with Server(WEB) as server:
        process = start(tmp_path, *WEB.seeds(), *options(server), "-d", "crawl")
        while not (tmp_path / "crawl/crawl.db").exists():
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=20)[1].decode()
        assert process.returncode == 130, errors
        assert "--resume" in errors
        ran = crawler(*WEB.seeds(), *options(server), "--resume")
        assert ran.code == 0, ran.stderr
        assert len(ran.pages) == 150


def test_a_stream_nobody_reads_to_its_end_is_told_and_can_be_resumed(crawler, tmp_path):
    web = Web(pages_per_host=300, body_bytes=4000)
    with Server(web) as server:
        process = start(tmp_path, *web.seeds(), *options(server, "checkpoint.every=50ms"), "-o", "-", "-d", "crawl")
        until_pages(process, tmp_path / "crawl/pages.jsonl", 300)
        while not (tmp_path / "crawl/summary.json").exists():
            time.sleep(0.005)
        for _ in range(3):  # signals that come close together are one
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
                break
        assert process.returncode == 130
        first, errors = process.communicate()
        assert b"--resume -o -" in errors
        rest = crawler("--resume", "-o", "-")
    whole = (tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()
    assert set(first.splitlines()) | set(rest.stdout.splitlines()) >= set(whole)


def test_a_lost_crawl_yaml_is_taken_from_the_store(crawler, tmp_path):
    with Server(WEB) as server:
        assert crawler(*WEB.seeds(), *options(server), "--max-pages", "5", "--depth", "3").code == 0
        (tmp_path / "crawl/crawl.yaml").unlink()
        ran = crawler("--resume", "--max-pages", "10")
        assert ran.code == 0, ran.stderr
        assert "scope" not in [line.split(":")[1].strip() for line in ran.stderr.splitlines() if "Changed" in line]
        assert len(ran.pages) == 10
        assert "max_depth: 3" in (tmp_path / "crawl/crawl.yaml").read_text()


class Partial(Web):
    """Closes its pages to one agent only."""

    def respond(self, host, path, visit=1):
        if path == "/robots.txt":
            return Reply(200, (), b"User-agent: beta\nDisallow: /pages/\n")
        return super().respond(host, path, visit)


def test_another_user_agent_asks_for_robots_txt_anew(crawler):
    web = Partial(pages_per_host=60)
    with Server(web) as server:
        alpha = [*options(server), "--max-pages", "5", "--set", "fetch.user_agent=alpha/1"]
        assert crawler(*web.seeds(), *alpha).code == 0
        ran = crawler("--resume", "--set", "budget.pages=null", "--set", "fetch.user_agent=beta/1")
        assert ran.code == 0, ran.stderr
        asked = [hit.path for hit in server.log.hits if hit.user_agent == "beta/1"]
    assert asked == ["/robots.txt"]
