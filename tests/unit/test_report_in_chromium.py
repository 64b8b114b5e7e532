"""A report opened in a browser: it loads nothing, can be sorted, read by all, printed, and nothing in it acts."""

from __future__ import annotations

import re
import shutil

import msgspec
import pytest

pytest.importorskip("playwright", reason="playwright is not installed: make unit does")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed: make unit does")

import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright

from crawler.report.page import html
from tests.support.reports import EMPTY, a_report, with_every_text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: .ci/run installs it"),
    pytest.mark.asyncio(loop_scope="module"),
]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
ACTS = (
    "\"'></script><script>window.acted=1</script><img src=http://127.0.0.1:9/x onerror=window.acted=2>"
    "<svg onload=window.acted=3>"
)
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Opened:
    """A report in a tab: what its page asked for, and what it complained about."""

    def __init__(self, page):
        self.page = page
        self.requests, self.complaints = [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def column(self, table, place):
        """The texts of a column as they stand, from the top."""
        script = "(rows, place) => rows.map((row) => row.cells[place].textContent)"
        return await self.page.locator(f"{table} tbody tr").evaluate_all(script, place)


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser, tmp_path):
    """Open a report's file."""
    contexts = []

    async def open_report(report, **look) -> Opened:
        context = await browser.new_context(**look)
        contexts.append(context)
        tab = Opened(await context.new_page())
        path = tmp_path / "report.html"
        path.write_bytes(html(report))
        await tab.page.goto(path.as_uri())
        return tab

    yield open_report
    for context in contexts:
        await context.close()


async def test_it_loads_nothing_and_complains_of_nothing(opened):
    tab = await opened(a_report())
    assert await tab.page.title() == "stationers: crawl report"
    assert tab.requests == [tab.page.url]
    assert tab.complaints == []
    picture = await tab.page.screenshot()
    assert picture.startswith(b"\x89PNG")


async def test_a_crawl_of_a_hundred_thousand_pages_can_be_looked_at(opened, tmp_path):
    tab = await opened(a_report(hosts=250, items=200, steps=3_000))
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    assert await tab.page.locator("#hosts tbody tr").count() == 250
    assert (await tab.page.screenshot()).startswith(b"\x89PNG")
    assert tab.complaints == []


async def test_tables_are_sorted_by_the_keys_of_their_headers(opened):
    tab = await opened(a_report(hosts=30))
    failed = tab.page.locator("#hosts").get_by_role("button", name="Failed")
    await failed.focus()
    await tab.page.keyboard.press("Enter")
    numbers = [int(text.replace(",", "")) for text in await tab.column("#hosts", 5)]
    assert numbers == sorted(numbers, reverse=True)
    assert await tab.page.locator("#hosts th[aria-sort]").all_inner_texts() == ["Failed"]
    assert await tab.page.locator("#hosts th").nth(5).get_attribute("aria-sort") == "descending"
    assert await tab.page.get_by_role("status").inner_text() == "Sorted by Failed, descending."
    await tab.page.keyboard.press("Enter")
    assert [int(text.replace(",", "")) for text in await tab.column("#hosts", 5)] == sorted(numbers)
    await tab.page.locator("#hosts").get_by_role("button", name="Host").click()
    names = await tab.column("#hosts", 0)
    numbered = [(re.match("[a-z]+", name)[0], int(re.search("[0-9]+", name)[0])) for name in names]
    assert numbered == sorted(numbered), "www9 comes before www10"


async def test_what_is_not_known_is_sorted_last_both_ways(opened):
    report = a_report(hosts=5)
    unknown = msgspec.structs.replace(report.hosts[2], waited_s=None)
    tab = await opened(msgspec.structs.replace(report, hosts=(*report.hosts[:2], unknown, *report.hosts[3:])))
    for _ in range(2):
        await tab.page.locator("#hosts").get_by_role("button", name="Waited").click()
        assert (await tab.column("#hosts", 10))[-1] == "\N{EN DASH}"


