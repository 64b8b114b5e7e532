"""Damaged files of what rules have found."""

from __future__ import annotations

import random
from functools import partial

import pytest

from crawler.config import CrawlConfig, ExtractConfig, MatchConfig, RuleConfig
from crawler.models import PAGES, Outcome
from crawler.renames import complete_renames
from crawler.repair.files import mend
from crawler.repair.givers import Givers
from crawler.repair.rebuild import rebuild
from crawler.rule_health import RULES, RuleHealth
from crawler.spool import Spool
from tests.support.clock import FakeClock
from tests.support.dying import Died, Steps
from tests.support.frontiers import BESIDE_FILES
from tests.support.small_crawl import End, SmallCrawl, failed

RULE, REJECTS = "product", "product.rejects"
PACKINGS = ("none", "gzip", "zstd")
ENDS = (
    [End("p1", links=("p2",), items=3), failed("f1"), End("p2", items=1, rejects=1)],
    [End("list", links=("p1",)), End("json", Outcome.FETCHED, "not_html", items=2), End("p3", items=2)],
    [End("p4", items=1), End("pdf", Outcome.FETCHED, "not_html"), End("p5", rejects=2), End("about")],
)
ALL = {"p1", "p2", "list", "json", "p3", "p4", "pdf", "p5", "about", "f1"}


@pytest.fixture(params=BESIDE_FILES.values(), ids=BESIDE_FILES.keys())
def begun(request, tmp_path):
    return partial(SmallCrawl, tmp_path / "crawl", request.param(FakeClock(), tmp_path / "crawl"), rule=RULE)


async def cut(crawl, restored):
    """The files as they are once the crawl goes on."""
    for name, path in crawl.files.paths.items():
        if path.exists():
            sink = crawl.files.sink(path)
            await sink.open(restored.positions[name])
            await sink.aclose()


async def mended(crawl):
    """What is pending after a repair; a second one finds nothing to do."""
    frontier, restored = await crawl.opened()
    done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
    await cut(crawl, done.restored)
    pending = await crawl.agrees(frontier, done.restored)
    await frontier.aclose()
    frontier, restored = await crawl.opened()
    assert await mend(frontier, restored, crawl.files, await crawl.ended(frontier)) == (restored, ())
    await frontier.aclose()
    return pending, done


def health_of(restored):
    health = RuleHealth((RuleConfig(name=RULE, fields={"name": "b"}),))
    health.restore(restored.blobs.get(RULES, b""))
    product = health.account()[RULE]
    return product.records, product.rejects


@pytest.mark.parametrize("compress", PACKINGS)
async def test_where_nothing_is_wrong_nothing_changes(begun, compress):
    crawl = begun(compress)
    await crawl.crawl(*ENDS, pending=["waiting"])
    pending, done = await mended(crawl)
    assert pending == {"waiting"}
    assert done.told == ()


async def test_a_file_of_rejects_that_never_was_is_not_missed(begun):
    crawl = begun()
    await crawl.crawl([End("p1", items=1)])
    assert not crawl.files.paths[REJECTS].exists()
    pending, done = await mended(crawl)
    assert (pending, done.told) == (set(), ())
    assert not crawl.files.paths[REJECTS].exists()


@pytest.mark.parametrize("compress", PACKINGS)
@pytest.mark.parametrize("name", [RULE, REJECTS])
async def test_of_a_missing_file_all_that_may_have_had_lines_is_fetched_again(begun, compress, name):
    crawl = begun(compress)
    await crawl.crawl(*ENDS, pending=["waiting"])
    crawl.files.paths[name].unlink()
    pending, done = await mended(crawl)
    assert pending == ALL - {"f1"} | {"waiting"}
    assert health_of(done.restored) == (0, 0)


