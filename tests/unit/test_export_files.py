"""Bodies are stored once by content, and a crash leaves neither a line without its body nor a body without a line."""

from __future__ import annotations

import gzip
import hashlib
import os

import msgspec
import pytest

from crawler.archive.entry import Entry, Keeping, decode, encode
from crawler.config.filing import Filed, filing_problem
from crawler.errors import ExportError
from crawler.export.extensions import extension
from crawler.export.files import FileRecord, FilesSink
from crawler.export.packing import suffix
from crawler.models import Finished, HostKey, Outcome, Request, Response, Url

PDF = (b"Content-Type", b"application/pdf")


def line(number, body=None, headers=(PDF,), **changed):
    url = Url(f"https://a.test/{number}.pdf?x=1")
    body = b"%%PDF %d" % number if body is None else body
    response = Response(url=url, status=200, headers=headers, body=body, fetched_at=1_700_000_000.5)
    response = msgspec.structs.replace(response, **changed)
    request = Request(
        url=url, host_key=HostKey("a.test"), scope_host="a.test", depth=2, via="https://a.test/", seed="a"
    )
    return encode(Entry(request=request, response=response, outcome=Outcome.FETCHED))


@pytest.fixture(params=["none", "gzip", "zstd"])
def compress(request):
    return request.param


@pytest.fixture
def path(tmp_path, compress):
    return tmp_path / f"files.jsonl{suffix(compress)}"


@pytest.fixture
def make(tmp_path, path, compress):
    return lambda most_bytes=10_000: FilesSink(path, tmp_path, compress, most_bytes=most_bytes)


@pytest.fixture
async def sink(make):
    sink = make()
    await sink.open(None)
    yield sink
    await sink.aclose()


def bodies(folder):
    return sorted(path.read_bytes() for path in (folder / "files").rglob("*") if path.is_file())


async def records(make_sink, path, tmp_path):
    """What files.jsonl says, read through the crawl's own reader."""
    from crawler.dataset.lines import Lines

    return [msgspec.json.decode(one, type=FileRecord) for one in Lines(path)]


async def test_a_body_is_named_by_its_content_and_told_of_in_a_line(sink, make, path, tmp_path):
    await sink.append([line(1)])
    await sink.sync(fsync=True)
    (found,) = await records(make, path, tmp_path)
    digest = hashlib.sha256(b"%PDF 1").hexdigest()
    assert found == FileRecord(
        url="https://a.test/1.pdf?x=1",
        fetched_at="2023-11-14T22:13:20.500Z",
        status=200,
        content_type="application/pdf",
        bytes=6,
        content_digest=f"sha256:{digest}",
        path=f"files/{digest[:2]}/{digest}.pdf",
        depth=2,
        via="https://a.test/",
        seed="a",
        truncated=(),
    )
    assert (tmp_path / found.path).read_bytes() == b"%PDF 1"


async def test_one_content_is_stored_once_whatever_its_coding(sink, make, path, tmp_path):
    packed = line(2, gzip.compress(b"%PDF 1"), (PDF, (b"Content-Encoding", b"gzip")))
    await sink.append([line(1), packed, line(3, b"%PDF 1"), line(4)])
    await sink.append([line(5, b"%PDF 1")])
    await sink.sync(fsync=True)
    found = await records(make, path, tmp_path)
    assert [one.url[-9:-8] for one in found] == ["1", "2", "3", "4", "5"]
    assert bodies(tmp_path) == [b"%PDF 1", b"%PDF 4"]


async def test_codings_told_of_in_headers_of_their_own_are_all_undone(sink, make, tmp_path):
    twice = gzip.compress(gzip.compress(b"%PDF 1"))
    await sink.append([line(1, twice, (PDF, (b"Content-Encoding", b"gzip"), (b"content-encoding", b"gzip")))])
    await sink.aclose()
    assert bodies(tmp_path) == [b"%PDF 1"]


async def test_what_is_cut_or_cannot_be_decoded_says_so(make, path, tmp_path):
    sink = make(most_bytes=4)
    await sink.open(None)
    broken = (PDF, (b"Content-Encoding", b"gzip"))
    await sink.append([line(1), line(2, b"abc", is_cut=True), line(3, b"no gzip", broken), line(4, b"ok")])
    await sink.aclose()
    found = await records(make, path, tmp_path)
    assert [one.truncated for one in found] == [("body",), ("body",), ("content_encoding",), ()]
    assert bodies(tmp_path) == [b"%PDF", b"abc", b"no gzip", b"ok"]


async def test_reopening_removes_bodies_that_only_cut_lines_name(sink, make, path, tmp_path):
    await sink.append([line(1), line(2)])
    position = await sink.sync(fsync=True)
    await sink.append([line(3), line(4, b"%PDF 1")])
    await sink.aclose()
    strange = tmp_path / "files/00/mine.pdf"
    strange.parent.mkdir(exist_ok=True)
    strange.write_bytes(b"mine")
    again = make()
    await again.open(position)
    assert bodies(tmp_path) == [b"%PDF 1", b"%PDF 2", b"mine"]
    await again.append([line(5)])
    assert await again.sync(fsync=True) == path.stat().st_size
    await again.aclose()
    assert [one.url[-9:-8] for one in await records(make, path, tmp_path)] == ["1", "2", "5"]


