"""What each host is told, seen from loopback servers: headers, authentication, cookies, and TLS."""

from __future__ import annotations

import logging
from base64 import b64encode

import pytest

from crawler.clock import SystemClock
from crawler.config import FetchConfig, HostFetchConfig
from crawler.errors import ConfigError, FetchError
from crawler.fetch.cookies import Cookies
from crawler.fetch.http import HttpFetcher
from crawler.fetch.identity import Identity
from crawler.models import HostKey, Request, Url
from tests.support.rawserver import RawServer, page

AGENT = "bot/1 (+https://bot.test/)"


class Telling:
    """A fetcher, and a server that notes what it is told under every name of ``.test``."""

    def __init__(self, answer=None, tls=None, **fetch):
        self._server = RawServer(answer or page(), tls=tls)
        self._fetch = {"user_agent": AGENT, **fetch}

    async def __aenter__(self):
        await self._server.__aenter__()
        config = FetchConfig(resolve={"*.test": f"127.0.0.1:{self._server.port}"}, **self._fetch)
        self._fetcher = HttpFetcher(config, SystemClock(), concurrency=4)
        return self

    async def __aexit__(self, *error):
        await self._fetcher.aclose()
        await self._server.__aexit__(*error)

    async def told(self, url, seed="http://seed.test/"):
        """The header lines sent for `url`: name in lower case -> value; fails if one is sent twice."""
        request = Request(url=Url(url), host_key=HostKey("h"), scope_host="h", seed=seed)
        await self._fetcher.fetch(request, lambda: None)
        lines = self._server.heads[-1].decode("latin-1").strip().split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in lines)
        assert len({name.lower() for name in headers}) == len(lines)
        return {name.lower(): value for name, value in headers.items()}

    @property
    def connections(self):
        return self._server.connections


def basic(text):
    return f"Basic {b64encode(text.encode()).decode()}"


async def test_every_host_is_told_who_asks():
    async with Telling(contact="bot@bot.test", headers={"X-A": "1", "accept": "text/html"}) as telling:
        assert await telling.told("http://any.test/") == {
            "host": "any.test",
            "user-agent": AGENT,
            "accept-encoding": "gzip, deflate, br, zstd",
            "from": "bot@bot.test",
            "x-a": "1",
            "accept": "text/html",
        }


async def test_no_contact_is_no_from():
    async with Telling() as telling:
        assert "from" not in await telling.told("http://any.test/")


async def test_what_is_for_one_host_is_sent_to_no_other():
    hosts = {"a.test": HostFetchConfig(auth="u:p", headers={"X-Key": "k"}), "a.test:81": HostFetchConfig(auth="v:q")}
    async with Telling(hosts=hosts) as telling:
        for url in ("http://a.test/", "http://a.test:8080/"):
            told = await telling.told(url, seed=url)
            assert (told["authorization"], told["x-key"]) == (basic("u:p"), "k")
        assert (await telling.told("http://a.test:81/"))["authorization"] == basic("v:q")
        for other in ("b.test", "x.a.test", "aa.test", "test.test"):
            assert not {"authorization", "x-key"} & (await telling.told(f"http://{other}/")).keys()


async def test_the_most_specific_pattern_wins_header_by_header():
    hosts = {
        "*.test": HostFetchConfig(headers={"x-a": "all", "X-B": "all", "X-C": "all"}, auth="all:x"),
        "*.shop.test": HostFetchConfig(headers={"X-B": "shop"}),
        "www.shop.test": HostFetchConfig(headers={"X-C": "www", "authorization": "Bearer www"}),
    }
    async with Telling(hosts=hosts, headers={"X-A": "0", "Authorization": "0"}) as telling:
        told = await telling.told("http://www.shop.test/")
        assert [told[name] for name in ("x-a", "x-b", "x-c")] == ["all", "shop", "www"]
        assert told["authorization"] == "Bearer www"
        assert (await telling.told("http://a.shop.test/"))["authorization"] == basic("all:x")


async def test_a_password_is_sent_as_utf_8():
    async with Telling(hosts={"a.test": HostFetchConfig(auth="u:pä:ss")}) as telling:
        assert (await telling.told("http://a.test/"))["authorization"] == basic("u:pä:ss")


