"""All faults we know of, crawled at once: each URL ends as its fault tells, and nothing else comes to harm."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec
import pytest

from tests.crawl.conftest import COMMAND, Ran, environment
from tests.support.faults.catalogue import FAULTS
from tests.support.faults.certificates import AUTHORITY
from tests.support.faults.fault import DOMAIN
from tests.support.faults.server import FaultServer
from tests.support.watched import Watch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # the first test waits for the crawl, and that for retries

LONGEST_S = 120  # retries are 2 and 8 s apart, each after a timeout of 3 s: 20 s if the machine does nothing else
CONCURRENCY = 64
MOST_BYTES = 400 * 1024**2
GOOD = [f"http://good-{host}.{DOMAIN}/{page}" for host in range(20) for page in range(5)]
BROKEN_HOSTS = [fault for fault in FAULTS if fault.breaks_host]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc elsewhere")


@dataclass(frozen=True)
class Crawled:
    """A crawl of faults that has ended, and what it took."""

    ran: Ran = field(repr=False)
    seconds: float
    peak_bytes: int
    descriptors: list[int] = field(repr=False)
    pages: dict = field(repr=False)
    outcomes: dict = field(repr=False)
    asked: dict = field(repr=False)

    def end(self, url):
        """(outcome, reason) of a URL; None if it has none."""
        if url in self.pages:
            return "fetched", None
        found = self.outcomes.get(url)
        return found and (found["outcome"], found["reason"])


def crawl(folder, urls, *settings, python=()):
    """Have the command crawl `urls` in `folder`, its warnings being errors; fails if that takes too long."""
    (folder / "seeds.txt").write_text("".join(f"{url}\n" for url in urls))
    with FaultServer(FAULTS) as server:
        options = [
            f'fetch.resolve={{"*.{DOMAIN}": "127.0.0.1:{server.port}"}}',
            f"limits.concurrency={CONCURRENCY}",
            f"limits.per_address.concurrency={CONCURRENCY}",
            "limits.adaptive=false",
            "fetch.timeout=3s",
            "fetch.connect_timeout=2s",
            *settings,
        ]
        command = [COMMAND[0], *python, *COMMAND[1:], "crawl", "seeds.txt", "-d", "crawl", "--delay", "0"]
        started = time.monotonic()
        process = subprocess.Popen(
            [*command, *(f"--set={option}" for option in options)],
            cwd=folder,
            env={**environment(), "SSL_CERT_FILE": str(AUTHORITY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            with Watch(process.pid) as watch:
                stdout, stderr = process.communicate(timeout=LONGEST_S)
        finally:
            process.kill()  # which does nothing to one that has ended
        seconds = time.monotonic() - started
    ran = Ran(process.returncode, stdout, stderr.decode(), folder / "crawl")
    pages, outcomes = ({line["url"]: line for line in lines} for lines in (ran.pages, ran.outcomes))
    return Crawled(ran, seconds, watch.peak_bytes, watch.descriptors, pages, outcomes, dict(server.asked))


@pytest.fixture(scope="module")
def crawls(tmp_path_factory):
    """All faults in one crawl; and those once more without robots.txt that nothing can be had of, not even that.

    The second has Python and asyncio tell all they can. In the first that would have aiohttp parse strictly.
    """
    folders = [tmp_path_factory.mktemp(name) for name in ("all", "broken")]
    urls = [fault.url for fault in FAULTS]
    step = len(urls) / len(GOOD)
    mixed = [url for at, good in enumerate(GOOD) for url in (good, *urls[int(at * step) : int((at + 1) * step)])]
    with ThreadPoolExecutor(2) as both:
        everything = both.submit(crawl, folders[0], mixed)
        broken = both.submit(
            crawl, folders[1], [fault.url for fault in BROKEN_HOSTS], "robots.obey=false", python=("-X", "dev")
        )
        return everything.result(), broken.result()


@pytest.fixture
def everything(crawls):
    return crawls[0]


def check(crawled, fault):
    """That a fault ended as it tells."""
    found = crawled.outcomes.get(fault.url, {})
    assert crawled.end(fault.url) == (fault.ends, fault.reason), (fault.because, found)
    if fault.text is not None:
        assert fault.text in crawled.pages[fault.url]["text"], fault.because
    if fault.attempts is not None:
        assert not found or found["attempts"] == fault.attempts, found
        asked = crawled.asked.get((fault.host, fault.path), 0)
        assert fault.breaks_host or asked == fault.attempts, "what the server saw"
    if fault.leads_to is not None:
        target, *end = fault.leads_to
        assert crawled.end(target.format(name=fault.host)) == tuple(end), fault.because


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.breaks_host], ids=lambda fault: fault.name)
def test_each_fault_ends_as_browsers_and_standards_have_it(everything, fault):
    check(everything, fault)


@pytest.mark.parametrize("fault", BROKEN_HOSTS, ids=lambda fault: fault.name)
def test_a_host_that_is_broken_as_a_whole_fails_with_its_reason_and_is_closed_where_robots_txt_counts(crawls, fault):
    everything, broken = crawls
    check(broken, fault)
    assert everything.end(fault.url) == ("excluded", "robots_unreachable")


def test_all_good_pages_among_the_bad_ones_are_fetched(everything):
    assert not set(GOOD) - everything.pages.keys()
    assert all("a good page" in everything.pages[url]["text"] for url in GOOD)


def test_each_url_is_accounted_for_and_counts_add_up(everything):
    ran = everything.ran
    assert len(ran.endings()) == len(everything.pages) + len(everything.outcomes)  # and none of them twice
    rows = {row["url"]: row for row in ran.seeds}
    assert len(rows) == len(FAULTS) + len(GOOD)
    assert {row["outcome"] for row in rows.values()} <= {"fetched", "redirected", "excluded", "failed"}
    summary = msgspec.json.decode((ran.directory / "summary.json").read_bytes())
    counts = summary["outcomes"]
    assert sum(counts.values()) == summary["admitted"] == len(ran.endings())


def test_the_exit_code_says_that_a_retry_may_mend_some(crawls):
    assert [crawled.ran.code for crawled in crawls] == [4, 3]


def test_nothing_is_left_open_or_unawaited_or_unexpected(crawls):
    for crawled in crawls:
        log = (crawled.ran.directory / "crawl.log").read_text()
        for told in (crawled.ran.stderr, log):
            for word in ("Traceback", "Warning", "unclosed", "never awaited", "never retrieved", "was destroyed"):
                assert word not in told, told


@ON_LINUX
def test_memory_of_all_processes_stays_under_its_limit(everything):
    assert everything.peak_bytes < MOST_BYTES


@ON_LINUX
def test_no_file_descriptor_is_left_behind(everything):
    counts = everything.descriptors
    late = len(counts) * 3 // 4
    assert max(counts) < 3 * CONCURRENCY + 40, "one for each request, two idle ones, and what it has anyway"
    assert max(counts[late:]) <= max(counts[:late]), "it rises all the time"
