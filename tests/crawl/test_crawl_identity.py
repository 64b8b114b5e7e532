"""Secrets, sessions and who we say we are, over whole crawls: seen by servers, and left in files."""

from __future__ import annotations

import pytest

from crawler import Crawl
from crawler.errors import ConfigError
from tests.support.rawserver import RawServer, page
from tests.support.server import Server
from tests.support.web import Web

HTML = b"Content-Type: text/html"


class Site:
    """Serves every name of ``.test``; `answers` by host and path, else a page without links."""

    def __init__(self, answers):
        self._answers = answers
        self._server = RawServer(self._answer)
        #: host and path -> header lines of the last request for it, in lower case
        self.asked = {}

    async def __aenter__(self):
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self._server.__aexit__(*error)

    async def _answer(self, head, peer):
        request_line, *lines = head.decode().lower().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        where = headers["host"] + request_line.split()[1]
        self.asked[where] = headers
        await peer.send(self._answers.get(where, page(b"<p>x", HTML)))

    def config(self, folder, fetch="", more=""):
        """Write a configuration; its path."""
        path = folder / "crawl.yaml"
        path.write_text(
            f"fetch: {{resolve: {{'*.test': '127.0.0.1:{self._server.port}'}}, {fetch}}}\n"
            "limits: {default: {delay: 0}}\nparse: {backend: inline}\ncheckpoint: {every: 20ms}\n"
            f"scope: {{stay_on: any}}\n{more}"
        )
        return path


def redirect(url):
    return page(b"", b"Location: " + url, status=b"302 Found")


async def run(config, directory, *seeds, **options):
    async with Crawl(config, seeds=seeds, directory=directory, **options) as crawl:
        return await crawl.result()


async def test_nothing_meant_for_one_host_reaches_another_by_way_of_redirects_and_robots(tmp_path, monkeypatch):
    answers = {
        "a.test/": redirect(b"http://b.test/landing"),
        "a.test/robots.txt": redirect(b"http://c.test/robots.txt"),
        "b.test/landing": page(b"<a href=http://a.test/private>", HTML),
    }
    monkeypatch.setenv("PASSWORD", "hush")
    (tmp_path / "cookies.txt").write_text("a.test\tFALSE\t/\tFALSE\t0\tsid\t1\n")
    async with Site(answers) as site:
        config = site.config(
            tmp_path, "hosts: {a.test: {auth: 'u:${PASSWORD}', headers: {X-Key: k}, cookies: cookies.txt}}"
        )
        await run(config, tmp_path / "crawl", "http://a.test/")
    meant = {"authorization", "x-key", "cookie"}
    assert site.asked.keys() >= {"a.test/", "a.test/private", "b.test/landing", "c.test/robots.txt"}
    for where, headers in site.asked.items():
        assert (meant & headers.keys()) == (meant if where.startswith("a.test/") else set()), where


async def test_a_session_goes_on_after_a_resume(tmp_path):
    answers = {
        "a.test/": page(b"<a href=/x>", HTML, b"Set-Cookie: sid=1"),
        "a.test/x": page(b"<a href=/y>", HTML),
    }
    async with Site(answers) as site:
        config = site.config(tmp_path, "cookies: true", "budget: {pages: 1}")
        await run(config, tmp_path / "crawl", "http://a.test/")
        assert site.asked.keys() == {"a.test/", "a.test/robots.txt"}
        config = site.config(tmp_path, "cookies: true")
        await run(config, tmp_path / "crawl", resume=True)
    assert site.asked["a.test/x"]["cookie"] == site.asked["a.test/y"]["cookie"] == "sid=1"


async def test_a_secret_that_is_written_out_is_in_no_file_and_a_resume_needs_it_again(tmp_path, caplog):
    caplog.set_level("DEBUG", "crawler")
    async with Site({"a.test/": page(b"<a href=/x>", HTML)}) as site:
        fetch = (
            "headers: {Authorization: Bearer hush-1}, hosts: {a.test: {headers: {X-Token: hush-2}, auth: 'u:hush-3'}}"
        )
        config = site.config(tmp_path, fetch, "budget: {pages: 1}")
        await run(config, tmp_path / "crawl", "http://a.test/")
        assert site.asked["a.test/"]["x-token"] == "hush-2"
        with pytest.raises(ConfigError, match=r"fetch\.headers\.Authorization: .*give -c FILE"):
            await run(None, tmp_path / "crawl", resume=True)
        assert "a.test/x" not in site.asked
        config = site.config(tmp_path, fetch, "budget: {pages: 2}")
        async with Crawl(config, directory=tmp_path / "crawl", resume=True) as crawl:
            await crawl.result()
            assert crawl._running.news == ["Changed since the last run: budget.pages: 1 -> 2"]
    assert site.asked["a.test/x"]["x-token"] == "hush-2"
    for path in (tmp_path / "crawl").iterdir():
        assert b"hush-" not in path.read_bytes(), path
    assert "hush-" not in caplog.text


async def test_a_resume_reads_a_changed_cookies_file_wherever_it_is_run(tmp_path, monkeypatch):
    file = tmp_path / "cookies.txt"
    file.write_text("a.test\tFALSE\t/\tFALSE\t0\tsid\t1\n")
    async with Site({"a.test/": page(b"<a href=/x>", HTML, b"Set-Cookie: sid=2")}) as site:
        config = site.config(tmp_path, "hosts: {a.test: {cookies: cookies.txt}}", "budget: {pages: 1}")
        await run(config, tmp_path / "crawl", "http://a.test/")
        assert site.asked["a.test/"]["cookie"] == "sid=1"
        file.write_text("a.test\tFALSE\t/\tFALSE\t0\tsid\t3\n")
        monkeypatch.chdir("/")
        stored = tmp_path / "crawl" / "crawl.yaml"
        stored.write_text(stored.read_text().replace("pages: 1", "pages: 2"))
        await run(None, tmp_path / "crawl", resume=True)
    assert site.asked["a.test/x"]["cookie"] == "sid=3"


@pytest.mark.parametrize(
    ("fetch", "told"),
    [
        (
            "headers: {X-Token: '${NOPE}'}",
            r"fetch\.headers\.X-Token: \$\{NOPE\}: the environment variable NOPE is not set",
        ),
        ("hosts: {a.test: {cookies: none.txt}}", r"none\.txt: No such file or directory: expected a cookies\.txt file"),
    ],
)
async def test_a_crawl_without_its_secrets_moves_and_writes_nothing(tmp_path, fetch, told):
    async with Site({}) as site:
        await run(site.config(tmp_path), tmp_path / "crawl", "http://a.test/")
        before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.suffix != ".yaml")
        with pytest.raises(ConfigError, match=told):
            await run(site.config(tmp_path, fetch), tmp_path / "crawl", "http://a.test/", fresh=True)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.suffix != ".yaml") == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [((), 1), (("-v",), 1), (("-q",), 0), (("--set", "fetch.user_agent=bot/1 (+https://bot.test/)"), 0)],
)
def test_a_crawl_that_names_no_contact_says_so_once(crawler, fast, options, told):
    web = Web(pages_per_host=1)
    with Server(web) as server:
        ran = crawler(*web.seeds(), *fast(server, "parse.backend=inline"), *options)
    assert ran.code == 0
    assert ran.stderr.count("names no contact") == told
    assert (ran.directory / "crawl.log").read_text().count("names no contact") == ("--set" not in options)
