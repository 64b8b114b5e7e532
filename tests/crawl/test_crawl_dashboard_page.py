"""The dashboard as its reader has it: a real crawl, in Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest
import pytest_asyncio

from tests.support.dashboards import Relay, Shown, browser
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="module")]

TOKEN = "a-token-that-nobody-guesses"
MIXED = Web(seed=4, pages_per_host=40, error_share=0.1, redirect_share=0.1, private_share=0.1, file_share=0.1)
LONG = Web(seed=4, pages_per_host=20_000, error_share=0.1)
HEADINGS = """
name: survey
extract: {rules: [{name: headings, fields: {heading: h1}}]}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    async with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def long_one(tmp_path_factory):
    """A crawl that goes on for as long as this module needs."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "c.yaml").write_text(HEADINGS)
    with Server(LONG) as server, Shown(folder, server, *LONG.seeds(), "-c", "c.yaml", delay="40ms") as shown:
        yield shown


@contextlib.asynccontextmanager
async def seen(chromium, url, **options):
    """The page at `url`, once it shows the crawl; nothing may be said on its console but what a test says it may."""
    async with contextlib.AsyncExitStack() as stack:
        context = await chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        stack.push_async_callback(context.close)
        page = await context.new_page()
        page.said = []
        page.asked = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        await page.goto(url)
        await page.wait_for_selector("#tiles dd")
        yield page


def is_in_state(page, name, timeout=30_000):
    return page.wait_for_selector(f"#state[data-state={name}]", timeout=timeout)


async def rows(page, table):
    """Its body's rows, as lists of texts."""
    return await page.eval_on_selector_all(
        f"#{table} tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )


async def tiles(page):
    return await page.eval_on_selector_all(
        "#tiles div",
        "all => Object.fromEntries(all.map(one => [...one.children].slice(0, 2).map(part => part.textContent)))",
    )


async def test_it_shows_a_real_crawl_and_how_it_ended(chromium, tmp_path):
    (tmp_path / "c.yaml").write_text(HEADINGS)
    with Server(MIXED) as server, Shown(tmp_path, server, *MIXED.seeds(), "-c", "c.yaml", delay="30ms") as shown:
        shown.tell(action="pause")  # however long a browser takes
        async with seen(chromium, shown.url) as page:
            assert await page.text_content("h1") == "survey"
            assert await page.eval_on_selector("#speed svg", "drawing => drawing.getAttribute('aria-label')")
            shown.tell(action="resume")
            await is_in_state(page, "finished")
            assert "Complete: nothing is left to fetch." in await page.text_content("#told")
            assert await asyncio.to_thread(shown.end) == 0
            pages, outcomes = shown.lines("pages.jsonl"), shown.lines("outcomes.jsonl")
            told = await tiles(page)
            assert (told["Pages"], told["Queue"], told["In flight"]) == (str(len(pages)), "0", "0")
            failed = [line for line in outcomes if line["outcome"] == "failed"]
            assert told["Failed"] == str(len(failed)) != "0"
            queue = dict(await rows(page, "queue"))
            fetched = len(pages) + sum(line["outcome"] == "fetched" for line in outcomes)
            assert queue["ended: fetched"] == str(fetched)
            assert queue["URLs found and in scope"] == str(len(pages) + len(outcomes))
            statuses = {row[0]: int(row[2]) for row in await rows(page, "statuses")}
            assert statuses == {str(status): count for status, count in answers(server).items()}
            reasons = {row[1].partition(":")[0]: int(row[2]) for row in await rows(page, "reasons")}
            assert reasons["http_404"] == len(failed)
            titles = [row[2] for row in await rows(page, "pages")]
            assert titles == [line["title"] for line in reversed(pages[-25:])]
            assert {row[2] for row in await rows(page, "failures")} <= {line["url"] for line in failed}
            assert (await rows(page, "items"))[0][1] == f"heading {pages[-1]['title']} "
            assert await page.text_content("#records") == f"headings: {len(pages)}"
            asked = len(page.asked)
            await page.wait_for_timeout(1200)  # in which a page that does not know it is over would ask again
            assert page.asked[asked:] == []
            assert page.said == []


def answers(server):
    """Status -> how often the server gave it."""
    given = {}
    visits = {}
    for hit in server.log.hits:
        visits[hit.path] = visits.get(hit.path, 0) + 1
        status = MIXED.respond(hit.host, hit.path, visits[hit.path]).status
        given[status] = given.get(status, 0) + 1
    return given


async def test_pause_holds_the_requests_and_resume_lets_them_go_on(chromium, long_one):
    hits = long_one.server.log.hits
    async with seen(chromium, long_one.url) as page:
        await page.click("#pause")
        await is_in_state(page, "paused")
        assert await page.text_content("#told") == "The crawl is paused."
        await page.wait_for_selector("#tiles div:has(dt:text-is('In flight')) dd.big:text-is('0')")
        asked = len(hits)
        await page.wait_for_timeout(300)
        assert len(hits) == asked
        assert await page.get_attribute("#pause", "aria-disabled") == "true"
        await page.keyboard.press("r")
        await is_in_state(page, "running")
        assert await page.text_content("#told") == "The crawl goes on."
        while len(hits) < asked + 5:
            await page.wait_for_timeout(10)
        await page.keyboard.press("-")
        await page.keyboard.press("-")
        await page.wait_for_selector("#concurrency:text-is('162')")
        while long_one.ask("/state").json["concurrency"] != 162:
            await page.wait_for_timeout(10)
        assert page.said == []


async def test_the_keyboard_alone_stops_it_after_asking_once(chromium, tmp_path):
    with Server(LONG) as server, Shown(tmp_path, server, *LONG.seeds(), delay="10ms") as shown:
        async with seen(chromium, shown.url) as page:
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.className") == "skip"
            for _ in range(3):
                await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.id") == "stop"
            await page.keyboard.press("Enter")
            assert await page.evaluate("document.activeElement.id") == "go-on"
            await page.keyboard.press("Escape")
            assert not await page.evaluate("document.querySelector('#sure').open")
            assert await page.evaluate("document.activeElement.id") == "stop"
            await page.uncheck("#keys")
            await page.keyboard.press("q")
            assert not await page.evaluate("document.querySelector('#sure').open")
            await page.check("#keys")
            await page.keyboard.press("q")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await is_in_state(page, "finished")
            assert "Stopped. Nothing is lost" in await page.text_content("#told")
            assert await asyncio.to_thread(shown.end) == 130
            assert page.said == []


EVIL = "</td><img src=x onerror=alert(1)><script>alert(2)</script>\u202egpj.exe{{7*7}}${7*7}"


class Hostile:
    """Titles, paths and values that want to be more than text."""

    def respond(self, host, path, visit):
        if path == "/robots.txt":
            return Reply(404)
        if "missing" in path:
            return Reply(404)
        links = "".join(
            f"<a href='{link}'>x</a>"
            for link in (
                '/a"><img src=x onerror=alert(3)>',
                "/missing'onmouseover='alert(4)",
                "javascript:alert(5)",
                "/b",
            )
        )
        title = EVIL.replace("<", "&lt;")
        html = f"<title>{title}</title><h1>{title}</h1>{links}"
        return Reply(200, (("Content-Type", "text/html; charset=utf-8"),), html.encode(), 0.02)


async def test_hostile_titles_and_urls_are_text_and_nothing_else(chromium, tmp_path):
    (tmp_path / "c.yaml").write_text(HEADINGS)
    with Server(Hostile()) as server, Shown(tmp_path, server, "http://a.test/", "-c", "c.yaml", delay="600ms") as shown:
        shown.tell(action="pause")  # however long a browser takes
        async with seen(chromium, shown.url) as page:
            shown.tell(action="resume")
            await is_in_state(page, "finished")
            assert {row[2] for row in await rows(page, "pages")} == {EVIL}
            assert {row[1] for row in await rows(page, "items")} == {f"heading {EVIL} "}
            failed = await rows(page, "failures")
            assert [row[1] for row in failed] == ["http_404"]
            assert await page.locator("img, iframe, script:not([src]), [onmouseover], [style]").count() == 0
            links = await page.eval_on_selector_all("main a", "all => all.map(one => one.href)")
            assert all(link.startswith("http://a.test/") for link in links)
            await page.hover("#failures a")
            assert page.said == []
            assert all(re.match(rf"http://127\.0\.0\.1:{shown.port}/", url) for url in page.asked)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 320)])
