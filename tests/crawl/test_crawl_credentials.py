"""What is meant for one host reaches no other, wherever links, redirects, robots.txt and sitemaps lead."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from crawler import Crawl
from tests.support.faults.certificates import context
from tests.support.proxy import RawProxy
from tests.support.rawserver import RawServer, page

HTML = b"Content-Type: text/html"
MEANT = frozenset(("authorization", "x-key", "cookie", "x-named"))


class Servers:
    """http, https and http on a port of its own under every name of ``.test``, and what each was told for each URL.

    Both defaults are reached by their ports, the third as ``NAME:PORT``.
    """

    def __init__(self, answers):
        self._answers = answers
        self._stack = AsyncExitStack()
        #: ``http a.test/x`` -> the headers of the last request for it, names in lower case
        self.told = {}

    async def __aenter__(self):
        async def note(head, peer):
            name = next(name for name, server in self.servers.items() if server.port == port_of(peer))
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
            where = f"{name} {headers['host'].partition(':')[0]}{first.split()[1]}"
            self.told[where] = headers
            answer = self._answers.get(where, page(b"<p>x", HTML))
            await peer.send(answer.replace(b"OTHERPORT", b"%d" % self.servers["other"].port))

        self.servers = {
            "http": RawServer(note),
            "https": RawServer(note, tls=context("good")),
            "other": RawServer(note),
        }
        for server in self.servers.values():
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(self, *error):
        await self._stack.aclose()


def port_of(peer):
    return peer._writer.get_extra_info("sockname")[1]


def to(url):
    return page(b"", b"Location: " + url, status=b"302 Found")


async def crawled(servers, folder, seed, hosts, scheme="http", more=""):
    """A crawl of `seed`; every name of ``.test`` leads to the servers."""
    resolve = f"{{'*.test': '127.0.0.1:{servers.servers[scheme].port}'}}"
    path = folder / "crawl.yaml"
    path.write_text(
        f"fetch: {{allow_addresses: [127.0.0.1], resolve: {resolve}, hosts: {{'*.test': {{verify: false}}, {hosts}}}"
        f" {more}}}\n"
        "limits: {default: {delay: 0}}\nparse: {backend: inline}\ncheckpoint: {every: 20ms, fsync: false}\n"
        "scope: {stay_on: any}\nsitemaps: {follow: true}\n"
    )
    async with Crawl(path, seeds=(seed,), directory=folder / "crawl") as crawl:
        await crawl.result()


def holds(servers, where):
    return {name for name in servers.told[where] if name in MEANT}


OWN = "a.test: {auth: 'u:p', headers: {X-Key: k, X-Named: '${NAMED}', Cookie: 'a=1'}}"


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setenv("NAMED", "value")


async def test_redirects_links_robots_and_sitemaps_of_one_host_take_nothing_to_another(tmp_path):
    answers = {
        "http a.test/": page(b"<a href=http://b.test/link>l</a><a href=/hop>h</a><img src=http://c.test/i>", HTML),
        "http a.test/hop": to(b"http://b.test/hop"),
        "http b.test/hop": to(b"http://a.test/back"),
        "http a.test/robots.txt": page(b"Sitemap: http://c.test/sitemap.xml\nSitemap: http://a.test/own.xml\n"),
        "http b.test/robots.txt": to(b"http://c.test/robots.txt"),
        "http a.test/own.xml": to(b"http://c.test/moved.xml"),
        "http sub.a.test/": page(b"x", HTML),
        "http b.test/link": page(b"<a href=http://sub.a.test/>s</a><a href=http://a.test.b.test/>t</a>", HTML),
    }
    async with Servers(answers) as servers:
        await crawled(servers, tmp_path, "http://a.test/", OWN)
    own = {where for where in servers.told if where.startswith("http a.test/")}
    assert own >= {f"http a.test/{path}" for path in ("", "hop", "back", "robots.txt", "own.xml")}
    others = servers.told.keys() - own
    assert others >= {"http b.test/link", "http b.test/hop", "http c.test/robots.txt", "http c.test/sitemap.xml"}
    assert others >= {"http c.test/moved.xml", "http sub.a.test/", "http a.test.b.test/"}
    assert all(holds(servers, where) == MEANT for where in own), servers.told
    assert not any(holds(servers, where) for where in others), servers.told


async def test_a_redirect_from_https_to_http_takes_no_secret_into_the_clear(tmp_path):
    answers = {"https a.test/": to(b"http://a.test:OTHERPORT/clear"), "other a.test/clear": page(b"x", HTML)}
    async with Servers(answers) as servers:
        port = servers.servers["other"].port
        # by an address, as a name leads to one port alone
        answers["https a.test/"] = to(b"http://127.0.0.1:%d/clear" % port)
        hosts = OWN + f", '127.0.0.1:{port}': {{auth: 'u:p', headers: {{X-Named: '${{NAMED}}', X-A: b}}}}"
        await crawled(servers, tmp_path, "https://a.test/", hosts, "https")
    assert holds(servers, "https a.test/") == MEANT
    [clear] = [where for where in servers.told if where.endswith("/clear")]
    assert not holds(servers, clear)
    assert "x-a" in servers.told[clear]


async def test_a_redirect_to_another_port_takes_no_secret_there(tmp_path):
    async with Servers({}) as servers:
        first, second = servers.servers["http"].port, servers.servers["other"].port
        servers._answers["http 127.0.0.1/"] = to(b"http://127.0.0.1:%d/hop" % second)
        await crawled(servers, tmp_path, f"http://127.0.0.1:{first}/", OWN.replace("a.test", "127.0.0.1"))
    assert holds(servers, "http 127.0.0.1/") == MEANT
    assert not holds(servers, "other 127.0.0.1/hop")
    assert not holds(servers, "other 127.0.0.1/robots.txt")


async def test_cookies_go_where_they_may_and_nowhere_else(tmp_path):
    answers = {
        "http a.test/": page(
            b"<a href=http://sub.a.test/>1</a><a href=http://b.test/>2</a><a href=/p/x>3</a>",
            HTML, b"Set-Cookie: own=1", b"Set-Cookie: wide=1; Domain=a.test", b"Set-Cookie: deep=1; Path=/p",
            b"Set-Cookie: evil=1; Domain=test", b"Set-Cookie: evil=1; Domain=b.test", b"Set-Cookie: tls=1; Secure",
        ),
        "http a.test/p/x": page(b"x", HTML),
    }  # fmt: skip
    async with Servers(answers) as servers:
        await crawled(servers, tmp_path, "http://a.test/", "", more=", cookies: true")
    assert set(servers.told["http a.test/p/x"]["cookie"].split("; ")) == {"deep=1", "own=1", "wide=1"}
    assert servers.told["http sub.a.test/"]["cookie"] == "wide=1"
    assert "cookie" not in servers.told["http b.test/"]
    assert "cookie" not in servers.told["http b.test/robots.txt"]


async def test_a_proxy_and_its_password_are_for_the_hosts_that_have_it(tmp_path):
    async with RawProxy() as proxy, Servers({}) as servers:
        port = servers.servers["http"].port
        servers._answers["http localhost/"] = to(b"http://127.0.0.1:%d/away" % port)
        hosts = f"localhost: {{proxy: 'http://me:hush@127.0.0.1:{proxy.port}', auth: 'u:p'}}"
        await crawled(servers, tmp_path, f"http://localhost:{port}/", hosts)
    assert {line.split()[1].partition("//")[2].partition(":")[0] for line in proxy.lines()} == {"localhost"}
    assert all(b"Proxy-Authorization" in head and b"\r\nAuthorization" in head for head in proxy.heads)
    assert "http 127.0.0.1/away" in servers.told
    for headers in servers.told.values():
        assert "proxy-authorization" not in headers
    assert not holds(servers, "http 127.0.0.1/away")
