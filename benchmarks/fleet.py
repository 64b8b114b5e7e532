"""What becomes of a crawl of a billion URLs by a hundred workers? A simulation, in virtual time.

    python -m benchmarks.fleet [--workers 100] [--hosts 1000000] [--urls 1000000000] ...

Real are: names hashed into partitions (`fleet.partitions`), the plan of who holds what (`fleet.plan`), leases as a
worker keeps them (`fleet.leases`), and, in the minutes after workers were lost or have joined, the schedule of each
request (`politeness.schedule`). Between these minutes all hosts of a worker are advanced at once by what the schedule
amounts to (`fleet_flow`). URLs are counts: how many a host has follows a power law (`fleet_web`).

Left out: that URLs are found in the course of the crawl (here all hosts and their sizes are known from the start, which
is right for a list of seeds and good for the end); slow and failing hosts, robots.txt with longer delays, and limits of
an address; that a worker keeps 10,000 hosts in memory at a time; whether machines and their network do what `--rate`
says; and what Redis costs is arithmetic with figures that others measured. Takes two minutes and 2 GB.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fleet_cost import Redis, load, memory_gb, nodes
from benchmarks.fleet_events import Crew, join, lose
from benchmarks.fleet_flow import Flow, busiest, ideal, politest_s
from benchmarks.fleet_handover import Timing
from benchmarks.fleet_web import largest_without_bound, web
from crawler.fleet.partitions import PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.fleet_events import Joined, Loss
    from benchmarks.fleet_flow import Curve
    from benchmarks.fleet_web import Web

SHARES = (0.5, 0.9, 0.99, 1.0)


def hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h"


def tell_web(world: Web, options: argparse.Namespace) -> None:
    """What is crawled."""
    urls = np.bincount(world.partition, world.urls, minlength=world.partitions)
    hosts = np.bincount(world.partition, minlength=world.partitions)
    bounded = world.urls == options.most_of_a_host
    free = largest_without_bound(len(world.urls), options.urls, options.exponent)
    print(
        f"{len(world.urls):,} hosts with {world.urls.sum():,} URLs: half have {np.median(world.urls):,.0f} at most; "
        f"{bounded.sum():,} have {options.most_of_a_host:,}, the bound, together "
        f"{world.urls[bounded].sum() / world.urls.sum():.0%} of all.\n"
        f"Without it the largest would have some {free:,.0f}: {free * options.delay / 86400:,.0f} days at a request "
        f"each {options.delay:g} s.\n"
        f"{world.partitions:,} partitions: {hosts.min():,} to {hosts.max():,} hosts, {urls.min():,.0f} to "
        f"{urls.max():,.0f} URLs, {urls.mean():,.0f} at the mean."
    )


def tell_times(curves: dict[str, Sequence[float]]) -> None:
    """When how much is done."""
    print(f"\n{'done':48}" + "".join(f"{share:>9.0%}" for share in SHARES))
    for name, reached in curves.items():
        print(f"{name:48}" + "".join(f"{hours(seconds):>9}" for seconds in reached))


def reached(curve: Curve) -> list[float]:
    return [curve.reached_s(share) for share in SHARES]


def tell_balance(flow: Flow, workers: Sequence[int]) -> None:
    """The busiest worker beside the mean."""
    most, hosts = flow.worst_hour(0.9)
    pages = flow.requests - flow.robots
    print(
        f"\nBusiest worker / mean of {len(workers)}: {busiest(flow.requests, workers):.2f} in requests and "
        f"{busiest(pages, workers):.2f} in pages over the whole crawl; until 90 % are done,\n  {most:.2f} in requests "
        f"in the worst hour, and {hosts:.2f} in hosts at the worst moment. {flow.moved:,} partitions were moved."
    )


def tell_loss(loss: Loss, lost: int, timing: Timing) -> None:
    """How long hosts were left alone, and what was done twice."""
    half, most, every = loss.asked_s
    print(
        f"\n{lost} workers lost at once, the leader among them, with {loss.hosts:,} hosts in {loss.moved:,} "
        f"partitions (lease {timing.lease_s:g} s):\n"
        f"  with others again after {loss.loaded_s[0]:.1f} to {loss.loaded_s[1]:.1f} s, {loss.out_s:.1f} s at the "
        f"mean; {loss.shifted:,} others moved\n"
        f"  hosts asked again after {half:.1f} s (half), {most:.1f} s (99 %), {every:.1f} s (all); a round of "
        f"all hosts takes {loss.round_s:.1f} s\n"
        f"  requests made again: {loss.repeated:,.0f} if they died; {loss.repeated_cut_off:,} if they were cut off "
        f"from Redis, and went on\n  while their leases were good: then {loss.least_gap_s:.1f} s at least lay between "
        f"their last request to a host and the next owner's"
    )


def tell_join(joined: Joined, came: int) -> None:
    print(
        f"\n{came} workers join within a second: each has asked something after {joined.first_s:.1f} s, has 95 % of "
        f"its hosts after {joined.shared_s:.1f} s\n  ({joined.share:.2f} of the mean at least); all "
        f"{joined.moved:,} moves are done after {joined.all_s:.1f} s"
    )


def tell_redis(world: Web, options: argparse.Namespace, redis: Redis) -> None:
    asked = load(
        workers=options.workers,
        partitions=world.partitions,
        rate_per_s=options.rate,
        checkpoint_s=options.checkpoint,
        lease_s=options.lease,
        links=options.links,
    )
    memory = memory_gb(world.urls.sum(), len(world.urls), redis)
    cores = asked.cores(redis)
    print(
        f"\nRedis at full speed: {asked.calls:,.0f} calls a second ({asked.commits:,.0f} commits, "
        f"{asked.deliveries:,.0f} deliveries of {asked.links:,.0f} links, {asked.readings:,.0f} readings,\n  "
        f"{asked.renewals:,.0f} renewals), {cores:.2f} cores. At the end {memory:,.0f} GB: {nodes(memory, cores)} "
        f"masters with 24 GB in use and half a core busy."
    )


def disturbed(world: Web, options: argparse.Namespace, timing: Timing) -> tuple[Curve, Loss, Joined]:
    """A crawl that loses workers on its way, and that others join."""
    flow = Flow(world, rate_per_s=options.rate, delay_s=options.delay)
    crew = list(range(1, options.workers + 1))
    flow.run(crew, options.step, until=options.lost_at)
    lost, crew = crew[: options.lost], crew[options.lost :]
    loss = lose(Crew(world, flow, timing), lost)
    owners = np.array(flow.plan.owners)[flow.partition]
    again = np.isin(owners, lost) & (flow.left > 0)
    flow.left[again] += loss.repeated / again.sum()
    flow.step(loss.out_s, idle=lost)
    flow.run(crew, options.step, until=options.joined_at)
    came = list(range(options.workers + 1, options.workers + options.joined + 1))
    joined = join(Crew(world, flow, timing), came)
    flow.run([*crew, *came], options.step)
    return flow.curve, loss, joined


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--hosts", type=int, default=1_000_000)
    parser.add_argument("--urls", type=int, default=1_000_000_000)
    parser.add_argument("--partitions", type=int, default=PARTITIONS)
    parser.add_argument("--exponent", type=float, default=1.85, help="of the power law of the sizes of hosts")
    parser.add_argument("--most-of-a-host", type=int, default=100_000, help="URLs; as budget.pages_per_host")
    parser.add_argument("--rate", type=float, default=250.0, help="requests a second that a worker can make")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds between requests to a host")
    parser.add_argument("--lost", type=int, default=10, help="workers lost at once")
    parser.add_argument("--lost-at", type=float, default=0.2, help="share of all URLs that is done then")
    parser.add_argument("--joined", type=int, default=10, help="workers that join later")
    parser.add_argument("--joined-at", type=float, default=0.3)
    parser.add_argument("--links", type=float, default=3.0, help="of a page, sent to hosts of other workers")
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--checkpoint", type=float, default=1.0)
    parser.add_argument("--load-us", type=float, default=Timing.load_us, help="a known URL, taking a partition over")
    parser.add_argument("--step", type=float, default=60.0, help="seconds that are computed at once")
    for name, what in (
        ("bytes_a_url", "memory of Redis for a known URL"),
        ("commit_us", "its processor's time for a commit"),
        ("url_us", "for each URL in it"),
        ("delivery_us", "for a block of links that is delivered"),
        ("link_us", "for each link in it"),
    ):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(Redis, name), help=what)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    options = arguments(given)
    began = time.process_time()
    costs = ("bytes_a_url", "commit_us", "url_us", "delivery_us", "link_us")
    redis = Redis(**{name: getattr(options, name) for name in costs})
    timing = Timing(lease_s=options.lease, load_us=options.load_us, checkpoint_s=options.checkpoint)
    world = web(options.hosts, options.urls, options.partitions, exponent=options.exponent, most=options.most_of_a_host)
    tell_web(world, options)
    crew = range(1, options.workers + 1)
    pooled = ideal(world, rate_per_s=options.workers * options.rate, delay_s=options.delay, step_s=options.step)
    calm = Flow(world, rate_per_s=options.rate, delay_s=options.delay)
    calm.run(crew, options.step)
    curve, loss, joined = disturbed(world, options, timing)
    tell_times(
        {
            "politeness alone, machines without limit": [politest_s(world, options.delay, s) for s in SHARES],
            "one machine as fast as all workers": reached(pooled),
            f"{options.workers} workers": reached(calm.curve),
            f"{options.lost} lost at {options.lost_at:.0%}, {options.joined} more at {options.joined_at:.0%}": reached(
                curve
            ),
        }
    )
    tell_balance(calm, crew)
    tell_loss(loss, options.lost, timing)
    tell_join(joined, options.joined)
    tell_redis(world, options, redis)
    print(f"\n{time.process_time() - began:,.0f} s of processor time")


if __name__ == "__main__":
    main()
