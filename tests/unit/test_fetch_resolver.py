"""Names and addresses: mapped patterns, ports, families, and TLS by the name in the URL."""

from __future__ import annotations

import socket

import pytest

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.errors import ConfigError, FetchError
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver, parse_target, system_lookup
from tests.support.fetching import get
from tests.support.rawserver import RawServer, page


def never(name):
    raise AssertionError(f"{name} was looked up")


async def get_mapped(url, **config):
    """Fetch `url` with a fetcher that asks no resolver."""
    made = FetchConfig(**config)
    fetcher = HttpFetcher(made, SystemClock(), concurrency=1, resolver=Resolver(made.resolve, never))
    try:
        return await get(fetcher, url)
    finally:
        await fetcher.aclose()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1", ("127.0.0.1", None)),
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("::1", ("::1", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:8080", ("::1", 8080)),
    ],
)
def test_target_is_an_address_and_perhaps_a_port(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[::1", "[::1]8", "1.2.3"]
)
def test_other_targets_are_refused(text):
    with pytest.raises(ConfigError, match=r"fetch\.resolve"):
        parse_target(text)


def test_exact_name_wins_then_the_longest_pattern():
    resolver = Resolver({"*.test": "127.0.0.1", "*.a.test": "127.0.0.2", "x.a.test": "127.0.0.3"})
    addresses = {
        host: resolver.mapped(host) for host in ("b.test", "a.test", "c.d.a.test", "x.a.test", "test", "atest")
    }
    assert {host: target and target.address for host, target in addresses.items()} == {
        "b.test": "127.0.0.1",
        "a.test": "127.0.0.1",
        "c.d.a.test": "127.0.0.2",
        "x.a.test": "127.0.0.3",
        "test": None,
        "atest": None,
    }


async def test_mapped_name_goes_to_its_port_and_keeps_its_host_header():
    async with RawServer(page()) as server:
        response = await get_mapped("http://shop.test/a", resolve={"*.test": f"127.0.0.1:{server.port}"})
    assert b"\r\nHost: shop.test\r\n" in server.heads[0]
    assert response.address == "127.0.0.1"


async def test_mapping_without_a_port_keeps_the_port_of_the_url():
    async with RawServer(page()) as server:
        await get_mapped(f"http://shop.test:{server.port}/", resolve={"shop.test": "127.0.0.1"})
    assert f"\r\nHost: shop.test:{server.port}\r\n".encode() in server.heads[0]


async def test_ipv6_addresses_work_as_literals_and_as_targets():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        pytest.skip(f"this machine has no ::1 ({error})")
    async with RawServer(page(), host="::1") as server:
        response = await get_mapped(server.url("/literal"))
        await get_mapped("http://six.test/", resolve={"six.test": f"[::1]:{server.port}"})
    assert response.address == "::1"
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.heads[0]
    assert b"\r\nHost: six.test\r\n" in server.heads[1]


async def test_second_address_is_tried_when_the_first_refuses():
    def lookup(name):
        return ["127.0.0.2", "127.0.0.1"]

    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=1, resolver=Resolver({}, lookup))
    async with RawServer(page()) as server:
        response = await get(fetcher, f"http://two.test:{server.port}/")
        await fetcher.aclose()
    assert response.address == "127.0.0.1"


async def test_answers_of_the_resolver_are_remembered():
    asked = []

    def lookup(name):
        asked.append(name)
        return ["127.0.0.1"]

    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=1, resolver=Resolver({}, lookup))
    async with RawServer(page(b"", b"Connection: close")) as server:
        for _ in range(3):
            await get(fetcher, f"http://a.test:{server.port}/")
        assert server.connections == 3
        await fetcher.aclose()
    assert asked == ["a.test"]


def test_system_lookup_knows_this_machine():
    assert "127.0.0.1" in system_lookup("127.0.0.1")


def test_name_no_resolver_would_take_is_an_unknown_name():
    with pytest.raises(OSError, match="label"):
        system_lookup("x" * 70 + ".test")


async def test_certificate_nobody_vouches_for_is_a_tls_failure(server_tls):
    async with RawServer(page(), tls=server_tls) as server:
        with pytest.raises(FetchError) as caught:
            await get_mapped("https://shop.test/", resolve={"*.test": f"127.0.0.1:{server.port}"})
    assert caught.value.reason == "tls"
    assert server.heads == []


async def test_plain_http_on_a_tls_url_is_a_tls_failure():
    async with RawServer(page(), greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        with pytest.raises(FetchError) as caught:
            await get_mapped("https://shop.test/", resolve={"*.test": f"127.0.0.1:{server.port}"})
    assert caught.value.reason == "tls"


@pytest.mark.usefixtures("trusting")
async def test_trusted_certificate_is_checked_against_the_name_of_the_url(server_tls):
    async with RawServer(page(b"secret"), tls=server_tls) as server:
        mapping = {"*.test": f"127.0.0.1:{server.port}"}
        assert (await get_mapped("https://shop.test/", resolve=mapping)).body == b"secret"
        with pytest.raises(FetchError) as caught:
            await get_mapped("https://other.test/", resolve=mapping)
    assert caught.value.reason == "tls"
