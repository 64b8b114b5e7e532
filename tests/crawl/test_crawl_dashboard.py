"""A served crawl asked byte by byte: who is answered, what is answered, and that the crawl does not suffer from it."""

from __future__ import annotations

import select
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.dashboards import Shown
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

TOKEN = "a-token-that-nobody-guesses"
JSON = "Content-Type: application/json"
SLOW = Web(seed=3, pages_per_host=20_000, error_share=0.1, redirect_share=0.1)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A crawl that goes on for as long as this module needs, one request in a fifth of a second."""
    with (
        Server(SLOW) as server,
        Shown(tmp_path_factory.mktemp("open"), server, *SLOW.seeds(), delay="200ms") as one,
    ):
        yield one


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The same with a token."""
    with (
        Server(SLOW) as server,
        Shown(tmp_path_factory.mktemp("token"), server, *SLOW.seeds(), delay="1s", token=TOKEN) as one,
    ):
        yield one


PATHS = (
    "/",
    "/page.css",
    "/page.js",
    "/chart.js",
    "/rows.js",
    "/words.js",
    "/icon.svg",
    "/state",
    "/metrics",
    "/healthz",
)


@pytest.mark.parametrize("path", PATHS)
def test_what_there_is_is_served_with_headers_that_keep_a_browser_to_it(shown, path):
    answer = shown.ask(path)
    assert answer.status == 200
    assert answer.body
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["server"] == "crawler"


def test_the_page_asks_for_nothing_from_elsewhere(shown):
    for path in PATHS[:6]:
        text = shown.ask(path).body.decode().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("https?:\\/\\/", "").replace("// ", "")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8600", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "10.0.0.1", "0"],
)
@pytest.mark.parametrize("path", ["/", "/events", "/state", "/metrics", "/healthz", "/control", "/nowhere"])
def test_who_asks_for_another_host_is_refused_as_a_rebound_name_would(shown, host, path):
    answer = shown.ask(path, host=host)
    assert answer.status == 421
    assert b"not called that" in answer.body


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "LOCALHOST:8600", "127.0.0.1:9000", "[::1]:8600"])
def test_a_tunnel_may_give_it_another_port(shown, host):
    assert shown.ask("/healthz", host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        ["Origin: http://evil.example"],
        ["Origin: null"],
        ["Origin: http://127.0.0.1:1"],
        ["Origin: http://localhost"],
        ["Sec-Fetch-Site: cross-site"],
        ["Sec-Fetch-Site: same-site"],
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"],
    ],
)
@pytest.mark.parametrize("path", ["/", "/events", "/state", "/metrics"])
def test_requests_from_other_origins_are_refused(shown, headers, path):
    assert shown.ask(path, *headers).status == 403


def test_a_link_on_another_site_leads_here_and_does_nothing_else(shown):
    led = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
    assert shown.ask("/", *led).status == 200
    assert shown.ask("/control", *led, JSON, method="POST", body=b'{"action": "pause"}').status == 403


def test_own_requests_of_a_browser_are_answered(shown):
    here = [f"Origin: http://127.0.0.1:{shown.port}", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"]
    assert shown.ask("/state", *here).status == 200
    answer = shown.ask("/control", *here, JSON, method="POST", body=b'{"action": "concurrency", "value": 7}')
    assert answer.json == {"paused": False, "concurrency": 7, "stopping": False}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", ""]
)
def test_what_a_form_could_send_is_refused(shown, kind):
    body = b'{"action": "stop"}'
    assert shown.ask("/control", *[f"Content-Type: {kind}"] * bool(kind), method="POST", body=body).status == 415
    assert shown.process.poll() is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "truncated"),
        (b"{}", "action"),
        (b'{"action": "explode"}', "expected pause, resume, stop or concurrency"),
        (b'{"action": "concurrency"}', "expected a value of 1 or more"),
        (b'{"action": "concurrency", "value": 0}', "expected a value of 1 or more"),
        (b'{"action": "concurrency", "value": "many"}', "Expected `int | null`"),
        (b'{"action": "pause", "and": 1}', "unknown field"),
        (b"[" * 2000, "array"),
    ],
)
def test_a_wish_that_makes_no_sense_says_what_would(shown, body, told):
    answer = shown.ask("/control", JSON, "Content-Length: 0" if not body else "X: y", method="POST", body=body)
    assert answer.status == 400
    assert told in answer.json["error"]


