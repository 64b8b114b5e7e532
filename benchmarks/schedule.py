"""What does politeness cost the event loop, per request? Prints microseconds of CPU.

    python benchmarks/schedule.py [--requests 100000]

`schedule` is the heap alone; `policy` is everything the engine calls for one page (turn, supply, may_start, started,
after, after_parse), with rules of robots.txt to match and a frontier that costs nothing.
"""

from __future__ import annotations

import argparse
import time
from collections import deque

from crawler.config import BudgetConfig, LimitsConfig, Manners, Pace
from crawler.models import HostKey, HostState, Kind, Page, Request, Response, Robots, Url
from crawler.politeness.policy import Policy
from crawler.politeness.schedule import Schedule
from crawler.politeness.scheduled import Scheduled
from crawler.units import Duration

PAGE = Page(records=(("pages.jsonl", b"{}"),))
ROBOTS = Robots(rules=tuple((False, f"/private/{n}/") for n in range(20)))


class SteppedClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now


def schedule_us(hosts: int, delay_s: float, concurrency: int, requests: int) -> float:
    """Requests end as many starts later as fit into 200 slots."""
    schedule: Schedule[Scheduled] = Schedule()
    for number in range(hosts):
        schedule.offer(Scheduled(HostKey(f"h{number}"), delay_s=delay_s, concurrency=concurrency, due=0.0))
    flying: deque[Scheduled] = deque()
    now, done = 0.0, 0
    begin = time.process_time()
    while done < requests:
        host = schedule.pop(now)
        if host is not None:
            schedule.claim(host, now)
            schedule.offer(host)
            schedule.started(host, now)
            flying.append(host)
        if host is None or len(flying) >= 200:
            if flying:
                schedule.released(flying.popleft(), now, started=True)
                done += 1
            elif (at := schedule.next_at()) is not None:
                now = max(now, at)
    return (time.process_time() - begin) / requests * 1e6


def policy_us(hosts: int, delay_s: float, concurrency: int, requests: int) -> float:
    """As many requests as start in one turn are all answered before the next."""
    clock = SteppedClock()
    pace = Pace(delay_s=Duration(delay_s), concurrency=concurrency)
    policy = Policy(Manners(limits=LimitsConfig(default=pace), budget=BudgetConfig(pages=10**9)), clock=clock)
    urls = {f"h{number}.test": f"https://h{number}.test/page/" for number in range(hosts)}
    policy.adopt([HostState(host_key=HostKey(key)) for key in urls])
    spent, pages, number = 0.0, 0, 0
    while pages < requests:
        begin = time.process_time()
        turn = policy.turn(200)
        spent += time.process_time() - begin
        supply = []
        for key, wanted in turn.wants:
            for _ in range(wanted):
                number += 1
                supply.append(Request(url=Url(f"{urls[key]}{number}"), host_key=key, scope_host=key, id=number))
        answers = [(request, Response(url=request.url, status=200)) for request in turn.start]
        begin = time.process_time()
        policy.supply(turn.wants, supply)
        for request, answer in answers:
            policy.may_start(request)
            policy.started(request)
            policy.after(request, answer)
            if request.kind is Kind.ROBOTS:
                policy.robots_parsed(request, ROBOTS)
            else:
                policy.after_parse(request, answer, PAGE)
                pages += 1
        spent += time.process_time() - begin
        clock.now = max(clock.now, turn.next_at or clock.now + 0.001)
    return spent / pages * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    requests = parser.parse_args().requests
    print(f"{'hosts':>7} {'delay':>6} {'slots':>6} {'schedule us':>12} {'policy us':>10}")
    for hosts, delay_s, concurrency in ((1, 0, 64), (100, 0, 4), (100, 1, 1), (10_000, 0, 1), (10_000, 1, 1)):
        heap = schedule_us(hosts, delay_s, concurrency, requests)
        whole = policy_us(hosts, delay_s, concurrency, requests)
        print(f"{hosts:>7,} {delay_s:>5}s {concurrency:>6} {heap:>12.2f} {whole:>10.1f}")


if __name__ == "__main__":
    main()
