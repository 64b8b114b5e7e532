"""The simulation of a fleet: its shortcuts agree with the real schedule, and its sums are right."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks import fleet
from benchmarks.fleet_cost import Load, Redis, load, memory_gb, nodes
from benchmarks.fleet_events import Crew, join, lose
from benchmarks.fleet_flow import Curve, Flow, ideal, politest_s
from benchmarks.fleet_handover import Timing
from benchmarks.fleet_web import Web, names, spelt, web
from crawler.models import HostKey
from crawler.politeness.schedule import Schedule
from crawler.politeness.scheduled import Scheduled
from crawler.url import registrable_domain

PARTITIONS = 64


def small_web(hosts: int = 400, urls: int = 40_000, most: int = 2_000) -> Web:
    return web(hosts, urls, PARTITIONS, exponent=1.85, most=most)


def scheduled(sizes, *, rate_per_s: float, delay_s: float) -> Curve:
    """A worker of one request at a time by the real schedule: how far it was at each second."""
    schedule: Schedule[Scheduled] = Schedule(random=random.Random(1).random)
    left = {}
    for number, size in enumerate(sizes):
        host = Scheduled(HostKey(f"h{number}"), delay_s=delay_s, concurrency=1, due=0.0)
        left[host] = size
        schedule.offer(host, 0.0)
    now, done, curve = 0.0, 0, Curve()
    while left:
        host = schedule.pop(now)
        if host is None:
            now = schedule.next_at()
            continue
        schedule.claim(host, now)
        left[host] -= 1
        if left[host]:
            schedule.offer(host, now)
        else:
            del left[host]
        schedule.started(host, now)
        schedule.released(host, now, started=True)
        if host not in left:
            schedule.rest(host, now)
        done += 1
        curve.add(now - curve.at_s[-1], 1)
        now += 1 / rate_per_s
    return curve


@pytest.mark.parametrize("rate_per_s", [5, 50, 1_000])
def test_flow_goes_as_the_schedule_does(rate_per_s):
    world = small_web(60, 6_000, 600)
    flow = Flow(world, rate_per_s=rate_per_s, delay_s=1.0)
    flow.run([1], 1.0)
    real = scheduled((world.urls + 1).tolist(), rate_per_s=rate_per_s, delay_s=0.99)  # the schedule adds 0.01 s
    assert flow.curve.done[-1] == pytest.approx(real.done[-1])
    for share in (0.25, 0.5, 0.9, 1.0):
        assert flow.curve.reached_s(share) == pytest.approx(real.reached_s(share), rel=0.02, abs=2.0)


def test_hosts_have_real_names_each_another_and_those_of_a_domain_together():
    drawn = list(names(np.random.default_rng(1), 5_000))
    assert len(set(drawn)) == 5_000
    domains = {registrable_domain(name) for name in drawn}
    assert 1.5 < len(drawn) / len(domains) < 2.6
    assert len({spelt(number) for number in range(10_000)}) == 10_000


def test_sizes_follow_the_law_and_add_up():
    world = web(20_000, 20_000_000, 4096, exponent=1.85, most=100_000)
    assert world.urls.sum() == pytest.approx(20_000_000, rel=0.001)
    assert world.urls.max() == 100_000
    above = [np.count_nonzero(world.urls > size) for size in (500, 5_000, 50_000)]
    assert above[0] / above[1] == pytest.approx(10**0.85, rel=0.2)
    assert above[1] / above[2] == pytest.approx(10**0.85, rel=0.3)


def test_every_request_is_made_once_by_those_who_hold_the_hosts():
    world = small_web()
    flow = Flow(world, rate_per_s=10, delay_s=0.5)
    flow.run([1, 2, 3, 4], 5.0)
    asked = world.urls.sum() + 400
    assert flow.curve.done[-1] == pytest.approx(asked)
    assert flow.requests.sum() == pytest.approx(asked)
    assert flow.robots.sum() == 400
    assert flow.active == 0
    together = ideal(world, rate_per_s=40, delay_s=0.5, step_s=5.0)
    assert together.done[-1] == pytest.approx(asked)
    assert flow.curve.reached_s(1.0) >= 0.98 * together.reached_s(1.0)


def test_workers_at_full_speed_ask_of_redis_as_many_calls_as_partitions_allow():
    asked = load(workers=100, partitions=4096, rate_per_s=250, checkpoint_s=1.0, lease_s=30, links=3.0)
    assert 3_900 < asked.commits <= 4_096
    assert asked.deliveries <= 75_000
    assert asked.readings <= 4_096
    assert asked.renewals == pytest.approx(410, rel=0.01)


def test_politeness_alone_takes_as_long_as_the_largest_host():
    world = small_web()
    assert politest_s(world, 2.0, 1.0) == pytest.approx(2.0 * (world.urls.max() + 1))
    sizes = world.urls + 1
    half = politest_s(world, 1.0, 0.5)
    assert np.minimum(sizes, half).sum() == pytest.approx(sizes.sum() / 2)


@pytest.fixture(scope="module")
def crew():
    world = small_web(2_000, 200_000)
    flow = Flow(world, rate_per_s=20, delay_s=1.0)
    flow.replan(range(1, 11))
    flow.step(5.0)
    return Crew(world, flow, Timing(lease_s=6.0))


@pytest.mark.parametrize("lost", [[1, 2], [4]], ids=["the leader too", "another"])
def test_hosts_of_lost_workers_are_asked_again_after_their_lease_and_a_round(crew, lost):
    loss = lose(crew, lost)
    assert loss.hosts == sum(
        len(hosts) for partition, hosts in crew.hosts.items() if crew.flow.plan.owners[partition] in lost
    )
    assert loss.moved == sum(owner in lost for owner in crew.flow.plan.owners)
    assert loss.loaded_s[0] >= 4.0
    assert loss.loaded_s[1] <= 7.0
    assert loss.asked_s[2] <= loss.loaded_s[1] + 1.0 + 1.6 * loss.round_s


def test_two_owners_never_ask_a_host_within_its_delay(crew):
    assert lose(crew, [1, 2]).least_gap_s >= crew.flow.delay_s


def test_who_joins_has_its_share_once_partitions_are_given_back(crew):
    joined = join(crew, [11, 12])
    assert joined.share > 0.9
    assert joined.first_s <= joined.all_s + 1.0
    assert joined.shared_s <= joined.all_s
    assert joined.moved >= PARTITIONS * 2 / 12 - 4


def test_redis_is_asked_for_what_there_is_to_store_and_no_more():
    asked = load(workers=2, partitions=8, rate_per_s=1_000, checkpoint_s=1.0, lease_s=30, links=1.0)
    assert asked.commits == pytest.approx(8)
    assert asked.deliveries == pytest.approx(8)
    assert (asked.urls, asked.links) == (2_000, 2_000)
    few = load(workers=2, partitions=4096, rate_per_s=10, checkpoint_s=1.0, lease_s=30, links=0.0)
    assert few.commits == pytest.approx(20, rel=0.01)
    assert few.deliveries == 0
    asked = Load(commits=10, deliveries=5, readings=5, renewals=0, urls=100, links=0)
    assert asked.cores(Redis(commit_us=10, url_us=5, delivery_us=20)) == pytest.approx(0.0007)
    assert memory_gb(1e9, 0, Redis(bytes_a_url=120)) == 120
    assert (nodes(120, 0.1), nodes(1, 0.1), nodes(1, 2.0)) == (5, 1, 4)


@pytest.mark.slow
def test_a_small_fleet_is_simulated_to_its_end(capsys):
    small = {"workers": 8, "hosts": 2_000, "urls": 200_000, "most-of-a-host": 5_000, "partitions": 256, "rate": 20}
    events = {"lost": 2, "joined": 2, "step": 10}
    fleet.main([f"--{name}={value}" for name, value in (small | events).items()])
    told = capsys.readouterr().out
    assert "2,000 hosts with 199," in told or "2,000 hosts with 200," in told
    for words in ("8 workers", "2 workers lost at once", "2 workers join", "Busiest worker / mean", "Redis at full"):
        assert words in told
