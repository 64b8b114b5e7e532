"""Workers that share a crawl read a robots.txt that redirects lead to at another worker's host, at that host's pace."""

from __future__ import annotations

import pytest

from tests.support.fleet_crawl import Fleet
from tests.support.manners import well_behaved
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Reply, Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

TOGETHER_S = 2.0
"""By then both workers are there."""

RULES = b"User-agent: *\nDisallow: /p1\n"


class Moved(Web):
    """Each host's robots.txt is at the next host, which has it at a path of its own."""

    def respond(self, host, path, visit=1):
        number = int(host[1:].partition(".")[0])
        if path == "/robots.txt":
            location = f"http://h{(number + 1) % self.hosts}.test/of/{number}/robots.txt"
            return Reply(301, (("Location", location),), delay_s=TOGETHER_S)
        if path.endswith("/robots.txt"):
            return Reply(200, (("Content-Type", "text/plain"),), RULES)
        links = "".join(f'<a href="/p{n}">{n}</a>' for n in range(1, 4)) if path == "/" else ""
        return Reply(200, (("Content-Type", "text/html"),), f"<title>{host}</title><p>{path}{links}".encode())


@pytest.fixture
def url(tmp_path):
    require_redis()
    with RedisServer(tmp_path / "redis") as server:
        yield server.url


def test_robots_txt_of_one_worker_at_a_host_of_another_is_heeded_and_its_host_is_paced(url, tmp_path):
    web = Moved(hosts=8, pages_per_host=4)
    with Fleet(tmp_path, web, url, delay_s=0.2, lease_s=2.0) as fleet:
        fleet.start("one")
        fleet.start("two")
        assert fleet.ended() == [0, 0]
        log = fleet.server.log
        well_behaved(log, delay_s=0.2, concurrency=1)
    asked = {(hit.host, hit.path) for hit in log.hits if not hit.path.endswith("robots.txt")}
    assert asked == {(f"h{number}.test", path) for number in range(8) for path in ("/", "/p2", "/p3")}
    assert len({hit.user_agent for hit in log.hits}) == 2, "both had their part"
