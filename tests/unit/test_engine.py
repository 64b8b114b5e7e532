"""When the engine takes a crawl for ended, whatever is under way meanwhile."""

import asyncio
from types import SimpleNamespace

from crawler.engine import Engine
from crawler.gate import Gate
from crawler.parts import Parts, Settings
from crawler.politeness.turn import Turn


def engine_of_hosts_set_aside():
    """One whose hosts have all given their pages, as far as the policy knows."""
    parts = dict.fromkeys(Parts.__dataclass_fields__)
    parts["policy"] = SimpleNamespace(stopped_by=None, all_set_aside="budget.pages_per_host")
    parts["ledger"] = SimpleNamespace(open=1)
    parts["committer"] = SimpleNamespace(snoozing=0)
    parts["parser"] = SimpleNamespace(lanes=1)
    engine = Engine(Parts(**parts), Settings(concurrency=1, body_bytes=1))
    engine._seeded = True
    return engine


def test_crawl_of_hosts_set_aside_has_ended_once_nothing_else_can_come():
    assert engine_of_hosts_set_aside()._is_spent(None)
    assert not engine_of_hosts_set_aside()._is_spent(5.0), "something is snoozed until then"


def test_url_stored_as_snoozed_since_the_frontier_was_asked_keeps_the_crawl_going():
    engine = engine_of_hosts_set_aside()
    engine._changed.set()  # as a checkpoint does when it is done
    assert not engine._is_spent(None)


def test_engine_that_has_nothing_left_but_may_get_more_says_so_instead_of_ending():
    engine, dry = engine_of_hosts_set_aside(), []
    engine.ran_dry = lambda: dry.append(True)
    engine._seeded = False
    engine._settle()
    assert not dry, "a URL is open"
    engine._ledger.open = 0
    engine._settle()
    assert dry
    assert not engine._over.is_set()
    engine._seeded = True
    engine._settle()
    assert len(dry) == 1
    assert engine._over.is_set()


async def test_nothing_is_started_when_the_gate_has_closed_while_the_frontier_woke_what_is_due():
    engine = engine_of_hosts_set_aside()
    rounds, started_at = [], []

    async def wake():
        rounds.append(len(rounds))
        if len(rounds) == 1:
            engine._gate.hold(1)  # an answer comes in meanwhile, as big as may be held
            asyncio.get_running_loop().call_soon(engine._gate.let_go, 1, 1)
        return [], None

    def turn(_room):
        assert engine._gate.is_open
        started_at.append(rounds[-1])
        engine.stop()
        return Turn()

    async def nothing(*_):
        pass

    engine._frontier = SimpleNamespace(wake=wake)
    engine._policy = SimpleNamespace(turn=turn, in_flight=0, stopped_by=None, all_set_aside=None)
    engine._errands = SimpleNamespace(book=lambda _: False, run=nothing)
    await engine._feed()
    assert started_at == [1]


async def test_gate_that_closes_again_before_its_waiter_comes_to_its_turn_is_not_passed():
    gate = Gate(1, 10)
    gate.hold(1)
    waiter = asyncio.ensure_future(gate.passed())
    await asyncio.sleep(0)
    gate.let_go(1, 1)
    gate.hold(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiter.done()
    gate.let_go(1, 1)
    await waiter


async def test_what_is_refused_is_booked_while_the_crawl_is_paused():
    engine = engine_of_hosts_set_aside()
    left, booked = [Turn(refused=["some"])], []

    def book(turn):
        booked.extend(turn.refused)
        engine._ledger.open = 0  # it was the last
        return bool(turn.refused)

    engine._policy = SimpleNamespace(refusals=left.pop, in_flight=0, stopped_by=None, all_set_aside=None)
    engine._errands = SimpleNamespace(book=book)
    engine.control.pause()
    async with asyncio.timeout(5):
        await engine._feed()
    assert booked == ["some"]
    assert engine._over.is_set()
