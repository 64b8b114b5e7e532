"""A crawl of 2,000 hosts of all manners, stopped, killed and resumed: none is treated worse than promised."""

from __future__ import annotations

import signal

import msgspec
import pytest

from tests.support.audit import committed_lines, conserved
from tests.support.broad import CLOSED, BroadWeb, Robots, Trouble
from tests.support.broad_crawl import crawled
from tests.support.killing import Kill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WEB = BroadWeb(hosts=2000)
#: from when it crawls on: a busy machine takes long to start a process
ENDS = (Kill(after_s=4, crawling=True, sign=signal.SIGINT), Kill(after_s=3, crawling=True), None)


@pytest.fixture(scope="module")
def broad(tmp_path_factory):
    """What it is to be crawled takes over twice as long as the first two lives."""
    return crawled(WEB, tmp_path_factory.mktemp("broad"), *ENDS)


def test_a_crawl_of_2000_hosts_that_is_stopped_killed_and_resumed_breaks_no_promise(broad):
    stopped, killed, last = broad.lives
    assert (stopped.code, killed.code, last.code) == (130, -signal.SIGKILL, 4), last.stderr
    assert not broad.violations()


def test_it_is_as_complete_as_if_it_had_not_been_interrupted(broad):
    conserved(broad.directory)
    urls = [msgspec.json.decode(line)["url"] for line in committed_lines(broad.directory, "pages")]
    assert len(urls) == len(set(urls))
    assert set(urls) == WEB.pages()


def test_hosts_of_all_manners_were_asked_in_all_its_lives(broad):
    log = broad.log
    assert all(hits > WEB.hosts / 4 for hits in broad.hits_a_life())
    asked = {int(host[1:].partition(".")[0]) for host in log.hosts()}
    unasked = {WEB.robots_of(number) for number in range(WEB.hosts) if number not in asked}
    assert unasked == {Robots.REFUSED}
    assert {WEB.robots_of(number) for number in asked} == set(Robots) - {Robots.REFUSED}
    assert {WEB.trouble_of(number) for number in asked if WEB.robots_of(number) not in CLOSED} == set(Trouble)
    rests = {hit.header("retry-after") for hit in log.hits} - {None}
    assert {hit.status for hit in log.hits if hit.header("retry-after")} == {429, 503}
    assert {rest.isdecimal() for rest in rests} == {True, False}
    assert max(hit.in_flight_at_address for hit in log.hits) == 4  # as many as there may be
