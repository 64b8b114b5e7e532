"""SIGKILL at any moment. Run as a program this is a small crawl that writes a file; the test kills it ten times."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from crawler.clock import SystemClock
from crawler.frontier.bounds import Bounds
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Link, Outcome, Request, Snoozed
from crawler.url import fingerprint

ROOT = Path(__file__).parents[2]
URLS = 15_000
ROUNDS = 10
MOST_AT_ONCE = 100
#: a sweep every few commits, hosts forgotten all the time
BOUNDS = Bounds(memory_urls=500, window_urls=200, chunk_urls=8, host_names=20, snoozed=10, seeds=1, unindexed=100)


def url_of(number):
    return f"https://host{number % 41}.test/{number}"


def link(number, key):
    url = url_of(number)
    return Link(url=url, host_key=url.split("/")[2], priority=number % 3, fingerprint=fingerprint(url, key))


class Crawl:
    """Takes, writes a line for each URL, finds its links, commits; ends when nothing is left."""

    def __init__(self, folder):
        self.out = folder / "out.txt"
        self.frontier = SqliteFrontier(folder / "crawl.db", SystemClock(), bounds=BOUNDS)
        self.draw = random.Random()
        self.finished, self.snoozed, self.lines, self.held = [], [], [], []

    async def run(self):
        restored = await self.frontier.open()
        self.out.touch()
        os.truncate(self.out, restored.positions.get("out", 0))
        self.frontier.add([Request(url=url_of(0), host_key="host0.test", scope_host="host0.test", seed="s")])
        print("ready", flush=True)
        with self.out.open("ab") as out:
            async with asyncio.TaskGroup() as group:
                writing = None
                while self.frontier.counts().pending or self.finished:
                    await self.step()
                    if writing is None or writing.done():
                        writing = group.create_task(self.commit(out))
                    if len(self.finished) >= MOST_AT_ONCE:  # on a slow disk, too, it lives through many commits
                        await writing
                    await asyncio.sleep(0)
        await self.frontier.aclose()

    async def step(self):
        await self.frontier.wake()
        hosts, _ = await self.frontier.hosts(time.time(), self.draw.randrange(41), 10)
        self.held += await self.frontier.take([(host.host_key, self.draw.randrange(6)) for host in hosts])
        self.draw.shuffle(self.held)
        part = len(self.held) * 2 // 3 or 1
        ready, self.held = self.held[:part], self.held[part:]
        for request in ready:
            number = int(request.url.rsplit("/", 1)[1])
            if number % 29 == 1 and request.attempt == 1:
                until = time.monotonic() + 0.01
                self.snoozed.append(Snoozed(request=replace(request, attempt=2), until=until))
                continue
            self.finished.append(Finished(request=request, outcome=Outcome.FETCHED, has_page=True))
            self.lines.append(f"{number}\n".encode())
            found = [child for child in range(4 * number + 1, 4 * number + 5) if child < URLS]
            self.frontier.discover(request, [link(n, self.frontier.key) for n in (*found, number, number // 2)])

    async def commit(self, out):
        finished, snoozed, lines = self.finished, self.snoozed, self.lines
        self.finished, self.snoozed, self.lines = [], [], []
        out.write(b"".join(lines))
        out.flush()
        os.fsync(out.fileno())
        checkpoint = Checkpoint(finished=tuple(finished), snoozed=tuple(snoozed), positions={"out": out.tell()})
        await self.frontier.commit(checkpoint)
        print("committed", flush=True)


def start(folder):
    child = subprocess.Popen(
        [sys.executable, __file__, folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"ready\n"
    return child


def check(folder):
    """What must be true of the files of a crawl that was killed; how many of its URLs have ended."""
    store = sqlite3.connect(folder / "crawl.db")
    ask = lambda statement: store.execute(statement).fetchall()  # noqa: E731
    assert ask("PRAGMA integrity_check") == [("ok",)]
    committed = dict(ask("SELECT name, bytes FROM file")).get("out", 0)
    written = (folder / "out.txt").read_bytes()[:committed]
    assert len(written) == committed
    records = [url_of(int(line)) for line in written.splitlines()]
    assert sorted(records) == sorted(url for (url,) in ask("SELECT url FROM url JOIN done USING (id)"))
    assert len(set(records)) == len(records)
    assert ask("SELECT sum(urls) FROM tally") == [(len(records),)]
    urls = [url for (url,) in ask("SELECT url FROM url")]
    assert len(set(urls)) == len(urls)
    ((watermark,),) = ask("SELECT value FROM meta WHERE name = 'watermark'")
    ended = {number for (number,) in ask("SELECT id FROM done UNION SELECT id FROM snoozed")}
    listed = [number for (ids,) in ask("SELECT ids FROM chunk") for number in json.loads(ids)]
    assert len(set(listed)) == len(listed)
    assert set(range(1, watermark + 1)) - ended <= set(listed)
    assert all(set(json.loads(ids)) - ended for (ids,) in ask("SELECT ids FROM chunk"))
    store.close()
    return len(records)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_killed_at_any_moment_each_url_has_one_record_and_none_is_lost(tmp_path):
    draw = random.Random(20)
    progress = [0]
    for _ in range(ROUNDS):
        child = start(tmp_path)
        for _ in range(draw.randrange(1, 8)):
            assert child.stdout.readline() == b"committed\n"
        time.sleep(draw.uniform(0, 0.02))  # into the midst of whatever comes next
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        progress.append(check(tmp_path))
    assert progress == sorted(progress)
    assert 0 < progress[-1] < URLS, "the kills came too early or too late to mean anything"
    child = start(tmp_path)
    child.communicate(timeout=60)
    assert child.returncode == 0
    assert check(tmp_path) == URLS


if __name__ == "__main__":
    asyncio.run(Crawl(Path(sys.argv[1])).run())
