"""Damaged output files beside a store that is whole."""

from __future__ import annotations

import random
from functools import partial

import pytest

from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS, Outcome
from crawler.renames import complete_renames
from crawler.repair.files import mend
from tests.support.clock import FakeClock
from tests.support.dying import Died, Steps
from tests.support.frontiers import BESIDE_FILES
from tests.support.small_crawl import End, SmallCrawl, failed, url_of

PACKINGS = ("none", "gzip", "zstd")
ENDS = (
    [End("p1", links=("p2", "p3")), failed("f1"), End("p2", links=("x",))],
    [End("r1", Outcome.REDIRECTED, target="p1"), End("p3"), failed("f2", "http_404")],
    [End("p4", links=("p1",)), End("file", Outcome.FETCHED, "not_html"), End("p5", links=("p4", "p3"))],
)
ALL_PAGES = {"p1", "p2", "p3", "p4", "p5"}
OTHERS = {"f1", "r1", "f2", "file"}


@pytest.fixture(params=BESIDE_FILES.values(), ids=BESIDE_FILES.keys())
def make(request, tmp_path):
    return request.param(FakeClock(), tmp_path / "crawl")


@pytest.fixture
def begun(make, tmp_path):
    return partial(SmallCrawl, tmp_path / "crawl", make)


async def mended(crawl):
    """What is pending after a repair, and what was told; a second one finds nothing to do."""
    frontier, restored = await crawl.opened()
    done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
    pending = await crawl.agrees(frontier, done.restored)
    await frontier.aclose()
    frontier, restored = await crawl.opened()
    assert restored == done.restored
    assert await crawl.agrees(frontier, restored) == pending
    again = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
    assert again == (restored, ())
    await frontier.aclose()
    return pending, done.told


def contents(crawl):
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in crawl.files.paths.values()
    }


@pytest.mark.parametrize("compress", PACKINGS)
async def test_where_nothing_is_wrong_nothing_changes(begun, compress):
    crawl = begun(compress, links=True)
    await crawl.crawl(*ENDS, pending=["waiting"])
    before = contents(crawl)
    assert await mended(crawl) == ({"waiting"}, ())
    assert contents(crawl) == before


@pytest.mark.parametrize("compress", PACKINGS)
@pytest.mark.parametrize(("name", "lost"), [(PAGES, ALL_PAGES), (OUTCOMES, OTHERS)])
async def test_what_a_missing_file_held_is_fetched_again(begun, compress, name, lost):
    crawl = begun(compress)
    await crawl.crawl(*ENDS, pending=["waiting"])
    crawl.files.paths[name].unlink()
    pending, told = await mended(crawl)
    assert pending == lost | {"waiting"}
    assert told[0] == f"{crawl.files.paths[name].name} is missing: 0 lines stay"
    assert told[1].startswith(f"fetched again: {len(lost)}")


@pytest.mark.parametrize("compress", PACKINGS)
@pytest.mark.parametrize("name", [PAGES, OUTCOMES])
async def test_what_a_short_file_lacks_is_fetched_again_and_the_rest_is_not_written_anew(begun, compress, name):
    crawl = begun(compress)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[name]
    path.write_bytes(path.read_bytes()[:-4])
    inode = path.stat().st_ino
    frontier, restored = await crawl.opened()
    done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
    assert path.stat().st_ino == inode
    sink = crawl.files.sink(path)
    await sink.open(done.restored.positions[name])  # as the crawl will: what is left of the last line is cut off
    await sink.aclose()
    pending = await crawl.agrees(frontier, done.restored)
    assert pending == ({"p5"} if name == PAGES else {"file"})
    await frontier.aclose()


