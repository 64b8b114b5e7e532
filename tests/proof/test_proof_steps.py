"""Dying, and failing, at each step of a checkpoint, of a start, of a resume and of the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.audit import Harvest
from tests.support.failpoint import STEPS, program
from tests.support.matrix import Matrix, Way
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SMALL = Web(
    seed=5,
    hosts=2,
    pages_per_host=60,
    latency_s=0.04,
    error_share=0.05,
    redirect_share=0.1,
    hops=2,
    private_share=0.05,
    file_share=0.05,
)
WAY = Way(every="20ms", links=True, concurrency=4)
#: how often a crawl of this comes by each step on the slowest disk
OFTEN = 4
MOST_ARRIVALS = 400
#: tests that share the places where a crawl may die once, as each is a crawl, and there are some fifty
SHARES = 8


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    matrix = Matrix(tmp_path_factory.mktemp("steps"), SMALL)
    matrix.whole(links=True)
    return matrix


@pytest.mark.parametrize("number", [1, 2, 4, 8])
@pytest.mark.parametrize("step", [step for step in STEPS if step != "file"])
def test_a_crawl_that_died_at_a_step_loses_and_repeats_nothing(matrix, step, number):
    with matrix.crawl(f"{step}-{number}", WAY) as crawl:
        assert crawl.live(program=program(step, number)).died or number > OFTEN
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


@pytest.mark.parametrize("number", [1, 3, 6])
@pytest.mark.parametrize("step", ["half", "written", "fsync", "middle", "commit", "heard"])
def test_when_the_power_fails_at_a_step_nothing_committed_is_lost(matrix, step, number):
    with matrix.crawl(f"unplugged-{step}-{number}", WAY) as crawl:
        assert crawl.live(program=program(step, number, "unplug")).died
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


def test_without_fsync_a_power_failure_is_found_out(matrix):
    with matrix.crawl("unplugged-without-fsync", replace(WAY, fsync=False)) as crawl:
        assert crawl.live(program=program("commit", 6, "unplug")).died
        life = crawl.live()
        assert_failed_in_words(life, crawl)
        assert "--repair" in life.stderr


def test_dying_before_each_file_operation_in_turn_the_crawl_still_ends_whole(matrix):
    with matrix.crawl("in-turn", WAY) as crawl:
        for number in range(1, MOST_ARRIVALS):
            life = crawl.live(program=program("file", number))
            if not life.died:
                break
        assert life.code == 0, life.stderr
        assert len(crawl.lives) > 15
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


@pytest.mark.parametrize("part", range(SHARES))
def test_dying_once_before_any_file_operation_the_crawl_ends_whole(matrix, part):
    for number in range(1 + part, MOST_ARRIVALS, SHARES):
        with matrix.crawl(f"once-{number}", WAY) as crawl:
            if not crawl.live(program=program("file", number)).died:
                break
            crawl.complete()
            Harvest.of(crawl.directory).same_as(matrix.whole(links=True))
    assert number > 15


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("step", ["half", "fsync", "begin"])
def test_a_crawl_whose_disk_fails_says_so_and_goes_on_once_it_is_mended(matrix, step, number):
    with matrix.crawl(f"failing-{step}-{number}", WAY) as crawl:
        life = crawl.live(program=program(step, number, "fail"))
        assert_failed_in_words(life, crawl)
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


@pytest.mark.parametrize("size", [1_000, 30_000, 100_000, 150_000, 200_000])
def test_a_crawl_that_may_not_write_large_files_says_so_and_goes_on_once_it_may(matrix, size):
    with matrix.crawl(f"size-{size}", WAY) as crawl:
        life = crawl.live(program=program("size", size))
        assert_failed_in_words(life, crawl)
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


def assert_failed_in_words(life, crawl):
    assert life.code == 1, (life.code, life.stderr)
    assert "Traceback" not in life.stderr, life.stderr
    assert life.stderr.startswith("crawler: "), life.stderr
    assert str(crawl.directory) in life.stderr, life.stderr