async def test_wherever_a_write_is_torn_no_body_is_left_without_its_line(sink, make, path, tmp_path):
    await sink.append([line(1)])
    position = await sink.sync(fsync=True)
    await sink.append([line(2), line(3)])
    await sink.aclose()
    whole = path.read_bytes()
    for body in (tmp_path / "files").rglob("*.pdf"):
        if body.read_bytes() != b"%PDF 1":
            body.unlink()  # a torn line's batch has written none
    for torn in range(position, len(whole), 13):
        path.write_bytes(whole[:torn])
        again = make()
        await again.open(position)
        await again.append([line(2)])
        await again.aclose()
        assert bodies(tmp_path) == [b"%PDF 1", b"%PDF 2"]


async def test_lines_that_name_what_is_not_ours_remove_nothing(sink, make, path, tmp_path):
    position = await sink.sync(fsync=True)
    await sink.aclose()
    (tmp_path / "precious").write_bytes(b"mine")
    names = ["../precious", "precious", "files/ab/../../precious", "/etc/passwd", "files/ab/" + "ab" * 32 + "/x", ""]
    lines = b"".join(msgspec.json.encode({"path": name}) + b"\n" for name in names)
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    again = make()
    await again.open(position)
    await again.aclose()
    assert (tmp_path / "precious").read_bytes() == b"mine"


async def test_a_damaged_body_is_written_anew(sink, tmp_path):
    await sink.append([line(1)])
    await sink.sync(fsync=True)
    (body,) = (tmp_path / "files").rglob("*.pdf")
    body.write_bytes(b"")
    await sink.append([line(2, b"%PDF 1")])
    assert body.read_bytes() == b"%PDF 1"


async def test_bodies_and_folders_are_on_the_disk_before_the_lines(sink, path, tmp_path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(os.fstat(number).st_ino), fsync(number)))
    await sink.append([line(1)])
    assert await sink.sync(fsync=False)
    assert synced == []
    await sink.append([line(2)])
    await sink.sync(fsync=True)
    digest = hashlib.sha256(b"%PDF 2").hexdigest()
    folder = tmp_path / "files" / digest[:2]
    assert {(folder / f"{digest}.pdf").stat().st_ino, folder.stat().st_ino} <= set(synced[:-1])
    assert synced[-1] == path.stat().st_ino


async def test_an_error_names_the_body_and_ends_the_sink(sink, tmp_path):
    (tmp_path / "files").write_bytes(b"in the way")
    with pytest.raises(ExportError, match=r"files.*: cannot store a body"):
        await sink.append([line(1)])
    with pytest.raises(ExportError, match="did not finish"):
        await sink.append([line(2)])


@pytest.mark.parametrize(
    ("content_type", "url", "ending"),
    [
        ("image/PNG; q=1", "https://a/x.pdf", ".png"),
        ("application/octet-stream", "https://a/x.PDF?y=.exe", ".pdf"),
        (None, "https://a/x.tar.gz", ".gz"),
        (None, "https://a/x.jpeg", ".jpeg"),
        (None, "https://a/x.php", ""),
        (None, "https://a/x.EXE", ""),
        ("application/x-php", "https://a/x.desktop", ""),
        (None, "https://a/x", ""),
        (None, "https://a.com/", ""),
        (None, "https://a/.htaccess", ""),
        (None, "https://a/x.waytoolong", ""),
        (None, "https://a/x.a%2F", ""),
        ("x/../../y", "https://a/..", ""),
        ("", "https://a/x.p\u00e9f", ""),
    ],
)
def test_names_end_with_what_is_known_and_safe(content_type, url, ending):
    assert extension(content_type, url) == ending


@pytest.mark.parametrize(
    ("pattern", "url", "content_type", "is_wanted"),
    [
        ("*.pdf", "https://a/x.pdf", None, True),
        ("*.pdf", "https://a/x.pdf?y", None, False),
        ("/[.]pdf/", "https://a/x.pdf?y", None, True),
        ("image/*", "https://a/x", "IMAGE/png; x", True),
        ("image/*", "https://a/image/x", "text/html", False),
        ("application/pdf", "https://a/x", "application/pdf", True),
        ("application/pdf", "https://a/x", "application/pdfx", False),
        ("application/vnd.*", "https://a/x", "application/vnd.ms-excel", True),
        ("*/media/*", "https://a/media/x", "text/html", True),
        ("https://a/*", "https://a/media/x", "text/html", True),
    ],
)
def test_patterns_are_about_urls_or_content_types(pattern, url, content_type, is_wanted):
    assert filing_problem(pattern) is None
    assert Filed((pattern,)).wants(url, content_type) is is_wanted


@pytest.mark.parametrize("pattern", ["", "pdf", ".pdf", "/(/", "ftp://*", "image/", "/x"])
def test_patterns_that_can_match_nothing_are_refused(pattern):
    assert filing_problem(pattern)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_fetched_and_matches_is_stored_and_everything_is_archived(outcome):
    entry = decode(line(1))
    finished = Finished(request=entry.request, outcome=outcome, reason="why", target="https://t/")
    kept = dict(Keeping(warc=True, files=("*/2.pdf*", "application/*")).records(finished, entry.response))
    assert list(kept) == (["warc", "files"] if outcome is Outcome.FETCHED else ["warc"])
    assert decode(kept["warc"]) == msgspec.structs.replace(entry, outcome=outcome, reason="why", target="https://t/")
    assert Keeping(files=("*.png",)).records(finished, entry.response) == ()