@pytest.mark.parametrize("compress", PACKINGS)
async def test_of_a_short_file_only_what_came_at_its_end_is_fetched_again(begun, compress):
    crawl = begun(compress)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[RULE]
    path.write_bytes(path.read_bytes()[:-4])
    pending, done = await mended(crawl)
    assert pending == {"p3", "p4", "p5", "about", "pdf"}  # the last whole line is of p3
    assert health_of(done.restored) == (6, 1)
    assert any(line.startswith(f"{path.name} ") for line in done.told)


async def test_pages_that_a_rule_cannot_be_for_are_not_fetched_again(begun):
    rule = RuleConfig(name=RULE, match=MatchConfig(url=("*/p?", "*/j*")), fields={"name": "b"})
    other = RuleConfig(name="other", fields={"name": "b"})
    crawl = begun()
    await crawl.crawl(*ENDS)
    crawl.files.paths[RULE].unlink()
    frontier, restored = await crawl.opened()
    can_give = Givers(CrawlConfig(extract=ExtractConfig(rules=(rule, other))))
    done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier), can_give=can_give)
    assert await crawl.agrees(frontier, done.restored) == {"p1", "p2", "p3", "p4", "p5", "json"}
    await frontier.aclose()
    assert can_give("product.rejects", "http://a.test/p1")
    assert not can_give("product.rejects", "http://a.test/about")
    assert can_give("other", "http://a.test/about")


