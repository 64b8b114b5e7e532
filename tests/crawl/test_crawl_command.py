"""The command line as a user meets it: seeds of every kind, where records go, what is refused, and exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys

import msgspec
import pytest

from crawler.cli import run
from tests.crawl.conftest import environment, start
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

WEB = Web(pages_per_host=20)
HTML = (("Content-Type", "text/html"),)


class Pages:
    """Any path of any host is a small page; `/missing` is not there."""

    def respond(self, host, path, visit=1):
        if path in ("/robots.txt", "/missing"):
            return Reply(404)
        return Reply(200, HTML, f"<title>{host}{path}</title>".encode())


@pytest.fixture
def pages():
    with Server(Pages()) as server:
        yield server


def test_seeds_of_every_kind_get_one_row_each_joined_to_their_outcome(crawler, fast, pages, tmp_path):
    (tmp_path / "list.txt").write_text("# shops\nhttp://a.test/1\n\nhttp://a.test/1\nnot a url\n")
    (tmp_path / "list.csv").write_text("name,url\nBlue,http://a.test/2\n")
    (tmp_path / "list.jsonl").write_text('{"url": "http://a.test/3", "id": 7}\n')
    ran = crawler(
        "list.txt", "list.csv", "list.jsonl", "-", "http://a.test/missing", *fast(pages), stdin=b"http://b.test/\n"
    )
    assert ran.code == 0, ran.stderr
    rows = ran.seeds
    assert [row["given"] for row in rows][:3] == ["http://a.test/1", "http://a.test/1", "not a url"]
    assert len(rows) == 7
    by_url = {row["url"]: row for row in rows}
    assert by_url[None]["error"]
    assert by_url["http://a.test/2"]["metadata"] == {"name": "Blue"}
    assert by_url["http://a.test/3"]["metadata"] == {"id": 7}
    assert by_url["http://b.test/"]["outcome"] == "fetched"
    assert by_url["http://a.test/missing"]["reason"] == "http_404"
    assert len(ran.pages) == 4


def test_a_seed_out_of_scope_is_excluded_and_never_requested(crawler, fast, pages):
    ran = crawler("http://a.test/1", "http://a.test/secret", *fast(pages, 'scope.exclude=["*/secret"]'))
    assert ran.code == 0, ran.stderr
    assert ran.endings()["http://a.test/secret"] == ("excluded", "seed_out_of_scope")
    assert "http://a.test/secret" not in pages.log.counts()


def test_output_can_go_to_a_file_or_be_piped(crawler, fast, tmp_path):
    with Server(WEB) as server:
        to_file = crawler(*WEB.seeds(), *fast(server), "-o", "out.jsonl", directory="one")
        assert to_file.code == 0, to_file.stderr
        assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 20
        assert not (to_file.directory / "pages.jsonl").exists()
        piped = crawler(*WEB.seeds(), *fast(server), "-o", "-", directory="two")
        assert piped.code == 0, piped.stderr
        assert piped.stdout == (piped.directory / "pages.jsonl").read_bytes()
        assert len(piped.stdout.splitlines()) == 20


def test_a_closed_pipe_ends_the_crawl_cleanly(fast, tmp_path):
    web = Web(pages_per_host=4000, latency_s=0.1)
    with Server(web) as server:
        settings = fast(server, "checkpoint.every=50ms")
        process = start(tmp_path, *web.seeds(), *settings, "-o", "-", "-d", "crawl")
        assert msgspec.json.decode(process.stdout.readline())["url"] == web.seeds()[0]
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(30) == 130, errors
        assert "Traceback" not in errors
        assert len(server.log.hits) < 4000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_commits_what_is_in_flight_and_exits_130(fast, tmp_path, number):
    web = Web(pages_per_host=4000, latency_s=0.1)  # which takes a minute at least
    with Server(web) as server:
        settings = fast(server, "checkpoint.every=50ms")
        process = start(tmp_path, *web.seeds(), *settings, "-o", "-", "-d", "crawl")
        first = process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
        assert process.returncode == 130, errors.decode()
        records = (first + rest).splitlines()
        assert records == (tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()
        assert len({msgspec.json.decode(record)["url"] for record in records}) == len(records)
        answered = sum(
            hit.ended is not None and hit.status == 200 and "robots" not in hit.path for hit in server.log.hits
        )
        assert len(records) == answered
        assert not (tmp_path / "crawl/summary.json").exists()


def test_a_used_directory_is_refused_until_fresh_moves_it_aside(crawler, fast, pages, tmp_path):
    options = ("http://a.test/", *fast(pages))
    assert crawler(*options).code == 0
    again = crawler(*options)
    assert again.code == 0
    assert "--fresh" in again.stderr
    (tmp_path / "crawl/summary.json").unlink()
    unfinished = crawler(*options)
    assert unfinished.code == 2
    assert "unfinished" in unfinished.stderr
    assert "--fresh" in unfinished.stderr
    fresh = crawler(*options, "--fresh")
    assert fresh.code == 0, fresh.stderr
    assert len(fresh.pages) == 1
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("crawl.")]) == 1


def test_exit_codes_tell_missing_seeds(crawler, fast, tmp_path):
    """`test_crawl_faults` has the code of failures that a retry may mend."""

    class Failing(Pages):
        def respond(self, host, path, visit=1):
            if host == "gone.test" or path == "/gone":
                return Reply(404)
            return Reply(500) if path == "/broken" else super().respond(host, path, visit)

    with Server(Failing()) as server:
        assert crawler("http://gone.test/", *fast(server), directory="a").code == 3
        partly = crawler("http://a.test/", "http://a.test/gone", *fast(server), directory="b")
        assert partly.code == 0
        assert crawler("not a url", *fast(server), directory="c").code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "SEED"),
        (("http://a.test/", "--dept", "2"), "--depth"),
        (("http://a.test/", "--delay", "1"), "limits.default.delay"),
        (("http://a.test/", "--depth", "-1"), "scope.max_depth"),
        (("http://a.test/", "--set", "limit.concurrency=3"), "limits"),
        (("http://a.test/", "-c", "missing.yaml"), "missing.yaml"),
        (("seeds/missing.txt",), "missing.txt"),
    ],
)
def test_a_mistake_on_the_command_line_is_named_and_exits_2(tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert run(["crawl", *arguments, "-d", "crawl"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not (tmp_path / "crawl/pages.jsonl").exists()


def test_quiet_prints_nothing_and_the_summary_names_the_files(crawler, fast, pages):
    quiet = crawler("http://a.test/", *fast(pages), "-q", directory="quiet")
    assert (quiet.stdout, quiet.stderr) == (b"", "")
    for again in ((), ("--resume",)):  # a finished crawl, which is no error
        ran = crawler("http://a.test/", *fast(pages), "-q", *again, directory="quiet")
        assert (ran.code, ran.stdout, ran.stderr) == (0, b"", "")
    told = crawler("http://a.test/", *fast(pages), directory="told")
    assert told.stdout == b""
    assert "told" in told.stderr


def test_try_prints_the_record_a_crawl_would_write(crawler, fast, pages):
    ran = crawler("http://a.test/x", *fast(pages)[2:], "--json", command="try")
    assert ran.code == 0, ran.stderr
    assert msgspec.json.decode(ran.stdout)["title"] == "a.test/x"
    missing = crawler("http://a.test/missing", *fast(pages)[2:], "--json", command="try")
    assert missing.code == 3
    assert msgspec.json.decode(missing.stdout)["reason"] == "http_404"


def test_help_does_not_import_the_http_client():
    code = "import sys; from crawler.cli import run; run(['crawl', '--help']); assert 'aiohttp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment(), timeout=20)
