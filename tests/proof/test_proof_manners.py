"""However often a crawl dies, its server is treated as promised."""

from __future__ import annotations

import random

import pytest

from tests.support.audit import Harvest
from tests.support.killing import spread
from tests.support.manners import well_behaved
from tests.support.matrix import Matrix, Way, Witness
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

#: slow, redirecting, and asking to be left alone for longer than a crawl takes to resume
BUSY = Web(
    seed=2,
    hosts=4,
    pages_per_host=10,
    error_share=0.1,
    redirect_share=0.2,
    hops=2,
    private_share=0.1,
    flaky_share=0.1,
    flaky_status=503,
    flaky_rest_s=2,
    latency_s=0.03,
    slow_share=0.2,
    slow_s=0.3,
)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return Matrix(tmp_path_factory.mktemp("manners"), BUSY)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize(("delay_s", "concurrency"), [(0.15, 1), (0.15, 2), (0.6, 1)])
def test_pace_concurrency_and_rests_hold_at_the_server_across_deaths(matrix, delay_s, concurrency, number):
    draw = random.Random(f"manners {number} {delay_s} {concurrency}")
    way = Way(every="100ms", delay_s=delay_s, concurrency=concurrency)
    with matrix.crawl(f"{number}-{delay_s}-{concurrency}", way) as crawl:
        witness = Witness(crawl.directory)
        crawl.complete(spread(draw, 5, 2.0), witness)
        well_behaved(crawl.log, delay_s=delay_s, concurrency=concurrency, deaths=witness.died_at)
        Harvest.of(crawl.directory).same_as(matrix.whole())
