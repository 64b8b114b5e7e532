"""Hosts of all manners are treated as promised, by a crawl that is stopped and resumed. `make proof` has 2,000."""

from __future__ import annotations

import signal

import pytest

from tests.support.audit import conserved
from tests.support.broad import BroadWeb
from tests.support.broad_crawl import crawled
from tests.support.killing import Kill

pytestmark = pytest.mark.slow


def test_a_broad_crawl_that_is_stopped_resumed_and_killed_breaks_no_promise(tmp_path):
    web = BroadWeb(seed=1, hosts=60, addresses=15, crowd=20)
    broad = crawled(web, tmp_path, Kill(after_s=2, crawling=True, sign=signal.SIGINT), Kill(after_s=1.5, crawling=True))
    assert [life.code for life in broad.lives] == [130, -signal.SIGKILL], broad.lives[0].stderr
    conserved(broad.directory)
    assert broad.log.hits
    assert not broad.violations()
