"""The tests' own web and server do what the tests built on them take for granted."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest

from tests.support.server import Server, ServerApart
from tests.support.web import Fate, Reply, Role, Web

ROUGH = Web(
    seed=7,
    hosts=3,
    pages_per_host=40,
    error_share=0.1,
    redirect_share=0.1,
    private_share=0.1,
    flaky_share=0.1,
    file_share=0.1,
)


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.hrefs.append(dict(attrs)["href"])


def naive_crawl(web: Web, seeds: list[str], stay_on_host: bool) -> dict[str, int]:
    """URL -> status by reading the pages themselves."""
    statuses: dict[str, int] = {}
    for seed in seeds:
        queue, own_host = [seed], urlsplit(seed).hostname
        known = set(queue)
        while queue:
            url = queue.pop()
            parts = urlsplit(url)
            reply = web.respond(parts.hostname, parts.path, visit=2)
            statuses[url] = reply.status
            if parts.path.startswith("/private/"):
                continue
            reader = Links()
            if reply.status == 200 and "text/html" in dict(reply.headers)["Content-Type"]:
                reader.feed(reply.body.decode())
            targets = reader.hrefs + [value for name, value in reply.headers if name == "Location"]
            for target in targets:
                absolute = urlsplit(urldefrag(urljoin(url, target.replace("/x/..", "")))[0])
                if stay_on_host and absolute.hostname != own_host:
                    continue
                plain = f"http://{absolute.hostname}{absolute.path}"
                if plain not in known:
                    known.add(plain)
                    queue.append(plain)
    return statuses


@pytest.mark.parametrize("hops", [0, 3])
@pytest.mark.parametrize("stay_on_host", [False, True])
def test_expected_urls_are_those_that_reading_the_pages_finds(stay_on_host, hops):
    web = replace(ROUGH, hops=hops)
    seeds = web.seeds()[:2]
    found = naive_crawl(web, seeds, stay_on_host)
    expected = web.expected(seeds, stay_on_host=stay_on_host)
    assert found.keys() == expected.keys()
    assert all(ending.status in (None, found[url]) for url, ending in expected.items())
    assert {ending.outcome for ending in expected.values()} == {"fetched", "failed", "redirected", "excluded"}


def test_a_landing_page_is_reached_over_its_own_redirect_alone_and_over_all_numbers_of_hops():
    web = replace(ROUGH, hops=3)
    lengths = set()
    for number in range(1, 40):
        page, length = f"/pages/{number}", 0
        while (reply := web.respond("h0.test", page)).status == 301:
            page, length = urlsplit(dict(reply.headers)["Location"]).path, length + 1
        if length:
            lengths.add(length)
            assert page == f"/pages/{number + 40 * length}"
            assert reply.status == 200
            assert web.respond("h0.test", f"/pages/{number + 40 * (length + 1)}").status == 404
        else:
            assert web.respond("h0.test", f"/pages/{number + 40}").status == 404
    assert lengths == {1, 2, 3}
    linked = {target for number in range(40) for target in web._targets(0, number)}
    assert all(number < 40 for _, number in linked)


def test_every_role_occurs_in_a_rough_web():
    assert {ROUGH.role(host, number) for host in range(3) for number in range(40)} == set(Role)


def test_the_same_seed_gives_the_same_web_and_another_seed_another():
    assert Web(seed=1).respond("h0.test", "/") == Web(seed=1).respond("h0.test", "/")
    assert Web(seed=1).respond("h0.test", "/") != Web(seed=2).respond("h0.test", "/")


def test_unknown_hosts_and_pages_are_refused():
    assert ROUGH.respond("h9.test", "/").status == 421
    assert ROUGH.respond("h0.test", "/pages/007").status == 404
    assert ROUGH.respond("h0.test", "/pages/4000").status == 404


def ask(server: Server, host: str, *paths: str, address: str = "127.0.0.1") -> list[int]:
    connection = http.client.HTTPConnection(address, server.port, timeout=5)
    statuses = []
    for path in paths:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "probe"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def test_server_logs_each_request_of_a_kept_connection():
    with Server(ROUGH) as server:
        assert ask(server, "h0.test", "/", "/robots.txt", "/nowhere") == [200, 200, 404]
    assert [(hit.path, hit.status) for hit in server.log.hits] == [("/", 200), ("/robots.txt", 200), ("/nowhere", 404)]
    assert server.log.counts()["http://h0.test/"] == 1
    assert all(hit.user_agent == "probe" and hit.ended >= hit.at for hit in server.log.hits)
    assert [hit.path for hit in server.log.of("h0.test", robots=False)] == ["/", "/nowhere"]


def test_a_request_whose_client_went_away_is_in_flight_no_more():
    class Slow:
        def respond(self, host, path, visit):
            return Reply(200, body=b"done", delay_s=0.0 if path == "/quick" else 60.0)

    with Server(Slow()) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert ask(server, "a.test", "/quick") == [200]
            assert server.log.max_in_flight("a.test") == 2
        assert ask(server, "a.test", "/quick") == [200]
    hits = {hit.path: hit for hit in server.log.hits}
    assert (hits["/slow"].ended, hits["/slow"].status) == (None, 0)
    assert hits["/slow"].gone > hits["/slow"].at
    assert server.log.hits[-1].in_flight == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")
def test_requests_are_logged_when_they_arrive_though_the_server_reads_them_later():
    sent = threading.Event()

    class Busy:
        def respond(self, host, path, visit):
            if path == "/busy":
                read.set()
                sent.wait()
            return Reply(200)

    with Server(Busy()) as server:
        for _ in range(20):  # the kernel begins to stamp a moment after it is asked to
            ask(server, "a.test", "/")
        with (
            socket.create_connection(("127.0.0.1", server.port)) as first,
            socket.create_connection(("127.0.0.1", server.port)) as second,
        ):
            read = threading.Event()
            first.sendall(b"GET /busy HTTP/1.1\r\nHost: a.test\r\n\r\n")
            read.wait()
            before = time.monotonic()
            second.sendall(b"GET /late HTTP/1.1\r\nHost: b.test\r\n\r\n")
            after = time.monotonic()
            sent.set()
            second.recv(100)
    hit = server.log.hits[-1]
    assert hit.path == "/late"
    assert before - 1e-5 <= hit.at <= after + 1e-5


@pytest.mark.parametrize(("fate", "told"), [(Fate.RESET, ConnectionResetError), (Fate.SILENCE, TimeoutError)])
def test_a_request_may_be_given_no_answer(fate, told):
    class Rude:
        def respond(self, host, path, visit):
            return Reply(200, fate=fate)

    with Server(Rude()) as server, socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        with pytest.raises(told):
            client.recv(1)
    (hit,) = server.log.hits
    assert (hit.status, hit.ended) == (0, None)
    assert hit.gone > hit.at


def test_an_answer_larger_than_the_kernel_takes_at_once_arrives_whole():
    class Large:
        def respond(self, host, path, visit):
            return Reply(200, body=bytes(20_000_000))

    with Server(Large()) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/")
        assert len(connection.getresponse().read()) == 20_000_000
        connection.close()


@pytest.mark.slow
def test_a_server_apart_serves_the_same_and_hands_over_its_log():
    with ServerApart(ROUGH) as server:
        assert ask(server, "h0.test", "/", "/robots.txt", "/nowhere") == [200, 200, 404]
    assert [(hit.path, hit.status) for hit in server.log.hits] == [("/", 200), ("/robots.txt", 200), ("/nowhere", 404)]
    assert [hit.body[:10] for hit in server.log.hits] == [b"", b"User-agent", b""]


def test_flaky_page_heals_at_its_second_visit():
    number = next(n for n in range(40) if ROUGH.role(0, n) is Role.FLAKY)
    with Server(ROUGH) as server:
        assert ask(server, "h0.test", f"/pages/{number}", f"/pages/{number}") == [503, 200]


@pytest.mark.slow
def test_latency_delays_one_answer_without_holding_up_others():
    barrier = threading.Barrier(4)

    class Slow:
        def respond(self, host, path, visit):
            return Reply(200, body=b"done", delay_s=0.5)

    def one_request(server):
        barrier.wait()
        ask(server, "a.test", "/")

    with Server(Slow()) as server:
        threads = [threading.Thread(target=one_request, args=(server,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.log.max_in_flight("a.test") == 4
    assert server.log.max_in_flight("b.test") == 0
    assert server.log.smallest_gap_s("a.test") < 0.5
    assert server.log.smallest_gap_s("b.test") == float("inf")


def test_one_server_listens_on_several_addresses():
    try:
        with socket.create_server(("127.0.0.2", 0)):
            pass
    except OSError as error:
        pytest.skip(f"this machine has no 127.0.0.2 ({error})")
    with Server(ROUGH, ("127.0.0.1", "127.0.0.2")) as server:
        assert ask(server, "h0.test", "/", address="127.0.0.2") == [200]
    assert [hit.address for hit in server.log.hits] == ["127.0.0.2"]
