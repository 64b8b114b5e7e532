"""A refresh that is killed, unplugged or out of disk goes on where it was: the generation it makes is the same, and
whoever reads the crawl meanwhile finds it whole."""

from __future__ import annotations

import random
import shutil

import pytest

from tests.support.failpoint import program
from tests.support.killing import Kill, spread
from tests.support.refreshing import Refreshes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FILE_OPERATIONS = 400
"""More than a refresh makes."""


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory):
    with Refreshes(tmp_path_factory.mktemp("refreshes"), more=("export.links=true",)) as refreshes:
        yield refreshes


@pytest.mark.parametrize("step", ["append", "half", "written", "fsync", "begin", "middle", "commit", "heard", "cut"])
def test_a_refresh_that_died_at_a_step_makes_the_same_generation(refreshes, step):
    for number in (1, 3):
        with refreshes.copy(f"{step}-{number}") as crawl:
            life = crawl.live(program=program(step, number))
            refreshes.is_whole(crawl, life)
            crawl.complete()
            refreshes.ends_well(crawl)


def test_dying_before_every_few_file_operations_a_refresh_still_ends_whole(refreshes):
    with refreshes.copy("in-turn") as crawl:
        for number in range(1, FILE_OPERATIONS, 7):
            life = crawl.live(program=program("file", number))
            if not life.died:
                break
            refreshes.is_whole(crawl, life)
        assert life.code == 0, life.stderr
        assert len(crawl.lives) > 5
        refreshes.ends_well(crawl)
