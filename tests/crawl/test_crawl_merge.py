"""`crawler merge` and the commands that read a crawl, on a real Redis: what workers wrote is read as one crawl."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

pytest.importorskip("redis")

from crawler.dataset.ledger import KnownUrls
from crawler.dataset.lines import Lines
from crawler.fleet.control import Control
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.models import FORMAT
from crawler.fleet.partitions import partition_of
from crawler.fleet.store import Change, PartitionStore
from crawler.fleet.target import target_of
from crawler.merging.ledger import Hosts, Row, told
from crawler.merging.segments import Fleet as FleetMark
from crawler.merging.segments import crawl_id, segments, write_fleet, write_worker
from crawler.merging.shared import open_ledger
from crawler.models import HostState, Robots, RobotsFile, Snoozed
from tests.support.fleet_crawl import Fleet as WorkingFleet
from tests.support.redis_server import RedisServer, require_redis
from tests.support.segments import finished, request, two_workers
from tests.support.web import Web
from tests.unit.test_merging_merge import held

PARTITIONS = 40
PREFIX = "crawler:shop"


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    require_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


class Stored:
    """A fleet whose ledger is in Redis: what a fake one says, put there by a worker's means."""

    def __init__(self, fleet, url):
        self.fleet, self.url = fleet, url

    async def __aenter__(self):
        self.link = await Link.open(target_of(self.url, "shop", {}))
        await self.link.client.flushall()
        self.control = Control(self.link, Keys(PREFIX))
        joined = await self.control.create_or_join(self.fleet.config(), FORMAT, PARTITIONS)
        self.crawl = crawl_id(PREFIX, joined.key)
        self.store = PartitionStore(self.link, self.control.keys)
        leases, _ = await self.store.acquire(range(PARTITIONS), 1, 60)
        self.leases = {lease.partition: lease for lease in leases}
        self.commits = dict.fromkeys(range(PARTITIONS), 0)
        self.urls = dict.fromkeys(range(PARTITIONS), 0)
        return self

    async def __aexit__(self, *_):
        await self.link.aclose()

    async def put(self, rows, **more):
        by_partition = {}
        for row in rows:
            by_partition.setdefault(partition_of(row.request.host_key, PARTITIONS), []).append(row)
        for partition, some in by_partition.items():
            number = self.urls[partition]
            ended = [(number + n, row.end, row.where) for n, row in enumerate(some, 1) if row.end]
            later = [
                (number + n, Snoozed(request=row.request, until=row.due_at, reason=row.reason))
                for n, row in enumerate(some, 1)
                if row.due_at is not None
            ]
            change = Change(
                partition=partition,
                fence=self.leases[partition].fence,
                commit=self.commits[partition],
                admitted=[row.request for row in some],
                ended=ended,
                snoozed=later,
                **(more if partition == partition_of("h1.test", PARTITIONS) else {}),
            )
            assert await self.store.commit([change]) == set()
            self.commits[partition] += 1
            self.urls[partition] += len(some)

    async def done(self):
        """All is over."""
        seeding = {"row": 1, "seed_list": "x", "is_over": True}
        await self.control.seeding(1, 10.0, **seeding)
        assert await self.control.finish(1)

    def write(self):
        """The workers' directories, marked as of this crawl."""
        for segment in self.fleet.write():
            write_worker(segment.path, msgspec.structs.replace(segment.worker, crawl=self.crawl, url=self.url))
        mark = FleetMark(name="shop", crawl=self.crawl, url=self.url, prefix=PREFIX, partitions=PARTITIONS)
        write_fleet(self.fleet.directory, mark)
        return segments(self.fleet.directory)


