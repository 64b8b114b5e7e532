"""Certificates are checked, what turns that off is loud and for hosts of one owner, and no variable changes it."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from contextlib import aclosing

import msgspec
import pytest

from crawler.account import Summary
from crawler.cli import NO_SEED, run
from crawler.config import CrawlConfig, FetchConfig, HostFetchConfig
from crawler.config.file import ConfigMistakesError, loads
from crawler.config.rules import problems
from crawler.fetch.certificates import certificates_later
from tests.support.faults.certificates import context
from tests.support.fetching import fetcher_for, get
from tests.support.proxy import failure_of
from tests.support.rawserver import RawServer, page
from tests.unit.test_dataset_why import summary
from tests.unit.test_summary import account

SHOP = {"resolve": {"*.test": "127.0.0.1"}}


async def test_a_certificate_nobody_vouches_for_is_refused(server_tls):
    async with RawServer(page(), tls=server_tls) as server, aclosing(fetcher_for(**SHOP)) as fetcher:
        assert (await failure_of(fetcher, f"https://shop.test:{server.port}/")).reason == "tls"
        assert server.heads == []


async def test_only_the_hosts_that_are_named_go_unchecked(server_tls):
    hosts = {"shop.test": HostFetchConfig(verify=False)}
    async with RawServer(page(), tls=server_tls) as server, aclosing(fetcher_for(**SHOP, hosts=hosts)) as fetcher:
        assert (await get(fetcher, f"https://shop.test:{server.port}/")).status == 200
        assert (await failure_of(fetcher, f"https://proxy.test:{server.port}/")).reason == "tls"


@pytest.mark.parametrize("pattern", ["*.com", "*.co.uk", "*.github.io", "*.com:8443", "*.xn--p1ai"])
def test_nobody_can_turn_it_off_for_hosts_of_everybody(pattern):
    with pytest.raises(ConfigMistakesError, match=r"crawl.yaml:1:\d+: .*verify: false: expected hosts of one owner"):
        loads(f'fetch: {{hosts: {{"{pattern}": {{verify: false}}}}}}', "crawl.yaml")


def test_nor_for_every_host():
    with pytest.raises(ConfigMistakesError, match="expected a host such as"):
        loads('fetch: {hosts: {"*": {verify: false}}}', "crawl.yaml")
    with pytest.raises(ConfigMistakesError, match="unknown key"):
        loads("fetch: {verify: false}", "crawl.yaml")


@pytest.mark.parametrize(
    "pattern", ["shop.com", "*.shop.com", "*.test", "*.internal", "*.lan:8443", "127.0.0.1", "[::1]"]
)
def test_it_can_be_turned_off_for_hosts_of_ones_own(pattern):
    assert not [*problems(CrawlConfig(fetch=FetchConfig(hosts={pattern: HostFetchConfig(verify=False)})))]


def test_a_pattern_that_covers_everybody_may_say_that_it_is_on():
    assert not [*problems(CrawlConfig(fetch=FetchConfig(hosts={"*.com": HostFetchConfig(verify=True)})))]


def test_check_warns_of_each_pattern(tmp_path, capsys):
    path = tmp_path / "crawl.yaml"
    path.write_text("fetch: {hosts: {a.test: {verify: false}, '*.b.test': {verify: false}, c.test: {verify: true}}}\n")
    assert run(["check", str(path)]) == 0
    said = capsys.readouterr().err
    assert 'warning: fetch.hosts["a.test"].verify: false: certificates of a.test are not checked' in said
    assert said.count("warning: ") == 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--quiet"], ["--verbose"]])
def test_a_crawl_says_so_at_its_start_in_its_log_and_in_its_summary(tmp_path, capsys, options):
    told = ["--set", "fetch.hosts={a.test: {verify: false}}", "--set", "parse.backend=inline"]
    assert run(["crawl", "http://[", "-d", str(tmp_path / "crawl"), *told, *options]) == NO_SEED
    said = capsys.readouterr().err
    assert "certificates of a.test are not checked" in said
    assert "certificates are not checked host=a.test" in (tmp_path / "crawl" / "crawl.log").read_text()
    assert json.loads((tmp_path / "crawl" / "summary.json").read_text())["unverified"] == ["a.test"]


@pytest.mark.slow
def test_a_dry_run_says_so_once(tmp_path):
    options = ["-d", str(tmp_path / "crawl"), "--set", "fetch.hosts={a.test: {verify: false}}"]
    command = [sys.executable, "-m", "crawler", "crawl", "http://127.0.0.1:9/", "--dry-run", *options]
    said = subprocess.run(command, capture_output=True, check=False, text=True).stderr
    assert said.count("certificates") == 1
    assert "certificates of a.test are not checked" in said


def test_the_account_of_a_run_names_the_patterns():
    text = account(unverified=("a.test", "*.b.test"))
    assert "Certificates were not checked (fetch.hosts, verify: false): a.test, *.b.test" in text


def test_contexts_made_for_us_log_no_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with certificates_later():
        made = ssl.create_default_context()
    assert made.keylog_filename is None
    assert os.environ["SSLKEYLOGFILE"] == str(tmp_path / "keys")
    assert not (tmp_path / "keys").exists()


@pytest.mark.slow
async def test_the_environment_changes_nothing_that_nobody_asked_for(tmp_path):
    """Proxies, passwords of .netrc and the keys of TLS connections."""
    (tmp_path / ".netrc").write_text("default login SECRETUSER password SECRETPASSWORD\n")
    (tmp_path / ".netrc").chmod(0o600)
    code = """
import asyncio, sys
from crawler.fetchers import http
from crawler.clock import SystemClock
from crawler.config import FetchConfig, HostFetchConfig
from crawler.seeds import seed_request, single_seed

async def main():
    config = FetchConfig(hosts={"127.0.0.1": HostFetchConfig(verify=False)})
    fetcher = http()(config, SystemClock(), concurrency=1)
    print((await fetcher.fetch(seed_request(single_seed(sys.argv[1])), lambda: None)).status)
    await fetcher.aclose()

asyncio.run(main())
"""
    dead = "http://127.0.0.1:9"
    environ = {
        **os.environ, "HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc"), "SSLKEYLOGFILE": str(tmp_path / "keys"),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), dead),
    }  # fmt: skip
    for tls in (None, context("good")):
        async with RawServer(page(), tls=tls) as server:
            done = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", code, server.url()],
                env=environ,
                capture_output=True,
                check=False,
            )
            assert done.stdout == b"200\n", done.stderr
            assert b"authorization" not in server.heads[0].lower()
    assert not (tmp_path / "keys").exists()


def test_older_summaries_are_still_read():
    stored = msgspec.to_builtins(summary(stopped_by=None))
    del stored["unverified"]
    assert msgspec.convert(stored, Summary).unverified == ()