@pytest.mark.parametrize("seed", ["https://a.test/", "a.test", "sitemap:https://a.test/sitemap.xml"])
async def test_secrets_go_over_http_only_where_the_seed_was_given_so(seed, caplog):
    hosts = {"a.test": HostFetchConfig(auth="u:hush", headers={"X-Token": "hush", "X-A": "1"})}
    with caplog.at_level(logging.WARNING, "crawler"):
        async with Telling(hosts=hosts) as telling:
            for path in ("", "x"):
                told = await telling.told(f"http://a.test/{path}", seed)
                assert not {"authorization", "x-token"} & told.keys()
                assert told["x-a"] == "1"
            for open_seed in ("http://a.test/", "HTTP://b.test", "sitemap:http://a.test/sitemap.xml", ""):
                assert {"authorization", "x-token"} <= (await telling.told("http://a.test/", open_seed)).keys()
    [record] = caplog.records
    assert record.host == "a.test"
    assert "X-Token, Authorization not sent over http" in record.why
    assert "hush" not in record.why


async def test_secrets_go_over_https_whatever_the_seed(server_tls, trusting):
    async with Telling(tls=server_tls, hosts={"shop.test": HostFetchConfig(auth="u:p")}) as telling:
        assert (await telling.told("https://shop.test/", "shop.test"))["authorization"] == basic("u:p")


async def test_a_header_that_cannot_be_sent_is_not_quoted():
    for section in ({"headers": {"X-A": "hush\r\nX-B: 1"}}, {"hosts": {"a": HostFetchConfig(headers={"Y": "hush\n"})}}):
        with pytest.raises(ConfigError) as caught:
            HttpFetcher(FetchConfig(**section), SystemClock(), concurrency=1)
        assert "hush" not in str(caught.value)


class TestCookies:
    SETTING = page(b"", b"Set-Cookie: sid=new; Path=/", b"set-cookie: more=\xe9; Domain=test.test")

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "cookies.txt"
        path.write_text("a.test\tTRUE\t/\tFALSE\t0\tsid\told\nb.test\tFALSE\t/\tTRUE\t0\tsafe\t1\n")
        return str(path)

    async def test_a_file_is_for_its_pattern_and_its_cookies_for_their_domains(self, file):
        hosts = {"a.test": HostFetchConfig(cookies=file), "b.test": HostFetchConfig(cookies=file)}
        async with Telling(hosts=hosts) as telling:
            assert (await telling.told("http://a.test/"))["cookie"] == "sid=old"
            for url in ("http://x.a.test/", "http://b.test/", "http://c.test/"):
                assert "cookie" not in await telling.told(url)

    async def test_a_file_is_kept_up_and_stays_apart_from_the_common_jar(self, file):
        hosts = {"a.test": HostFetchConfig(cookies=file)}
        async with Telling(self.SETTING, hosts=hosts, cookies=True) as telling:
            assert (await telling.told("http://a.test/"))["cookie"] == "sid=old"
            assert (await telling.told("http://a.test/"))["cookie"] == "sid=new"
            assert "cookie" not in await telling.told("http://c.test/")
            assert (await telling.told("http://c.test/"))["cookie"] == "sid=new"

    async def test_a_file_alone_keeps_no_cookies_of_others(self, file):
        async with Telling(self.SETTING, hosts={"a.test": HostFetchConfig(cookies=file)}) as telling:
            for _ in range(2):
                assert "cookie" not in await telling.told("http://c.test/")

    async def test_there_is_one_cookie_line_and_in_it_what_the_server_set_wins(self):
        async with Telling(self.SETTING, headers={"cookie": "sid=mine; theme=dark"}, cookies=True) as telling:
            assert (await telling.told("http://a.test/"))["cookie"] == "sid=mine; theme=dark"
            assert (await telling.told("http://a.test/"))["cookie"] == "theme=dark; sid=new"

    async def test_bytes_go_back_as_they_came(self):
        answer = page(b"", b"Set-Cookie: a=\xc3\xa9\xff; Path=/")
        async with Telling(answer, cookies=True) as telling:
            await telling.told("http://a.test/")
            assert (await telling.told("http://a.test/"))["cookie"] == "a=\xc3\xa9\xff"


