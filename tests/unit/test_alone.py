"""Suspects and others: who goes when, in whose company, and what is committed by then."""

from __future__ import annotations

import asyncio

import pytest

from crawler.alone import Alone
from crawler.errors import FetchError
from crawler.in_flight import MOST_DEATHS, InFlight
from crawler.models import Kind
from crawler.url import fingerprint
from tests.support.small_crawl import request


class Crawl:
    """The engine's part: fetches when told to, parses in tasks of its own; notes what happens, in order."""

    def __init__(self, suspects=None):
        marks = {fingerprint(request(name).url, 0): deaths for name, deaths in (suspects or {}).items()}
        self.in_flight = InFlight(16, suspects=marks)
        self.alone = Alone(self.in_flight, self, self.put_off)
        self.is_quiet = True
        self.events = []
        self.tasks = []
        self.gates = {}
        self.stopping = False
        self.company = 0  # most in hand at once

    async def flush(self):
        self.events.append("commit")
        await asyncio.sleep(0)

    def put_off(self, one):
        if not self.is_quiet:
            self.events.append("put off")
        return not self.is_quiet

    def take(self, *names):
        self.tasks += [asyncio.create_task(self.alone.take(request(name), self.attempt)) for name in names]

    async def attempt(self, one, fetch):
        name = one.url.rpartition("/")[2]
        if self.stopping:
            return False
        self.in_flight.begin(one)
        self.company = max(self.company, len(self.in_flight))
        try:
            if fetch:
                await fetch(one, lambda: None)
            self.events.append(name)
            await self.gates.setdefault(name, asyncio.Event()).wait()
        except FetchError as error:
            self.events.append(f"{name} {error.reason}")
        if name.startswith("parsed"):
            self.tasks.append(asyncio.create_task(self.parse(name, one)))
            return True
        self.in_flight.end(one)
        return not name.startswith("snoozed")

    async def parse(self, name, one):
        await asyncio.sleep(0)
        self.events.append(f"{name} is parsed")
        self.in_flight.end(one)

    async def answer(self, *names):
        for name in names:
            self.gates.setdefault(name, asyncio.Event()).set()
        await settled()

    def suspects(self):
        return len(self.in_flight.suspects)


async def settled():
    for _ in range(30):
        await asyncio.sleep(0)


async def test_suspect_waits_for_those_in_hand_and_others_for_it():
    crawl = Crawl({"bad": 1})
    crawl.take("a", "b", "bad", "c")
    await settled()
    assert crawl.events == ["a", "b"]
    await crawl.answer("a")
    crawl.take("d")
    await settled()
    assert crawl.events == ["a", "b"]
    await crawl.answer("b")
    assert crawl.events == ["a", "b", "commit", "bad"]
    await crawl.answer("bad")
    assert crawl.events == ["a", "b", "commit", "bad", "commit", "c", "d"]
    assert not crawl.suspects()


async def test_suspect_is_alone_until_it_is_parsed():
    crawl = Crawl({"parsed-bad": 1})
    crawl.take("parsed-bad", "a")
    await settled()
    await crawl.answer("parsed-bad")
    assert crawl.events == ["commit", "parsed-bad", "parsed-bad is parsed", "commit", "a"]
    assert crawl.company == 1


async def test_answers_that_wait_to_be_parsed_are_in_hand():
    crawl = Crawl({"bad": 1})
    crawl.take("parsed-a", "bad")
    await crawl.answer("parsed-a")
    assert crawl.events == ["parsed-a", "parsed-a is parsed", "commit", "bad"]


async def test_suspects_that_wait_together_go_one_after_the_other_before_all_others():
    crawl = Crawl({"bad": 1, "worse": 2, "again": 1})
    crawl.take("bad", "a", "worse", "again")
    await crawl.answer("bad", "worse", "again", "a")
    assert [event for event in crawl.events if event != "commit"] == ["bad", "worse", "again", "a"]
    assert crawl.company == 1


async def test_suspect_that_has_one_death_left_waits_for_a_quiet_moment():
    crawl = Crawl({"worse": MOST_DEATHS - 1, "bad": 1})
    crawl.is_quiet = False
    crawl.take("worse", "bad", "a")
    await crawl.answer("bad", "a")
    assert [event for event in crawl.events if event != "commit"] == ["put off", "bad", "a"]
    crawl.is_quiet = True
    crawl.take("worse")
    await crawl.answer("worse")
    assert crawl.events[-2:] == ["worse", "commit"]
    assert not crawl.suspects()


async def test_robots_txt_is_not_left_for_later_as_its_host_would_be():
    crawl = Crawl({"robots.txt": MOST_DEATHS - 1})
    crawl.is_quiet = False
    crawl.tasks.append(asyncio.create_task(crawl.alone.take(request("robots.txt", kind=Kind.ROBOTS), crawl.attempt)))
    await crawl.answer("robots.txt")
    assert not crawl.suspects()


async def test_suspect_stays_one_while_it_is_only_put_off():
    crawl = Crawl({"snoozed": 1})
    crawl.take("snoozed", "a")
    await crawl.answer("snoozed")
    assert crawl.events == ["commit", "snoozed", "a"]
    assert crawl.suspects() == 1


async def test_after_the_last_death_it_is_failed_without_being_asked_for_and_holds_nobody():
    crawl = Crawl({"worst": MOST_DEATHS})
    crawl.take("a", "worst", "b")
    await settled()
    assert [event for event in crawl.events if event != "commit"] == ["a", "worst crashed_crawler", "b"]
    assert not crawl.suspects()


async def test_nobody_is_held_while_no_suspect_has_come_up():
    crawl = Crawl({"bad": 1})
    crawl.take("a", "b")
    await crawl.answer("a", "b")
    assert crawl.events == ["a", "b"]


async def test_suspect_that_may_not_start_any_more_lets_the_others_go():
    crawl = Crawl({"bad": 1})
    crawl.stopping = True
    crawl.take("bad", "a")
    await settled()
    assert all(task.done() for task in crawl.tasks)
    assert crawl.suspects() == 1


@pytest.mark.parametrize("moment", range(1, 12))
async def test_being_cancelled_at_any_moment_leaves_no_suspect_that_has_ended(moment):
    crawl = Crawl({"bad": 1})
    crawl.gates["bad"] = asyncio.Event()
    crawl.gates["bad"].set()
    crawl.take("bad")
    for _ in range(moment):
        await asyncio.sleep(0)
    has_ended = "bad" in crawl.events and not len(crawl.in_flight)
    crawl.tasks[0].cancel()
    await asyncio.gather(*crawl.tasks, return_exceptions=True)
    assert crawl.suspects() == (not has_ended)
