"""A long seed list, from a file or a pipe, under a crawl that is killed: each seed is crawled, and told of, once."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.support.audit import Harvest
from tests.support.killing import spread
from tests.support.matrix import ROUGH, Matrix, Way, Witness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WEB = replace(ROUGH, hosts=4, pages_per_host=1500, flaky_share=0.0, latency_s=0.01)
SETTINGS = ("--depth", "0")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return Matrix(tmp_path_factory.mktemp("seeds"), WEB)


@pytest.fixture(scope="module")
def seeds(matrix):
    """Every page, some of them twice, some in another spelling, and some that are no URLs."""
    draw = random.Random(4)
    lines = [WEB.url(host, number) for host in range(WEB.hosts) for number in range(WEB.pages_per_host)]
    lines += [line.replace("http://h", "HTTP://H") for line in draw.sample(lines, 300)]
    lines += [f"http://[broken-{number}/" for number in range(100)]
    draw.shuffle(lines)
    path = matrix.folder / "seeds.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def settings_only(crawl):
    """The options of a crawl, without the seeds that its web would have."""
    return [argument for argument in crawl.arguments if argument.startswith("--")]


@pytest.fixture(scope="module")
def whole(matrix, seeds):
    with matrix.crawl("whole-list", Way()) as crawl:
        crawl.arguments = [str(seeds), *SETTINGS, *settings_only(crawl)]
        crawl.complete()
        return Harvest.of(crawl.directory)


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("number", range(2))
def test_each_seed_of_a_long_list_is_crawled_and_told_of_once_however_often_the_crawl_dies(
    matrix, seeds, whole, piped, number
):
    draw = random.Random(f"seeds {number} {piped}")
    with matrix.crawl(f"{number}-{piped}", Way(every="50ms")) as crawl:
        crawl.arguments = ["-" if piped else str(seeds), *SETTINGS, *settings_only(crawl)]
        crawl.stdin = seeds if piped else None
        crawl.complete(spread(draw, 8, 1.2), Witness(crawl.directory))
        harvest = Harvest.of(crawl.directory)
        assert harvest.files["seeds"].total() == len(seeds.read_text().splitlines())
        if piped:  # the place of a seed is told as it was read
            assert harvest.files["pages"] == whole.files["pages"]
            assert harvest.files["outcomes"] == whole.files["outcomes"]
        else:
            harvest.same_as(whole)
