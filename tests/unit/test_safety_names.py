"""No page, server or URL chooses the name or the place of a file."""

from __future__ import annotations

import re

import msgspec
import pytest
from click.testing import CliRunner

from crawler.archive.entry import Entry, encode
from crawler.cli.export import export
from crawler.cli.planning import plan_of
from crawler.config.file import ConfigMistakesError, loads
from crawler.errors import ConfigError
from crawler.export.files import FilesSink
from crawler.export.warc import WarcSink
from crawler.models import HostKey, Outcome, Request, Response, Url

NAME = re.compile(r"files/([0-9a-f]{2})/\1[0-9a-f]{62}(?:\.(?:pdf|html|txt|gz|htm))?")
HOSTILE = [
    ("../../etc/passwd", "https://a.test/%2e%2e/%2e%2e/etc/passwd"),
    ("text/html/../../x", "https://a.test/..%2f..%2fx.pdf"),
    ("a/b; name=../../x", "https://a.test/x.php?y=/../../z.exe"),
    ("application/x-sh", "https://a.test/run.sh"),
    ("x\x00.sh", "https://a.test/x%00.sh"),
    ("C:\\windows\\x.bat", "https://a.test/c:%5Cwindows%5Cx.bat"),
    (".html", "https://a.test/.htaccess"),
    ("text/html\u202etxt.exe", "https://a.test/x.exe"),
    ("", "https://a.test/" + "x" * 4000 + "." + "y" * 4000),
]


def lines():
    for number, (content_type, url) in enumerate(HOSTILE):
        headers = (
            (b"Content-Type", content_type.encode()),
            (b"Content-Disposition", b"attachment; filename=\"../../../evil.sh\"; filename*=UTF-8''%2e%2e%2fevil.sh"),
            (b"Content-Location", b"/../../evil.sh"),
        )
        response = Response(url=Url(url), status=200, headers=headers, body=b"%d" % number, fetched_at=1.7e9)
        request = Request(url=Url(url), host_key=HostKey("a.test"), scope_host="a.test", seed="../../evil")
        yield encode(Entry(request=request, response=response, outcome=Outcome.FETCHED))


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


async def test_bodies_are_named_by_their_content(tmp_path):
    folder = tmp_path / "inside" / "crawl"
    folder.mkdir(parents=True)
    sink = FilesSink(folder / "files.jsonl", folder, most_bytes=1000)
    await sink.open(None)
    await sink.append([*lines()])
    await sink.sync(fsync=False)
    await sink.aclose()
    named = files_in(folder) - {"files.jsonl"}
    assert len(named) == len(HOSTILE)
    assert all(map(NAME.fullmatch, named)), named
    assert {msgspec.json.decode(line)["path"] for line in (folder / "files.jsonl").read_bytes().splitlines()} == named
    assert files_in(tmp_path) == {f"inside/crawl/{name}" for name in files_in(folder)}


async def test_an_archive_is_named_by_the_configuration(tmp_path):
    sink = WarcSink(tmp_path / "warc", "shop", software="crawler")
    await sink.open(None)
    await sink.append([*lines()])
    await sink.sync(fsync=False)
    await sink.aclose()
    assert {name.partition("-00000.warc.gz")[0].partition(".")[0] for name in files_in(tmp_path)} <= {
        "warc/shop",
        "warc/payloads",
    }


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", ".x", "", "x\x00", "a b", "x\n", "pages", "outcomes"])
def test_a_rule_whose_name_is_no_files_is_refused(name):
    text = msgspec.json.encode({"extract": {"rules": [{"name": name, "fields": {"a": "p"}}]}}).decode()
    with pytest.raises(ConfigMistakesError):
        loads(text, "crawl.yaml")


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "..", "-x", "x\n"])
def test_a_crawl_whose_name_is_no_folders_is_refused(name):
    with pytest.raises(ConfigMistakesError):
        loads(msgspec.json.encode({"name": name}).decode(), "crawl.yaml")


@pytest.mark.parametrize(
    "seed",
    [
        "http://../x",
        "https://a.test/../../x",
        "http://[::1]/",
        "http://a\u202eb.test/",
        "a.test/..",
        "https://u:p@a.test/",
    ],
)
def test_a_crawl_without_a_name_gets_one_that_stays_below_data(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        path = plan_of((seed,), None, None, ()).directory.path
    except ConfigError:
        return
    assert path.parts[:-1] == ("data",)
    assert re.fullmatch(r"[\w.-]+", path.name)
    assert not path.name.startswith(".")
    assert "p" not in path.name.split("-")


@pytest.mark.parametrize("name", ["../pages", "/etc/passwd", "..", "a/b"])
def test_an_export_reads_no_file_beside_the_crawl(name, tmp_path):
    (tmp_path / "crawl").mkdir()
    for folder in (tmp_path, tmp_path / "crawl"):
        (folder / "pages.jsonl").write_text("{}\n")
    done = CliRunner().invoke(export, [str(tmp_path / "crawl"), name])
    assert isinstance(done.exception, ConfigError)
    assert "has no records of" in str(done.exception)
