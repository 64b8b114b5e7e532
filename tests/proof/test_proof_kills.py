"""SIGKILL at random moments, to the crawl or to what it has started: nothing is lost, repeated or torn."""

from __future__ import annotations

import random

import pytest

from tests.support.audit import Harvest
from tests.support.killing import Kill, Victim
from tests.support.matrix import FEWEST_DEATHS, Matrix, Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROUNDS = 10


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return Matrix(tmp_path_factory.mktemp("kills"))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_crawl_killed_at_random_moments_ends_as_an_uninterrupted_one(matrix, number):
    story = matrix.round(number)
    print(story)
    assert sum(story.deaths.values()) >= FEWEST_DEATHS


@pytest.mark.parametrize("number", range(3))
def test_killing_processes_of_the_parser_pool_costs_a_page_each_at_most_until_they_are_retried(matrix, number):
    draw = random.Random(f"children {number}")
    kills = sorted(draw.uniform(0.2, 0.5 + matrix.uninterrupted_s) for _ in range(8))
    whole = matrix.whole()
    with matrix.crawl(f"children-{number}", Way(every="100ms")) as crawl:
        life = crawl.live(*(Kill(after_s=after_s, victim=Victim.CHILD) for after_s in kills))
        if life.code == 1:  # its fork server died before it could fork
            assert "fork server" in life.stderr, life.stderr
            crawl.complete()
        harvest = Harvest.of(crawl.directory)
        crashed = {url for url, (_, reason, _) in harvest.endings.items() if reason == "parser_crashed"}
        assert len(crashed) <= len(life.killed_at)
        assert harvest.endings.keys() <= whole.endings.keys()
        others = harvest.endings.keys() - crashed
        assert {url: harvest.endings[url] for url in others} == {url: whole.endings[url] for url in others}
        if crashed:
            assert crawl.live(more=("--retry-failed", "--where", "reason=parser_crashed")).code == 0
        Harvest.of(crawl.directory).same_as(whole)
