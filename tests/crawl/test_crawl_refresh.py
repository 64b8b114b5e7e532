"""A finished crawl crawled again, from the command line: generations, what is carried over, and what is refused."""

from __future__ import annotations

import gzip
import signal
import sqlite3
import time
from contextlib import closing

import msgspec
import pytest

from crawler import Crawl
from crawler.cli import run
from crawler.config.file import loads
from crawler.errors import ConfigError, CrawlerError
from tests.crawl.conftest import in_folder, options, start
from tests.support.changing import ChangingWeb
from tests.support.server import Server

pytestmark = pytest.mark.slow

RULE = 'extract.rules=[{"name": "words", "match": "*", "fields": {"title": {"css": "title"}}}]'


@pytest.fixture
def web():
    return ChangingWeb(hosts=3, pages_per_host=12, styles=("etag", "same", "noisy"))


@pytest.fixture
def server(web):
    with Server(web) as served:
        yield served


@pytest.fixture
def first(crawler, web, server):
    """Crawl the web for the first time."""

    def crawled(*more):
        ran = crawler(*web.seeds(), *options(server, *more))
        assert ran.code == 0, ran.stderr
        return ran

    return crawled


def read(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def by_url(path, key="url"):
    lines = {}
    for line in read(path).splitlines():
        lines.setdefault(msgspec.json.decode(line)[key], []).append(line)
    return lines


def generation(path):
    return msgspec.json.decode((path / "summary.json").read_bytes())["generation"]


def refreshed(crawler, *more, code=0):
    ran = crawler("--refresh", *more)
    assert ran.code == code, ran.stderr
    return ran


def told_changes(folder):
    return {
        row["url"]: row["change"]
        for row in map(msgspec.json.decode, (folder / "changes.jsonl").read_bytes().splitlines())
    }


def test_a_refresh_reads_anew_what_changed_and_carries_over_what_did_not(crawler, web, first, tmp_path):
    seeds = first().seeds
    before = by_url(tmp_path / "crawl/pages.jsonl")
    web.move()
    web.change(0, 3, "text")
    web.change(1, 4, "text")
    web.remove(0, 5)
    new = web.url(0, web.add(0, 3))
    ran = refreshed(crawler)
    after = by_url(tmp_path / "crawl/pages.jsonl")
    assert set(before) - {web.url(0, 5)} | {new} == set(after)
    quiet = {web.url(host, page) for host in (0, 1) for page in range(12)}
    same = {url for url in after if before.get(url) == after[url]}
    assert same == quiet - {web.url(0, 3), web.url(0, 5), web.url(1, 4)}
    assert by_url(tmp_path / "crawl@1/pages.jsonl") == before
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["crawl", "crawl@1"]
    assert {seed["url"] for seed in ran.seeds} == {seed["url"] for seed in seeds}
    assert all(seed["outcome"] in ("fetched", "unchanged") for seed in ran.seeds)
    assert "This is generation 2 now; the one before is crawl@1." in ran.stderr
    assert told_changes(ran.directory) == {url: planted.change for url, planted in web.expected().items()}


def test_generations_follow_each_other_and_as_many_stay_as_are_kept(crawler, web, first, tmp_path):
    first()
    for number in (2, 3, 4):
        web.move()
        web.change(0, number, "text")
        ran = refreshed(crawler, "--set", "refresh.keep=1")
        assert generation(tmp_path / "crawl") == number
        assert told_changes(ran.directory)[web.url(0, number)] == "changed"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", f"crawl@{number - 1}"]
    assert "Removed, as refresh.keep says: crawl@2." in ran.stderr
    assert sum(planted.change == "changed" for planted in web.expected().values()) == 1


def test_records_of_rules_and_links_come_along_from_compressed_files(crawler, web, first, tmp_path):
    first("export.compress=gzip", "export.links=true", RULE)
    folder, older = tmp_path / "crawl", tmp_path / "crawl@1"
    web.move()
    web.change(1, 4, "text")
    refreshed(crawler)
    for name, key in (("words.jsonl.gz", "_url"), ("links.jsonl.gz", "source"), ("pages.jsonl.gz", "url")):
        before, after = by_url(older / name, key), by_url(folder / name, key)
        assert before.keys() == after.keys()
        assert {url for url in before if web.url(2, 0)[:12] != url[:12] and before[url] != after[url]} <= {
            web.url(1, 4)
        }
        assert {url for url in before if len(before[url]) != len(after[url])} <= {web.url(1, 4)}
    assert not list(folder.glob("refresh.*"))


def test_what_makes_other_records_has_all_read_anew(crawler, web, first, server, tmp_path):
    first()
    hits = len(server.log.hits)
    ran = refreshed(crawler, "--set", "extract.text=all")
    assert "All pages are read anew, as their records will be others: extract.text." in ran.stderr
    assert not any(hit.if_none_match or hit.if_modified_since for hit in server.log.hits[hits:])
    assert {end for end, _ in ran.endings().values()} == {"fetched"}
    older = {
        page["url"]: page["text"]
        for page in map(msgspec.json.decode, (tmp_path / "crawl@1/pages.jsonl").read_bytes().splitlines())
    }
    assert all(page["text"] != older[page["url"]] for page in ran.pages)
    refused = crawler("--refresh", "--due", "--set", "extract.text=main")
    assert refused.code == 2
    assert "refresh without it" in refused.stderr


def until(condition, process):
    while not condition():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_refresh_leaves_the_crawl_as_it_was_and_goes_on(
    crawler, web, first, server, tmp_path, number, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    first()
    before = read(tmp_path / "crawl/pages.jsonl")
    web.move()
    web.change(0, 3, "text")
    made = tmp_path / "crawl@2"
    slowly = ("--set", "checkpoint.every=10ms", "--set", "limits.default.concurrency=1")
    with server.slow_after(15), start(tmp_path, "--refresh", "-d", "crawl", *slowly) as process:
        try:
            until(lambda: (made / "pages.jsonl").exists() and read(made / "pages.jsonl"), process)
            assert run(["crawl", "--resume", "-d", "crawl"]) == 2
            assert "its next generation is being made in crawl@2: --refresh goes on" in capsys.readouterr().err
            assert run(["crawl", "--refresh", "-d", "crawl"]) == 1
            assert "crawl: another process is crawling in this directory" in capsys.readouterr().err
        finally:
            process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode in (-signal.SIGKILL, 130)
    if number == signal.SIGINT:
        assert b"crawl -d crawl --refresh" in errors
        assert b"crawl stays as it was until this is through." in errors
    assert read(tmp_path / "crawl/pages.jsonl") == before
    assert generation(tmp_path / "crawl") == 1
    assert run(["crawl", *web.seeds(), "-d", "crawl"]) == 0
    assert "being made in crawl@2: " in capsys.readouterr().err
    ran = refreshed(crawler, "--set", "limits.default.concurrency=8")
    assert told_changes(ran.directory) == {url: planted.change for url, planted in web.expected().items()}
    assert not made.exists()


def test_a_budget_that_leaves_pages_of_before_leaves_the_refresh_unfinished(crawler, web, first, tmp_path):
    first()
    ran = refreshed(crawler, "--max-pages", "10")
    assert "crawl stays as it was, as " in ran.stderr
    assert generation(tmp_path / "crawl") == 1
    assert (tmp_path / "crawl@2").exists()
    assert not (tmp_path / "crawl@2/summary.json").exists()
    ran = refreshed(crawler, "--max-pages", "1000")
    assert generation(tmp_path / "crawl") == 2
    assert len(ran.pages) == 36


def test_a_budget_that_leaves_only_what_was_never_read_is_as_good_as_in_any_crawl(crawler, web, first, tmp_path):
    first("budget.pages=10")
    before = set(by_url(tmp_path / "crawl/pages.jsonl"))
    ran = refreshed(crawler, "--max-pages", "40")
    assert before < set(by_url(tmp_path / "crawl/pages.jsonl"))
    assert ran.code == 0


def test_a_generation_in_force_is_gone_on_with_as_any_crawl(crawler, web, first, server, tmp_path):
    first("scope.max_depth=1")
    pages = len(refreshed(crawler).pages)
    web.move()
    web.change(0, 1, "text")
    ran = crawler("--resume", web.url(0, 9))
    assert ran.code == 0, ran.stderr
    assert len(ran.pages) == pages + 1
    ran = refreshed(crawler)
    assert told_changes(ran.directory)[web.url(0, 1)] == "changed"
    assert generation(tmp_path / "crawl") == 3


def test_a_crawl_is_refreshed_from_within_its_folder_and_through_a_link(first, web, tmp_path):
    web.pages_per_host = 2
    first()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shop").symlink_to(tmp_path / "crawl")
    ran = in_folder(tmp_path / "crawl")("--refresh", directory=".")
    assert ran.code == 0, ran.stderr
    assert f"The folder you are in is that one now: cd {tmp_path / 'crawl'}" in ran.stderr
    ran = in_folder(tmp_path / "elsewhere")("--refresh", directory="shop")
    assert ran.code == 0, ran.stderr
    assert generation(tmp_path / "elsewhere" / "shop") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl", "crawl@1", "crawl@2", "elsewhere"]


def test_new_seeds_join_the_old_ones(crawler, web, first):
    first("scope.max_depth=0")
    ran = refreshed(crawler, web.url(0, 7))
    assert {seed["url"] for seed in ran.seeds} == {*web.seeds(), web.url(0, 7)}
    assert told_changes(ran.directory)[web.url(0, 7)] == "new"


def test_a_seed_list_that_was_a_pipe_is_known_yet(crawler, web, server):
    listed = "\n".join(web.seeds()).encode()
    assert crawler("-", *options(server), stdin=listed).code == 0
    ran = refreshed(crawler)
    assert {seed["url"] for seed in ran.seeds} == set(web.seeds())
    assert "Not read to its end" not in ran.stderr


def test_fresh_moves_all_generations_aside_together(crawler, web, first, server, tmp_path):
    first()
    refreshed(crawler)
    ran = crawler(*web.seeds(), "--fresh", *options(server))
    assert ran.code == 0, ran.stderr
    names = {path.name for path in tmp_path.iterdir()}
    (aside,) = (name for name in names if "." in name and "@" not in name)
    assert names == {"crawl", aside, f"{aside}@1"}
    assert generation(tmp_path / aside) == 2
    assert generation(tmp_path / "crawl") == 1


def test_what_politeness_knows_is_there_before_the_first_request(crawler, web, first, server, tmp_path):
    first()
    far = time.time() + 10_000
    with closing(sqlite3.connect(tmp_path / "crawl/crawl.db")) as store:
        store.execute("UPDATE host SET ready_at = ?, pages = 7, requests = 9, backoff_s = 3.5", (far,))
        store.commit()
    hits = len(server.log.hits)
    made = tmp_path / "crawl@2/crawl.db"

    def stored():
        if not made.exists():
            return []
        with closing(sqlite3.connect(made)) as store:
            try:
                return store.execute(
                    "SELECT ready_at, backoff_s, pages, requests FROM host WHERE failures NOTNULL"
                ).fetchall()
            except sqlite3.Error:
                return []

    with start(tmp_path, "--refresh", "-d", "crawl") as process:
        try:
            until(lambda: len(stored()) == 3, process)
            assert set(stored()) == {(far, 3.5, 0, 0)}
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert len(server.log.hits) == hits


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--refresh", "--fresh"], "expected one of them"),
        (["--refresh", "-o", "out.jsonl"], "-o: page records of a refresh go to its directory"),
        (["--refresh", "--dry-run"], "--dry-run shows how a crawl begins"),
        (["--due"], "--due says what --refresh visits"),
        (["--refresh", "-"], "no seeds from standard input"),
        (["--refresh"], "crawl: holds no crawl to refresh: crawl it first"),
        (["example.org", "--set", "refresh.due=2"], "expected a probability, at most 1"),
        (["example.org", "--set", "refresh.keep=-1"], "refresh.keep"),
    ],
)
def test_what_goes_with_no_refresh_is_refused(arguments, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["crawl", *arguments, "-d", "crawl"]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_refreshed_says_what_helps(crawler, web, server, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    web.pages_per_host = 2

    def refused(told, where="crawl"):
        assert run(["crawl", "--refresh", "-d", where]) == 2
        assert told in " ".join(capsys.readouterr().err.split())

    assert crawler(*web.seeds(), *options(server, "frontier=memory")).code == 0
    refused("kept in memory (frontier: memory)")
    assert crawler(*web.seeds(), *options(server), "--fresh", "-o", "out.jsonl").code == 0
    refused("its page records were written to")
    (tmp_path / "out.jsonl").unlink()
    assert crawler(*web.seeds(), *options(server), "--fresh").code == 0
    (tmp_path / "crawl@1").mkdir()
    refused("crawl@1: is in the way")
    (tmp_path / "crawl@1").rename(tmp_path / "crawl@2")
    (tmp_path / "crawl@2" / "pages.jsonl").write_text("")
    refused("pages.jsonl: is not a crawl's and would be overwritten")
    with closing(sqlite3.connect(tmp_path / "crawl/crawl.db")) as store:
        store.execute("UPDATE meta SET value = 3 WHERE name = 'format'")
        store.commit()
    refused("has format 3")
    (tmp_path / "crawl/summary.json").unlink()
    refused("holds an unfinished crawl: --resume goes on with it")
    (tmp_path / "crawl").rename(tmp_path / "shop@3")
    refused("is generation 3 of shop, going by its name", "shop@3")


async def test_a_refresh_from_python_hands_out_what_was_read_anew(web, server, tmp_path):
    config = loads(
        "",
        "none",
        [option.removeprefix("--set=") for option in options(server) if option.startswith("--set")]
        + ["limits.default.delay=0s"],
    ).config
    folder = tmp_path / "shop"
    async with Crawl(config, seeds=web.seeds(), directory=folder) as crawl:
        assert len([page async for page in crawl]) == 36
    web.move()
    web.change(0, 3, "text")
    web.change(1, 4, "text")
    heard = []
    async with Crawl(directory=folder, refresh=True, on_page=lambda page: heard.append(page.url)) as crawl:
        assert crawl.making == tmp_path / "shop@2"
        urls = {page.url async for page in crawl}
        await crawl.result()
        assert crawl.making is None
    assert urls == set(heard) == {web.url(0, 3), web.url(1, 4), *(web.url(2, page) for page in range(12))}
    assert generation(crawl.directory) == 2
    with pytest.raises(ConfigError, match="due says what a refresh visits"):
        Crawl(directory=folder, due=True)
    with pytest.raises(ConfigError, match="expected one of them"):
        Crawl(directory=folder, refresh=True, fresh=True)
    with pytest.raises(CrawlerError, match="holds no crawl to refresh"):
        Crawl(directory=tmp_path / "none", refresh=True)