def test_a_body_that_is_not_what_its_headers_say_is_its_senders_mistake(shown):
    answer = shown.ask("/control", JSON, "Content-Encoding: gzip", method="POST", body=b'{"action": "stop"}')
    assert answer.status == 400
    assert "the dashboard cannot answer" not in (shown.directory / "crawl.log").read_text()


def test_a_large_body_is_not_taken(shown):
    assert shown.ask("/control", JSON, method="POST", body=b'{"action": "' + b"x" * 5000 + b'"}').status == 413


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "GET", 404),
        ("/control", "GET", 405),
        ("/events", "HEAD", 405),  # whose answer has no end
        ("/", "POST", 415),
        ("/../crawl.db", "GET", 404),
        ("/%2e%2e/crawl.db", "GET", 404),
    ],
)
def test_what_is_not_there_is_said_not_to_be(shown, path, method, status):
    answer = shown.ask(path, method=method)
    assert answer.status == status
    assert answer.headers["content-security-policy"]


def test_events_are_whole_states_one_a_second(shown):
    with socket.create_connection(("127.0.0.1", shown.port), timeout=10) as connection:
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{shown.port}\r\n\r\n".encode())
        received = b""
        while received.count(b"\n\n") < 2:
            received += connection.recv(65536)
    assert b"Content-Type: text/event-stream" in received
    assert received.count(b"event: state\r\ndata: {") + received.count(b"event: state\ndata: {") >= 2


def test_more_pages_than_there_may_be_are_sent_away_and_come_in_when_one_leaves(shown):
    def opened():
        connection = socket.create_connection(("127.0.0.1", shown.port), timeout=10)
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{shown.port}\r\n\r\n".encode())
        return connection, connection.recv(65536).split(b"\r\n")[0]

    streams = [opened() for _ in range(16)]
    try:
        assert {status for _, status in streams} == {b"HTTP/1.1 200 OK"}
        answer = shown.ask("/events")
        assert answer.status == 503
        assert answer.headers["retry-after"] == "10"
        assert shown.ask("/healthz").status == 200
    finally:
        for connection, _ in streams:
            connection.close()
    while (again := opened())[1] != b"HTTP/1.1 200 OK":
        again[0].close()
        time.sleep(0.01)
    again[0].close()


def test_connections_that_say_nothing_are_bounded_and_keep_the_crawl_its_files(shown):
    silent = [socket.create_connection(("127.0.0.1", shown.port), timeout=10) for _ in range(60)]
    try:
        while len(closed := select.select(silent, (), (), 1)[0]) < 20:  # nothing is sent, so this is their end
            pass
        assert len(closed) <= 25
        assert {connection.recv(1) for connection in closed} == {b""}
    finally:
        for connection in silent:
            connection.close()
    while True:  # their ends are noticed one by one
        try:
            assert shown.ask("/healthz").status == 200
        except (ConnectionError, IndexError):
            continue
        break


