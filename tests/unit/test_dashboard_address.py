"""What --serve may say, and what it comes to; and which token is asked for there."""

from __future__ import annotations

import socket

import pytest

from crawler.cli.serving import seen_by
from crawler.config import CrawlConfig
from crawler.dashboard.access import Access, token_for
from crawler.dashboard.address import Address, Bound, address_of, listen
from crawler.dashboard.board import listening
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError
from crawler.plan import Plan


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8600", "127.0.0.1", 8600),
        (":8600", "127.0.0.1", 8600),
        ("0", "127.0.0.1", 0),
        ("127.0.0.1:8600", "127.0.0.1", 8600),
        ("localhost:1", "localhost", 1),
        ("[::1]:8600", "::1", 8600),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
        (" crawler.internal:80 ", "crawler.internal", 80),
    ],
)
def test_an_address_is_read_and_a_port_alone_is_of_loopback(text, host, port):
    assert address_of(text) == Address(host, port)


@pytest.mark.parametrize(
    "text",
    ["", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:8600", "http://a:80", "a:-1", "a:٣"],
)
def test_what_is_no_address_is_told_what_one_looks_like(text):
    with pytest.raises(ConfigError, match=r"--serve .*expected ADDRESS:PORT, such as 127\.0\.0\.1:8600"):
        address_of(text)


@pytest.mark.parametrize(
    ("host", "told"), [("no-such-name.invalid", "does not resolve"), ("192.0.2.1", "has no address")]
)
def test_an_address_that_cannot_be_had_says_why(host, told):
    with pytest.raises(ConfigError, match=told):
        listen(Address(host, 0))


def test_a_free_port_is_found_and_told():
    bound = listen(Address("127.0.0.1", 0))
    with bound.listener:
        assert bound.urls == [f"http://127.0.0.1:{bound.listener.getsockname()[1]}/"]
        assert bound.is_loopback


def bound_to(ip):
    return Bound(socket.socket(), Address(ip, 8600), ip, ip == "127.0.0.1")


def test_all_addresses_are_reached_by_any_and_by_the_machines_name_but_not_by_others():
    bound = bound_to("0.0.0.0")
    with bound.listener:
        assert bound.urls == [f"http://{socket.gethostname()}:8600/", "http://127.0.0.1:8600/"]
        access = Access(bound, None)
        for host in ("10.1.2.3:8600", "[2001:db8::1]", socket.gethostname(), "localhost"):
            assert access.refusal("GET", {"Host": host}, {}) is None
        assert access.refusal("GET", {"Host": "evil.example"}, {}).status == 421
        assert access.refusal("GET", {}, {}).status == 421


def test_a_token_is_made_up_where_one_is_needed_and_none_is_set():
    token, is_ours = token_for({}, needed=True)
    assert is_ours
    assert len(token) >= 32
    assert token != token_for({}, needed=True)[0]
    assert token_for({}, needed=False) == (None, False)
    assert token_for({"CRAWLER_SERVE_TOKEN": "0123456789abcdef"}, needed=False) == ("0123456789abcdef", False)


@pytest.mark.parametrize("token", ["", "short", "0123456789 abcdef", "0123456789abcdéf", "0123456789abcdef\n"])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused_and_not_repeated(token):
    with pytest.raises(ConfigError, match="expected at least 16 of ASCII") as error:
        token_for({"CRAWLER_SERVE_TOKEN": token}, needed=False)
    assert not token or token not in str(error.value)


def test_the_cookie_is_the_ports_own_and_not_the_token():
    bound = bound_to("127.0.0.1")
    with bound.listener:
        access = Access(bound, "0123456789abcdef")
        assert access.cookie == "crawler_8600"
        assert access.session not in ("", "0123456789abcdef")
        assert access.refusal("GET", {"Host": "localhost"}, {access.cookie: access.session}) is None
        assert access.refusal("GET", {"Host": "localhost"}, {access.cookie: "é"}).status == 401
        assert access.refusal("GET", {"Host": "localhost"}, {}).status == 401
        assert not access.knows("")


@pytest.mark.parametrize(
    ("serve", "quiet", "told"),
    [
        ("127.0.0.1:{port}", False, ["Dashboard: http://127.0.0.1:{port}/"]),
        ("127.0.0.1:{port}", True, []),
        ("[::1]:0", True, ["Dashboard: http://[::1]:"]),
        ("0.0.0.0:0", True, ["Dashboard: http://{name}:", "warning: --serve: other machines reach this address"]),
    ],
)
def test_quiet_tells_an_address_only_where_nobody_could_know_it_and_always_what_is_unsafe(
    serve, quiet, told, tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("CRAWLER_SERVE_TOKEN", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as free:
        names = {"port": free.getsockname()[1], "name": socket.gethostname()}
    plan = Plan(config=CrawlConfig(), directory=CrawlDirectory(tmp_path / "c"))
    with listening(serve.format(**names)) as board:
        assert seen_by(board, plan, quiet=quiet).committed is not None
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(begin.format(**names)) for line, begin in zip(lines, told, strict=True))
    assert ("?token=" in "".join(lines)) == (serve == "0.0.0.0:0")
