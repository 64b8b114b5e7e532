"""A web changes, and a refresh tells exactly what is different: all that was planted, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.crawl.conftest import in_folder, options
from tests.support.changing import STYLES, ChangingWeb, Planted
from tests.support.changing_pages import RULES
from tests.support.refreshes import content, history, told
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture
def begun(tmp_path):
    """A function that crawls a web served on loopback; it gives what runs commands on it, refreshes by default."""
    (tmp_path / "rules.yaml").write_text(RULES)
    run = in_folder(tmp_path)

    def begin(server, web, *settings):
        first = run(*web.seeds(), "-c", "rules.yaml", *options(server, "checkpoint.every=100ms", *settings))
        assert first.code == 0, first.stderr

        def refresh(*more):
            ran = run("--refresh", *more)
            assert ran.code == 0, ran.stderr
            return ran

        return first, refresh

    return begin


def test_three_generations_tell_what_was_planted_and_hold_what_is_there(begun, tmp_path):
    web = ChangingWeb(hosts=len(STYLES), pages_per_host=14)
    with Server(web) as server:
        _, refresh = begun(server, web)
        web.move()
        web.plant(1, share=0.15, gone=0.05, new=0.05)
        web.remove(0, 13, 410)
        web.remove(3, 13, "/pages/1")
        web.remove(4, 13, 404)
        second = refresh()
        expected = web.expected()
        assert told(second) == expected
        assert {"new", "changed", "unchanged", "gone"} == {planted.change for planted in expected.values()}
        web.move()
        for host in (0, 3, 4):
            web.restore(host, 13)
        web.change(5, 1, "boilerplate")
        third = refresh()
        assert told(third) == web.expected()
        assert Counter(planted.change for planted in told(third).values())["back"] == 3
        run = in_folder(tmp_path)
        anew = content(run(*web.seeds(), "-c", "rules.yaml", *options(server), directory="anew"))
    known = content(third)
    assert {url: known[url] for url in anew} == anew  # what only pages that are gone led to is known besides
    assert len(known) == len(web.pages())
    assert all((tmp_path / name / "changes.jsonl").exists() for name in ("crawl@2", "crawl"))
    assert not (tmp_path / "crawl@1" / "changes.jsonl").exists()
    seen = history(tmp_path / "crawl")
    always = [url for url, planted in expected.items() if planted.change in ("unchanged", "changed")]
    assert {seen[url][0] for url in always if url in content(third)} == {2}
    assert all(seen[url][1] >= 1 for url, planted in expected.items() if planted.change == "changed")


def test_servers_that_give_validators_are_asked_under_conditions_and_the_others_are_not(begun):
    web = ChangingWeb(hosts=len(STYLES), pages_per_host=6)
    with Server(web) as server:
        first, refresh = begun(server, web)
        assert not any(hit.is_conditional for hit in server.log.hits)
        before = {name: _lines(first.directory / name) for name in ("pages.jsonl", "offer.jsonl")}
        web.move()
        for host in range(len(STYLES)):
            web.change(host, 2, "text")
        place = len(server.log.hits)
        ran = refresh()
        log = server.log.since(place)
    for host, style in enumerate(STYLES):
        hits = log.of(f"h{host}.test", robots=False)
        asked = {"etag": (True, False), "weak": (True, False), "modified": (False, True), "both": (True, True)}
        sent = {(hit.if_none_match is not None, hit.if_modified_since is not None) for hit in hits}
        assert sent == {asked.get(style, (False, False))}, style
        statuses = Counter(hit.status for hit in hits)
        assert statuses == ({304: 5, 200: 1} if style in asked else {200: 6}), style
    reasons = Counter(row["reason"] for row in ran.lines("changes.jsonl"))
    assert reasons["not_modified"] == sum(hit.status == 304 for hit in log.hits)
    assert reasons["same_content"] == 5  # of the host whose bytes are the same without validators
    assert Counter(planted.change for planted in told(ran).values()) == {"unchanged": 30, "changed": 6}
    for name, lines in before.items():  # what was not read anew keeps its records to the byte
        kept = {line for line in lines if b"h4.test" not in line and b'/pages/2"' not in line}
        assert kept <= _lines(ran.directory / name)


def _lines(path):
    return set(path.read_bytes().splitlines())


@pytest.mark.parametrize("mode", ["all", "none"])
def test_what_counts_as_text_hangs_on_what_is_extracted(begun, mode):
    web = ChangingWeb(hosts=2, pages_per_host=6, styles=("etag", "noisy"))
    with Server(web) as server:
        _, refresh = begun(server, web, f"extract.text={mode}")
        web.move()
        web.change(0, 1, "text")
        web.change(0, 2, "boilerplate")
        web.change(1, 1, "text", "title")
        found, expected = told(refresh()), web.expected()
    if mode == "all":  # the whole page is text then: counters and dates are, too
        expected[web.url(0, 2)] = Planted("changed", frozenset({"text"}))
        for number in range(6):
            parts = expected[web.url(1, number)].parts | {"text"}
            expected[web.url(1, number)] = Planted("changed", parts)
    assert found == expected


def test_a_generation_in_force_that_is_gone_on_with_tells_what_is_different_now(begun, tmp_path):
    web = ChangingWeb(hosts=1, pages_per_host=6, styles=("etag",))
    run = in_folder(tmp_path)
    with Server(web) as server:
        _, refresh = begun(server, web)
        web.move()
        web.remove(0, 5)
        assert told(refresh())[web.url(0, 5)].change == "gone"
        web.restore(0, 5)
        ran = run("--retry-failed")
        assert ran.code == 0, ran.stderr
        assert told(ran) == {web.url(0, number): Planted("unchanged") for number in range(6)}
        for name in ("in_flight", "crawl.db"):
            for file in ran.directory.glob(f"{name}*"):
                file.unlink()
        ran = run("--repair")
        assert ran.code == 0, ran.stderr
        assert told(ran) == {web.url(0, number): Planted("unchanged") for number in range(6)}
        before = (ran.directory / "changes.jsonl").read_bytes()
        (tmp_path / "crawl@1").rename(tmp_path / "elsewhere")
        ran = run("--resume", "http://h0.test/none")
        assert "changes.jsonl is as it was before this run" in ran.stderr
        assert (ran.directory / "changes.jsonl").read_bytes() == before


def test_where_records_are_made_otherwise_all_is_read_anew_and_nothing_learnt(begun):
    web = ChangingWeb(hosts=1, pages_per_host=6, styles=("etag",))
    with Server(web) as server:
        _, refresh = begun(server, web)
        place = len(server.log.hits)
        ran = refresh("--set", "extract.text=all")
        assert not any(hit.is_conditional for hit in server.log.since(place).hits)
    assert "read anew" in ran.stderr
    assert {visits for visits, _ in history(ran.directory).values()} == {0}
    assert "Copyright" in ran.pages[0]["text"]


def test_a_site_that_has_nothing_for_a_while_is_told_to_be_gone_and_then_back(begun, tmp_path):
    web = ChangingWeb(hosts=2, pages_per_host=6, styles=("etag", "noisy"))
    with Server(web) as server:
        _, refresh = begun(server, web)
        pages = web.pages()
        web.move()
        for page in pages:
            web.remove(*page)
        ran = in_folder(tmp_path)("--refresh", "--set", "refresh.keep=0")
        assert ran.code == 3, ran.stderr  # no seed could be fetched
        assert told(ran) == web.expected()
        assert ran.pages == [] == ran.lines("offer.jsonl")
        assert len((tmp_path / "crawl@1" / "pages.jsonl").read_bytes().splitlines()) == 12
        web.move()
        assert told(second := in_folder(tmp_path)("--refresh")) == {}, second.stderr  # nothing is there, or was
        assert (tmp_path / "crawl@1").exists()  # all that is left is not removed, whatever is to be kept
        web.move()
        for page in pages:
            web.restore(*page)
        third = refresh()
    assert {planted.change for planted in told(third).values()} == {"back"}
    assert len(third.pages) == 12
    assert not list(tmp_path.glob("crawl@*"))
    assert {visits for visits, _ in history(third.directory).values()} == {0}  # there was nothing to compare with