def test_metrics_are_as_prometheus_reads_them(shown):
    answer = shown.ask("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    assert len(families) > 20
    assert all(name.startswith("crawler_") and family.documentation for name, family in families.items())
    state = shown.ask("/state").json
    latency = {sample.name: sample.value for sample in families["crawler_answer_duration_seconds"].samples}
    answers = sum(sample.value for sample in families["crawler_answers"].samples)
    assert latency["crawler_answer_duration_seconds_count"] == answers <= state["answers"]
    assert latency["crawler_answer_duration_seconds_sum"] > 0
    assert not [s for family in families.values() for s in family.samples if "host" in s.labels or "url" in s.labels]


def test_a_crawl_that_keeps_its_pace_is_healthy(shown):
    answer = shown.ask("/healthz")
    assert answer.status == 200
    assert answer.json["ok"] is True
    assert answer.json["state"] in ("running", "waiting")


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_there_is_nothing_to_see(guarded, path):
    answer = guarded.ask(path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN.encode() not in answer.body
    assert guarded.ask(path, "Authorization: Bearer wrong-wrong-wrong-wrong").status == 401
    assert guarded.ask(path, f"Cookie: crawler_{guarded.port}={TOKEN}").status == 401
    assert guarded.ask(path, f"Authorization: Bearer {TOKEN}").status == 200


def test_a_script_with_the_token_may_call_the_server_what_it_likes(guarded):
    assert guarded.ask("/metrics", f"Authorization: Bearer {TOKEN}", host="crawler.internal:8600").status == 200
    assert guarded.ask("/metrics", host="crawler.internal:8600").status == 421


def test_the_token_in_the_address_gives_a_browser_a_cookie_and_leads_on(guarded):
    answer = guarded.ask(f"/?token={TOKEN}")
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie + answer.body.decode()
    assert guarded.ask("/", f"Cookie: {cookie.partition(';')[0]}").status == 200
    assert guarded.ask("/?token=wrong-wrong-wrong-wrong").status == 401
    assert guarded.ask(f"/?token={TOKEN}", host="evil.example").status == 401
    assert guarded.ask(f"/?token={TOKEN}", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image").status == 401


def test_a_token_is_neither_told_nor_logged(guarded):
    guarded.ask(f"/?token={TOKEN}")
    guarded.ask("/%zz?token=" + TOKEN)
    log = (guarded.directory / "crawl.log").read_text()
    assert TOKEN not in log + "".join(guarded.errors)
    assert "token" not in guarded.url


def test_an_address_that_is_taken_is_an_error_that_says_what_to_do(crawler, shown):
    ran = crawler(*SLOW.seeds(), "--serve", f"{shown.port}")
    assert ran.code == 2
    assert ran.stderr == (
        f"crawler: --serve 127.0.0.1:{shown.port}: the port is in use, perhaps by another crawl's dashboard; --serve "
        "127.0.0.1:0 takes any that is free\n"
    )
    assert not ran.directory.exists()


def test_a_crawl_is_paused_resumed_and_stopped_by_a_script(tmp_path):
    web = Web(pages_per_host=4_000)
    with Server(web) as server, Shown(tmp_path, server, *web.seeds(), delay="10ms") as shown:
        assert shown.tell(action="pause").json["paused"] is True
        while shown.ask("/state").json["in_flight"]:
            pass
        asked = len(server.log.hits)
        assert shown.ask("/healthz").json["state"] == "paused"
        assert shown.ask("/state").json["paused"] is True
        assert len(server.log.hits) == asked
        shown.tell(action="resume")
        while len(server.log.hits) < asked + 5:
            time.sleep(0.01)
        assert shown.tell(action="stop").json["stopping"] is True
        assert shown.end() == 130
    assert "told by the dashboard why=pause" in (tmp_path / "crawl/crawl.log").read_text()


def test_a_reader_that_takes_nothing_does_not_hold_up_the_end(tmp_path):
    web = Web(pages_per_host=60)
    with Server(web) as server, Shown(tmp_path, server, *web.seeds(), delay="10ms") as shown:
        with socket.create_connection(("127.0.0.1", shown.port)) as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            stalled.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{shown.port}\r\n\r\n".encode())
            assert shown.end() == 0
        assert len(shown.lines("pages.jsonl")) == 60


def test_a_dry_run_has_nothing_to_show(crawler):
    ran = crawler("http://a.test/", "--dry-run", "--serve", "0")
    assert (ran.code, ran.stderr) == (
        2,
        "crawler: --serve shows a crawl, and --dry-run makes none: expected one of them\n",
    )
