"""A crawl asks a fetcher of its user's in place of the web, and is as polite."""

from __future__ import annotations

import asyncio
import threading

import pytest

from crawler import ConfigError, Crawl, CrawlerError, FetchError, Response
from tests.support.given import FRONT, Folder, Kept, awaits_what_is_cancelled, quick

pytestmark = pytest.mark.slow


async def test_a_fetcher_answers_in_place_of_the_web_and_politeness_holds(tmp_path):
    answers = {
        "https://a.test/robots.txt": b"User-agent: *\nDisallow: /private\n",
        FRONT: b'<title>Front</title><a href="/b">b</a><a href="/private">p</a><a href="/gone">g</a>',
        "https://a.test/b": b"<title>B</title>",
    }
    fetcher = Folder(answers)
    pages = []
    async with Crawl(
        quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=fetcher, on_page=pages.append
    ) as crawling:
        result = await crawling.result()
    assert fetcher.asked[0] == "https://a.test/robots.txt"
    assert sorted(fetcher.asked[1:]) == [FRONT, "https://a.test/b", "https://a.test/gone"]
    assert [page.title for page in pages] == ["Front", "B"]
    assert all(page.fetched_at > "2020" and page.elapsed_s >= 0 for page in pages)
    assert result.snapshot.reasons == {("failed", "http_404"): 1, ("excluded", "robots"): 1}
    assert fetcher.closed


async def test_a_fetcher_is_made_in_the_loop_of_the_crawl(tmp_path):
    loops = []

    def make():
        loops.append(asyncio.get_running_loop())
        return Folder({FRONT: b"<title>Front</title>"})

    async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=make) as crawling:
        assert (await crawling.result()).snapshot.pages == 1
    assert loops == [asyncio.get_running_loop()]


async def test_a_failure_that_a_fetcher_tells_is_tried_again_and_ends_as_one(tmp_path):
    fetcher = Folder({FRONT: FetchError("tls", "not today")})
    failures = []
    crawling = Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=fetcher, on_failure=failures.append)
    async with crawling:
        await crawling.result()
    assert [(failure.reason, failure.status) for failure in failures] == [("tls", None)]


async def test_what_is_longer_than_max_body_fails_as_it_does_over_http(tmp_path):
    fetcher = Folder({FRONT: b"x" * 2000})
    settings = quick(**{"fetch.max_body": "1000"})
    async with Crawl(settings, seeds=[FRONT], directory=tmp_path / "d", fetcher=fetcher) as crawling:
        assert (await crawling.result()).snapshot.reasons == {("failed", "too_large"): 1}


async def test_started_called_twice_counts_once(tmp_path):
    class Eager(Folder):
        async def fetch(self, request, started):
            started()
            return await super().fetch(request, started)

    async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=Eager({FRONT: b"<p>x"})) as crawling:
        assert (await crawling.result()).ending.complete
        assert crawling.hosts().busiest[0].requests == 2


async def test_started_called_after_the_end_counts_for_nothing(tmp_path):
    late = []

    class Late(Folder):
        async def fetch(self, request, started):
            for call in late:
                call()
            late.append(started)
            return await super().fetch(request, lambda: None)

    settings = quick(**{"limits.default.delay": "10ms"})
    seeds = [f"{FRONT}{number}" for number in range(5)]
    async with Crawl(settings, seeds=seeds, directory=tmp_path / "d", fetcher=Late({})) as crawling:
        assert (await crawling.result()).ending.complete
        assert crawling.hosts().busiest == (), "none has started, so far as anybody was told"
    assert len(late) == 6


async def test_started_may_be_called_from_another_thread(tmp_path):
    loop_thread, told_in = threading.get_ident(), []

    class Blocking(Folder):
        async def fetch(self, request, started):
            await asyncio.to_thread(started)
            return await super().fetch(request, lambda: told_in.append(threading.get_ident()))

    async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=Blocking({FRONT: b"<p>x"})) as crawling:
        policy = crawling._running._engine._policy
        policy.started, started = (
            lambda request: (told_in.append(threading.get_ident()), started(request)),
            policy.started,
        )
        assert (await crawling.result()).ending.complete
        assert crawling.hosts().busiest[0].requests == 2
    assert set(told_in) == {loop_thread}


@pytest.mark.parametrize("method", ["fetch", "locate", "aclose"])
async def test_a_fetcher_that_awaits_what_is_cancelled_ends_the_crawl_with_an_error(tmp_path, method):
    fetcher = Folder({FRONT: b"<p>x"})
    setattr(fetcher, method, awaits_what_is_cancelled)
    with pytest.raises(CrawlerError, match=r"fetcher: .*: CancelledError$"):
        async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=fetcher) as crawling:
            await crawling.result()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (OSError("no route"), f"fetcher: {FRONT}: OSError: no route"),
        (FetchError("tired"), r"FetchError\('tired'\): expected one of crawler.reasons.REASONS"),
        ("text", "returned str: expected a crawler.Response"),
        (Response(url="https://b.test/", status=200), "returned an answer of https://b.test/: expected"),
        (Response(url=FRONT, status=0), "returned status 0: expected a number"),
        (Response(url=FRONT, status=200, elapsed_s=float("nan")), "returned elapsed_s nan: expected seconds"),
        (Response(url=FRONT, status=200, fetched_at=float("inf")), "returned fetched_at inf: expected seconds"),
        (Response(url=FRONT, status=200, address=5), "returned address 5: expected str or None"),
        (Response(url=FRONT, status=200, status_line="OK"), "returned status_line 'OK': expected bytes"),
        (Response(url=FRONT, status=200, body="text"), "returned a body of type str: expected bytes"),
        (
            Response(url=FRONT, status=200, headers={"a": "b"}),
            "returned headers .*: expected a tuple of pairs of bytes",
        ),
    ],
)
async def test_a_fetcher_that_breaks_its_promise_ends_the_crawl_with_an_error_that_says_how(tmp_path, answer, said):
    with pytest.raises(CrawlerError, match=said):
        async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=Folder({FRONT: answer})) as crawling:
            await crawling.result()


@pytest.mark.parametrize(
    ("fetcher", "said"),
    [("http", "expected a crawler.Fetcher, or a function"), (Kept, None), (object, None)],
)
async def test_what_is_no_fetcher_is_refused(tmp_path, fetcher, said):
    with pytest.raises(ConfigError, match=said or r"has no fetch\(\), locate\(\)"):
        async with Crawl(quick(), seeds=[FRONT], directory=tmp_path / "d", fetcher=fetcher):
            pass
