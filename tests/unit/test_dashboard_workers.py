"""What the dashboard of one worker tells of all of them."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.clock import SystemClock
from crawler.config import BudgetConfig, CrawlConfig
from crawler.dashboard.health import Verdict
from crawler.dashboard.history import History
from crawler.dashboard.metrics import metrics
from crawler.dashboard.recent import Recent
from crawler.dashboard.state import Moment, encoded
from crawler.dashboard.workers import Workers, gauges, told
from crawler.fleet.status import FleetStatus, Memory, Partitions, Totals
from crawler.models import Outcome
from crawler.views import HostViews, MachineView
from tests.support.redis_server import RedisServer, require_redis
from tests.support.snapshots import EMPTY

STATUS = FleetStatus(
    name="shop",
    server="redis://127.0.0.1:6379/0",
    state="paused",
    why="someone",
    at=1000.0,
    totals=Totals(admitted=10, outcomes={Outcome.FETCHED: 4, Outcome.FAILED: 1}, pending=5, inbox_blocks=2),
    partitions=Partitions(total=8, held=7, free=1, oldest_lease_s=12.0),
    memory=Memory(used_bytes=1000),
)


@pytest.fixture
def workers():
    made = Workers(CrawlConfig(frontier="redis://127.0.0.1:1/0"), SystemClock())
    made.latest = STATUS
    return made


def moment(workers):
    return Moment(
        name="shop",
        snapshot=EMPTY,
        hosts=HostViews(),
        machine=MachineView(),
        verdict=Verdict("running"),
        state="running",
        most=10,
        eta=None,
        budget=BudgetConfig(),
        workers=workers,
    )


def test_the_page_of_a_crawl_that_nobody_shares_has_no_workers():
    state = msgspec.json.decode(encoded(moment(None), History(), Recent(())))
    assert state["fleet"] is None
    assert "fleet" not in metrics(moment(None), Recent(()), streams=0)


def test_the_page_has_the_state_and_totals_of_the_whole_crawl(workers):
    fleet = msgspec.json.decode(encoded(moment(workers), History(), Recent(())))["fleet"]
    assert (fleet["state"], fleet["state_why"]) == ("paused", "someone")
    assert fleet["admitted"] == sum(fleet["outcomes"].values()) + fleet["pending"] == 10


def test_before_they_were_looked_at_it_is_said_why_not(workers):
    workers.latest, workers.why = None, "Redis cannot be reached"
    assert told(workers) == {"why": "Redis cannot be reached"}


def test_metrics_have_sums_of_the_whole_crawl_and_no_label_for_a_worker(workers):
    text = metrics(moment(workers), Recent(()), streams=0)
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    urls = {sample.labels["state"]: sample.value for sample in families["crawler_fleet_urls"]}
    assert urls == {"fetched": 4, "failed": 1, "pending": 5}
    assert families["crawler_fleet_partitions"][0].value == 7
    labels = {name for _, _, values in gauges(STATUS) for given, _ in values for name in given}
    assert labels == {"state"}


@pytest.fixture
def server(tmp_path):
    require_redis()
    with RedisServer(tmp_path) as running:
        yield running


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what another task has read is seen, not told
            await asyncio.sleep(0.01)


async def test_the_whole_crawl_is_read_while_somebody_looks_and_told_what_to_do(server):
    from crawler.fleet.control import Control
    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link
    from crawler.fleet.models import FORMAT
    from crawler.fleet.target import target_of

    link = await Link.open(target_of(server.url, "shop", {}))
    control = Control(link, Keys("crawler:shop"))
    await control.create_or_join("", FORMAT, 8)
    workers = Workers(CrawlConfig(name="shop", frontier=server.url), SystemClock())
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(workers.watch())
        await asyncio.sleep(0)
        assert workers.latest is None
        workers.looked()
        await until(lambda: workers.latest)
        assert (workers.latest.state, workers.latest.partitions.total) == ("running", 8)
        workers.tell("pause_all")
        await until(lambda: workers.latest.state == "paused")
        workers.tell("resume_all")
        await until(lambda: workers.latest.state == "running")
        workers.tell("stop_all")
        await until(lambda: workers.latest.state == "stopped")
        assert (await control.orders()).why == "the dashboard"
        watching.cancel()
    await link.aclose()


async def test_a_redis_that_is_gone_is_said_and_ends_nothing(server):
    workers = Workers(CrawlConfig(name="shop", frontier=server.url), SystemClock())
    server.kill()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(workers.watch())
        workers.looked()
        await until(lambda: workers.why)
        assert f"127.0.0.1:{server.port}" in workers.why
        watching.cancel()
