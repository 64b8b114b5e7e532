"""A crawl that several workers share, each a process of its own, seen from outside: its web's server, Redis, its files.

Every worker names itself in its User-Agent, so that the server's log tells who asked. That is a difference for which a
worker would be refused: it is the one check that these leave out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tests.support.killing import COMMAND, ROOT
from tests.support.manners import Pace, Promised, violations
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.hits import Hit
    from tests.support.manners import Violation
    from tests.support.web import Web

PATIENCE_S = 40.0
WORKER = "import crawler.enrolling as e; e._compare = lambda *_: None; from crawler.cli import main; main()"
"""What a worker's Python runs."""

_AGENT = "crawler/1 ({}; +https://example.org/bot)"
#: what of a page depends on who found it first, and when
_OF_TIME_AND_ORDER = frozenset({"fetched_at", "elapsed_s", "via", "depth", "seed", "at", "attempts"})


@dataclass
class Worker:
    """One process."""

    name: str
    process: subprocess.Popen[bytes]
    errors: Path
    killed_at: float | None = None

    def kill(self) -> float:
        """End it at once; when that was, on the monotonic clock."""
        self.killed_at = time.monotonic()
        self.process.kill()
        self.process.wait(10)
        return self.killed_at

    def freeze(self) -> float:
        """Stop it where it stands, its parsers go on; when that was."""
        os.kill(self.process.pid, signal.SIGSTOP)
        return time.monotonic()

    def thaw(self) -> float:
        """Let it go on; when that was."""
        at = time.monotonic()
        os.kill(self.process.pid, signal.SIGCONT)
        return at

    def interrupt(self) -> None:
        """As Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    @property
    def is_there(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def end(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; its exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end: {self.said}") from None

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.errors.read_text(errors="replace")[-3000:]

    @property
    def log(self) -> str:
        """What stands in its crawl.log, and what it has said."""
        logs = self.errors.parent.glob(f"crawl/workers/*-{self.name}/crawl.log")
        return "\n".join([path.read_text(errors="replace") for path in logs] + [self.said])


@dataclass
class Fleet:
    """The workers of one crawl: ``with Fleet(folder, web, url) as fleet``. All write to one directory.

    Args:
        folder: Where all of it goes.
        web: What is crawled, each host from its front page, links to others included.
        url: Of Redis, as workers reach it unless told otherwise.
        lease_s: For how long a worker keeps its hosts that is not heard of.
        settings: Of the configuration, besides.
    """

    folder: Path
    web: Web
    url: str
    lease_s: float = 1.0
    delay_s: float = 0.05
    partitions: int = 16
    settings: Mapping[str, Any] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(Server(self.web))
        self._stack.callback(self._end_all)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "crawl.yaml").write_text(json.dumps(self._configuration()))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def directory(self) -> Path:
        """Of the crawl."""
        return self.folder / "crawl"

    @property
    def hits(self) -> Sequence[Hit]:
        """All requests so far."""
        return self.server.log.hits

    def start(
        self,
        name: str,
        *more: str,
        url: str | None = None,
        env: Mapping[str, str] | None = None,
        program: str = WORKER,
    ) -> Worker:
        """Start a worker."""
        errors = self.folder / f"{name}.txt"
        command = [
            *(
                sys.executable,
                "-c",
                program,
                "crawl",
                "-c",
                "crawl.yaml",
                "-d",
                "crawl",
                "-q",
                "--frontier",
                url or self.url,
            ),
            *("--set", f"fetch.user_agent={_AGENT.format(name)}", "--set", f"fleet.name={name}", *more),
        ]
        with errors.open("ab") as said:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        worker = Worker(name, process, errors)
        self.workers.append(worker)
        return worker

    def until(self, holds: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> float:
        """Wait until something holds; when it did, on the monotonic clock."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                said = "\n".join(f"{worker.name}: {worker.said}" for worker in self.workers)
                raise AssertionError(f"not {what} after {timeout_s:g} s, with {len(self.hits)} requests\n{said}")
            time.sleep(0.01)
        return time.monotonic()

    def asked_by(self, *names: str, since: float = 0.0) -> list[Hit]:
        """The requests of some workers."""
        marks = tuple(f"({name};" for name in names)
        return [hit for hit in list(self.hits) if hit.at >= since and any(mark in hit.user_agent for mark in marks)]

    def until_asked(self, count: int, *names: str) -> float:
        """Wait until each of these workers has made so many requests."""
        return self.until(
            lambda: all(len(self.asked_by(name)) >= count for name in names), f"{count} requests of {names}"
        )

    def now(self) -> float:
        """The clock of all times here, and of the server's log."""
        return time.monotonic()

    def pass_time(self, seconds: float) -> None:
        """Let some time pass in which something is away."""
        time.sleep(seconds)

    def is_still_for(self, seconds: float) -> bool:
        """Whether nothing has been asked for so long."""
        return bool(self.hits) and time.monotonic() - self.hits[-1].at >= seconds

    def ended(self, *workers: Worker) -> list[int]:
        """Wait for the end of these, or of all that were not killed; their exit codes."""
        waited = workers or [worker for worker in self.workers if worker.killed_at is None]
        return [worker.end() for worker in waited]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of crawler, in the folder."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def status(self, url: str | None = None) -> dict[str, Any]:
        """What `crawler status --json` says."""
        done = self.run("status", url or self.url, "--json")
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)

    def held(self) -> dict[int, int]:
        """How many partitions each worker holds, by its number: asked of Redis itself, which is quick."""
        import redis

        with redis.Redis.from_url(self.url) as client:
            leases = client.mget([f"{{crawler:shop:{number}}}:lease" for number in range(self.partitions)])
        return Counter(int(lease.partition(b" ")[0]) for lease in leases if lease)

    def merged(self) -> Merged:
        """All that the workers have written, as one crawl.

        Raises:
            AssertionError: A URL has two ends, or the numbers do not add up.
        """
        done = self.run("merge", str(self.directory))
        assert done.returncode == 0, done.stderr
        return Merged.of(self.directory, done.stderr)

    def promised(self, deaths: Sequence[float] = ()) -> list[Violation]:
        """The promises that were not kept, by the server's log."""
        pace = Pace(self.delay_s, 1)
        return violations(self.server.log, Promised(pace=lambda _: pace, deaths=deaths))

    def is_whole(self, *, url: str | None = None, deaths: Sequence[float] = (), slips: int = 0) -> Merged:
        """Hold a crawl that is over to all that was promised.

        Args:
            url: Of Redis, if not as for workers.
            deaths: When workers died, on the monotonic clock.
            slips: How many requests of a host may have been too early, as a worker was frozen.

        Raises:
            AssertionError: A promise was broken.
        """
        merged = self.merged()
        expected = {url: ending.outcome for url, ending in self.web.expected().items()}
        ended = {url: outcome for url, (outcome, _) in merged.endings.items()}
        wrong = [u for u in ended.keys() | expected.keys() if ended.get(u) != expected.get(u)]
        shown = [(u, ended.get(u), expected.get(u)) for u in sorted(wrong)[:5]]
        assert not wrong, f"{len(wrong)} of {len(expected)} URLs ended otherwise, or not: {shown}"
        totals = self.status(url)["totals"]
        assert totals["admitted"] == len(ended), totals
        assert totals["pending"] == 0
        counted = {outcome: count for outcome, count in merged.summary["outcomes"].items() if count}
        assert totals["outcomes"] == counted
        assert totals["inbox_blocks"] == 0, totals
        by_host: dict[str, list[Violation]] = {}
        for violation in self.promised(deaths):
            by_host.setdefault(violation.host, []).append(violation)
        broken = {host: found for host, found in by_host.items() if len(found) > slips}
        assert not broken, broken
        return merged

    def _configuration(self) -> dict[str, Any]:
        merged: dict[str, Any] = {
            "name": "shop",
            "seeds": self.web.seeds(),
            "scope": {"stay_on": "any"},
            "limits": {"default": {"delay": f"{self.delay_s:g}s"}, "adaptive": False},
            "traps": {"detect": False},
            "fetch": {"resolve": {"*.test": f"127.0.0.1:{self.server.port}"}},
            "parse": {"backend": "thread", "workers": 1},
            "checkpoint": {"every": "200ms", "fsync": False},
            "fleet": {"lease": f"{self.lease_s:g}s", "partitions": self.partitions},
        }
        return merged | dict(self.settings)

    def _end_all(self) -> None:
        for worker in self.workers:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(worker.process.pid, signal.SIGKILL)
            worker.process.wait(10)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """A merged crawl."""

    endings: Mapping[str, tuple[str, str | None]]  #: URL -> outcome, reason
    records: Mapping[str, bytes]  #: URL -> its record, without what depends on time and order
    summary: Mapping[str, Any]
    said: str

    @classmethod
    def of(cls, directory: Path, said: str = "") -> Self:
        """Read it."""
        endings: dict[str, tuple[str, str | None]] = {}
        records = {}
        for name in ("pages", "outcomes"):
            for record in _lines(directory / f"{name}.jsonl"):
                url = record["url"]
                assert url not in endings, f"{url} has two ends"
                endings[url] = (record.get("outcome", "fetched"), record.get("reason"))
                kept = {key: value for key, value in sorted(record.items()) if key not in _OF_TIME_AND_ORDER}
                records[url] = msgspec.json.encode(kept)
        summary = msgspec.json.decode((directory / "summary.json").read_bytes())
        assert summary["admitted"] == sum(summary["outcomes"].values()) + summary["pending"], summary
        assert len(endings) == sum(summary["outcomes"].values()), summary
        return cls(endings=endings, records=records, summary=summary, said=said)


def alone(folder: Path, web: Web) -> Merged:
    """The same web crawled by one machine that shares nothing."""
    with Fleet(folder, web, "sqlite", delay_s=0.0) as fleet:
        fleet.start("alone")
        assert fleet.ended() == [0]
        return Merged.of(fleet.directory)


def gaps_after(fleet: Fleet, dead: str, at: float) -> dict[str, float]:
    """Host -> how long after `at` somebody else first asked it, for each host that the dead one had asked last."""
    last: dict[str, Hit] = {}
    for hit in list(fleet.hits):
        if hit.at <= at:
            last[hit.host] = hit
    his = {host for host, hit in last.items() if f"({dead};" in hit.user_agent}
    found: dict[str, float] = {}
    for hit in list(fleet.hits):
        if hit.at > at and hit.host in his and f"({dead};" not in hit.user_agent:
            found.setdefault(hit.host, hit.at - at)
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_bytes() if path.exists() else b""
    assert text.endswith(b"\n") or not text, f"{path} ends with a torn line"
    yield from map(msgspec.json.decode, text.splitlines())