@pytest.mark.parametrize("look", ["light", "narrow"])
async def test_long_tables_show_the_rows_that_are_looked_for(opened, look):
    tab = await opened(a_report(hosts=40), **LOOKS[look])
    box = tab.page.get_by_role(
        "searchbox", name="Show rows with this text: The first 40 of 60 hosts, the most pages first"
    )
    await box.fill("SHOP1")
    shown = await tab.page.locator("#hosts tbody tr:visible th").all_inner_texts()
    assert shown
    assert all("shop1" in name for name in shown)
    assert await tab.page.get_by_role("status").inner_text() == f"{len(shown)} of 40 rows."


@pytest.mark.timeout(60)  # the checks take seconds where other tests run beside
@pytest.mark.parametrize("look", LOOKS)
async def test_all_can_read_it(opened, look):
    few = msgspec.structs.replace(a_report(hosts=3, items=3, steps=20), robots=a_report(hosts=25, items=0).robots)
    tab = await opened(few, **LOOKS[look])
    await tab.page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
    only = {"runOnly": ["color-contrast"]} if look == "dark" else {}  # the rest is the same in any colour
    found = await Axe().run(tab.page, options={"resultTypes": ["violations"], **only})
    assert found.violations_count == 0, found.generate_report()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await tab.page.evaluate(wide), "the page itself never scrolls sideways"


async def test_an_empty_report_can_be_read_too(opened):
    tab = await opened(EMPTY)
    found = await Axe().run(tab.page)
    assert found.violations_count == 0, found.generate_report()
    assert tab.complaints == []


async def test_it_is_printed_whole_and_unfolded(opened):
    tab = await opened(a_report(hosts=60))
    await tab.page.emulate_media(media="print")
    await tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert await tab.page.locator("details:not([open])").count() == 0
    clipped = "(boxes) => boxes.filter((box) => box.scrollHeight > box.clientHeight + 1).map((box) => box.dataset.name)"
    assert await tab.page.locator(".box").evaluate_all(clipped) == []
    await tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert await tab.page.locator("details[open]").count() == 0
    printed = await tab.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")


async def test_on_paper_no_table_is_wider_than_the_page(opened):
    paper = {"width": 703, "height": 1017}  # A4 without its margins, in pixels of 1/96 inch
    tab = await opened(a_report(hosts=60), viewport=paper)
    await tab.page.emulate_media(media="print")
    await tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    clipped = "(boxes) => boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.dataset.name)"
    assert await tab.page.locator(".box").evaluate_all(clipped) == []


async def test_all_is_there_without_script(opened):
    tab = await opened(a_report(hosts=30), java_script_enabled=False)
    assert await tab.page.get_by_role("button").count() == 0
    assert await tab.page.locator("#hosts tbody tr").count() == 30
    assert await tab.page.locator("#configuration pre").count() == 1
    await tab.page.locator("#configuration summary").click()
    assert await tab.page.locator("#configuration pre").is_visible()


async def test_what_a_site_says_never_acts(opened):
    tab = await opened(with_every_text(a_report(), ACTS))
    assert await tab.page.evaluate("window.acted") is None
    assert tab.requests == [tab.page.url]
    assert tab.complaints == []
    assert await tab.page.locator("main img, main script").count() == 0
    assert "window.acted=1" in await tab.page.locator("h1").inner_text()


async def test_the_policy_stops_what_escaping_would_have_let_through(opened):
    """Belt and braces: script and style put into the page later are refused."""
    tab = await opened(EMPTY)
    await tab.page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", "<img src=http://127.0.0.1:9/x onerror='window.acted=1'>");
            const script = document.createElement("script");
            script.textContent = "window.acted=2";
            document.body.append(script);
        }"""
    )
    assert await tab.page.evaluate("window.acted") is None
    assert len(tab.complaints) >= 2
    assert all("Content Security Policy" in complaint for complaint in tab.complaints)
