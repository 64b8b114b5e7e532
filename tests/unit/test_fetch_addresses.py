"""A fetcher connects to no private address for what was found, by whatever name, redirect or change of mind."""

from __future__ import annotations

import contextlib

import pytest

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.errors import FetchError
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver
from crawler.models import Kind, Request, Url
from crawler.reach import Reach
from crawler.url import host_key
from tests.support.clock import FakeClock
from tests.support.fetching import nothing
from tests.support.proxy import RawProxy
from tests.support.rawserver import RawServer, page

PUBLIC = "9.9.9.9"  # never connected to


def request(url, *, inside=False, kind=Kind.PAGE, attempt=1):
    return Request(url=Url(url), host_key=host_key(url), scope_host="h", kind=kind, inside=inside, attempt=attempt)


class Names:
    """A resolver's lookup that gives each name's answers in turn, the last one for ever."""

    def __init__(self, **answers):
        self.answers = {f"{name}.test": list(given) for name, given in answers.items()}
        self.asked = []

    def __call__(self, name):
        self.asked.append(name)
        given = self.answers[name]
        return given.pop(0) if len(given) > 1 else given[0]


@contextlib.asynccontextmanager
async def guarded(lookup=None, clock=None, **fetch):
    clock = clock or SystemClock()
    config = FetchConfig(**fetch)
    resolver = Resolver(config.resolve, lookup or Names(), clock=clock)
    fetcher = HttpFetcher(config, SystemClock(), concurrency=4, resolver=resolver, reach=Reach(config))
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


async def refusal(fetcher, url, **more):
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(request(url, **more), _must_not_start)
    assert caught.value.reason == "private_address"
    return caught.value.detail


def _must_not_start():
    raise AssertionError("a request was written")


@pytest.fixture
async def server():
    async with RawServer(page(b"secret")) as server:
        yield server


@pytest.mark.parametrize("kind", Kind)
async def test_address_in_a_url_is_refused_before_anything_is_connected(server, kind):
    async with guarded() as fetcher:
        for name in ("127.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:7f00:1]"):
            assert name.strip("[]") in await refusal(fetcher, f"http://{name}:{server.port}/", kind=kind)
    assert server.connections == 0


async def test_name_at_private_addresses_is_refused_over_tls_too(server):
    async with guarded(Names(a=[["127.0.0.1", "10.0.0.1"]])) as fetcher:
        assert "127.0.0.1: loopback" in await refusal(fetcher, f"http://a.test:{server.port}/")
        await refusal(fetcher, f"https://a.test:{server.port}/")
    assert server.connections == 0


async def test_name_whose_address_changes_to_a_private_one_is_refused_at_the_next_connection(server):
    clock = FakeClock()
    names = Names(a=[[PUBLIC], ["127.0.0.1"]])
    async with guarded(names, clock) as fetcher:
        assert list(await fetcher.locate("a.test")) == [PUBLIC]
        clock.advance(3600)
        await refusal(fetcher, f"http://a.test:{server.port}/")
    assert names.asked == ["a.test", "a.test"]
    assert server.connections == 0


async def test_of_mixed_addresses_only_the_allowed_ones_are_tried():
    async with (
        RawServer(page(b"x"), host="127.0.0.2") as allowed,
        RawServer(page(b"secret"), port=allowed.port) as other,
    ):
        names = Names(a=[["127.0.0.1", "127.0.0.2"]])
        async with guarded(names, allow_addresses=("127.0.0.2",)) as fetcher:
            for attempt in (1, 2):
                response = await fetcher.fetch(request(f"http://a.test:{allowed.port}/", attempt=attempt), nothing)
                assert (response.body, response.address) == (b"x", "127.0.0.2")
    assert other.connections == 0


async def test_connection_of_a_request_that_may_go_inside_serves_no_other(server):
    async with guarded() as fetcher:
        url = f"http://127.0.0.1:{server.port}/"
        assert (await fetcher.fetch(request(url, inside=True), nothing)).body == b"secret"
        assert len(fetcher._idle) == 1
        await refusal(fetcher, url)
        assert (await fetcher.fetch(request(url, inside=True), nothing)).body == b"secret"
    assert (server.connections, len(server.heads)) == (1, 2)


async def test_mapped_names_and_allowed_addresses_are_asked(server):
    async with guarded(resolve={"a.test": "127.0.0.1"}, allow_addresses=("127.0.0.0/8",)) as fetcher:
        for name in ("a.test", "127.0.0.1"):
            assert (await fetcher.fetch(request(f"http://{name}:{server.port}/"), nothing)).body == b"secret"


async def test_a_connection_that_leads_elsewhere_than_was_said_is_closed_unused(server, monkeypatch):
    async with guarded(Names(a=[[PUBLIC]])) as fetcher:

        async def astray(host, port, traces=None):
            return await fetcher._connector._resolve_host("127.0.0.1", port)

        monkeypatch.setattr(fetcher._guarded, "_resolve_host", astray)
        await refusal(fetcher, f"http://a.test:{server.port}/")
        assert len(fetcher._idle) == 0
    assert server.heads == []


async def test_through_a_proxy_addresses_are_judged_and_names_are_not(server):
    async with RawProxy() as proxy, guarded(proxy=proxy.url()) as fetcher:
        assert "through a proxy" in await refusal(fetcher, f"http://127.0.0.1:{server.port}/")
        await refusal(fetcher, f"https://[::1]:{server.port}/")
        assert proxy.connections == 0
        for url in (f"http://a.test:{server.port}/", f"http://localhost:{server.port}/"):
            assert (await fetcher.fetch(request(url), nothing)).body == b"secret"
        inside = request(f"http://127.0.0.1:{server.port}/", inside=True)
        assert (await fetcher.fetch(inside, nothing)).body == b"secret"


async def test_a_fetcher_that_was_given_no_reach_goes_anywhere(server):
    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=1)
    assert (await fetcher.fetch(request(f"http://127.0.0.1:{server.port}/"), nothing)).body == b"secret"
    await fetcher.aclose()
