"""Does a crawl stay whole and small for half an hour among faults? One crawl, its memory and descriptors by the minute.

    python -m benchmarks.soak [--minutes 30] [--faults 0.05] [--kill-every 20]

Of a web of 50 hosts and two million pages, where one new URL in twenty leads to a host that does one of the faults of
`tests/support/faults`; every few seconds a parser process, any of them, is killed. At the end each URL requested must
stand in one output file, once, the counts of files, summary and store must agree, each fault must have ended as the
catalogue says, and every page that no killed parser held must have been kept. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.processes import rss_bytes, tree
from tests.support.faults.catalogue import FAULTS
from tests.support.faults.certificates import AUTHORITY
from tests.support.faults.fault import DOMAIN
from tests.support.faults.server import FaultServer
from tests.support.server import ServerApart
from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.faults.fault import Fault
    from tests.support.web import Reply

MIB = 2**20
HOSTS, PAGES_PER_HOST = 50, 40_000
SAMPLE_EVERY_S = 1.0
ROWS = 10
NUMBERED = "--"  # between a fault's name and the number of one of its hosts
ROBOTS = "/robots.txt"
OURS = re.compile(r"http://h\d+\.test/")
UNREACHABLE = ("excluded", "robots_unreachable")
KILLED = ("failed", "parser_crashed")


@dataclass(frozen=True)
class FaultyWeb:
    """`Web`, some of whose pages link to a host of a fault, each to one of its own."""

    web: Web
    faults: tuple[tuple[str, str], ...]  #: name, and its URL with {host}
    share: float

    def respond(self, host: str, path: str, visit: int) -> Reply:
        reply = self.web.respond(host, path, visit)
        drawn = random.Random(f"{host}{path}")
        if reply.status != 200 or path == ROBOTS or drawn.random() >= self.share:
            return reply
        name, url = drawn.choice(self.faults)
        number = f"{host.partition('.')[0]}-{path.rpartition('/')[2] or 0}"
        link = url.format(host=f"{name}{NUMBERED}{number}.{DOMAIN}")
        return replace(reply, body=reply.body.replace(b"</ul>", f'<li><a href="{link}">odd</a></li></ul>'.encode()))


class NumberedFaults(FaultServer):
    """Has as many hosts of each fault as are asked for."""

    def fault_of(self, host: str) -> Fault | None:
        return self.faults.get(f"{name_of(host)}.{DOMAIN}")


def name_of(host: str) -> str:
    return host.partition(".")[0].partition(NUMBERED)[0]


@dataclass(frozen=True)
class Sample:
    """One moment of the crawl."""

    at_s: float
    main: int  #: resident bytes
    children: int  #: likewise, summed
    known: int  #: URLs, by the store
    ended: int
    descriptors: int  #: of the main process


@dataclass
class Watch:
    """What was seen while it ran."""

    samples: list[Sample] = field(default_factory=list)
    kills: int = 0


def crawl(directory: Path, minutes: float, ports: tuple[int, int]) -> subprocess.Popen[bytes]:
    web, faults = ports
    settings = (
        f'fetch.resolve={{"*.test": "127.0.0.1:{web}", "*.{DOMAIN}": "127.0.0.1:{faults}"}}',
        "fetch.timeout=3s",
        "fetch.connect_timeout=2s",
        "scope.stay_on=any",
        "limits.concurrency=64",
        "limits.default.concurrency=4",
        "limits.default.delay=0s",
        "limits.per_address.concurrency=64",
        "limits.adaptive=false",
        f"budget.time={minutes:g}m",
    )
    command = [sys.executable, "-m", "crawler", "crawl", "http://h0.test/", "-q", "-d", str(directory)]
    environment = {**os.environ, "SSL_CERT_FILE": str(AUTHORITY), "PYTHONWARNINGS": "error"}
    with (directory.parent / "stderr").open("wb") as stderr:
        options = (f"--set={setting}" for setting in settings)
        return subprocess.Popen([*command, *options], env=environment, stderr=stderr)


def watch(process: subprocess.Popen[bytes], store: Path, kill_every_s: float) -> Watch:
    """Sample, and kill parsers, until the process has ended."""
    seen, drawn = Watch(), random.Random(0)
    began = last_kill = time.monotonic()
    while process.poll() is None:
        time.sleep(SAMPLE_EVERY_S)
        now = time.monotonic()
        members = tree(process.pid)
        if kill_every_s and now - last_kill >= kill_every_s and (workers := members[2:]):
            last_kill = now
            seen.kills += killed(drawn.choice(workers))
        try:
            descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))  # noqa: PTH208  (a name each, no paths)
        except OSError:
            break
        children = sum(rss_bytes(pid) for pid in members[1:])
        known, ended = counted(store)
        seen.samples.append(Sample(now - began, rss_bytes(process.pid), children, known, ended, descriptors))
    return seen


def killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def counted(store: Path) -> tuple[int, int]:
    """URLs known and ended, by the store; zeros while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=5)) as db:
            row = db.execute("SELECT (SELECT max(id) FROM url), (SELECT count(*) FROM done)").fetchone()
    except sqlite3.Error:
        return 0, 0
    return row[0] or 0, row[1] or 0