async def test_axe_finds_no_fault(chromium, long_one, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    looks = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": {"width": width, "height": 800}}
    # axe is a script of its own in the page, which the page's policy would refuse: the reader's browser lets it in
    async with seen(chromium, long_one.url, bypass_csp=True, **looks) as page:
        await page.wait_for_selector("#failures a")
        found = await axe.run(page)
        assert found.violations_count == 0, found.generate_report()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.keyboard.press("q")
        found = await axe.run(page, context="#sure")
        assert found.violations_count == 0, found.generate_report()


async def test_the_theme_is_the_readers_and_stays(chromium, long_one):
    async with seen(chromium, long_one.url, color_scheme="light") as page:
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        light = await page.evaluate(ground)
        await page.click("#theme")
        await page.click("#theme")
        assert await page.text_content("#theme") == "Theme: dark"
        dark = await page.evaluate(ground)
        assert dark != light
        await page.reload()
        assert await page.evaluate(ground) == dark


async def test_a_dropped_stream_is_said_and_taken_up_again(chromium, long_one):
    async with Relay(long_one.port) as relay, seen(chromium, f"http://127.0.0.1:{relay.port}/") as page:
        await is_in_state(page, "running")
        relay.cut()
        await is_in_state(page, "lost")
        assert "Trying to connect again" in await page.text_content("#told")
        await is_in_state(page, "running")
        before = (await tiles(page))["Pages"]
        await page.wait_for_selector(f"#tiles dd.big >> nth=0 >> text=/^(?!{before}$)/")


async def test_a_token_in_the_address_lets_a_browser_in_and_is_gone_from_it(chromium, tmp_path):
    with Server(LONG) as server, Shown(tmp_path, server, *LONG.seeds(), delay="1s", token=TOKEN) as shown:
        async with seen(chromium, f"{shown.url}?token={TOKEN}") as page:
            await is_in_state(page, "running")
            assert page.url == shown.url
            assert await page.evaluate("document.cookie") == ""
            assert page.said == []
        stranger = await chromium.new_page()
        assert (await stranger.goto(shown.url)).status == 401
        await stranger.close()
