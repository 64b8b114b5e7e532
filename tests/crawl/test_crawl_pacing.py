"""How a crawl holds back, seen from the server: failing hosts, budgets, shared addresses, names, rests."""

from __future__ import annotations

import signal
import time

import msgspec
import pytest

from tests.crawl.conftest import options, start
from tests.support.server import Server
from tests.support.web import Fate, Reply, Web

pytestmark = pytest.mark.slow

REST_S = 1.4  # longer than a resume takes, shorter than the wait before a second attempt
PATIENCE_S = 2.0
NOWHERE = f"http://{'a' * 64}.invalid"  # no resolver is asked for so long a label


def summary_of(ran):
    return msgspec.json.decode((ran.directory / "summary.json").read_bytes())


class Mixed(Web):
    """One host that breaks every connection, one that asks once to be left alone, and one that is well."""

    def respond(self, host, path, visit=1):
        if path == "/robots.txt":
            return Reply(404)
        if host == "down.test":
            return Reply(200, fate=Fate.RESET)
        if host == "busy.test" and path == "/0" and visit == 1:
            return Reply(503, (("Retry-After", f"{PATIENCE_S:.0f}"),))
        return Reply(200, (("Content-Type", "text/html"),), b"<title>Well</title>")


def test_host_that_breaks_every_connection_gets_one_trial_after_its_rest_a_stop_and_a_resume(crawler, tmp_path):
    seeds = [*(f"http://down.test/{n}" for n in range(10)), "http://good.test/"]
    with Server(Mixed()) as server:
        settings = options(
            server,
            "limits.default.concurrency=1",
            f"breaker={{failures: 3, rest: {REST_S}s}}",
            "checkpoint.every=50ms",
        )
        process = start(tmp_path, *seeds, *settings, "-d", "crawl")
        while len(server.log.of("down.test", robots=False)) < 3 or not server.log.of("good.test", robots=False):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors.decode()
        ran = crawler("--resume")
        asked = server.log.of("down.test", robots=False)
    assert ran.code == 4, ran.stderr
    assert len(asked) == 4, "three failures and a trial"
    assert asked[3].at - asked[2].at >= REST_S
    ends = ran.endings()
    assert {ends[seed] for seed in seeds[:-1]} == {("excluded", "breaker")}
    assert ends["http://good.test/"] == ("fetched", None)


@pytest.mark.parametrize(("budget", "value"), [("pages_per_host", "5"), ("bytes", "20KB"), ("time", "2s")])
def test_each_budget_ends_a_crawl_that_a_larger_one_goes_on_with(crawler, budget, value):
    web = Web(hosts=2, pages_per_host=20, cross_host_share=0.0)
    pace = "1" if budget == "time" else "0"  # the time ends it among its first pages, on any machine
    with Server(web) as server:
        settings = options(server, f"budget.{budget}={value}", f"limits.default.delay={pace}s")
        first = crawler(*web.seeds(), *settings)
        assert first.code == 0, first.stderr
        assert summary_of(first)["stopped_by"] == f"budget.{budget}"
        assert f"budget.{budget}" in first.stderr
        kept = [page["url"].split("/")[2] for page in first.pages]
        assert len(kept) < 40
        if budget == "pages_per_host":
            assert sorted(kept) == ["h0.test"] * 5 + ["h1.test"] * 5
            more = crawler("--resume", "--set", "budget.pages_per_host=8")
            assert more.code == 0, more.stderr
            assert len(more.pages) == 16
        rest = crawler("--resume", "--delay", "0", "--set", f"budget.{budget}=null")
        assert rest.code == 0, rest.stderr
        assert summary_of(rest)["stopped_by"] is None
        assert set(rest.endings()) == set(web.expected())
        assert max(server.log.counts().values()) == 1


def test_names_at_one_address_are_asked_by_no_more_requests_at_once_than_it_may_have(crawler):
    web = Web(hosts=12, pages_per_host=4, latency_s=0.03, cross_host_share=0.0)
    with Server(web) as server:
        ran = crawler(
            *web.seeds(), *options(server, "limits.default.concurrency=1", "limits.per_address.concurrency=3")
        )
        assert ran.code == 0, ran.stderr
        hits = server.log.hits
    assert len(ran.pages) == 48
    at_once = [sum(other.at <= hit.at < other.ended for other in hits) for hit in hits]
    assert max(at_once) == 3


def test_neither_a_rest_nor_a_name_that_does_not_resolve_keeps_other_hosts_waiting(crawler):
    seeds = [*(f"{NOWHERE}/{n}" for n in range(20)), *(f"http://busy.test/{n}" for n in range(3))]
    seeds += [f"http://good.test/{n}" for n in range(3)]
    with Server(Mixed()) as server:
        settings = options(server, "limits.default.concurrency=1", "limits.default.delay=0.1s")
        ran = crawler(*seeds, *settings)
        busy, good = (server.log.of(host, robots=False) for host in ("busy.test", "good.test"))
    assert ran.code == 4, ran.stderr
    ends = ran.endings()
    assert {ends[seed] for seed in seeds[:20]} == {("failed", "dns")}
    assert {ends[seed] for seed in seeds[20:]} == {("fetched", None)}
    assert busy[1].at - busy[0].ended >= PATIENCE_S
    assert all(hit.at < busy[1].at for hit in good)
    log = (ran.directory / "crawl.log").read_text()
    assert "Traceback" not in log