def crawler(*words, code=0):
    command = [sys.executable, "-m", "crawler", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


async def test_the_ledger_in_redis_says_what_was_stored_there(tmp_path, redis):
    fleet = two_workers(tmp_path)
    fleet.partitions = PARTITIONS
    host = HostState(host_key="h1.test", delay_s=2.0)
    robots = RobotsFile(origin="https://h1.test", expires_at=5e9, robots=Robots())
    async with Stored(fleet, redis.url) as stored:
        rows = fleet.rows()
        waiting = [Row(request=request(101, attempt=3), due_at=9e9, reason="dns")]
        await stored.put(rows + waiting, hosts=[host], robots=[robots])
        await stored.store.deliver({partition_of("h0.test", PARTITIONS): [request(200)]})
        async with open_ledger(redis.url, PREFIX, {}) as ledger:
            about = await ledger.about()
            used = [one.partition for one in await ledger.used()]
            everything = [one async for one in told(ledger)]
            stamp = await ledger.stamp()
            assert stamp == await ledger.stamp()
            await stored.store.deliver({0: [request(205)]})
            assert stamp != await ledger.stamp()
    assert (about.crawl, about.state) == (stored.crawl, "running")
    found = [one for one in everything if isinstance(one, Row)]
    known = [one for one in everything if isinstance(one, Hosts)]
    assert used == sorted({partition_of(row.request.host_key, PARTITIONS) for row in found})
    assert len(known) == len(used) < PARTITIONS
    ended = {row.request.url: (row.end.outcome, row.end.at, row.where) for row in found if row.end}
    assert ended == {row.request.url: (row.end.outcome, row.end.at, row.where) for row in rows}
    by_url = {row.request.url: row for row in found}
    snoozed = by_url[request(101).url]
    assert (snoozed.request.attempt, snoozed.due_at, snoozed.reason) == (3, 9e9, "dns")
    assert by_url[request(200).url].end is None
    assert [one for some in known for one in some.hosts] == [host]
    assert [one for some in known for one in some.robots] == [robots]


async def test_a_ledger_on_another_machine_that_asks_for_no_password_is_read(tmp_path, redis, monkeypatch):
    async with Stored(two_workers(tmp_path), redis.url) as stored:
        monkeypatch.setattr("crawler.fleet.server._is_here", lambda _: False)
        async with open_ledger(redis.url, PREFIX, {}) as ledger:
            assert (await ledger.about()).crawl == stored.crawl


async def test_workers_files_are_merged_and_read_as_one_crawl(tmp_path, redis):
    fleet = two_workers(tmp_path)
    async with Stored(fleet, redis.url) as stored:
        await stored.put(fleet.rows())
        await stored.done()
        stored.write()
        done = crawler("merge", str(tmp_path))
        assert "3 ends left out" in done.stdout
        assert held(tmp_path) == fleet.expected()
        assert json.loads((tmp_path / "summary.json").read_bytes())["complete"]
        assert "fetched" in crawler("why", str(tmp_path), request(1).url).stdout
        rows = crawler("query", str(tmp_path), "SELECT count(*) AS n FROM pages").stdout
        assert json.loads(rows)["n"] == fleet.expected()["pages"].count(b"\n")


async def test_a_reader_merges_first_where_the_ledger_has_gone_on(tmp_path, redis):
    fleet = two_workers(tmp_path)
    async with Stored(fleet, redis.url) as stored:
        await stored.put(fleet.rows())
        stored.write()
        first = crawler("export", str(tmp_path), "items")
        assert "merging the files of 2 workers" in first.stderr
        assert "merging" not in crawler("export", str(tmp_path), "items").stderr
        before = set(fleet.ledger)
        fleet.end(7, [finished(50, worker=7), finished(51, worker=7)])
        await stored.put([row for row in fleet.rows() if row.request.url not in before])
        stored.write()
        again = crawler("export", str(tmp_path), "items")
        assert "merging" in again.stderr
        assert len(again.stdout.splitlines()) == fleet.expected()["items"].count(b"\n")


async def test_without_a_ledger_the_highest_attempt_counts_and_that_is_said(tmp_path, redis):
    fleet = two_workers(tmp_path)
    for worker in (2, 7):
        path = tmp_path / "workers" / f"{worker}-host-{worker}"
        path.mkdir(parents=True)
        (path / "crawl.yaml").write_text(fleet.config())
    async with Stored(fleet, redis.url) as stored:
        stored.write()
        await stored.control.forget()
    done = crawler("merge", str(tmp_path), code=4)
    assert "without the ledger" in done.stderr
    assert {name: sorted(data.splitlines()) for name, data in held(tmp_path).items()} == {
        name: sorted(data.splitlines()) for name, data in fleet.expected().items()
    }


async def test_a_merge_by_the_ledger_is_not_replaced_by_one_without(tmp_path, redis):
    fleet = two_workers(tmp_path)
    async with Stored(fleet, redis.url) as stored:
        await stored.put(fleet.rows())
        stored.write()
        crawler("merge", str(tmp_path))
        await stored.control.forget()
    before = (tmp_path / "pages.jsonl").read_bytes()
    assert "by the ledger" in crawler("merge", str(tmp_path), code=2).stderr
    assert "as it was merged" in crawler("export", str(tmp_path), "items").stderr
    assert (tmp_path / "pages.jsonl").read_bytes() == before


def stored(directory):
    """What the store of a crawl has of each URL that has ended, but for numbers and when that was."""
    with KnownUrls(directory / "crawl.db") as known:
        urls = {end.url for end in known.ended()}
        found = known.find(urls)
    return {url: msgspec.structs.replace(one, id=0, via_id=None, at=None) for url, one in found.items()}


@pytest.mark.slow
def test_a_merged_crawl_is_one_like_any_other(tmp_path, redis):
    """Two real workers, one after the other killed; what they wrote is reparsed, refreshed and found like any crawl."""
    redis.client().flushall()
    export = {"links": True, "warc": True, "files": ["text/plain"]}
    rules = [{"name": "journal", "fields": {"title": "h1"}}]
    web = Web(seed=3, hosts=4, pages_per_host=20, file_share=0.1)
    settings = {"export": export, "extract": {"rules": rules}}
    with WorkingFleet(tmp_path / "fleet", web, redis.url, delay_s=0.02, settings=settings) as fleet:
        first = fleet.start("a")
        fleet.until_asked(20, "a")
        first.kill()
        fleet.start("b")
        assert fleet.ended() == [0]
        endings = {url: outcome for url, (outcome, _) in fleet.merged().endings.items()}
        assert endings == {url: ending.outcome for url, ending in web.expected().items()}
        redis.client().flushall()
        alone = fleet.run("merge", "crawl", "-d", "alone")
        assert (alone.returncode, "without the ledger" in alone.stderr) == (4, True), alone.stderr
        by_ledger, by_attempts = (stored(fleet.folder / name) for name in ("crawl", "alone"))
        assert by_attempts.keys() == by_ledger.keys()
        wrong = [(by_attempts[url], by_ledger[url]) for url in by_ledger if by_attempts[url] != by_ledger[url]]
        assert not wrong, (len(wrong), wrong[0])
        assert fleet.run("export", "alone", "journal").stdout == fleet.run("export", "crawl", "journal").stdout
        found = fleet.run("reparse", "crawl", "-d", "again", "--json")
        assert found.returncode == 0, found.stderr
        told = json.loads(found.stdout)
        differences = [told["differences"][name] for name in ("pages", "journal")]
        assert [(one["added"], one["removed"]) for one in differences] == [(0, 0)] * 2
        bodies = [json.loads(line)["path"] for line in Lines(fleet.directory / "files.jsonl")]
        assert bodies
        assert all((fleet.directory / name).is_file() for name in bodies)
        assert fleet.run("report", "crawl").returncode == 0
        refreshed = fleet.run("crawl", "-d", "crawl", "--refresh", "-q")
        assert refreshed.returncode == 0, refreshed.stderr
