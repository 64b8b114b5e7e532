"""A refresh that is killed, unplugged or out of disk goes on where it was: the generation it makes is the same, and
whoever reads the crawl meanwhile finds it whole."""

from __future__ import annotations

import random

import pytest

from tests.support.failpoint import program
from tests.support.killing import spread
from tests.support.refreshing import Generation, Refreshes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FILE_OPERATIONS = 600
"""More than a refresh makes."""
EVERY, PARTS = 48, 2
"""Of file operations: it dies before each so many in one test, beginning with others in each of the parts."""
STEPS = {"append": 2, "half": 1, "written": 3, "fsync": 5, "begin": 2, "middle": 1, "commit": 2, "heard": 3, "cut": 1}
KEPT = ("export.links=true", "export.warc=true", 'export.files=["text/*"]')


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory):
    with Refreshes(tmp_path_factory.mktemp("refreshes"), pages_per_host=24, more=KEPT) as refreshes:
        yield refreshes


@pytest.mark.parametrize("step", STEPS)
def test_a_refresh_that_died_at_a_step_makes_the_same_generation(refreshes, step):
    with refreshes.copy(step) as crawl:
        refreshes.is_whole(crawl, crawl.live(program=program(step, STEPS[step])))
        crawl.complete()
        refreshes.ends_well(crawl)


@pytest.mark.parametrize("first", range(1, EVERY, EVERY // PARTS))
def test_dying_before_every_few_file_operations_a_refresh_still_ends_whole(refreshes, first):
    found = set()
    with refreshes.copy(f"in-turn-{first}") as crawl:
        for number in range(first, FILE_OPERATIONS, EVERY):
            life = crawl.live(program=program("file", number))
            if not life.died:
                break
            found.add(refreshes.is_whole(crawl, life))
        assert life.code == 0, life.stderr
        assert len(crawl.lives) > 5
        refreshes.ends_well(crawl)
    assert 1 in found


@pytest.mark.parametrize("step", ["written", "fsync", "commit"])
def test_when_the_power_fails_in_a_refresh_nothing_committed_is_lost(refreshes, step):
    with refreshes.copy(f"unplugged-{step}") as crawl:
        life = crawl.live(program=program(step, STEPS[step], "unplug"))
        assert life.died
        assert refreshes.is_whole(crawl, life) == 1
        crawl.complete()
        refreshes.ends_well(crawl)


@pytest.mark.parametrize("step", ["half", "fsync", "begin"])
def test_a_refresh_whose_disk_is_full_says_so_and_goes_on_once_there_is_room(refreshes, step):
    with refreshes.copy(f"full-{step}") as crawl:
        life = crawl.live(program=program(step, STEPS[step], "fail"))
        assert life.code == 1, (life.code, life.stderr)
        assert "Traceback" not in life.stderr, life.stderr
        assert refreshes.is_whole(crawl, life) == 1
        crawl.complete()
        refreshes.ends_well(crawl)


@pytest.mark.parametrize("how", ["lost", "torn", "failed"])
def test_a_refresh_that_died_is_repaired_or_tries_again_what_failed_and_comes_to_the_same(refreshes, how):
    with refreshes.copy(f"mended-{how}") as crawl:
        assert refreshes.is_whole(crawl, crawl.live(program=program("commit", 4))) == 1
        made = crawl.directory.with_name("crawl@2")
        store = made / "crawl.db"
        if how == "lost":
            for file in made.glob("crawl.db*"):
                file.unlink()
        elif how == "torn":
            store.write_bytes(store.read_bytes()[:5_000])
        life = crawl.live(more=["--retry-failed" if how == "failed" else "--repair"])
        assert life.code == 0, life.stderr
        known = Generation.of(crawl.directory)
        assert {url: row["change"] for url, row in known.changes.items()} == {
            url: row["change"] for url, row in refreshes.whole.changes.items()
        }
        assert {path.name for path in crawl.directory.parent.iterdir()} == {"crawl", "crawl@1"}


def test_killed_at_random_moments_a_refresh_asks_no_host_too_soon(tmp_path):
    with Refreshes(tmp_path, delay_s=0.03, pages_per_host=30) as refreshes:
        for number in range(2):
            with refreshes.copy(f"random-{number}") as crawl:
                kills = spread(random.Random(f"refresh {number}"), 5, 1.2 * refreshes.seconds)
                crawl.complete(kills, lambda life, crawl=crawl: refreshes.is_whole(crawl, life))
                refreshes.ends_well(crawl)
        assert refreshes.died_at
        refreshes.behaved()
