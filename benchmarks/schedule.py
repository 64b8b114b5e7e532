"""What does politeness cost the event loop, per request? Prints microseconds of CPU.

    python -m benchmarks.schedule [--requests 100000] [--rounds 3]

`schedule` is the heap alone; `policy` is everything the engine calls for one request (turn, located, adopt, supply,
may_start, started, after, after_parse, changes), those for robots.txt included, with a frontier that costs nothing;
`robots` is what a robots.txt of 20 rules costs, once for a host. Of more hosts than fit into the window each has a few
pages only, so that it is for ever changing. The least of all rounds counts, garbage is collected as in a crawl.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from crawler.config import BudgetConfig, LimitsConfig, Manners, Pace
from crawler.models import HostKey, HostState, Kind, Page, Request, Response, Robots, Url
from crawler.politeness.policy import Policy
from crawler.politeness.schedule import Schedule
from crawler.politeness.scheduled import Scheduled
from crawler.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.politeness.turn import Turn

PAGE = Page(records=(("pages.jsonl", b"{}"),))
ROWS = ((1, 0, 64), (100, 0, 4), (100, 1, 1), (10_000, 0, 1), (10_000, 1, 1), (1_000_000, 0, 1), (1_000_000, 1, 1))
WINDOW = 10_000
PAGES_PER_HOST = 5
LATENCY_S = 0.3
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
        schedule.offer(Scheduled(HostKey(f"h{number}"), delay_s=delay_s, concurrency=concurrency, due=0.0), 0.0)
    flying: deque[Scheduled] = deque()
    now, done = 0.0, 0
    begin = time.process_time()
    while done < requests:
        host = schedule.pop(now)
        if host is not None:
            schedule.claim(host, now)
            schedule.offer(host, now)
            schedule.started(host, now)
            flying.append(host)
        if host is None or len(flying) >= 200:
            if flying:
                schedule.released(flying.popleft(), now, started=True)
                done += 1
            elif (at := schedule.next_at()) is not None:
                now = max(now, at)
    return (time.process_time() - begin) / requests * 1e6


class FreeFrontier:
    """Knows a number of hosts, and has pages of all of them; what it does is not measured.

    Args:
        hosts: How many; they are handed out in order.
        pages_per_host: None for as many as are asked for.
    """

    def __init__(self, hosts: int, pages_per_host: int | None) -> None:
        self._hosts = hosts
        self._pages_per_host = pages_per_host
        self._given = 0
        self._taken: Counter[HostKey] = Counter()

    def states(self, limit: int) -> list[HostState]:
        """The next hosts that it has pages of."""
        first, self._given = self._given, min(self._given + limit, self._hosts)
        return [HostState(host_key=HostKey(f"h{number}.test")) for number in range(first, self._given)]

    def take(self, wants: Iterable[tuple[HostKey, int]]) -> list[Request]:
        """Pages, unless a host has no more."""
        taken = []
        for key, wanted in wants:
            for _ in range(wanted):
                if self._taken[key] == self._pages_per_host:
                    break
                self._taken[key] += 1
                url = Url(f"https://{key}/page/{self._taken[key]}")
                taken.append(Request(url=url, host_key=key, scope_host=key, id=self._taken[key]))
        return taken


class Meter:
    """Adds up the CPU time of what is done with it."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    def __enter__(self) -> None:
        self._begin = time.process_time()

    def __exit__(self, *exc: object) -> None:
        self.spent_s += time.process_time() - self._begin


def policy_us(hosts: int, delay_s: float, concurrency: int, requests: int) -> tuple[float, float]:
    """As many requests as start in one turn are all answered before the next; a checkpoint is made each second.

    Returns:
        Microseconds a request, and a robots.txt.
    """
    clock, meter, robots_meter = SteppedClock(), Meter(), Meter()
    pace = Pace(delay_s=Duration(delay_s), concurrency=concurrency)
    manners = Manners(limits=LimitsConfig(default=pace), budget=BudgetConfig(pages=10**9))
    # resumed: the frontier knows all hosts from the start
    policy = Policy(manners, clock=clock, window=WINDOW, resumed=True, locates=True)
    frontier = FreeFrontier(hosts, None if hosts <= WINDOW else PAGES_PER_HOST)
    done, files, checkpoint_at = 0, 0, 1.0
    while done < requests:
        with meter:
            turn = policy.turn(200)
        done += len(turn.start)
        supply = frontier.take(turn.wants)
        states = frontier.states(turn.refill.limit) if turn.refill else []
        answers = [(request, Response(url=request.url, status=200, elapsed_s=LATENCY_S)) for request in turn.start]
        with meter:
            answer_turn(policy, turn, supply, states)
            for request, answer in answers:
                play(policy, request, answer)
        with robots_meter:
            for request in turn.start:
                if request.kind is Kind.ROBOTS:
                    policy.robots_parsed(request, ROBOTS)
                    files += 1
        with meter:
            if clock.now >= checkpoint_at:
                policy.changes()
                policy.stored()
                checkpoint_at = clock.now + 1.0
        clock.now = max(clock.now, turn.next_at or clock.now + 0.001)
    return meter.spent_s / done * 1e6, robots_meter.spent_s / files * 1e6


def answer_turn(policy: Policy, turn: Turn, supply: list[Request], states: list[HostState]) -> None:
    """Give the policy what it has asked for."""
    for key in turn.locate:
        policy.located(key, (key,))
    if turn.wants:
        policy.supply(turn.wants, supply)
    if turn.unknown:
        policy.adopt([HostState(host_key=key) for key in turn.unknown])
    if turn.refill:
        policy.adopt(states)


def play(policy: Policy, request: Request, answer: Response) -> None:
    """One request, from its start to its end."""
    policy.may_start(request)
    policy.started(request)
    policy.after(request, answer)
    if request.kind is not Kind.ROBOTS:
        policy.after_parse(request, answer, PAGE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print(f"{'hosts':>9} {'delay':>6} {'slots':>6} {'schedule us':>12} {'policy us':>10} {'robots us':>10}")
    for hosts, delay_s, concurrency in ROWS:
        measured = [
            (
                schedule_us(min(hosts, WINDOW), delay_s, concurrency, options.requests),
                *policy_us(hosts, delay_s, concurrency, options.requests),
            )
            for _ in range(options.rounds)
        ]
        heap, whole, rules = map(min, zip(*measured, strict=True))
        print(f"{hosts:>9,} {delay_s:>5}s {concurrency:>6} {heap:>12.2f} {whole:>10.1f} {rules:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
