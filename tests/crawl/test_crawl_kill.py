"""A crawl that is killed goes on as if nothing had happened. `make proof` does the same for longer and in more ways."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.support.audit import Harvest
from tests.support.failpoint import program
from tests.support.killing import spread
from tests.support.manners import well_behaved
from tests.support.matrix import ROUGH, Matrix, Way, Witness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

#: without pages that fail at first: waiting for those takes seconds
SMALL = replace(ROUGH, hosts=3, pages_per_host=120, flaky_share=0.0)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return Matrix(tmp_path_factory.mktemp("kill"), SMALL)


def test_killed_at_random_moments_it_ends_as_an_uninterrupted_one(matrix):
    story = matrix.round(0, kills=(4, 4), way=Way(every="50ms", links=True, compress="gzip"))
    assert story.deaths["pages"] + story.deaths["seeds only"]


@pytest.mark.parametrize(("step", "number"), [("half", 2), ("fsync", 6), ("commit", 3)])
def test_dying_in_the_middle_of_a_checkpoint_loses_and_repeats_nothing(matrix, step, number):
    with matrix.crawl(step, Way(every="50ms", links=True)) as crawl:
        assert crawl.live(program=program(step, number)).died
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


def test_pace_and_concurrency_hold_at_the_server_across_deaths(tmp_path):
    matrix = Matrix(tmp_path, replace(SMALL, pages_per_host=6, slow_share=0.2))
    with matrix.crawl("paced", Way(every="100ms", delay_s=0.2, concurrency=2)) as crawl:
        witness = Witness(crawl.directory)
        crawl.complete(spread(random.Random(3), 2, 1.2), witness)
        well_behaved(crawl.log, delay_s=0.2, concurrency=2, deaths=witness.died_at)
        Harvest.of(crawl.directory)
