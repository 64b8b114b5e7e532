"""A seed list of a gigabyte: the crawl begins at once, and takes no more memory than for a short one."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time

import pytest

from tests.crawl.conftest import COMMAND, environment, options, start
from tests.crawl.test_crawl_resume import until_pages
from tests.crawl.test_crawl_streams import MIB, peak_bytes
from tests.support.server import Server
from tests.support.web import Web

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is asked of /proc"),
]

GIB = 1 << 30
WEB = Web(hosts=4, pages_per_host=2500)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Every page, and then again and again, always the same bytes."""
    path = tmp_path_factory.mktemp("gigabyte") / "seeds.txt"
    lines = "".join(f"{WEB.url(host, number)}\n" for number in range(WEB.pages_per_host) for host in range(WEB.hosts))
    block = lines.encode() * (8 * MIB // len(lines))
    with path.open("wb") as file:
        while file.tell() < GIB:
            file.write(block)
    yield path
    path.unlink()


def test_a_crawl_begins_long_before_its_list_is_read_and_takes_no_memory_by_its_length(seeds, tmp_path):
    with Server(WEB) as server:
        settings = options(server, "checkpoint.every=50ms")
        process = start(tmp_path, str(seeds), *settings, "--depth", "0", "-d", "crawl")
        until_pages(process, tmp_path / "crawl/pages.jsonl", 1)
        spool = tmp_path / "crawl/seeds.spool"
        assert spool.stat().st_size < GIB // 10  # which is longer than the list, once all of that is in it
        until_pages(process, tmp_path / "crawl/pages.jsonl", 5000)
        before, size = peak_bytes(process.pid), spool.stat().st_size
        while spool.stat().st_size < size + 60 * MIB:
            assert process.poll() is None
            time.sleep(0.05)
        assert peak_bytes(process.pid) - before < 48 * MIB
        assert before < 400 * MIB
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors.decode()


def test_a_configuration_that_names_it_is_checked_without_reading_it(seeds, tmp_path):
    (tmp_path / "crawl.yaml").write_text(f"name: long\nseeds: [{seeds}]\n")
    command = [*COMMAND, "check", "crawl.yaml"]

    def little_memory():  # not enough to hold it
        resource.setrlimit(resource.RLIMIT_AS, (GIB // 2, GIB // 2))

    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, preexec_fn=little_memory, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert str(seeds).encode() in done.stdout


def test_a_gigabyte_without_a_line_end_is_one_bad_seed(tmp_path):
    seeds = tmp_path / "seeds.txt"
    with seeds.open("wb") as file:
        file.truncate(GIB)  # of zeros, none of them on the disk
        file.seek(0, 2)
        file.write(f"\n{WEB.seeds()[0]}\n".encode())
    with Server(WEB) as server:
        process = start(tmp_path, "seeds.txt", *options(server), "--depth", "0", "-d", "crawl")
        until_pages(process, tmp_path / "crawl/pages.jsonl", 1)
        peak = peak_bytes(process.pid)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    first, second = (tmp_path / "crawl/seeds.jsonl").read_bytes().splitlines()
    assert b"longer than" in first
    assert b"seeds.txt:2" in second
    assert peak < 400 * MIB