async def test_a_line_lost_in_the_middle_costs_what_ended_after_the_one_before(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[RULE]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0" * len(lines[2]), *lines[3:]]))  # the third of p1's
    assert (await mended(crawl))[0] == ALL - {"f1"}


async def test_a_line_of_an_unknown_url_is_a_line_lost(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[RULE]
    path.write_bytes(path.read_bytes().replace(b"/p4", b"/p9"))
    assert (await mended(crawl))[0] == {"p3", "p4", "p5", "about", "pdf"}


async def test_what_is_fetched_again_loses_what_was_scraped_of_it(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[PAGES]
    path.write_bytes(path.read_bytes().replace(b'/p2","status":200', b'/p2","status":"2"', 1))
    pending, done = await mended(crawl)
    assert pending == {"p2"}
    assert health_of(done.restored) == (8, 2)


async def test_pages_whose_own_line_is_lost_too_are_no_mark(begun):
    crawl = begun()
    await crawl.crawl(*ENDS)
    rule, pages = crawl.files.paths[RULE], crawl.files.paths[PAGES]
    rule.write_bytes(rule.read_bytes()[:-4])
    pages.write_bytes(pages.read_bytes().replace(b'/p3","status":200', b'/p3","status":"2"', 1))
    assert (await mended(crawl))[0] == {"p3", "p4", "p5", "about", "pdf", "list"}


@pytest.mark.slow
@pytest.mark.parametrize("compress", PACKINGS)
async def test_whatever_is_overwritten_or_cut_nothing_scraped_is_lost_or_repeated(tmp_path, compress):
    drawn = random.Random(7)
    for number in range(25):
        folder = tmp_path / str(number)
        crawl = SmallCrawl(folder, BESIDE_FILES["memory"](FakeClock(), folder), compress, links=True, rule=RULE)
        await crawl.crawl(*ENDS)
        for path in drawn.sample(list(crawl.files.paths.values()), drawn.randint(1, 3)):
            data = bytearray(path.read_bytes())
            start = drawn.randrange(len(data))
            if drawn.random() < 0.5:
                del data[start:]
            else:
                data[start : start + 30] = b"\0" * len(data[start : start + 30])
            path.write_bytes(data)
        frontier, restored = await crawl.opened()
        done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
        await cut(crawl, done.restored)
        pending = await crawl.agrees(frontier, done.restored)
        assert pending | {url.rpartition("/")[2] for url in crawl.ends()} == ALL
        await frontier.aclose()


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_after_dying_at_any_step_another_repair_goes_well(tmp_path, monkeypatch):
    step, dead = 0, True
    while dead:
        step += 1
        folder = tmp_path / f"died-at-{step}"
        crawl = SmallCrawl(folder, BESIDE_FILES["memory"](FakeClock(), folder), rule=RULE)
        await crawl.crawl(*ENDS)
        rule = crawl.files.paths[RULE]
        rule.write_bytes(rule.read_bytes().replace(b'/p4","_rule"', b'/p4",\0rule"', 1))
        steps = Steps(step)
        with monkeypatch.context() as patch:
            steps.wrap_files(patch)
            sink = crawl.files.sink
            patch.setitem(crawl.files.__dict__, "sink", partial(wrapped, steps, sink))
            frontier = steps.wrap(crawl.make(), "commit", "requeue")
            try:
                restored = await complete_renames(frontier, await frontier.open(), crawl.files)
                await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
            except Died:
                pass
        await frontier.aclose()
        dead = steps.dead
        frontier, restored = await crawl.opened()
        done = await mend(frontier, restored, crawl.files, await crawl.ended(frontier))
        await cut(crawl, done.restored)
        assert await crawl.agrees(frontier, done.restored) == {"p3", "p4", "p5", "about", "pdf"}
        await frontier.aclose()
    assert step > 10


def wrapped(steps, sink, path):
    return steps.wrap(sink(path), "append")


async def rebuilt(crawl, tmp_path):
    """What is pending in a new store that was made of the files; what was done."""
    make = BESIDE_FILES["sqlite"](FakeClock(), tmp_path / "new")
    (tmp_path / "new").mkdir(exist_ok=True)
    frontier = make()
    await frontier.open()
    done = await rebuild(frontier, crawl.files, CrawlConfig(), Spool(crawl.folder / "seeds.spool"), {})
    await frontier.aclose()
    frontier = make()
    restored = await complete_renames(frontier, await frontier.open(), crawl.files)
    await cut(crawl, restored)
    pending = await crawl.agrees(frontier, restored)
    await frontier.aclose()
    return pending, restored, done


def crawl_in(tmp_path, compress="none"):
    folder = tmp_path / "crawl"
    return SmallCrawl(folder, BESIDE_FILES["memory"](FakeClock(), folder), compress, rule=RULE)


@pytest.mark.parametrize("compress", PACKINGS)
async def test_a_new_store_keeps_what_was_scraped(tmp_path, compress):
    crawl = crawl_in(tmp_path, compress)
    await crawl.crawl(*ENDS)
    before = crawl.lines(RULE), crawl.lines(REJECTS)
    pending, restored, done = await rebuilt(crawl, tmp_path)
    assert (pending, done.lost) == (set(), 0)
    assert (crawl.lines(RULE), crawl.lines(REJECTS)) == before
    assert health_of(restored) == (9, 3)


async def test_a_new_store_leaves_out_what_was_scraped_of_pages_that_are_not_there(tmp_path):
    crawl = crawl_in(tmp_path)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[PAGES]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))  # p5 and about
    pending, restored, _ = await rebuilt(crawl, tmp_path)
    assert pending == set()  # nothing links to them
    assert health_of(restored) == (9, 1)


async def test_a_new_store_has_pages_fetched_again_that_may_have_lost_something(tmp_path):
    crawl = crawl_in(tmp_path)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[RULE]
    path.write_bytes(path.read_bytes()[:-4])
    pending, _, done = await rebuilt(crawl, tmp_path)
    assert pending == {"p3", "p4", "p5", "about", "pdf"}
    assert "5 URLs are fetched again: what was scraped of them may not be whole" in done.told(crawl.files)


async def test_a_new_store_has_all_pages_fetched_again_where_a_rules_file_is_gone(tmp_path):
    crawl = crawl_in(tmp_path)
    await crawl.crawl(*ENDS)
    crawl.files.paths[RULE].unlink()
    assert (await rebuilt(crawl, tmp_path))[0] == ALL - {"f1"}