class TestVerify:
    async def test_an_invalid_certificate_is_accepted_of_the_host_that_may_have_one(self, server_tls):
        hosts = {"shop.test": HostFetchConfig(verify=False), "*.test": HostFetchConfig(headers={"X-A": "1"})}
        async with Telling(tls=server_tls, hosts=hosts) as telling:
            await telling.told("https://shop.test/")
            with pytest.raises(FetchError) as caught:
                await telling.told("https://other.test/")
            assert caught.value.reason == "tls"

    async def test_a_more_specific_pattern_may_want_one_after_all(self, server_tls):
        hosts = {"*.test": HostFetchConfig(verify=False), "shop.test": HostFetchConfig(verify=True)}
        async with Telling(tls=server_tls, hosts=hosts) as telling:
            await telling.told("https://other.test/")
            with pytest.raises(FetchError):
                await telling.told("https://shop.test/")

    async def test_connections_are_not_shared_across_it(self, server_tls, trusting):
        hosts = {"shop.test:444": HostFetchConfig(verify=False)}
        async with Telling(tls=server_tls, hosts=hosts) as telling:
            for url in ("https://shop.test/", "https://shop.test:444/", "https://shop.test/", "https://shop.test:444/"):
                await telling.told(url)
            ways = telling._fetcher._idle.ways()
            assert sorted(way[:3] for way in ways) == [
                ("https://shop.test", True, None),
                ("https://shop.test:444", False, None),
            ]
            assert telling.connections == 2


SHOP = HostFetchConfig(auth="u:hush", headers={"X-Token": "hush", "X-Named": "hush", "X-A": "1"})


async def told_at(url, seed, hosts):
    """What is told to a port other than the default, which no name leads to."""
    asked = Request(url=Url(url), host_key=HostKey("h"), scope_host="h", seed=seed)
    config = FetchConfig(hosts=hosts)
    identity = Identity(config, Cookies(config, SystemClock()), hidden={"x-named"})
    lines = identity.told(asked, url.split("/")[2]).lines_for(asked.url)
    return {line.partition(":")[0].lower() for line in lines.splitlines()} & {
        "authorization",
        "x-token",
        "x-named",
        "x-a",
    }


@pytest.mark.parametrize(
    ("url", "seed", "pattern", "sent"),
    [
        ("https://a.test/", "https://a.test/", "a.test", True),
        ("https://a.test/", "https://a.test:8443/", "a.test", True),
        ("https://a.test:8443/", "https://a.test:8443/", "a.test", True),
        ("https://a.test:8443/", "sitemap:https://A.test:8443/s.xml", "a.test", True),
        ("https://a.test:8443/", "https://a.test/", "a.test", False),
        ("https://a.test:844/", "https://a.test:8443/", "a.test", False),
        ("https://a.test:8443/", "https://b.test/?at=a.test:8443", "a.test", False),
        ("https://xn--bcher-kva.test:8443/", "https://bücher.test:8443/", "xn--bcher-kva.test", True),
        ("https://a.test:8443/", "https://a.test/", "a.test:8443", True),
        ("https://a.test:8443/", "https://b.test:8443/", "a.test", False),
        ("https://x.a.test:8443/", "https://a.test/", "*.a.test", False),
        ("https://x.a.test:8443/", "https://a.test/", "*.a.test:8443", True),
        ("http://[::1]/", "http://[::1]/", "[::1]", True),
        ("http://[::1]:8080/", "http://[::1]/", "[::1]", False),
        ("http://a.test:8080/", "http://a.test:8080/", "a.test", True),
        ("http://a.test/", "https://a.test/", "a.test", False),
    ],
)
async def test_secrets_go_to_another_port_only_where_the_seed_or_the_pattern_names_it(url, seed, pattern, sent):
    everything = {"authorization", "x-token", "x-named", "x-a"}
    assert await told_at(url, seed, {pattern: SHOP}) == (everything if sent else {"x-a"})
