"""How close does a broad crawl come to the fastest that is polite? 2,000 hosts, each on an address of its own.

    python -m benchmarks.broad [--hosts 2000] [--seconds 60] [--set KEY=VALUE …]

Answers take 300 ms in the median, lognormally spread; each host may be asked once a second, one request at a time. The
steady window reaches from the moment that all hosts have begun to the first that has no more pages. For each pause in
it that the server saw, the ideal one follows from the answer before, whose latency is the server's too: the delay, or
the latency if that is longer (plain), or twice the smoothed latency if that is longer still (adaptive, which is what
the crawl is configured to do). Ends with an error if a limit was broken. Linux only (/proc, and all of 127.0.0.0/8).
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import yaml

from benchmarks.endless import html
from benchmarks.processes import cpu_s, machine_cpu_s, rss_bytes, tree
from tests.support.manners import Pace, Promised, violations
from tests.support.server import ServerApart
from tests.support.web import Reply

if TYPE_CHECKING:
    from tests.support.hits import Hit, Log

DELAY_S = 1.0
MEDIAN_S = 0.3
SIGMA = 0.5
FACTOR = 2.0
SMOOTHING = 1 / 8
SAMPLE_EVERY_S = 0.25
FILES = 16_384
MIB = 2**20
ROBOTS = b"User-agent: *\nDisallow: /private/\nAllow: /private/open/\n"
HTML = (("Content-Type", "text/html; charset=utf-8"),)
TEXT = (("Content-Type", "text/plain"),)


class Latent:
    """Answers of every host after a while that follows from host and path."""

    def __init__(self, pages: int) -> None:
        normal = NormalDist()
        quantiles = (normal.inv_cdf((number + 0.5) / 1009) for number in range(1009))
        self._latencies = [MEDIAN_S * math.exp(SIGMA * quantile) for quantile in quantiles]
        self._bodies = {f"/{number}": html(number, pages).encode() for number in range(pages)}

    def respond(self, host: str, path: str, visit: int) -> Reply:  # noqa: ARG002 -- as a Responder is asked
        """Any page of any host."""
        delay_s = self._latencies[(number_of(host) * 523 + sum(map(ord, path)) * 61) % len(self._latencies)]
        if path == "/robots.txt":
            return Reply(200, TEXT, ROBOTS, delay_s)
        body = self._bodies.get(path)
        return Reply(404, TEXT, b"", delay_s) if body is None else Reply(200, HTML, body, delay_s)


def name_of(number: int) -> str:
    return f"h{number}.test"


def number_of(host: str) -> int:
    return int(host[1:-5])


def address_of(number: int) -> str:
    """An address of its own for each host."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


@dataclass(frozen=True)
class Sample:
    """What had been used at one moment."""

    at: float
    #: of the main process, its parsers, the server, and everything on the machine
    cpu_s: tuple[float, float, float, float]
    #: of the main process, and its parsers' sum, where what they share counts in each
    rss_bytes: tuple[int, int]

    @classmethod
    def of(cls, pid: int, server: int) -> Sample:
        """Look now."""
        parsers = tree(pid)[1:]
        times = (cpu_s(pid), sum(map(cpu_s, parsers)), cpu_s(server), machine_cpu_s())
        return cls(time.monotonic(), times, (rss_bytes(pid), sum(map(rss_bytes, parsers))))


