"""A new store made of output files."""

from __future__ import annotations

import msgspec
import pytest

from crawler.config import BudgetConfig, CrawlConfig, ScopeConfig
from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS, HostState, Kind, Outcome
from crawler.renames import complete_renames
from crawler.repair.rebuild import rebuild
from crawler.seeds import read_seeds
from crawler.spool import Spool
from tests.support.clock import FakeClock
from tests.support.frontiers import BESIDE_FILES
from tests.support.small_crawl import End, SmallCrawl, failed, url_of

PACKINGS = ("none", "gzip", "zstd")
ENDS = (
    [End("start", links=("p2", "r1", "waiting", "private"))],
    [End("p2", links=("start", "deep"), request={"depth": 1, "via": url_of("start")})],
    [
        End("r1", Outcome.REDIRECTED, target="moved", request={"depth": 1, "via": url_of("start")}),
        End("private", Outcome.EXCLUDED, "robots", request={"depth": 1, "via": url_of("start")}),
    ],
    [failed("gone", "http_404"), End("file", Outcome.FETCHED, "not_html")],
)
PENDING = {"waiting", "deep", "moved"}


@pytest.fixture(params=BESIDE_FILES.values(), ids=BESIDE_FILES.keys())
def make_new(request, tmp_path):
    return request.param(FakeClock(), tmp_path / "new")


def crawl_in(folder, compress="none", **options):
    return SmallCrawl(folder, BESIDE_FILES["memory"](FakeClock(), folder), compress, **options)


def config(**scope):
    return CrawlConfig(scope=ScopeConfig(**scope))


async def rebuilt(crawl, make_new, settings=None, spool=None):
    """A frontier that was filled, with what it knew when opened again; what was done."""
    frontier = make_new()
    await frontier.open()
    done = await rebuild(frontier, crawl.files, settings or config(), Spool(spool or crawl.folder / "seeds.spool"), {})
    await frontier.aclose()
    frontier = make_new()
    restored = await complete_renames(frontier, await frontier.open(), crawl.files)
    return frontier, restored, done


@pytest.mark.parametrize("compress", PACKINGS)
async def test_the_new_store_knows_all_ends_and_all_that_was_found(make_new, tmp_path, compress):
    crawl = crawl_in(tmp_path / "crawl", compress, links=True)
    await crawl.crawl(*ENDS)
    before = {name: crawl.lines(name) for name in (PAGES, OUTCOMES, LINKS)}
    frontier, restored, done = await rebuilt(crawl, make_new)
    assert await crawl.agrees(frontier, restored) == PENDING
    assert {name: crawl.lines(name) for name in (PAGES, OUTCOMES, LINKS)} == before
    assert done.told(crawl.files)[0] == "rebuilt from 2 page records and 4 outcomes"
    await frontier.aclose()


