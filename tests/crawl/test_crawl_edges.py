"""What surrounds a crawl goes wrong: pipes, files, descriptors, signals. Nothing is lost, and the exit code tells."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import threading

import msgspec
import pytest

from tests.crawl.conftest import COMMAND, environment, options, start
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

SITE = Web(pages_per_host=30)
ENDLESS = Web(pages_per_host=4000, latency_s=0.002)


@pytest.fixture
def site():
    with Server(SITE) as server:
        yield server


def shell(folder, text, **keywords):
    """A line for bash, in which `crawler` is the command."""
    line = text.replace("crawler ", shlex.join(COMMAND) + " ")
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, timeout=30, check=False, **keywords
    )


def lines(path):
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def test_seeds_from_a_process_substitution_are_accounted_for(site, tmp_path):
    done = shell(tmp_path, f"crawler crawl <(echo {SITE.seeds()[0]}) {shlex.join(options(site))} -d crawl")
    assert done.returncode == 0, done.stderr.decode()
    (row,) = lines(tmp_path / "crawl/seeds.jsonl")
    assert row["outcome"] == "fetched"


def test_a_pipe_of_seeds_that_stalls_does_not_hold_up_a_stop(site, tmp_path):
    os.mkfifo(tmp_path / "seeds")
    process = start(tmp_path, "seeds", *options(site, "checkpoint.every=20ms"), "-o", "-", "-d", "crawl")
    with (tmp_path / "seeds").open("wb", buffering=0) as pipe:
        pipe.write(b"".join(f"{seed}\n".encode() for seed in SITE.seeds() * 1000))
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors.decode()
    assert b"Traceback" not in errors


def test_a_seed_file_may_vanish_while_it_is_crawled(tmp_path):
    seeds = tmp_path / "seeds.txt"

    class Vanishing(Web):
        def respond(self, host, path, visit=1):
            seeds.unlink(missing_ok=True)
            return super().respond(host, path, visit)

    web = Vanishing(pages_per_host=5)
    seeds.write_text(web.seeds()[0])
    with Server(web) as server:
        process = start(tmp_path, "seeds.txt", *options(server), "-d", "crawl")
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors.decode()
    assert [row["outcome"] for row in lines(tmp_path / "crawl/seeds.jsonl")] == ["fetched"]


def test_an_output_file_that_cannot_be_is_refused_before_anything_is_touched(crawler, site, tmp_path):
    (tmp_path / "taken.jsonl").write_text("mine")
    for output in ("crawl/summary.json", "crawl/seeds.jsonl", "nowhere/x.jsonl", "taken.jsonl", "."):
        ran = crawler(*SITE.seeds(), *options(site), "-o", output)
        assert ran.code == 2, ran.stderr
        assert output in ran.stderr
        assert not ran.directory.exists()
    assert (tmp_path / "taken.jsonl").read_text() == "mine"


def test_starting_afresh_moves_the_output_file_aside_too(crawler, site, tmp_path):
    for fresh in ([], ["--fresh"], ["--fresh"]):
        ran = crawler(*SITE.seeds(), *options(site), "-o", "out.jsonl", *fresh)
        assert ran.code == 0, ran.stderr
        assert len(lines(tmp_path / "out.jsonl")) == 30
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("out.jsonl.")]) == 2


def test_a_finished_crawl_of_other_seeds_is_not_taken_for_this_one(crawler, site):
    assert crawler(*SITE.seeds(), *options(site)).code == 0
    other = crawler("http://h0.test/pages/1", *options(site))
    assert other.code == 2
    assert "other seeds" in other.stderr
    assert crawler(*SITE.seeds(), *options(site)).code == 0


def test_files_that_are_not_a_crawls_are_never_overwritten(crawler, site, tmp_path):
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl/crawl.yaml").write_text("mine")
    ran = crawler(*SITE.seeds(), *options(site))
    assert ran.code == 2
    assert "crawl.yaml" in ran.stderr
    assert (tmp_path / "crawl/crawl.yaml").read_text() == "mine"


def test_nobody_reading_stderr_changes_nothing(site, tmp_path):
    done = shell(tmp_path, f"crawler crawl {SITE.seeds()[0]} {shlex.join(options(site))} -d crawl 2>&1 | true")
    assert done.returncode == 0
    full = shell(tmp_path, f"crawler crawl {SITE.seeds()[0]} {shlex.join(options(site))} -d full 2>/dev/full")
    assert full.returncode == 0
    for name in ("crawl", "full"):
        assert len(lines(tmp_path / name / "pages.jsonl")) == 30
        assert (tmp_path / name / "summary.json").exists()


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [("-o - >/dev/full", 1, "standard output"), ("-o - >&-", 2, "standard output"), ("- <&-", 2, "standard input")],
)
def test_streams_that_are_full_or_closed_are_named(site, tmp_path, redirection, code, told):
    done = shell(tmp_path, f"crawler crawl {SITE.seeds()[0]} {shlex.join(options(site))} -d crawl {redirection}")
    assert done.returncode == code, done.stderr.decode()
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_low_soft_limit_of_open_files_is_raised_as_far_as_needed(tmp_path, site):
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    process = start(tmp_path, *SITE.seeds(), *options(site), "-d", "crawl", preexec_fn=lower)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors.decode()


def test_bytes_that_are_not_text_in_an_argument_are_a_bad_seed_or_shown_escaped(site, tmp_path):
    arguments = [
        os.fsencode(argument) for argument in (*COMMAND, "crawl", *SITE.seeds(), *options(site), "-d", "crawl")
    ]
    done = subprocess.run(
        [*arguments, b"http://h0.test/\xff"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode in (0, 4), done.stderr.decode()
    assert len(lines(tmp_path / "crawl/seeds.jsonl")) == 2


def test_a_budget_that_ends_the_crawl_exits_0_whatever_failed_before(crawler):
    class Broken(Web):
        def respond(self, host, path, visit=1):
            return Reply(520) if path == "/pages/1" else super().respond(host, path, visit)

    with Server(Broken(pages_per_host=60)) as server:
        ran = crawler(*SITE.seeds(), *options(server), "--max-pages", "5")
    assert ran.code == 0, ran.stderr
    assert len(ran.pages) == 5


def test_an_ignored_hangup_stays_ignored(tmp_path):
    with Server(ENDLESS) as server:
        process = start(
            tmp_path,
            *ENDLESS.seeds(),
            *options(server, "checkpoint.every=20ms", "budget.pages=400"),
            "-o",
            "-",
            "-d",
            "crawl",
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        )
        assert process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors.decode()
    assert len(output.splitlines()) == 399


def test_a_second_signal_does_not_wait_for_a_reader_that_stalls(tmp_path):
    with Server(ENDLESS) as server:
        settings = options(server, "checkpoint.every=20ms", "extract.links=true")
        process = start(tmp_path, *ENDLESS.seeds(), *settings, "-o", "-", "-d", "crawl")
        assert process.stdout.readline()
        stderr = threading.Thread(target=process.stderr.read, daemon=True)
        stderr.start()
        while len(server.log.hits) < 300:  # enough to fill the pipe; the server's log grows on its own thread
            stderr.join(0.01)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        for _ in range(3):
            stderr.join(0.2)
            process.send_signal(signal.SIGTERM)
        assert process.wait(15) in (130, -signal.SIGTERM)
        process.stdout.close()
        stderr.join()
        process.stderr.close()
    records = (tmp_path / "crawl/pages.jsonl").read_bytes()
    assert records.endswith(b"\n")
