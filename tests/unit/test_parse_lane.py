"""One worker's socket as the loop sees it, with the test as the worker."""

import asyncio
import socket

import pytest

from crawler.models import Link, Page
from crawler.parse.framing import encode_result, frame_limit, result_frame
from crawler.parse.known import Confirmed
from crawler.parse.lane import Call, Lane, Parcel, Terms
from tests.support.stunt_extractor import job


def page(number):
    return Page(body_bytes=number, records=(("pages", b"x" * number),))


def frame(*numbers):
    return result_frame([encode_result(page(number)) for number in numbers])


@pytest.fixture
async def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    terms = Terms(frame_bytes=frame_limit(10 * 1024**2), fingerprint_key=0)
    lane = Lane(1, 0, ours, on_results=lambda: None, on_fault=id, confirmed=Confirmed(), terms=terms)
    with theirs:
        yield lane, theirs
        lane.close()


async def sent(lane, jobs):
    call = Call([job("echo")] * jobs)
    lane.send(Parcel(call, range(jobs)))
    return call.done


@pytest.mark.parametrize("size", [1, 7, 4096, 10**7])
async def test_answers_are_the_same_however_they_are_cut(pair, size):
    lane, worker = pair
    calls = [await sent(lane, jobs) for jobs in (2, 1, 3)]
    stream = frame(5, 0) + frame(600) + frame(1, 2, 3)
    for start in range(0, len(stream), size):
        worker.sendall(stream[start : start + size])
        await asyncio.sleep(0)
    answers = [await call for call in calls]
    assert answers == [[page(5), page(0)], [page(600)], [page(1), page(2), page(3)]]
    assert lane.answered == 6


async def test_an_answer_larger_than_the_buffer_arrives_whole(pair):
    lane, worker = pair
    small, large, last = [await sent(lane, 1) for _ in range(3)]
    stream = frame(1) + frame(3_000_000) + frame(2)
    await asyncio.to_thread(worker.sendall, stream)
    assert await asyncio.gather(small, large, last) == [[page(1)], [page(3_000_000)], [page(2)]]


async def test_a_batch_larger_than_the_socket_takes_arrives_whole(pair):
    lane, worker = pair
    bodies = Call([job("echo", padding=1_000_000)] * 5)
    lane.send(Parcel(bodies, range(5)))
    lane.send(Parcel(Call([job("echo")]), [0]))

    def read_all():
        total = 0
        while total < 5_000_000:
            total += len(worker.recv(1 << 20))
        return total

    assert await asyncio.to_thread(read_all) >= 5_000_000


async def test_the_end_of_the_worker_closes_the_lane_and_keeps_what_is_outstanding(pair):
    lane, worker = pair
    call = await sent(lane, 2)
    worker.sendall(frame(1, 2)[:-1])
    worker.close()
    lane.read()  # the torn answer
    lane.read()  # the end
    assert not lane.open
    assert len(lane.outstanding) == 1
    assert not call.done()


async def test_sending_to_a_dead_worker_keeps_the_batch(pair):
    lane, worker = pair
    worker.close()
    await sent(lane, 1)
    assert len(lane.outstanding) == 1


@pytest.mark.parametrize(
    "results",
    [
        [page(1), Page(reason="x" * 31)],
        [page(1), Page(links=(Link(url="http://a.test/", host_key="a.test", fingerprint=-1),))],
        [page(1), Page(links=(Link(url="http://a.test/", host_key="a.test", fingerprint=0),))],
        [page(1), Page(links=(Link(url="http://a.test/", host_key="a.test", fingerprint=1, priority=-1),))],
        [page(1), Page(links=(Link(url="http://a.test/", host_key="a.test", fingerprint=1, priority=1 << 20),))],
    ],
)
async def test_what_a_worker_cannot_have_meant_fails_its_batch_and_nothing_else(pair, results):
    lane, worker = pair
    batch, after = await sent(lane, 2), await sent(lane, 1)
    answer = result_frame([encode_result(result) for result in results])
    worker.sendall(answer.replace(b"x" * 31, b"\xff" * 31) + frame(7))
    async with asyncio.timeout(5):
        assert {result.reason for result in await batch} == {"parse_error"}
        assert await after == [page(7)]


async def test_an_answer_to_nothing_is_dropped(pair):
    lane, worker = pair
    worker.sendall(frame(1))
    await asyncio.sleep(0)
    lane.read()
    after = await sent(lane, 1)
    worker.sendall(frame(2))
    async with asyncio.timeout(5):
        assert await after == [page(2)]
