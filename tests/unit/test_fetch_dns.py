"""How names are looked up: once, off the loop, some at a time, and remembered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import pytest

from crawler.config import FetchConfig
from crawler.errors import CrawlerError, FetchError
from crawler.fetch.dns_cache import ANSWER_S, FAILURE_S, UNANSWERED_S, Answer, DnsCache
from crawler.fetch.http import HttpFetcher
from crawler.fetch.lookups import Lookups, answer_of, interleaved
from crawler.fetch.resolver import Resolver
from crawler.politeness import retry
from tests.support.clock import FakeClock
from tests.support.fetching import fetcher_for, get, until
from tests.support.rawserver import RawServer, page


class System:
    """A system resolver that knows 127.0.0.1 only, and is silent about ``slow`` names until `answers` is set."""

    def __init__(self):
        self.asked = []
        self.threads = set()
        self.answers = threading.Event()

    def __call__(self, name):
        self.threads.add(threading.current_thread())
        self.asked.append(name)
        if name.startswith("slow"):
            self.answers.wait()
        return ["127.0.0.1"]


@pytest.fixture
def system():
    made = System()
    yield made
    made.answers.set()
    for thread in made.threads:
        thread.join()  # none lives longer than who needs it


@contextlib.contextmanager
def lookups(system, **limits):
    learnt = {}
    made = Lookups(system, learnt.__setitem__, **limits)
    made.learnt = learnt
    try:
        yield made
    finally:
        made.close()


FOUND = Answer(("127.0.0.1",))


@pytest.mark.parametrize(
    ("answer", "keep_s"),
    [
        (FOUND, ANSWER_S),
        (Answer((), socket.EAI_NONAME, "no such name"), FAILURE_S),
        (Answer((), socket.EAI_AGAIN, "nobody answers"), UNANSWERED_S),
    ],
)
def test_answer_is_kept_for_its_time_and_no_longer(answer, keep_s):
    clock = FakeClock()
    cache = DnsCache(clock)
    cache.put("a.test", answer)
    clock.advance(keep_s - 0.01)
    assert cache.get("a.test") == answer
    clock.advance(0.01)
    assert cache.get("a.test") is None


def test_question_without_an_answer_is_put_anew_when_the_request_is_tried_again():
    rule = retry.rule_for("dns")
    assert rule.wait_s * (1 - retry.JITTER) > UNANSWERED_S


def test_cache_forgets_the_names_not_asked_for_the_longest_time():
    cache = DnsCache(FakeClock(), names=2)
    cache.put("a.test", FOUND)
    cache.put("b.test", FOUND)
    cache.get("a.test")
    cache.put("c.test", FOUND)
    assert [name for name in ("a.test", "b.test", "c.test") if cache.get(name)] == ["a.test", "c.test"]


def test_families_take_turns_and_nothing_is_tried_twice():
    assert interleaved(["::1", "::2", "::1", "1.1.1.1", "::3", "2.2.2.2"]) == (
        "::1", "1.1.1.1", "::2", "2.2.2.2", "::3",
    )  # fmt: skip
    assert interleaved(["1.1.1.1", "2.2.2.2", "::1"]) == ("1.1.1.1", "::1", "2.2.2.2")


def test_failure_of_a_lookup_is_an_answer_too():
    def unknown(name):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert answer_of(unknown, "a.test") == ((), socket.EAI_NONAME, "a.test: Name or service not known")
    assert answer_of(lambda name: [], "a.test") == ((), socket.EAI_NONAME, "a.test: no address")


async def test_simultaneous_questions_for_one_name_are_one_lookup(system):
    with lookups(system) as made:
        asks = [asyncio.create_task(made.ask("slow.test")) for _ in range(50)]
        await until(lambda: system.asked)
        asks[0].cancel()
        system.answers.set()
        answers = await asyncio.gather(*asks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [FOUND] * 49
    assert system.asked == ["slow.test"]


async def test_lookups_run_in_threads_that_are_used_again_and_do_not_hold_the_process(system):
    with lookups(system) as made:
        for number in range(5):
            await made.ask(f"{number}.test")
        (thread,) = system.threads
        assert thread is not threading.current_thread()
        assert thread.daemon


async def test_no_more_lookups_than_allowed_run_at_once(system):
    with lookups(system, at_once=3) as made:
        asks = [asyncio.create_task(made.ask(f"slow{number}.test")) for number in range(9)]
        await until(lambda: len(system.asked) == 3)
        for _ in range(20):
            await asyncio.sleep(0)
        assert sorted(system.asked) == ["slow0.test", "slow1.test", "slow2.test"]
        system.answers.set()
        assert await asyncio.gather(*asks) == [FOUND] * 9
        assert len(system.threads) == 3


async def test_name_that_hangs_is_given_up_and_holds_up_no_other_for_longer(system):
    with lookups(system, at_once=2, limit_s=10) as made:
        asks = [asyncio.create_task(made.ask(name)) for name in ("slow1.test", "slow2.test", "quick.test")]
        await until(lambda: len(system.asked) == 2)
        for question in list(made._asked.values())[:2]:
            made._give_up(question)  # as its timer does
        *silent, quick = await asyncio.gather(*asks)
        assert quick == FOUND
        assert [answer.problem for answer in silent] == [
            "slow1.test: no answer within 10 s",
            "slow2.test: no answer within 10 s",
        ]
        assert all(answer.keep_s == UNANSWERED_S for answer in silent)
        assert len(system.threads) == 3
        system.answers.set()  # and what they bring at last is news all the same
        await until(lambda: made.learnt["slow1.test"] == made.learnt["slow2.test"] == FOUND)


async def test_threads_are_bounded_however_many_hang(system):
    with lookups(system, at_once=1, threads=3, limit_s=0.001) as made:
        for number in range(6):
            assert not (await made.ask(f"slow{number}.test")).addresses
        assert len(system.threads) == 3


async def test_lookup_nobody_waits_for_is_not_begun(system):
    with lookups(system, at_once=1) as made:
        first = asyncio.create_task(made.ask("slow.test"))
        others = [asyncio.create_task(made.ask(name)) for name in ("left.test", "kept.test", "left.test")]
        await until(lambda: system.asked)
        others[0].cancel()
        others[2].cancel()
        await asyncio.wait([others[0], others[2]])
        system.answers.set()
        await asyncio.gather(first, others[1])
    assert system.asked == ["slow.test", "kept.test"]


async def test_question_asked_anew_as_the_last_asker_leaves_is_answered(system):
    with lookups(system, at_once=1) as made:
        first = asyncio.create_task(made.ask("a.test"))
        await until(lambda: made.learnt)
        assert not first.done()  # its answer is there, but it has not come to hear of it
        blocking = asyncio.create_task(made.ask("slow.test"))
        again = asyncio.create_task(made.ask("a.test"))
        await first
        system.answers.set()
        assert await again == await blocking == FOUND


def test_lookup_that_ends_after_the_loop_disturbs_nobody(system):
    async def leave():
        made = Lookups(system, lambda name, answer: None)
        ask = asyncio.create_task(made.ask("slow.test"))
        await until(lambda: system.asked)
        made.close()
        with pytest.raises(asyncio.CancelledError):
            await ask

    asyncio.run(leave())


async def test_fetching_and_locating_ask_once_whatever_the_port(system):
    fetcher = fetcher_for(resolver=Resolver({}, system))
    async with RawServer(page()) as one, RawServer(page()) as other:
        assert await fetcher.locate("a.test") == ("127.0.0.1",)
        for server in (one, other, one):
            await get(fetcher, f"http://a.test:{server.port}/")
            await fetcher.locate(f"a.test:{server.port}")
        await fetcher.aclose()
    assert system.asked == ["a.test"]


async def test_name_that_does_not_resolve_is_asked_once():
    def unknown(name):
        asked.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    asked = []
    fetcher = fetcher_for(resolver=Resolver({}, unknown))
    for attempt in (fetcher.locate("a.test:81"), get(fetcher, "http://a.test/"), fetcher.locate("a.test")):
        with pytest.raises(FetchError, match=r"a\.test: unknown") as caught:
            await attempt
        assert caught.value.reason == "dns"
    await fetcher.aclose()
    assert asked == ["a.test"]


async def test_want_of_descriptors_is_not_the_names_fault():
    def exhausted(name):
        raise OSError(24, "too many open files")

    fetcher = fetcher_for(resolver=Resolver({}, exhausted))
    with pytest.raises(CrawlerError) as caught:
        await fetcher.locate("a.test")
    await fetcher.aclose()
    assert not isinstance(caught.value, FetchError)


async def test_addresses_in_urls_and_mapped_names_are_located_without_a_lookup(system):
    fetcher = fetcher_for(resolver=Resolver({"*.test": "127.0.0.2:81"}, system))
    hosts = ("127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "shop.test", "shop.test:8080")
    located = [await fetcher.locate(host) for host in hosts]
    await fetcher.aclose()
    assert located == [("127.0.0.1",)] * 2 + [("::1",)] * 2 + [("127.0.0.2",)] * 2
    assert system.asked == []


async def test_answer_grows_old_on_the_crawls_clock(system):
    clock = FakeClock()
    fetcher = HttpFetcher(FetchConfig(), clock, concurrency=1, resolver=Resolver({}, system, clock=clock))
    for pause_s in (0, ANSWER_S - 1, 1):
        clock.advance(pause_s)
        await fetcher.locate("a.test")
    await fetcher.aclose()
    assert system.asked == ["a.test"] * 2


async def test_first_address_located_is_the_one_asked_every_time():
    def two(name):
        return ["127.0.0.2", "127.0.0.1"]

    fetcher = fetcher_for(resolver=Resolver({}, two))
    async with RawServer(page(b"", b"Connection: close"), host="127.0.0.2") as server:
        for _ in range(3):
            response = await get(fetcher, f"http://two.test:{server.port}/")
            assert response.address == (await fetcher.locate("two.test"))[0]
        await fetcher.aclose()


@pytest.fixture
def silent_ipv6():
    """A port on which ::1 never answers, as its queue is full, and on which 127.0.0.1 is free."""
    with contextlib.ExitStack() as stack:
        try:
            listening = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=0))
        except OSError as error:
            pytest.skip(f"this machine has no ::1 ({error})")
        for _ in range(4):  # of which the kernel takes one or two
            waiting = stack.enter_context(socket.socket(socket.AF_INET6))
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.mark.slow
async def test_ipv4_is_asked_where_ipv6_never_answers(silent_ipv6):
    fetcher = fetcher_for(resolver=Resolver({}, lambda name: ["::1", "127.0.0.1"]), connect_timeout_s=15)
    async with RawServer(page(b"by IPv4"), port=silent_ipv6) as server:
        response = await get(fetcher, f"http://both.test:{silent_ipv6}/")
        await fetcher.aclose()
    assert (response.body, response.address, len(server.heads)) == (b"by IPv4", "127.0.0.1", 1)
