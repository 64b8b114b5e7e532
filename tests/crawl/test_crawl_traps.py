"""Endless sites, crawled by the command: each crawl ends by itself, has the real pages, and says what was stopped."""

from __future__ import annotations

import msgspec
import pytest

from crawler.cli import run
from tests.support.endless import REAL, TRAPS, Endless
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

HOSTS = {name: f"{'m0.' if name == 'mirrors' else ''}{name.replace('_', '-')}.test" for name in TRAPS}
QUICK = ("traps.copies=15", "traps.pages=40", "traps.slow=10ms", "scope.stay_on=domain")


@pytest.fixture(scope="module")
def endless():
    with Server(Endless()) as server:
        yield server


def summary_of(ran):
    return msgspec.json.decode((ran.directory / "summary.json").read_bytes())


def test_every_trap_at_once_ends_and_all_real_pages_are_there(crawler, fast, endless):
    ran = crawler(*(f"http://{host}/" for host in HOSTS.values()), *fast(endless, *QUICK))
    assert ran.code == 0, ran.stderr
    summary = summary_of(ran)
    assert summary["complete"]
    assert summary["admitted"] == sum(summary["outcomes"].values())
    fetched = [url for url, (outcome, _) in ran.endings().items() if outcome == "fetched"]
    for name, host in HOSTS.items():
        own = [url for url in fetched if f"{host.removeprefix('m0.')}/" in url]
        assert len(own) < 1_000, name
        numbers = {url.partition("?")[0].rpartition("/real/")[2] for url in own if "/real/" in url}
        assert numbers >= {str(n) for n in range(1, 10 if name == "mirrors" else REAL)}, name
    stopped = {trap["site"]: trap for trap in summary["traps"]}
    assert stopped.keys() == {host.removeprefix("m0.") for host in HOSTS.values()}
    assert sum(trap["excluded"] for trap in summary["traps"]) == summary["reasons"]["excluded"]["trap"]
    assert all(trap["evidence"] and 0 < len(trap["examples"]) <= 3 for trap in summary["traps"])
    assert f"Traps stopped: {len(summary['traps'])}" in ran.stderr
    log = (ran.directory / "crawl.log").read_text()
    assert log.count("a trap is stopped") == len(summary["traps"])


def test_why_tells_the_trap_that_a_url_is_part_of(crawler, fast, endless, capsys):
    ran = crawler("http://calendar.test/", *fast(endless, *QUICK))
    excluded = next(url for url, (_, reason) in ran.endings().items() if reason == "trap")
    run(["why", str(ran.directory), excluded])
    told = capsys.readouterr().out
    assert "excluded" in told
    assert "calendar calendar.test/calendar/{date}" in told
    assert "say the same but for numbers and dates" in told


def test_detection_can_be_turned_off_and_patterns_exempted(crawler, fast, endless):
    for setting in ("traps.detect=false", 'traps.allow=["http://soft-404.test/*"]'):
        ran = crawler("http://soft-404.test/", *fast(endless, *QUICK, setting), "--max-pages", "200", "--fresh")
        assert summary_of(ran)["stopped_by"] == "budget.pages", ran.stderr
        assert summary_of(ran)["traps"] == []


def test_a_resumed_crawl_goes_on_excluding_what_was_stopped(crawler, fast, endless):
    ran = crawler("http://facets.test/", *fast(endless, *QUICK))
    first = summary_of(ran)
    assert "facets" in {trap["kind"] for trap in first["traps"]}
    seed = "http://facets.test/filter?f0=v4&f1=v4&f2=v4&f9=v9"
    ran = crawler(seed, *fast(endless, *QUICK, "traps.pages=50"), "--resume")
    assert ran.code == 0, ran.stderr
    last = summary_of(ran)
    assert last["complete"]
    assert last["pages"] < first["pages"] + 60, "the seed is fetched, and what it leads to at most, as all seems new"
    assert last["admitted"] > first["admitted"] + 10
    told = {(trap["kind"], trap["pattern"]) for trap in last["traps"]}
    assert told == {(trap["kind"], trap["pattern"]) for trap in first["traps"]}
    assert ("facets", "facets.test/filter?{choices}") in told
    assert sum(trap["excluded"] for trap in last["traps"]) == last["reasons"]["excluded"]["trap"]