async def test_a_line_that_is_no_record_costs_its_url_only(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[PAGES]
    path.write_bytes(path.read_bytes().replace(b'/p2","status":200', b'/p2","status":"2"', 1))
    pending, told = await mended(crawl)
    assert pending == {"p2"}
    assert told == ["pages.jsonl had lines that do not belong there: 4 lines stay", "fetched again: 1 pages"]


async def test_lines_that_the_store_does_not_know_or_twice_are_left_out(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    pages, outcomes = (crawl.files.paths[name] for name in (PAGES, OUTCOMES))
    lines = pages.read_bytes().splitlines(keepends=True)
    # p3 became p1: a second line of a URL that has one. f1 became p4: of a URL whose line is in the other file.
    pages.write_bytes(
        b"".join(lines).replace(b'"url":"http://a.test/p3","status"', b'"url":"http://a.test/p1","status"')
    )
    outcomes.write_bytes(outcomes.read_bytes().replace(b'"url":"http://a.test/f1"', b'"url":"http://a.test/p4"'))
    assert (await mended(crawl))[0] == {"p3", "f1"}


async def test_of_two_ends_the_one_that_the_store_knows_stays(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[OUTCOMES]
    text = path.read_bytes().replace(b'/f2","outcome":"failed"', b'/f2","outcome":"unchanged"')
    path.write_bytes(text)
    frontier, restored = await crawl.opened()
    await frontier.aclose()
    assert len(text) > restored.positions[OUTCOMES]  # so the last line is torn now
    assert (await mended(crawl))[0] >= {"f2"}


@pytest.mark.parametrize("compress", PACKINGS)
async def test_links_follow_their_pages(begun, compress):
    crawl = begun(compress, links=True)
    await crawl.crawl(*ENDS)
    crawl.files.paths[PAGES].unlink()
    pending, _ = await mended(crawl)
    assert pending == ALL_PAGES
    assert crawl.lines(LINKS) == []


@pytest.mark.parametrize("compress", PACKINGS)
@pytest.mark.parametrize("harm", ["missing", "short", "garbled", "strange"])
async def test_damaged_links_are_written_anew_from_the_pages(begun, compress, harm):
    crawl = begun(compress, links=True)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[LINKS]
    before = crawl.lines(LINKS)
    garble(path, harm, compress)
    pending, told = await mended(crawl)
    assert pending == set()
    assert crawl.lines(LINKS) == before
    assert told == [f"{path.name} was written anew from the page records: 6 lines stay"]


def listed(*names):
    """The ends of sitemaps."""
    return [End(name, Outcome.FETCHED, "sitemap", links=("p1", "x")) for name in names]


@pytest.mark.parametrize(
    ("compress", "harm"), [("none", "garbled"), ("none", "short"), ("gzip", "short"), ("zstd", "missing")]
)
async def test_sitemaps_whose_entries_are_damaged_are_fetched_again(begun, compress, harm):
    crawl = begun(compress, sitemaps=True)
    await crawl.crawl(*ENDS, listed("s1"), listed("s2"))
    garble(crawl.files.paths[SITEMAPS], harm, compress)
    assert (await mended(crawl))[0] == {"s1", "s2"}
    assert crawl.lines(SITEMAPS) == []
    assert set(crawl.ends()) == {url_of(name) for name in ALL_PAGES | OTHERS}


async def test_entries_of_a_sitemap_whose_end_is_lost_go_with_it(begun):
    crawl = begun(sitemaps=True)
    await crawl.crawl(listed("s1"), listed("s2"))
    path = crawl.files.paths[OUTCOMES]
    path.write_bytes(path.read_bytes().replace(b"/s1", b"/s3"))
    assert (await mended(crawl))[0] == {"s1"}
    assert {line["sitemap"] for line in crawl.lines(SITEMAPS)} == {url_of("s2")}


def garble(path, harm, compress):
    data = path.read_bytes()
    match harm:
        case "missing":
            path.unlink()
        case "short":
            path.write_bytes(data[:-3])
        case "garbled":
            path.write_bytes(data[:20] + b"\xff\xff" + data[22:])
        case "strange" if compress == "none":
            path.write_bytes(data.replace(b"/p4", b"/p7", 1))
        case _:
            path.write_bytes(data[:-6] + b"\0" + data[-5:])


async def test_pages_whose_records_do_not_tell_lost_links_are_fetched_again(begun):
    crawl = begun(links=True)
    unlinked = End("mute", page={"links": None})
    cut = End("cut", links=("p1",), page={"truncated": ("links",)})
    await crawl.crawl(*ENDS, [unlinked, cut])
    crawl.files.paths[LINKS].unlink()
    pending, _ = await mended(crawl)
    assert pending == {"mute", "cut"}


async def test_records_that_went_elsewhere_are_mended_there(make, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    crawl = SmallCrawl(tmp_path / "crawl", make, pages=elsewhere / "out.jsonl")
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[PAGES]
    path.write_bytes(path.read_bytes().replace(b'/p2","status":200', b'/p2","status":"2"', 1))
    assert (await mended(crawl))[0] == {"p2"}
    assert [file.name for file in elsewhere.iterdir()] == ["out.jsonl"]


@pytest.mark.slow
@pytest.mark.parametrize("compress", PACKINGS)
async def test_whatever_is_overwritten_or_cut_every_url_has_one_line_or_is_pending(tmp_path, compress):
    drawn = random.Random(5)
    for number in range(25):
        folder = tmp_path / str(number)
        crawl = SmallCrawl(folder, BESIDE_FILES["sqlite"](FakeClock(), folder), compress, links=True)
        await crawl.crawl(*ENDS, pending=["waiting"])
        before = crawl.ends()
        for path in drawn.sample(list(crawl.files.paths.values()), drawn.randint(1, 3)):
            spoil(path, drawn)
        frontier, restored = await crawl.opened()
        done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
        for name, path in crawl.files.paths.items():
            sink = crawl.files.sink(path)
            await sink.open(done.restored.positions[name])
            await sink.aclose()
        pending = await crawl.agrees(frontier, done.restored)
        urls = {url.rpartition("/")[2] for url in crawl.ends()}
        assert pending | urls == ALL_PAGES | OTHERS | {"waiting"}
        assert crawl.ends().items() <= before.items()
        await frontier.aclose()


def spoil(path, drawn):
    data = bytearray(path.read_bytes())
    match drawn.randrange(4):
        case 0:
            path.unlink()
            return
        case 1:
            del data[drawn.randrange(len(data)) :]
        case 2:
            start = drawn.randrange(len(data))
            data[start : start + 40] = drawn.randbytes(len(data[start : start + 40]))
        case 3:
            for _ in range(3):
                data[drawn.randrange(len(data))] = drawn.choice(b'\n\0"{}x')
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", BESIDE_FILES)
async def test_after_dying_at_any_step_another_repair_goes_well(tmp_path, monkeypatch, backend):
    step, dead = 0, True
    reached = set()
    while dead:
        step += 1
        folder = tmp_path / f"died-at-{step}"
        crawl = SmallCrawl(folder, BESIDE_FILES[backend](FakeClock(), folder), links=True)
        await crawl.crawl(*ENDS, pending=["waiting"])
        crawl.files.paths[OUTCOMES].unlink()
        crawl.files.paths[LINKS].unlink()
        path = crawl.files.paths[PAGES]
        path.write_bytes(path.read_bytes().replace(b'/p2","status":200', b'/p2","status":"2"', 1))
        dead = await die_at(step, crawl, monkeypatch)
        frontier, restored = await crawl.opened()
        done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
        reached.add(bool(done.told))
        assert await crawl.agrees(frontier, done.restored) == OTHERS | {"p2", "waiting"}
        await frontier.aclose()
    assert step > 20
    assert reached == {True, False}


async def die_at(step, crawl, monkeypatch):
    steps = Steps(step)
    with monkeypatch.context() as patch:
        steps.wrap_files(patch)
        sink = crawl.files.sink
        patch.setitem(crawl.files.__dict__, "sink", lambda path: steps.wrap(sink(path), "append"))
        frontier = steps.wrap(crawl.make(), "commit", "requeue")
        try:
            restored = await complete_renames(frontier, await frontier.open(), crawl.files)
            await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
        except Died:
            pass
    await frontier.aclose()
    return steps.dead
