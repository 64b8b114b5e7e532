"""Failed URLs go back, and no step of it may be the last that happens."""

from __future__ import annotations

import pytest

from crawler.dataset.where import where_of
from crawler.errors import CrawlerError
from crawler.models import OUTCOMES, Outcome
from crawler.renames import complete_renames
from crawler.retry import retry_failed
from tests.support.clock import FakeClock
from tests.support.dying import Died, Steps
from tests.support.frontiers import BESIDE_FILES
from tests.support.small_crawl import End, SmallCrawl, failed

ENDS = (
    [End("page"), failed("slow"), failed("gone", "http_404")],
    [End("blocked", Outcome.EXCLUDED, "robots"), End("unsure", Outcome.EXCLUDED, "robots_unreachable")],
    [
        End("old", Outcome.REDIRECTED, target="page"),
        End("file", Outcome.FETCHED, "not_html"),
        failed("refused", "connect"),
    ],
)
RETRYABLE = {"slow", "gone", "unsure", "refused"}


@pytest.fixture(params=BESIDE_FILES.values(), ids=BESIDE_FILES.keys())
def make(request, tmp_path):
    return request.param(FakeClock(), tmp_path / "crawl")


async def retried(crawl, where=""):
    frontier, restored = await crawl.opened()
    try:
        done = await retry_failed(frontier, crawl.files, restored, where_of(where))
    except BaseException:
        await frontier.aclose()
        raise
    return frontier, done


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
async def test_what_failed_is_pending_again_and_stands_in_no_file(make, tmp_path, compress):
    crawl = SmallCrawl(tmp_path / "crawl", make, compress)
    await crawl.crawl(*ENDS, pending=["waiting"])
    frontier, done = await retried(crawl)
    assert await crawl.agrees(frontier, done.restored) == RETRYABLE | {"waiting"}
    assert done.news(where_of("")).startswith("4 URLs that failed are tried again: ")
    await frontier.aclose()
    frontier, restored = await crawl.opened()
    assert restored == done.restored
    assert await crawl.agrees(frontier, restored) == RETRYABLE | {"waiting"}
    await frontier.aclose()


async def test_only_what_is_asked_for_is_tried_again(make, tmp_path):
    crawl = SmallCrawl(tmp_path / "crawl", make)
    await crawl.crawl(*ENDS)
    where = where_of("reason=timeout|connect")
    frontier, done = await retried(crawl, str(where))
    assert await crawl.agrees(frontier, done.restored) == {"slow", "refused"}
    assert done.news(where) == "2 URLs that failed are tried again: 1 connect, 1 timeout"
    await frontier.aclose()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("reason=tls", "nothing that failed matches --where reason=tls"),
        ("reason=robots", "nothing that failed matches --where reason=robots"),
    ],
)
async def test_nothing_changes_where_nothing_matches(make, tmp_path, where, told):
    crawl = SmallCrawl(tmp_path / "crawl", make)
    await crawl.crawl(*ENDS)
    before = _identity(crawl.files.paths[OUTCOMES])
    frontier, done = await retried(crawl, where)
    assert done.news(where_of(where)) == told
    assert _identity(crawl.files.paths[OUTCOMES]) == before
    assert await crawl.agrees(frontier, done.restored) == set()
    await frontier.aclose()


async def test_a_crawl_in_which_nothing_failed_says_so(make, tmp_path):
    crawl = SmallCrawl(tmp_path / "crawl", make)
    await crawl.crawl([End("page")])
    frontier, done = await retried(crawl)
    assert done.news(where_of("")) == "nothing has failed"
    await frontier.aclose()


async def test_lines_that_are_not_committed_are_neither_kept_nor_retried(make, tmp_path):
    crawl = SmallCrawl(tmp_path / "crawl", make)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[OUTCOMES]
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0] + b'{"torn')
    frontier, done = await retried(crawl)
    assert await crawl.agrees(frontier, done.restored) == RETRYABLE
    await frontier.aclose()


@pytest.mark.parametrize("harm", ["missing", "short", "garbled"])
async def test_a_damaged_file_is_refused_and_nothing_changes(make, tmp_path, harm):
    crawl = SmallCrawl(tmp_path / "crawl", make)
    await crawl.crawl(*ENDS)
    path = crawl.files.paths[OUTCOMES]
    whole = path.read_bytes()
    match harm:
        case "missing":
            path.unlink()
        case "short":
            path.write_bytes(whole[: whole.index(b"\n") + 1])
        case "garbled":
            path.write_bytes(whole.replace(b'"outcome"', b'"outcone"', 1))
    with pytest.raises(CrawlerError, match="outcomes"):
        await retried(crawl)
    path.write_bytes(whole)
    frontier, restored = await crawl.opened()
    assert await crawl.agrees(frontier, restored) == set()
    await frontier.aclose()


async def die_at(step, crawl, monkeypatch):
    """Whether a retry that dies at this step got to die at all."""
    steps = Steps(step)
    with monkeypatch.context() as patch:
        steps.wrap_files(patch)
        sink = crawl.files.sink
        patch.setitem(crawl.files.__dict__, "sink", lambda path: steps.wrap(sink(path), "append"))
        frontier = crawl.make()
        steps.wrap(frontier, "commit", "requeue")
        try:
            restored = await complete_renames(frontier, await frontier.open(), crawl.files)
            await retry_failed(frontier, crawl.files, restored, where_of("reason!=http_404"))
        except Died:
            pass
    await frontier.aclose()
    return steps.dead


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", BESIDE_FILES)
async def test_after_dying_at_any_step_no_url_is_lost_or_stands_twice(tmp_path, monkeypatch, backend):
    step = deaths = 0
    outcomes = set()
    dead = True
    while dead:
        step += 1
        folder = tmp_path / f"died-at-{step}"
        crawl = SmallCrawl(folder, BESIDE_FILES[backend](FakeClock(), folder))
        await crawl.crawl(*ENDS, pending=["waiting"])
        dead = await die_at(step, crawl, monkeypatch)
        deaths += dead
        frontier, restored = await crawl.opened()
        pending = await crawl.agrees(frontier, restored)
        assert pending in ({"waiting"}, {"waiting", "slow", "unsure", "refused"}), step
        outcomes.add(len(pending))
        await frontier.aclose()
        frontier, done = await retried(crawl)
        assert await crawl.agrees(frontier, done.restored) == RETRYABLE | {"waiting"}
        await frontier.aclose()
    assert deaths > 15
    assert outcomes == {1, 4}


def _identity(path):
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