def configured(folder: Path, hosts: int, port: int) -> Path:
    """A configuration as a user would write it."""
    path = folder / "crawl.yaml"
    settings = {
        "seeds": [f"http://{name_of(number)}/0" for number in range(hosts)],
        "limits": {"concurrency": hosts, "default": {"delay": f"{DELAY_S:g}s", "concurrency": 1}},
        "fetch": {"resolve": {name_of(number): f"{address_of(number)}:{port}" for number in range(hosts)}},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def crawl(command: list[str], server: ServerApart) -> list[Sample]:
    """Crawl to the end, looking at what it uses."""
    process = subprocess.Popen(command)
    samples = []
    while process.poll() is None:
        samples.append(Sample.of(process.pid, server.pid))
        time.sleep(SAMPLE_EVERY_S)
    if process.returncode:
        raise SystemExit(f"the crawl ended with {process.returncode}")
    return samples


def steady(log: Log) -> tuple[float, float]:
    """From when to when all hosts were at work."""
    hosts = log.by_host().values()
    return max(hits[2].at for hits in hosts), min(hits[-1].at for hits in hosts)


@dataclass
class Pauses:
    """Those between the requests to one host in the window: how many, and what they came to, in seconds."""

    number: int = 0
    actual_s: float = 0.0
    #: the shortest that they could have been
    plain_s: float = 0.0
    adaptive_s: float = 0.0

    @classmethod
    def of(cls, hits: list[Hit], begin: float, end: float) -> Pauses:
        """Go through all requests to a host, as the smoothed latency knows those before the window, too."""
        sums, smoothed_s = cls(), 0.0
        for hit, following in pairwise(hits):
            latency_s = (hit.ended or hit.at) - hit.at
            smoothed_s = smoothed_s + SMOOTHING * (latency_s - smoothed_s) if smoothed_s else latency_s
            if begin <= hit.at and following.at <= end:
                sums.number += 1
                sums.actual_s += following.at - hit.at
                sums.plain_s += max(DELAY_S, latency_s)
                sums.adaptive_s += max(DELAY_S, latency_s, FACTOR * smoothed_s)
        return sums


def told_pace(log: Log, begin: float, end: float) -> None:
    """Print how fast the crawl was, against how fast it may be: the sum of all hosts' own rates.

    Not the requests in the window over its length: all hosts begin together, and the beats at its edges would count.
    """
    hosts = [Pauses.of(hits, begin, end) for hits in log.by_host().values()]
    actual = sum(host.number / host.actual_s for host in hosts)
    plain = sum(host.number / host.plain_s for host in hosts)
    adaptive = sum(host.number / host.adaptive_s for host in hosts)
    print(f"steady for {end - begin:.1f} s: {actual:,.1f} pages/s")
    print(f"ideal, plain     {plain:>9,.1f} pages/s, of which {actual / plain:.2%}")
    print(f"ideal, adaptive  {adaptive:>9,.1f} pages/s, of which {actual / adaptive:.2%}")


def told_use(samples: list[Sample], begin: float, end: float) -> None:
    """Print what that took."""
    within = [sample for sample in samples if begin <= sample.at <= end]
    first, last = within[0], within[-1]
    span_s = last.at - first.at
    main, parsers, server, busy = (
        (after - before) / span_s for before, after in zip(first.cpu_s, last.cpu_s, strict=True)
    )
    print(f"CPU, of one core: main process {main:.1%}, parsers {parsers:.1%}, server {server:.1%}", end="; ")
    print(f"of the machine's {os.cpu_count()}, others had {max(0.0, busy - main - parsers - server):.1%}")
    main_bytes, children_bytes = (max(column) for column in zip(*(sample.rss_bytes for sample in samples), strict=True))
    print(f"memory at most: main process {main_bytes / MIB:.0f} MiB, parsers {children_bytes / MIB:.0f} MiB")


def told_manners(log: Log) -> int:
    """Print what the server thinks of it; the number of violations."""
    gap_s = min(later.at - earlier.at for hits in log.by_host().values() for earlier, later in pairwise(hits))
    pace = Pace(DELAY_S, 1)
    found = violations(log, Promised(pace=lambda _: pace, per_address=1))
    print(
        f"violations {len(found)}; smallest gap {gap_s * 1000:.1f} ms, most in flight to a host {log.max_in_flight()}"
    )
    for violation in found[:10]:
        print(f"  {violation.host}: {violation.what}")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=60, help="about how long the steady window shall be")
    parser.add_argument("--set", action="append", default=[], dest="settings", help="as for crawler crawl")
    parser.add_argument("--program", default=f"{sys.executable} -m crawler", help="what crawls")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    folder = Path(tempfile.mkdtemp(prefix="broad-"))
    try:
        web = Latent(options.seconds + 5)
        with ServerApart(web, map(address_of, range(options.hosts))) as server:
            path = configured(folder, options.hosts, server.port)
            command = [*options.program.split(), "crawl", "-c", str(path), "-q", "-d", str(folder / "crawl")]
            samples = crawl([*command, *(f"--set={setting}" for setting in options.settings)], server)
        begin, end = steady(server.log)
        print(f"{options.hosts:,} hosts, {len(server.log.hits):,} requests")
        told_pace(server.log, begin, end)
        told_use(samples, begin, end)
        if told_manners(server.log):
            raise SystemExit(1)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
