"""A crawl writes to sinks of its user's, which take part in checkpoints and are cut at a resume."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys

import pytest

from crawler import ConfigError, Crawl, ExportError
from crawler.given import GivenSink
from tests.crawl.conftest import environment
from tests.crawl.test_crawl_api import config
from tests.support.given import FRONT, Kept, Table, awaits_what_is_cancelled, lines
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

WEB = Web(pages_per_host=40, error_share=0.2)


@pytest.fixture
def server():
    with Server(WEB) as server:
        yield server


async def test_a_sink_gets_the_lines_of_pages_or_of_another_file(server, tmp_path):
    pages, failures = Kept(), Kept()
    sinks = {"memory": pages, "failures": ("outcomes", failures)}
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks=sinks) as crawling:
        await crawling.result()
    assert b"\n".join(pages.lines) + b"\n" == (tmp_path / "d/pages.jsonl").read_bytes()
    assert b"\n".join(failures.lines) + b"\n" == (tmp_path / "d/outcomes.jsonl").read_bytes()
    assert pages.opened_at == [None]
    assert pages.closed
    assert failures.closed


async def test_a_sink_is_cut_to_what_is_committed_when_a_crawl_goes_on(server, tmp_path):
    first = Kept()
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks={"memory": first}) as crawling:
        async for _ in crawling:
            break
    committed = len(first.lines)
    second = Kept([*first.lines, b"what a crash has left"])
    async with Crawl(directory=tmp_path / "d", resume=True, sinks={"memory": second}) as crawling:
        await crawling.result()
    assert second.opened_at == [committed]
    assert b"\n".join(second.lines) + b"\n" == (tmp_path / "d/pages.jsonl").read_bytes()


async def test_a_sink_that_is_not_given_any_more_is_told_of(server, tmp_path):
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks={"memory": Kept()}) as crawling:
        crawling.stop()
    async with Crawl(directory=tmp_path / "d", resume=True) as crawling:
        news = crawling._running.news
        assert (await crawling.result()).ending.complete
    assert "The sink 'memory' of an earlier run is not given: it gets nothing of this one" in news


KILLED = """
import asyncio, os, signal, sqlite3, sys
from crawler import Crawl
from tests.support.given import Table, web_config

async def main(port, directory, path, after):
    pages = 0
    sinks = {"table": Table(path)}
    settings = {"seeds": ["http://h0.test/"], "directory": directory, "resume": True, "sinks": sinks}
    async with Crawl(web_config(port), **settings) as crawl:
        async for page in crawl:
            pages += 1
            if pages == after:
                os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
"""


def test_a_sink_has_each_page_once_however_often_the_crawl_is_killed(tmp_path):
    web = Web(pages_per_host=120, latency_s=0.002)
    with Server(web) as server:
        for after, code in ((7, -signal.SIGKILL), (31, -signal.SIGKILL), (10_000, 0)):
            done = subprocess.run(
                [sys.executable, "-c", KILLED, str(server.port), "d", "pages.db", str(after)],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == code, done.stderr.decode()
    db = sqlite3.connect(tmp_path / "pages.db")
    rows = [url for (url,) in db.execute("SELECT url FROM page ORDER BY id")]
    db.close()
    assert rows == [line["url"] for line in lines(tmp_path / "d/pages.jsonl")]
    assert len(rows) == len(set(rows)) == 120


class Failing(Kept):
    """Fails in one of its methods."""

    def __init__(self, name, result=None):
        super().__init__()
        setattr(self, name, self.fail)
        self.result = result

    async def fail(self, *_arguments, **_keywords):
        if self.result is not None:
            return self.result
        raise KeyError("disk")


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (Failing("open"), r"sink 'mine': open\(\): KeyError: 'disk'"),
        (Failing("append"), r"sink 'mine': append\(\): KeyError: 'disk'"),
        (Failing("sync"), r"sink 'mine': sync\(\): KeyError: 'disk'"),
        (Failing("sync", "five"), r"sink 'mine': sync\(\) returned 'five': expected a whole number"),
        (Failing("sync", -1), r"sink 'mine': sync\(\) returned -1: expected a whole number"),
        (Failing("sync", True), r"sink 'mine': sync\(\) returned True: expected a whole number"),
    ],
)
async def test_a_sink_that_fails_ends_the_crawl_with_an_error_that_names_it(server, tmp_path, sink, said):
    with pytest.raises(ExportError, match=said):
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks={"mine": sink}) as crawling:
            await crawling.result()


@pytest.mark.parametrize("name", ["open", "append", "sync", "aclose"])
async def test_a_sink_that_awaits_what_is_cancelled_fails_as_with_any_other_error(server, tmp_path, name):
    sink = Kept()
    setattr(sink, name, awaits_what_is_cancelled)
    with pytest.raises(ExportError, match=rf"sink 'mine': {name}\(\): CancelledError$"):
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks={"mine": sink}) as crawling:
            await crawling.result()


async def test_a_sink_that_cannot_be_opened_is_not_closed_and_what_it_said_is_told(server, tmp_path):
    sink = Table(tmp_path / "nowhere/pages.db")
    with pytest.raises(ExportError, match=r"sink 'mine': open\(\): OperationalError: unable to open"):
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", sinks={"mine": sink}):
            pass


@pytest.mark.parametrize(
    ("sinks", "said"),
    [
        ({"pages": Kept()}, "sinks: 'pages': is what this crawl calls a file of its own"),
        ({"seeds": Kept()}, "is what this crawl calls a file of its own"),
        ({"a b": Kept()}, "sinks: 'a b': expected a name of letters"),
        ({"mine": ("prices", Kept())}, "sinks: 'mine': lines of 'prices': expected one of outcomes, pages"),
        ({"mine": object()}, r"has no open\(\), append\(\), sync\(\), aclose\(\): expected a crawler.Sink"),
        ({"mine": Kept}, "is a class, not made yet: expected a crawler.Sink"),
    ],
)
def test_sinks_that_cannot_be_are_refused_before_anything_is_made(tmp_path, sinks, said):
    with pytest.raises(ConfigError, match=said):
        Crawl(seeds=[FRONT], directory=tmp_path / "d", sinks=sinks)
    assert not (tmp_path / "d").exists()


def test_repair_with_sinks_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="repair without them"):
        Crawl(directory=tmp_path / "d", repair=True, sinks={"mine": Kept()})


async def test_a_sink_gets_lines_that_come_joined_one_by_one():
    kept = Kept()
    await GivenSink("mine", "products", kept).append([b"1\n2", b"3"])
    assert kept.lines == [b"1", b"2", b"3"]