async def test_ends_are_those_of_the_lines(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    old, _ = await crawl.opened()
    frontier, _, _ = await rebuilt(crawl, make_new)
    urls = list(crawl.ends())
    for before, after in zip(await old.find(urls), await frontier.find(urls), strict=True):
        ours = msgspec.structs.replace(after.request, id=before.request.id)
        at = before.at if not before.has_page else after.at
        status = before.status if not before.has_page else 200
        assert msgspec.structs.replace(after, request=ours) == msgspec.structs.replace(before, at=at, status=status)
    await frontier.aclose()


async def test_what_was_found_has_the_depth_the_page_and_the_redirects_it_had(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    frontier, _, _ = await rebuilt(crawl, make_new)
    taken = {one.url.rpartition("/")[2]: one for one in await frontier.take([("a.test", 10)])}
    assert (taken["deep"].depth, taken["deep"].via) == (2, url_of("p2"))
    assert (taken["waiting"].depth, taken["waiting"].via) == (1, url_of("start"))
    moved = taken["moved"]
    assert (moved.depth, moved.via, moved.redirected_from) == (1, url_of("start"), (url_of("r1"),))
    assert {one.seed for one in taken.values()} == {"a.test"}
    await frontier.aclose()


@pytest.mark.parametrize(("budget", "pages"), [(None, None), (9, 2)])
async def test_pages_of_a_host_are_counted_where_they_have_a_budget(make_new, tmp_path, budget, pages):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    settings = CrawlConfig(budget=BudgetConfig(pages_per_host=budget))
    frontier, _, _ = await rebuilt(crawl, make_new, settings)
    state = await frontier.host("a.test")
    assert state == (pages and HostState(host_key="a.test", pages=pages))
    await frontier.aclose()


async def test_chains_of_redirects_are_followed_back(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(
        [End("one", Outcome.REDIRECTED, target="two")],
        [End("two", Outcome.REDIRECTED, target="three", request={"redirected_from": (url_of("one"),)})],
        [failed("three", request={"redirected_from": (url_of("one"), url_of("two"))})],
        [End("other", Outcome.REDIRECTED, target="two")],
    )
    frontier, _, _ = await rebuilt(crawl, make_new)
    two, three = await frontier.find([url_of("two"), url_of("three")])
    assert two.request.redirected_from == (url_of("one"),)
    assert three.request.redirected_from == (url_of("one"), url_of("two"))
    await frontier.aclose()


async def test_a_redirect_that_ends_in_a_circle_of_lines_is_followed_once(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl([End("one", Outcome.REDIRECTED, target="two"), End("two", Outcome.REDIRECTED, target="one")])
    frontier, restored, _ = await rebuilt(crawl, make_new)
    assert await crawl.agrees(frontier, restored) == set()
    await frontier.aclose()


async def test_links_that_the_scope_refuses_stay_out(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    frontier, restored, _ = await rebuilt(crawl, make_new, config(exclude=("*/waiting",), max_depth=1))
    assert await crawl.agrees(frontier, restored) == {"moved"}
    await frontier.aclose()


async def test_pages_that_do_not_tell_their_links_are_fetched_again(make_new, tmp_path):
    mute = End("mute", page={"links": None})
    cut = End("cut", links=("p3",), page={"truncated": ("links",)})
    crawl = crawl_in(tmp_path / "crawl", links=True)
    await crawl.crawl(*ENDS, [mute, cut])
    frontier, restored, done = await rebuilt(crawl, make_new)
    assert await crawl.agrees(frontier, restored) == PENDING | {"mute", "cut"}
    assert "2 URLs are fetched again: no record tells what they led to" in done.told(crawl.files)
    await frontier.aclose()


async def test_what_has_no_record_of_what_it_led_to_is_fetched_again(make_new, tmp_path):
    via_robots = {"via": url_of("robots.txt")}
    seeds = tmp_path / "seeds.spool"
    crawl = crawl_in(tmp_path / "crawl", sitemaps=True)
    await crawl.crawl(
        [End("old", Outcome.REDIRECTED, target="seed", request={"seed": f"sitemap:{url_of('old')}"})],
        [End("seed", Outcome.FETCHED, "sitemap", links=("p",), request={"seed": f"sitemap:{url_of('old')}"})],
        [End("named", Outcome.FETCHED, "sitemap", links=("p",), request=via_robots)],
        [End("child", Outcome.FETCHED, "sitemap", links=("p",), request={"via": url_of("seed")})],
        [End("hidden", Outcome.EXCLUDED, "noindex")],
        [failed("broken", "bad_sitemap", request=via_robots)],
    )
    frontier, restored, done = await rebuilt(crawl, make_new, spool=seeds)
    assert await crawl.agrees(frontier, restored) == {"seed", "named", "hidden"}  # `child` will be found by `seed`
    assert crawl.lines(SITEMAPS) == []
    assert "4 URLs are fetched again: no record tells what they led to" in done.told(crawl.files)
    await frontier.aclose()
    frontier = make_new()
    await frontier.open()
    kinds = {one.url.rpartition("/")[2]: one.kind for one in await frontier.take([("a.test", 10)])}
    assert kinds == {"seed": Kind.SITEMAP, "named": Kind.SITEMAP, "hidden": Kind.PAGE}
    (broken,) = await frontier.find([url_of("broken")])
    assert broken.request.kind is Kind.SITEMAP
    await frontier.aclose()


async def test_pages_as_deep_as_links_are_followed_need_not_tell_any(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl([End("mute", page={"links": None}, request={"depth": 2, "via": url_of("x")})])
    frontier, restored, _ = await rebuilt(crawl, make_new, config(max_depth=2))
    assert await crawl.agrees(frontier, restored) == set()
    await frontier.aclose()


async def test_the_first_line_of_a_url_counts(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl", links=True)
    await crawl.crawl(*ENDS)
    pages, outcomes = (crawl.files.paths[name] for name in (PAGES, OUTCOMES))
    lines = pages.read_bytes().splitlines(keepends=True)
    pages.write_bytes(lines[0] + lines[1] + lines[0])
    outcomes.write_bytes(outcomes.read_bytes().replace(b'"url":"http://a.test/file"', b'"url":"http://a.test/p2"'))
    frontier, restored, _ = await rebuilt(crawl, make_new)
    assert await crawl.agrees(frontier, restored) == PENDING
    assert crawl.ends()[url_of("p2")] == "page"
    await frontier.aclose()


@pytest.mark.parametrize("name", [PAGES, OUTCOMES])
async def test_a_missing_file_is_a_new_empty_one(make_new, tmp_path, name):
    crawl = crawl_in(tmp_path / "crawl", links=True)
    await crawl.crawl(*ENDS)
    crawl.files.paths[name].unlink()
    frontier, restored, done = await rebuilt(crawl, make_new)
    pending = await crawl.agrees(frontier, restored)
    assert pending == ({"moved"} if name == PAGES else {"waiting", "deep", "r1", "private"})
    if name == PAGES:
        assert any("all pages are fetched again" in line for line in done.told(crawl.files))
    await frontier.aclose()


async def test_seeds_come_before_links(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    spool = Spool(crawl.folder / "seeds.spool")
    spool.open(0)
    given = [url_of("deep"), url_of("never")]
    for item in given:
        spool.add(item, None, read_seeds([item]), lambda length: None)
    whole = spool.path.read_bytes()
    spool.path.write_bytes(whole + b'{"type":"seed","given":"http://a.test/to')
    frontier, _, _ = await rebuilt(crawl, make_new)
    taken = {one.url.rpartition("/")[2]: one for one in await frontier.take([("a.test", 10)])}
    assert taken.keys() == PENDING | {"never"}
    assert (taken["deep"].depth, taken["deep"].via, taken["deep"].seed) == (0, None, url_of("deep"))
    await frontier.aclose()


@pytest.mark.parametrize("lost", [(), ("start",), ("start", "seed")])
async def test_a_crawl_stays_on_the_host_its_seed_led_to_whatever_line_is_lost(make_new, tmp_path, lost):
    """The seed, b.test, redirects to a.test."""
    crawl = crawl_in(tmp_path / "crawl")
    seed = {"seed": "b.test"}
    chain = {"redirected_from": ("https://b.test/",)}
    redirect = End("seed", Outcome.REDIRECTED, target="start", request=seed)
    start = End("start", links=("p2",), request=seed | chain)
    below = End("p2", links=("found",), request=seed | {"depth": 1, "via": url_of("start")})
    await crawl.crawl([redirect], [start], [below])
    for name in (PAGES, OUTCOMES):
        path = crawl.files.paths[name]
        kept = [
            line
            for line in path.read_bytes().splitlines(keepends=True)
            if not any(f'"url":"{url_of(one)}"'.encode() in line for one in lost)
        ]
        path.write_bytes(b"".join(kept))
    frontier, _, _ = await rebuilt(crawl, make_new)
    taken = {one.url.rpartition("/")[2]: one for one in await frontier.take([("a.test", 10)])}
    assert "found" in taken
    assert taken["found"].scope_host == "a.test"
    await frontier.aclose()


async def test_lines_that_no_crawl_can_have_written_are_left_out(make_new, tmp_path):
    crawl = crawl_in(tmp_path / "crawl")
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[OUTCOMES]
    text = path.read_bytes().replace(b"http://a.test/gone", b"HTTP://a.test/gone").replace(b'/moved"', b'/mo ved"')
    path.write_bytes(text + b'{"torn')
    frontier, restored, _ = await rebuilt(crawl, make_new)
    assert await crawl.agrees(frontier, restored) == PENDING - {"moved"}
    assert url_of("gone") not in crawl.ends()
    await frontier.aclose()
