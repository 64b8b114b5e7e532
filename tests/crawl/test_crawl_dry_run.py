"""`crawler crawl --dry-run`: it asks hosts what they allow, says what follows, and fetches and writes nothing."""

from __future__ import annotations

import re
import signal

import pytest

from crawler.cli import dry_run, run
from tests.crawl.conftest import start
from tests.support.server import Server
from tests.support.web import Reply

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


class Hosts:
    """Hosts that differ in what their robots.txt says."""

    def respond(self, host, path, visit=1):
        if path == "/robots.txt":
            return self.robots(host)
        number = re.fullmatch(r"/map(\d)\.xml", path)
        if number:
            return xml("urlset", [f"<url><loc>http://{host}/{number[1]}/{page}</loc></url>" for page in range(40)])
        if path == "/maps.xml":
            return xml(
                "sitemapindex", [f"<sitemap><loc>http://{host}/map{number}.xml</loc></sitemap>" for number in "123"]
            )
        return Reply(200, (("Content-Type", "text/html"),), b"<title>A page</title>")

    def robots(self, host):
        lines = {
            "mapped.test": "Disallow: /private/\nSitemap: http://mapped.test/maps.xml",
            "slow.test": "Crawl-delay: 300",
        }
        if host == "bare.test":
            return Reply(404)
        if host == "down.test":
            return Reply(503)
        return Reply(200, (), f"User-agent: *\n{lines.get(host, '')}\n".encode())


def xml(name, entries):
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} {NAMESPACE}>\n{"".join(entries)}\n</{name}>\n'
    return Reply(200, (("Content-Type", "application/xml"),), text.encode())


@pytest.fixture
def server():
    with Server(Hosts()) as server:
        yield server


@pytest.fixture
def dry(server, tmp_path, monkeypatch, capsys):
    """Run `crawler crawl ARGUMENTS --dry-run` in an empty folder: its exit code and what it prints."""
    monkeypatch.chdir(tmp_path)

    def run_dry(*arguments, delay="20ms"):
        settings = ("--set=parse.backend=inline", f'--set=fetch.resolve={{"*.test": "127.0.0.1:{server.port}"}}')
        code = run(["crawl", *arguments, "--delay", delay, *settings, "--dry-run"])
        return code, capsys.readouterr().out

    yield run_dry
    assert list(tmp_path.iterdir()) == [], "a dry run writes nothing"
    assert {re.sub(r"\d", "N", hit.path) for hit in server.log.hits} <= {"/robots.txt", "/maps.xml", "/mapN.xml"}


def block(out, host):
    """The rows printed of a host: label -> lines."""
    rows, label = {}, ""
    for line in out.partition(f"\n{host}\n")[2].partition("\n\n")[0].splitlines():
        label = line[2:14].strip() or label
        rows.setdefault(label, []).append(line[14:])
    return rows


@pytest.mark.slow
def test_hosts_are_told_with_their_verdict_pace_and_time(dry, server):
    code, out = dry(
        *("http://mapped.test/", "http://mapped.test/private/x", "http://bare.test/", "http://slow.test/"),
        *("http://down.test/", "--set=limits.hosts={bare.test: {rate: 3/min, concurrency: 4}}"),
    )
    assert code == 0
    mapped = block(out, "mapped.test")
    assert mapped["robots.txt"] == [
        "disallows 1 of 2 seeds",
        "http://mapped.test/private/x",
        "by Disallow: /private/",
    ]
    assert mapped["delay"] == ["20ms, from limits.default.delay"]
    assert mapped["address"] == ["127.0.0.1"]
    assert mapped["sitemaps"] == ["120 URLs in 4 sitemaps", "not taken in, from sitemaps.follow: false"]
    assert mapped["time"][0].endswith("120 URLs in its sitemaps, 20ms apart")
    bare = block(out, "bare.test")
    assert bare["robots.txt"] == ["none (http_404, Not Found): all is allowed"]
    assert bare["delay"] == ['20s, from limits.hosts["bare.test"].rate']
    assert bare["concurrency"] == ['4, from limits.hosts["bare.test"].concurrency']
    assert block(out, "slow.test")["delay"] == [
        "1m, from robots.max_crawl_delay, as its robots.txt asks for 5m",
        "over 20ms from limits.default.delay",
    ]
    assert block(out, "down.test")["robots.txt"] == ["out of reach (http_503, Service Unavailable), which closes all"]
    assert "4 hosts share 127.0.0.1: mapped.test, bare.test, slow.test and 1 more" in " ".join(out.split())
    assert server.log.smallest_gap_s("mapped.test") >= 0.02
    assert server.log.max_in_flight() == 1


