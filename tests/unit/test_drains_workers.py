"""What a worker says to the pool is bounded, and believed only as far as a page cannot gain by it."""

import asyncio
import socket

import pytest
from msgspec.structs import replace

from crawler.config import ExtractConfig
from crawler.config.scraping import RuleConfig
from crawler.extract.page import Settings
from crawler.extract.sitemap_links import MAX_URL_CHARS
from crawler.models import HostKey, Link, Page, ParseFailure, Url
from crawler.parse.framing import FULL_BYTES, LENGTH, encode_result, frame_limit, result_frame, result_limit
from crawler.parse.known import Confirmed
from crawler.parse.lane import Call, Lane, Parcel, Terms
from crawler.parse.process import ProcessParser
from crawler.units import Duration, Size
from crawler.url import fingerprint
from tests.support.stunt_extractor import ENTRY, job, parse_config, said

KEY = 5


def told(*bodies):
    return result_frame([encode_result(Page(body_bytes=size)) for size in bodies])


@pytest.fixture
async def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    faulty = []
    lane = Lane(
        1,
        0,
        ours,
        on_results=lambda: None,
        on_fault=faulty.append,
        confirmed=Confirmed(),
        terms=Terms(frame_bytes=1000, fingerprint_key=KEY),
    )
    lane.faulty = faulty
    with theirs:
        yield lane, theirs
        lane.close()


def send(lane, jobs):
    call = Call([job("echo")] * jobs)
    lane.send(Parcel(call, range(jobs)))
    return call


async def test_a_batch_may_be_answered_in_parts(pair):
    lane, worker = pair
    batch, after = send(lane, 5), send(lane, 1)
    worker.sendall(told(1, 2) + told(3))
    lane.read()
    assert (lane.answered, [len(parcel.positions) for parcel in lane.outstanding]) == (3, [2, 1])
    worker.sendall(told(4, 5) + told(6))
    async with asyncio.timeout(5):
        assert [page.body_bytes for page in await batch.done] == [1, 2, 3, 4, 5]
        assert [page.body_bytes for page in await after.done] == [6]
    assert not lane.outstanding


def forged(url, number):
    return result_frame(
        [encode_result(Page(links=(Link(url=Url(url), host_key=HostKey("a.test"), fingerprint=number),)))]
    )


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (LENGTH.pack(2**32 - 1), "announced 4294967295 bytes"),
        (LENGTH.pack(1001), "announced 1001 bytes"),
        (told(1, 2, 3), "answered 3 pages of 2"),
        (LENGTH.pack(0), "answered 0 pages of 2"),
        (LENGTH.pack(3) + b"abc", "answered 0 pages of 2"),
        (told(), "answered 0 pages of 2"),
        (forged("http://a.test/", fingerprint(Url("http://b.test/"), KEY)), "the fingerprint of another"),
    ],
)
async def test_what_no_worker_says_ends_the_talk(pair, answer, fault):
    lane, worker = pair
    call = send(lane, 2)
    worker.sendall(answer + told(7))
    lane.read()
    assert fault in lane.fault
    assert (lane.open, lane.faulty, call.done.done()) == (False, [lane], False)
    assert [len(parcel.positions) for parcel in lane.outstanding] == [2]
    lane.read()
    assert lane.faulty == [lane]


async def test_links_under_their_own_fingerprints_are_believed(pair):
    lane, worker = pair
    call = send(lane, 1)
    worker.sendall(forged("http://a.test/", fingerprint(Url("http://a.test/"), KEY)))
    lane.read()
    assert (await call.done)[0].links[0].url == "http://a.test/"


async def test_what_is_announced_takes_no_memory_before_it_comes():
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with theirs:
        terms = Terms(frame_bytes=2**31, fingerprint_key=KEY)
        lane = Lane(1, 0, ours, on_results=id, on_fault=id, confirmed=Confirmed(), terms=terms)
        send(lane, 1)
        theirs.sendall(LENGTH.pack(2**31) + b"x" * 1000)
        lane.read()
        assert len(lane._buffer) <= 1024**2
        lane.close()


@pytest.fixture
async def pool():
    parser = ProcessParser(Settings(max_body_bytes=1024**2), parse_config(memory_bytes=Size(1024**3)), entry=ENTRY)
    await parser.start()
    yield parser
    await parser.aclose()


@pytest.mark.parametrize(
    ("order", "why"), [("announce 4294967295", "announced 4294967295 bytes"), ("forge", "the fingerprint of another")]
)
async def test_a_page_that_takes_its_worker_over_fails_alone(pool, order, why):
    orders = ["echo a", "echo b", order, "echo c"]
    async with asyncio.timeout(15):
        *pages, after = await pool.parse([job(each) for each in orders]), await pool.parse([job("echo d")])
    (pages,) = pages
    assert [page.reason for page in pages] == [None, None, "parser_crashed", None]
    assert why in pages[2].detail
    assert [said(page) for page in (pages[0], pages[1], pages[3], after[0])] == [["a"], ["b"], ["c"], ["d"]]


@pytest.mark.slow
async def test_a_page_whose_records_are_too_large_fails_alone(pool):
    most = result_limit(1024**2) // 1024**2
    pages = await pool.parse([job("echo a"), job(f"tell {most - 1}"), job(f"tell {most}"), job("echo b")])
    assert [page.reason for page in pages] == [None, None, "parse_memory", None]
    assert f"at most {result_limit(1024**2)}" in pages[2].detail


@pytest.mark.slow
async def test_a_batch_of_large_records_comes_in_frames_of_few(pool):
    """Neither side ever holds all of it at once; the sum is beyond what one frame may have."""
    pages = await pool.parse([job("tell 20")] * 16)
    assert not any(isinstance(page, ParseFailure) for page in pages)
    assert sum(len(page.records[0][1]) for page in pages) > frame_limit(1024**2)


@pytest.mark.slow
async def test_a_rule_whose_selector_is_slow_on_a_page_fails_that_page_alone():
    """As ``:nth-last-child`` among 100,000 siblings, which Lexbor counts anew for each: a minute and a half."""
    rule = RuleConfig(name="r", match="*", fields={"a": "div:nth-last-child(3n).x"})
    settings = Settings(extract=ExtractConfig(rules=(rule,)))
    parser = ProcessParser(settings, parse_config(workers=1, deadline_s=Duration(1.5)))
    await parser.start()
    slow, quick = job(""), job("<p>x")
    slow = replace(slow, response=replace(slow.response, body=b"<div><p>x</p></div>" * 100_000))
    async with asyncio.timeout(18):
        pages = await parser.parse([quick, slow, quick])
    await parser.aclose()
    assert [page.reason for page in pages] == [None, "parse_deadline", None]


def test_the_limits_follow_from_the_body_limit():
    assert result_limit(10 * 1024**2) == 96 * 1024**2
    assert result_limit(20 * 1024**2) > result_limit(10 * 1024**2)
    assert result_limit(1024) > 2 * MAX_URL_CHARS, "a sitemap may inflate beyond fetch.max_body"
    assert frame_limit(10 * 1024**2) == 96 * 1024**2 + FULL_BYTES + 5
