"""What every parser backend promises, over all three."""

import asyncio
import gc

import pytest

from crawler.errors import ParseError
from crawler.extract.page import Settings
from crawler.models import Page, ParseFailure
from crawler.parse.inline import InlineParser
from crawler.parse.process import ProcessParser
from crawler.parse.thread import ThreadParser
from crawler.url import fingerprint
from tests.support.stunt_extractor import ENTRY, job, parse_config, said

BACKENDS = {"process": ProcessParser, "thread": ThreadParser, "inline": InlineParser}


@pytest.fixture(params=BACKENDS)
async def parser(request):
    pool = BACKENDS[request.param](Settings(agent="contract"), parse_config(), entry=ENTRY)
    await pool.start()
    yield pool
    await pool.aclose()


async def test_results_come_in_the_order_of_the_jobs(parser):
    pages = await parser.parse([job(f"echo {number}") for number in range(20)])
    assert [said(page) for page in pages] == [[str(number)] for number in range(20)]


async def test_empty_batch_has_no_results(parser):
    assert await parser.parse([]) == []


async def test_empty_body_arrives_empty(parser):
    (page,) = await parser.parse([job("echo")])
    assert page.body_bytes == len(b"echo")


async def test_pages_arrive_whole_with_links_and_types(parser):
    (page,) = await parser.parse([job("echo c")])
    number = page.links[0].fingerprint
    assert number == fingerprint(page.links[0].url, 0) > 2**63
    assert page.links[0].url == "http://example.org/echo/c"
    assert isinstance(page.records[0][1], bytes)


async def test_settings_reach_the_extractor(parser):
    (page,) = await parser.parse([job("agent")])
    assert said(page) == "contract"


async def test_failures_are_values_beside_pages(parser):
    pages = await parser.parse([job("echo a"), job("fail too_large"), job("error"), job("echo b")])
    assert pages[1] == ParseFailure(reason="too_large", detail="as told")
    assert pages[2] == ParseFailure(reason="parse_error", detail="ValueError: as told")
    assert [said(pages[0]), said(pages[3])] == [["a"], ["b"]]


async def test_calls_side_by_side_get_their_own_results(parser):
    calls = [parser.parse([job(f"echo {call} {number}") for number in range(3)]) for call in range(10)]
    for call, pages in enumerate(await asyncio.gather(*calls)):
        assert [said(page) for page in pages] == [[str(call), str(number)] for number in range(3)]


async def test_a_body_of_many_megabytes_arrives_whole(parser):
    (page,) = await parser.parse([job("echo", padding=9 * 1024**2)])
    assert page.body_bytes == 9 * 1024**2 + 4


async def test_cancelled_batch_leaves_the_pool_usable(parser):
    call = asyncio.ensure_future(parser.parse([job(f"echo {number}") for number in range(50)]))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (page,) = await parser.parse([job("echo after")])
    assert said(page) == ["after"]


async def test_closing_twice_is_closing_once(parser):
    await parser.parse([job("echo a")])
    await parser.aclose()
    await parser.aclose()
    with pytest.raises(ParseError, match="not running"):
        await parser.parse([job("echo a")])
    gc.collect()  # a leaked socket or process would warn now, and warnings are errors


async def test_at_least_one_lane(parser):
    assert parser.lanes >= 1


@pytest.mark.parametrize("backend", BACKENDS.values())
async def test_parsing_before_the_start_is_refused(backend):
    with pytest.raises(ParseError, match="not running"):
        await backend(Settings(), parse_config(), entry=ENTRY).parse([job("echo a")])


@pytest.mark.parametrize("backend", BACKENDS.values())
async def test_closing_before_the_start_is_fine(backend):
    await backend(Settings(), parse_config(), entry=ENTRY).aclose()


@pytest.mark.slow
async def test_a_thousand_pages_are_the_same_from_every_backend():
    jobs = [job(f"echo {number} {'x' * (number * 7 % 3000)}", padding=number * 131 % 90000) for number in range(1000)]
    answers = []
    for backend in BACKENDS.values():
        pool = backend(Settings(), parse_config(), entry=ENTRY)
        await pool.start()
        try:
            calls = [pool.parse(jobs[start : start + 8]) for start in range(0, 1000, 8)]
            answers.append([page for pages in await asyncio.gather(*calls) for page in pages])
        finally:
            await pool.aclose()
    assert all(isinstance(page, Page) for page in answers[0])
    assert answers[0] == answers[1] == answers[2]