def test_seeds_are_told_good_bad_and_repeated_alike(dry):
    code, out = dry(
        *("http://a.test/1", "http://b.test/", "http://a.test/1", "http://a.test/no", "not a url"),
        '--set=scope.exclude=["*/no"]',
    )
    assert code == 0
    assert out.startswith(
        "Would go to data/a.test\n\n"
        "Would be fetched first:\n"
        "  http://a.test/1\n"
        "  http://b.test/\n"
        "  not http://a.test/no (argument 4: scope.exclude: */no)\n"
        "  not not a url (argument 5: 'not a url' is neither a URL nor a host)\n"
        "5 seeds at 2 hosts, 1 repeated, 1 out of scope, 1 bad\n"
    )


def test_sitemap_given_as_a_seed_is_read_and_taken_in(dry):
    code, out = dry("sitemap:http://a.test/map1.xml", "--depth=0")
    assert code == 0
    assert block(out, "a.test")["sitemaps"] == ["40 URLs in 1 sitemap"]
    assert block(out, "a.test")["time"][0].endswith("40 URLs in its sitemaps, 20ms apart")


@pytest.mark.parametrize("seeds", [["http://mapped.test/private/x", "http://down.test/"], ["not a url"]])
def test_where_no_seed_may_be_fetched_the_exit_code_says_so(dry, seeds):
    code, out = dry(*seeds)
    assert code == 3
    assert "~" not in out


def test_only_the_first_hosts_of_a_long_list_are_asked_and_the_others_counted(dry, server, monkeypatch):
    monkeypatch.setattr(dry_run, "MAX_HOSTS", 2)
    monkeypatch.setattr(dry_run, "MAX_SEEDS", 30)
    code, out = dry(*(f"http://h{number}.test/" for number in range(40)))
    assert code == 0
    assert server.log.hosts() == {"h0.test", "h1.test"}
    assert "  … and more: only the first 20 seeds are shown\n" in out
    assert "30 seeds at 30 hosts; only the first 30 seeds were read\n" in out
    assert "(the first 2 of 30):" in out
    assert "Not asked   28 other hosts\n" in out


def test_directory_that_holds_a_crawl_is_named_and_left_alone(server, tmp_path, monkeypatch, capsys):
    (tmp_path / "crawl.db").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    resolve = f'fetch.resolve={{"*.test": "127.0.0.1:{server.port}"}}'
    arguments = ["crawl", "http://a.test/", "-d", ".", "--dry-run", "--set", "parse.backend=inline", "--set", resolve]
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("Would go to . (it holds a crawl, unfinished: --resume goes on, --fresh moves that aside)\n")
    assert [path.name for path in tmp_path.iterdir()] == ["crawl.db"]


def test_a_mistake_in_the_seed_list_is_a_usage_error(dry):
    code, _ = dry("missing/list.txt")
    assert code == 2


@pytest.mark.slow
def test_ctrl_c_ends_it_at_once(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Hosts, "robots", lambda self, host: Reply(200, (), b"", 60.0 if host == "a.test" else 0.0))
    settings = ("--delay", "0", "--set", f'fetch.resolve={{"*.test": "127.0.0.1:{server.port}"}}')
    process = start(tmp_path, "http://quick.test/", "http://a.test/", *settings, "--dry-run")
    while process.stdout.readline() != b"quick.test\n":
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors.decode()
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
