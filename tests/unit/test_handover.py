"""What passes between the engine's coroutines: all of it, once, and no more than may be held."""

import asyncio

from crawler.gate import Gate, shares_of
from crawler.handover import BATCH_BYTES, BATCH_PAGES, Batches, Line
from crawler.models import Request, Response
from crawler.parse.base import Job


def job(number, size=1):
    url = f"https://a.test/{number}"
    response = Response(url=url, status=200, body=bytes(size))
    return Job(request=Request(url=url, host_key="a.test", scope_host="a.test", id=number), response=response)


async def settled():
    """Whatever can go on has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_things_are_taken_in_the_order_they_were_put():
    line = Line()
    for thing in range(3):
        line.put(thing)
    assert [await line.take() for _ in range(3)] == [0, 1, 2]


async def test_a_thing_goes_to_one_taker_that_waits_and_never_to_a_cancelled_one():
    line = Line()
    takers = [line.take() for _ in range(3)]
    await settled()
    takers[2].cancel()
    await settled()
    line.put("first")
    line.put("second")
    line.put("third")
    await settled()
    assert sorted([await takers[0], await takers[1]]) == ["first", "second"]
    assert await line.take() == "third"


async def taking(batches, taken):
    while True:
        await batches.some()
        taken.append([job.request.id for job in batches.take()[0]])


async def test_jobs_of_one_turn_of_the_loop_are_taken_together():
    batches, taken = Batches(), []
    takers = [asyncio.create_task(taking(batches, taken)) for _ in range(3)]
    await settled()
    for number in range(BATCH_PAGES - 1):
        batches.put(job(number))
    await settled()
    assert taken[0] == list(range(BATCH_PAGES - 1))
    for taker in takers:
        taker.cancel()


async def test_every_job_is_taken_once_even_if_a_called_taker_has_gone():
    batches, taken = Batches(), []
    takers = [asyncio.create_task(taking(batches, taken)) for _ in range(3)]
    await settled()
    takers[0].cancel()
    await settled()
    for number in range(3 * BATCH_PAGES + 5):
        batches.put(job(number))
    await settled()
    assert sorted(number for some in taken for number in some) == list(range(3 * BATCH_PAGES + 5))
    assert max(map(len, taken)) == BATCH_PAGES
    for taker in takers[1:]:
        taker.cancel()


async def test_a_batch_ends_with_the_job_that_makes_it_large_and_others_are_called_for_the_rest():
    batches, taken = Batches(), []
    takers = [asyncio.create_task(taking(batches, taken)) for _ in range(2)]
    await settled()
    for number in range(4):
        batches.put(job(number, BATCH_BYTES // 2))
    await settled()
    assert taken == [[0, 1], [2, 3]]
    for taker in takers:
        taker.cancel()


async def test_the_gate_is_shut_while_too_many_answers_or_too_many_bytes_are_held():
    gate = Gate(limit_bytes=100, limit_answers=3)
    passed = []

    async def pass_it():
        await gate.passed()
        passed.append(1)

    for held, let_go in (((1, 1, 1), (1, 1)), ((100,), (100, 1))):
        for size in held:
            gate.hold(size)
        waiting = asyncio.create_task(pass_it())
        await settled()
        assert not passed
        gate.let_go(*let_go)
        await waiting
        gate.let_go(sum(held) - let_go[0], len(held) - let_go[1])
        passed.clear()


async def test_the_gate_opens_again_however_little_memory_there_is():
    gate = Gate(shares_of(1).bodies, limit_answers=1)
    gate.hold(1)
    gate.let_go(1, 1)
    async with asyncio.timeout(5):
        await gate.passed()
