"""`crawler status` against a real Redis: what it shows, what it tells the crawl, and how it fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from crawler.cli import run
from crawler.models import HostKey, Request
from crawler.url import Url
from tests.crawl.conftest import COMMAND, environment
from tests.support.redis_server import RedisServer, acl_options, require_redis

PARTITIONS = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    require_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(server):
    server.client().flushall()


@asynccontextmanager
async def link_to(server):
    from crawler.fleet.link import Link
    from crawler.fleet.target import target_of

    link = await Link.open(target_of(server.url, "shop", {}))
    try:
        yield link
    finally:
        await link.aclose()


async def begun(server, name="shop", *, workers=1, lease_s=30.0):
    """A crawl of a few URLs, and workers that hold some of it."""
    from crawler.fleet.control import Control
    from crawler.fleet.keys import Keys
    from crawler.fleet.members import Flags, Members, Units
    from crawler.fleet.models import FORMAT, WorkerInfo
    from crawler.fleet.store import Change, PartitionStore

    async with link_to(server) as link:
        control = Control(link, Keys(f"crawler:{name}"))
        joined = await control.create_or_join("name: shop\n", FORMAT, PARTITIONS)
        members = Members(link, control.keys, joined.id)
        store = PartitionStore(link, control.keys)
        for _ in range(workers):
            worker = await members.new_id()
            info = WorkerInfo(
                id=worker,
                name=f"machine-{worker}",
                version="1",
                directory="/crawl",
                started_at=0.0,
                at=await link.server_time(),
                pages=3,
                pages_per_s=1.5,
                slow_hosts=(("slow.example.org", "pacing", 7.0, "it asked for it"),),
            )
            await members.beat(info, Flags(), lease_s, units=Units(wanted=1, in_use=0, most=8))
            leases, _ = await store.acquire([worker], worker, lease_s)
            requests = [request(f"http://h{number}.test/") for number in range(3)]
            change = Change(partition=worker, fence=leases[0].fence, commit=leases[0].commit, admitted=requests)
            assert not await store.commit([change])
        await store.deliver({0: [request("http://later.test/")]})


def request(url):
    host = HostKey(url.split("/")[2])
    return Request(url=Url(url), host_key=host, scope_host=host, seed=Url(url))


def shown(server, capsys, *arguments, code=0):
    """What a command says, on standard output and on standard error."""
    assert run(["status", *(arguments or (server.url,))]) == code
    return capsys.readouterr()


class TestShown:
    def test_totals_workers_partitions_and_slow_hosts(self, server, capsys):
        asyncio.run(begun(server, workers=2))
        text = shown(server, capsys).out
        assert "shop, running" in text
        assert "6 admitted = 0 ended + 6 pending" in text
        assert "1 block of URLs" in text
        assert "8: 2 held, 6 free, with something to do in 1 of these" in text
        assert "2 workers: 3.0 pages/s" in text
        assert "1 machine-1" in text
        assert "slow.example.org  pacing, for another 7.0 s: it asked for it" in text

    def test_the_same_as_json(self, server, capsys):
        asyncio.run(begun(server))
        status = json.loads(shown(server, capsys, server.url, "--json").out)
        assert status["totals"] == {
            "admitted": 3, "outcomes": {}, "reasons": {}, "pending": 3, "snoozed": 0, "inbox_blocks": 1
        }  # fmt: skip
        assert status["state"] == "running"
        assert [worker["name"] for worker in status["workers"]] == ["machine-1"]

    def test_a_directory_of_its_workers_leads_there(self, server, capsys, tmp_path):
        from crawler.merging.segments import Fleet, write_fleet

        asyncio.run(begun(server))
        asyncio.run(begun(server, "other"))
        write_fleet(
            tmp_path, Fleet(name="shop", crawl="1", url=server.url, prefix="crawler:shop", partitions=PARTITIONS)
        )
        assert "shop, running" in shown(server, capsys, str(tmp_path)).out

    def test_several_crawls_are_listed_unless_one_is_named(self, server, capsys):
        asyncio.run(begun(server))
        asyncio.run(begun(server, "other"))
        assert shown(server, capsys).out.split() == [
            "other",
            "running,",
            "1",
            "worker",
            "shop",
            "running,",
            "1",
            "worker",
        ]
        assert "other, running" in shown(server, capsys, server.url, "other").out
        assert "other, running" in shown(server, capsys, f"{server.url}?prefix=crawler:other").out
        assert [one["name"] for one in json.loads(shown(server, capsys, server.url, "--json").out)] == ["other", "shop"]


class TestTold:
    def test_paused_and_resumed(self, server, capsys):
        asyncio.run(begun(server))
        assert "1 worker" in shown(server, capsys, server.url, "--pause").err
        assert "shop, paused (crawler status)" in shown(server, capsys).out
        assert "goes on" in shown(server, capsys, server.url, "--resume").err
        assert "shop, running" in shown(server, capsys).out

    def test_stopped_once(self, server, capsys):
        asyncio.run(begun(server))
        assert "shop is stopped" in shown(server, capsys, server.url, "--stop").err
        assert "shop, stopped (crawler status)" in shown(server, capsys).out
        assert "nothing to stop" in shown(server, capsys, server.url, "--stop").err

    def test_limits_are_set_and_taken_back(self, server, capsys):
        asyncio.run(begun(server))
        told = shown(server, capsys, server.url, "--limit", "*.test", "delay=5s", "--limit", "a.test", "concurrency=2")
        assert "*.test: delay 5s, from now on" in told.err
        text = shown(server, capsys).out
        assert "*.test: delay 5s" in text
        assert "a.test: concurrency 2" in text
        shown(server, capsys, server.url, "--limit", "*.test", "default")
        assert "*.test" not in shown(server, capsys).out

    def test_forgotten_by_its_name_once_nobody_works_at_it(self, server, capsys):
        asyncio.run(begun(server, lease_s=0.2))
        assert "expected" not in shown(server, capsys, server.url, "--forget", "shpo", code=2).out
        asyncio.run(begun(server, "other"))
        told = shown(server, capsys, server.url, "other", "--forget", "other", code=2)
        assert "1 worker still work" in told.err
        keys = server.client().keys("{crawler:shop*")
        assert keys
        asyncio.run(asyncio.sleep(0.2))
        assert "forgotten" in shown(server, capsys, server.url, "shop", "--forget", "shop").err
        assert not server.client().keys("*crawler:shop*")


class TestFailing:
    def test_nothing_there(self, server, capsys):
        assert "no crawl is there" in shown(server, capsys, code=2).err

    def test_no_such_crawl_names_those_there_are(self, server, capsys):
        asyncio.run(begun(server))
        assert "there is no crawl shpo" in (told := shown(server, capsys, server.url, "shpo", code=2).err)
        assert "there are shop" in told

    def test_several_and_none_named(self, server, capsys):
        asyncio.run(begun(server))
        asyncio.run(begun(server, "other"))
        assert "Name one of other, shop" in shown(server, capsys, server.url, "--stop", code=2).err

    def test_no_server(self, server, capsys, tmp_path):
        gone = RedisServer(tmp_path)
        assert f"127.0.0.1:{gone.port}" in shown(server, capsys, gone.url, code=1).err

    def test_no_directory_of_workers(self, server, capsys, tmp_path):
        assert "redis://HOST:PORT/0" in shown(server, capsys, str(tmp_path), code=2).err

    def test_a_wrong_password_is_not_shown(self, server, capsys, tmp_path):
        with RedisServer(tmp_path, *acl_options("crawler", "right-word")) as locked:
            url = f"redis://crawler:wrong-word@127.0.0.1:{locked.port}/0"
            told = shown(server, capsys, url, code=2)
        assert "refuses the login" in told.err
        assert "wrong-word" not in told.err


@pytest.mark.slow
def test_watching_says_how_it_stands_line_by_line_until_it_is_over(server):
    asyncio.run(begun(server, lease_s=1.0))
    command = [*COMMAND, "status", server.url, "--watch"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as watching:
        assert "3 URLs  0 ended  3 pending" in watching.stdout.readline()
        assert run(["status", server.url, "--stop"]) == 0
        last = watching.communicate(timeout=15)[0]
    assert watching.returncode == 0
    assert "shop, stopped" in last


def test_watching_ends_with_ctrl_c(server):
    asyncio.run(begun(server))
    command = [*COMMAND, "status", server.url, "--watch"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        watching.stdout.readline()
        os.kill(watching.pid, signal.SIGINT)
        assert watching.wait(10) == 130
        assert watching.stderr.read().strip() == b""


def test_without_the_package_it_says_what_to_install(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis/__init__.py").write_text("raise ModuleNotFoundError('gone', name='redis')")
    path = os.pathsep.join((str(tmp_path), *sys.path))
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "status", "redis://127.0.0.1:1/0"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "pip install 'crawler[redis]'" in done.stderr) == (2, True), done.stderr
