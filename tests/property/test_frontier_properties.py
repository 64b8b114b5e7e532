"""Any frontier against a naive model, through any history of admissions, takes, commits and crashes."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from crawler.frontier import turns
from crawler.known import Known
from crawler.models import Checkpoint, Finished, HostState, Kind, Link, Outcome, Request, Snoozed
from crawler.url import fingerprint
from tests.support.clock import FakeClock
from tests.support.frontiers import BACKENDS

HOSTS = ["a.test", "b.test", "c.test"]
REASONS = ["timeout", "dns", None]

KINDS = [Kind.PAGE, Kind.PAGE, Kind.SITEMAP]

targets = st.tuples(st.sampled_from(HOSTS), st.integers(0, 15), st.sampled_from([0, 0, 1, 63]), st.sampled_from(KINDS))
depths = st.integers(0, 3)
known = st.sampled_from([None, None, Known(id=3, has_page=True, bytes=7, etag='"a"', skip="not_due")])


@dataclasses.dataclass
class Entry:
    """What the model knows of one admitted URL."""

    host: str
    priority: int
    depth: int
    kind: Kind
    order: int
    attempt: int = 1
    snoozed_until: float | None = None
    woken: bool = False
    end: tuple[Outcome, str | None] | None = None
    has_page: bool = False
    known: Known | None = None
    taken: bool = False


class FrontierMachine(RuleBasedStateMachine):
    """`live` is what the process knows, `stored` what a crash leaves."""

    backend = staticmethod(BACKENDS["memory"])

    @initialize(deepest_first=st.booleans(), pages_below=st.sampled_from([None, 1, 2]))
    def start(self, deepest_first, pages_below):
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.make = self.backend(self.clock, Path(self.folder.name))
        self.live, self.stored = {}, {}
        self.pages, self.retired = {}, {}  # of hosts, as stored
        self.pages_below = pages_below
        self.held = {}  # URL -> request handed out and without an end
        self.cut_at = None  # how many URLs the next commit stores at most
        self.open(deepest_first)

    def open(self, deepest_first):
        self.deepest_first = deepest_first
        self.frontier = self.make(deepest_first=deepest_first)
        self.run(self.frontier.open())

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def admit(self, found, depth, known=None):
        if found.url in self.live:
            return False
        self.live[found.url] = Entry(found.host_key, found.priority, depth, found.kind, len(self.live), known=known)
        return True

    @rule(found=st.lists(targets, max_size=8), depth=depths, known=known)
    def add(self, found, depth, known):
        requests = [request_of(target, depth, known) for target in found]
        expected = [self.admit(request, depth, known) for request in requests]
        assert self.frontier.add(requests) == expected

    @rule(found=st.lists(targets, max_size=8), depth=depths, known=known)
    def add_taken(self, found, depth, known):
        requests = [request_of(target, depth, known) for target in found]
        new = [request for request in requests if self.admit(request, depth, known)]
        taken = self.frontier.add_taken(requests)
        assert [replace(request, id=0) for request in taken] == new
        for request in taken:
            self.live[request.url].taken = True
            self.held[request.url] = request

    @precondition(lambda self: self.cut_at is None)
    @rule()
    def cut(self):
        self.frontier.cut()
        self.cut_at = len(self.live)

    def held_before_the_cut(self):
        stored = list(self.live)[: self.cut_at]
        return [url for url in stored if url in self.held]

    def store(self):
        """What a commit does."""
        self.stored = copy.deepcopy(dict(list(self.live.items())[: self.cut_at]))
        self.cut_at = None

    @precondition(lambda self: self.held)
    @rule(found=st.lists(targets, max_size=12), data=st.data())
    def discover(self, found, data):
        parent = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        links = [
            Link(url=url, host_key=host, priority=priority, kind=kind, fingerprint=fingerprint(url, self.frontier.key))
            for host, n, priority, kind in found
            for url in [url_of(host, n)]
        ]
        depth = parent.depth + (parent.kind is Kind.PAGE)
        gained = {link.host_key for link in links if self.admit(link, depth)}
        hosts = self.frontier.discover(parent, links)
        assert len(hosts) == len(set(hosts))
        assert set(hosts) == gained

    @rule(hosts=st.lists(st.sampled_from(HOSTS), unique=True), count=st.integers(1, 5))
    def take(self, hosts, count):
        taken = self.run(self.frontier.take([(host, count) for host in hosts]))
        for host in hosts:
            self.check_taken(host, count, [request for request in taken if request.host_key == host])
        assert len(taken) == sum(request.host_key in hosts for request in taken)

    def check_taken(self, host, count, taken):
        open_entries = {u: e for u, e in self.live.items() if e.host == host and e.end is None and not e.taken}
        due = {u for u, e in open_entries.items() if e.woken}
        rest = sorted(
            (u for u, e in open_entries.items() if e.snoozed_until is None),
            key=lambda u: self.place(open_entries[u]),
        )
        urls = [request.url for request in taken]
        first = min(count, len(due))
        assert len(set(urls[:first])) == first
        assert set(urls[:first]) <= due
        assert urls[first:] == rest[: count - first]
        for request in taken:
            entry = self.live[request.url]
            assert (request.depth, request.kind, request.attempt) == (entry.depth, entry.kind, entry.attempt)
            assert request.known == entry.known
            entry.taken = True
            self.held[request.url] = request

    def place(self, entry):
        return entry.priority, -entry.depth if self.deepest_first else entry.depth, entry.order

    @rule(
        data=st.data(),
        wait=st.sampled_from([-3.0, 0.0, 1.0, 5.0]),
        pages=st.dictionaries(st.sampled_from(HOSTS), st.integers(0, 3), max_size=2),
        retired=st.sampled_from([None, None, "breaker"]),
    )
    def commit(self, data, wait, pages, retired):
        held = sorted(self.held_before_the_cut())
        chosen = data.draw(st.lists(st.sampled_from(held), unique=True)) if held else []
        ended, snoozed = [], []
        for url in chosen:
            request, entry = self.held.pop(url), self.live[url]
            if data.draw(st.booleans()):
                outcome = data.draw(st.sampled_from([Outcome.FAILED, Outcome.UNCHANGED]))
                entry.end = (outcome, data.draw(st.sampled_from(REASONS)))
                entry.has_page = data.draw(st.booleans())
                ended.append(
                    Finished(request=request, outcome=entry.end[0], reason=entry.end[1], has_page=entry.has_page)
                )
            else:
                was_tried = data.draw(st.booleans())
                entry.attempt, entry.taken, entry.woken = request.attempt + was_tried, False, False
                entry.snoozed_until = self.clock.monotonic() + wait
                again = replace(request, attempt=entry.attempt)
                snoozed.append(Snoozed(request=again, until=entry.snoozed_until))
        states = tuple(HostState(host_key=host, pages=count, retired=retired) for host, count in pages.items())
        self.pages |= pages
        self.retired |= dict.fromkeys(pages, retired)
        self.run(self.frontier.commit(Checkpoint(finished=tuple(ended), snoozed=tuple(snoozed), hosts=states)))
        self.store()

    @precondition(lambda self: self.cut_at is None)
    @rule(data=st.data(), count=st.integers(1, 3), pauses=st.lists(st.integers(0, 6), max_size=6), found=targets)
    def take_and_add_during_commit(self, data, count, pauses, found):
        chosen = data.draw(st.lists(st.sampled_from(sorted(self.held)), unique=True)) if self.held else []
        ended = tuple(Finished(request=self.held.pop(url), outcome=Outcome.FETCHED) for url in chosen)
        for url in chosen:
            self.live[url].end = (Outcome.FETCHED, None)

        async def both():
            commit = asyncio.create_task(self.frontier.commit(Checkpoint(finished=ended)))
            for pause in pauses:
                for _ in range(pause):
                    await asyncio.sleep(0)
                for host in HOSTS:
                    self.check_taken(host, count, await self.frontier.take([(host, count)]))
            self.add([found], 1)
            await commit
            await self.frontier.commit(Checkpoint())  # for the first may have begun before or after the addition

        self.run(both())
        self.stored = copy.deepcopy(self.live)

    @rule(deepest_first=st.booleans())
    def crash(self, deepest_first):
        self.run(self.frontier.aclose())
        self.live = copy.deepcopy(self.stored)
        for entry in self.live.values():
            entry.taken = entry.woken = False
        self.held = {}
        self.cut_at = None
        self.open(deepest_first)

    @rule()
    def wake(self):
        snoozed = [entry for entry in self.live.values() if entry.snoozed_until is not None]
        asleep = [entry for entry in snoozed if entry.end is None and not entry.taken and not entry.woken]
        due = [entry for entry in asleep if entry.snoozed_until <= self.clock.monotonic()]
        later = [entry.snoozed_until for entry in asleep if entry not in due]
        hosts, next_at = self.run(self.frontier.wake())
        assert sorted(hosts) == sorted({entry.host for entry in due})
        assert next_at == (min(later) if later else None)
        for entry in due:
            entry.woken = True

    @precondition(lambda self: self.cut_at is None)
    @rule(wanted=st.lists(st.tuples(st.sampled_from(HOSTS), st.integers(0, 15))))
    def requeue(self, wanted):
        urls = [url_of(*target) for target in wanted]
        again = {url for url in urls if url in self.live and self.live[url].end}

        async def batches():
            for url in urls:
                yield [url]

        assert self.run(self.frontier.requeue(batches(), Checkpoint())) == len(again)
        for url in again:
            host = self.live[url].host
            if host in self.pages:
                self.pages[host] = max(self.pages[host] - self.live[url].has_page, 0)
            self.retired.pop(host, None)
        for state in (self.live, self.stored):
            for url in again:
                state[url] = dataclasses.replace(
                    self.live[url], end=None, has_page=False, taken=False, attempt=1, snoozed_until=None, woken=False
                )

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @invariant()
    def every_admitted_url_is_pending_or_has_one_end(self):
        counts = self.frontier.counts()
        ended = sum(entry.end is not None for entry in self.live.values())
        assert counts.admitted == len(self.live)
        assert counts.pending == len(self.live) - ended
        assert sum(counts.outcomes.values()) == ended

    @invariant()
    def hosts_are_those_with_something_to_take_and_pages_left(self):
        waiting = {
            entry.host
            for entry in self.live.values()
            if entry.end is None and not entry.taken and (entry.snoozed_until is None or entry.woken)
        }
        pages = {host: self.pages.get(host, 0) for host in waiting}
        below = 99 if self.pages_below is None else self.pages_below
        states, _ = self.run(self.frontier.hosts(0.0, 0, len(HOSTS), self.pages_below))
        wanted = {host: count for host, count in pages.items() if count < below or self.retired.get(host)}
        assert {state.host_key: state.pages for state in states} == wanted

    def teardown(self):
        """After a last crash everything that has no end is still there, once."""
        if not hasattr(self, "runner"):
            return
        self.crash(deepest_first=False)
        self.clock.advance(100)
        self.run(self.frontier.wake())
        taken = self.run(self.frontier.take([(host, 1000) for host in HOSTS]))
        expected = sorted(url for url, entry in self.live.items() if entry.end is None)
        assert sorted(request.url for request in taken) == expected
        self.run(self.frontier.aclose())
        self.runner.close()
        self.folder.cleanup()


def request_of(target, depth, known):
    host, n, priority, kind = target
    return Request(
        url=url_of(host, n), host_key=host, scope_host=host, depth=depth, priority=priority, kind=kind, known=known
    )


def url_of(host, n):
    return f"https://{host}/{n}"


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())
def test_frontier_behaves_as_the_naive_model_through_any_history(backend, monkeypatch):
    monkeypatch.setattr(turns, "_TURN_S", -1.0)  # long work stops after each step for whatever else there is
    machine = type("Machine", (FrontierMachine,), {"backend": staticmethod(backend)})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
