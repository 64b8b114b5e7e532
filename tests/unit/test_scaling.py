"""What a crawl's threads cost, and what follows of it for more cores."""

import pytest

from benchmarks.lean import LEAN, LEAN_SETTINGS
from benchmarks.scaling import figures, limit
from benchmarks.threads import Spent, crawl_watched
from benchmarks.workloads import Workload
from crawler.config.file import loads
from tests.support.nginx import nginx_binary


@pytest.fixture
def workload(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.html").write_text(
            f"<!doctype html><title>{number}</title><a href={number + 1}.html>on</a>"
        )
    return Workload("small", tmp_path, "/0.html")


def test_a_loop_feeds_as_many_workers_as_its_share_of_a_page_allows():
    spent = Spent(pages=1000, loop_s=0.6, starting_s=0.5, beside_s=0.1, loading_s=0.3, parsing_s=1.6)
    assert figures(spent) == pytest.approx((100.0, 100.0, 1600.0))
    assert limit(*figures(spent)) == pytest.approx((16.0, 8.0))


def test_lean_settings_say_the_same_in_both_forms():
    assert loads("", "crawl.yaml", LEAN_SETTINGS).config.extract == LEAN


@pytest.mark.slow
@pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed: run .ci/run once")
def test_a_crawl_is_accounted_for_by_thread(workload):
    spent, _, main = crawl_watched(workload, LEAN_SETTINGS)
    assert spent.pages == 5
    assert main > 0
    assert 0 < spent.starting_s < spent.loop_s
    assert spent.parsing_s > 0