def told(samples: list[Sample]) -> None:
    """Print medians of tenths of the crawl, and how the last compares with the third."""
    print(f"{'min':>5}{'known URLs':>12}{'ended':>11}{'main MiB':>10}{'children MiB':>14}{'descriptors':>13}")
    rows = []
    for tenth in range(ROWS):
        some = samples[len(samples) * tenth // ROWS : len(samples) * (tenth + 1) // ROWS]
        if not some:
            continue
        last = some[-1]
        main, children, fds = (median(getattr(s, what) for s in some) for what in ("main", "children", "descriptors"))
        rows.append((main - 17.5 * last.known, children, fds))
        print(
            f"{last.at_s / 60:>5.1f}{last.known:>12,}{last.ended:>11,}{main / MIB:>10.1f}{children / MIB:>14.1f}"
            f"{fds:>13.0f}"
        )
    if len(rows) > 3:
        ratios = (last / then for then, last in zip(rows[2], rows[-1], strict=True))
        print(
            "last tenth against the third: main, seen table apart, {:.3f}, children {:.3f}, fds {:.3f}".format(*ratios)
        )


def lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def proven(directory: Path, web: ServerApart) -> list[str]:
    """Hold files, store, summary and the server's log against each other; what is wrong."""
    wrong: list[str] = []
    summary = json.loads((directory / "summary.json").read_bytes())
    ends: dict[str, tuple[str, str | None]] = {}
    for page in lines(directory / "pages.jsonl"):
        wrong += [f"{page['url']} stands twice"] * (str(page["url"]) in ends)
        ends[str(page["url"])] = ("fetched", None)
    for line in lines(directory / "outcomes.jsonl"):
        wrong += [f"{line['url']} stands twice"] * (str(line["url"]) in ends)
        ends[str(line["url"])] = (str(line["outcome"]), line["reason"] and str(line["reason"]))
    outcomes = Counter(outcome for outcome, _ in ends.values())
    if outcomes != Counter({name: count for name, count in summary["outcomes"].items() if count}):
        wrong.append(f"files hold {dict(outcomes)}, the summary {summary['outcomes']}")
    if summary["admitted"] != sum(summary["outcomes"].values()) + summary["pending"]:
        wrong.append(f"admitted {summary['admitted']} is not outcomes and pending together")
    _, ended = counted(directory / "crawl.db")
    if ended != len(ends):
        wrong.append(f"the store knows {ended} ends, the files {len(ends)}")
    asked = {f"http://{hit.host}{hit.path}" for hit in web.log.hits if hit.path != ROBOTS}
    ours = {url for url in ends if OURS.match(url)}
    kept = {url for url in ours if ends[url] == ("fetched", None)}
    print(f"{len(asked):,} URLs of the web requested, {len(kept):,} kept, {len(ours & asked - kept)} of them not")
    wrong += [f"{url} was requested, and has no end" for url in asked - ours][:20]  # in flight at the end: none
    wrong += [f"{url}: {ends[url]}" for url in ours - kept if ends[url] != KILLED][:20]
    return wrong + faulty(ends)


def faulty(ends: dict[str, tuple[str, str | None]]) -> list[str]:
    """Faults that have not ended as the catalogue says."""
    by_name = {fault.name: fault for fault in FAULTS}
    met: Counter[str] = Counter()
    wrong = []
    for url, end in ends.items():
        host = url.split("/")[2].partition(":")[0]
        fault = by_name.get(name_of(host)) if host.endswith(f".{DOMAIN}") else None
        if fault is None or url != fault.url.replace(fault.host, host):
            continue
        met[fault.name] += 1
        told = UNREACHABLE if fault.breaks_host else (fault.ends, fault.reason)
        if end not in (told, KILLED):
            wrong.append(f"{url}: {end}, the catalogue says {told}")
    print(f"{met.total():,} hosts with {len(met)} kinds of faults of {len(FAULTS)}; {len(wrong)} ended otherwise")
    return wrong[:20]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--faults", type=float, default=0.05, help="share of pages that link to a fault")
    parser.add_argument("--kill-every", type=float, default=20, help="seconds between kills of parsers; 0: none")
    parser.add_argument("--latency", type=float, default=0.15, help="seconds the web takes to answer")
    parser.add_argument("--folder", type=Path, help="where to crawl; a temporary folder by default")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=options.folder))
    linked = tuple((fault.name, fault.url.replace(fault.host, "{host}")) for fault in FAULTS if fault.host in fault.url)
    web = Web(seed=7, hosts=HOSTS, pages_per_host=PAGES_PER_HOST, latency_s=options.latency)
    directory = folder / "crawl"
    with (
        NumberedFaults(FAULTS) as faults,
        ServerApart(FaultyWeb(web, linked, options.faults)) as server,
    ):
        process = crawl(directory, options.minutes, (server.port, faults.port))
        seen = watch(process, directory / "crawl.db", options.kill_every)
    told(seen.samples)
    print(f"{seen.kills} parsers killed; exit code {process.returncode}")
    print((directory / "summary.json").read_text())
    wrong = proven(directory, server)
    stderr = (folder / "stderr").read_text()
    wrong += [f"standard error: {stderr[-500:]}"] * ("Warning" in stderr or "Traceback" in stderr)
    if wrong or process.returncode not in (0, 4):
        raise SystemExit("\n".join([f"in {folder}:", *wrong]))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
