"""A generation's archive holds what it found anew, and beside it, in the files of those before, what it did not."""

from __future__ import annotations

import msgspec
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawler.archive.captures import UNCHANGED, Captures, Source
from crawler.archive.entry import Entry, encode
from crawler.archive.places import all_files, archive_name, name_of
from crawler.dataset.lines import Lines
from crawler.errors import ExportError
from crawler.export import carried
from crawler.export.carried import carry_archives
from crawler.export.files import FilesSink
from crawler.export.warc import WarcSink
from crawler.known import Known
from crawler.models import HostKey, Outcome, Request, Response, Url

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning")  # of warcio's

FIRST, LATER = 1_700_000_000.0, 1_700_086_400.0


def line(name, body, *, at=FIRST, outcome=Outcome.FETCHED, reason=None, status=200, known=None):
    url = Url(f"https://a.test/{name}")
    headers = ((b"Content-Type", b"text/html"),)
    response = Response(
        url=url, status=status, headers=headers, body=body, fetched_at=at, request_head=b"GET / \r\n\r\n"
    )
    request = Request(url=url, host_key=HostKey("a.test"), scope_host="a.test", seed="a.test", known=known)
    return encode(Entry(request=request, response=response, outcome=outcome, reason=reason))


def not_modified(name):
    known = Known(id=1, has_page=True, etag='"1"', at=FIRST + 7, since=FIRST)
    return line(name, b"", at=LATER, outcome=Outcome.UNCHANGED, reason="not_modified", status=304, known=known)


def same_content(name, body):
    known = Known(id=1, has_page=True, at=FIRST + 7, since=FIRST)
    return line(name, body, at=LATER, outcome=Outcome.UNCHANGED, reason="same_content", known=known)


async def archive(directory, generation, lines):
    sink = WarcSink(directory / "warc", name_of("shop", generation), software="test")
    await sink.open(None)
    await sink.append(lines)
    position = await sink.sync(fsync=False)
    await sink.aclose()
    return position


@pytest.fixture
async def two(tmp_path):
    """A crawl of three pages, and the next generation of it, in which one has changed."""
    base, new = tmp_path / "shop", tmp_path / "shop@2"
    base.mkdir()
    new.mkdir()
    await archive(base, 1, [line("a", b"<p>a"), line("b", b"<p>b"), line("c", b"<p>c")])
    carry_archives(base, new)
    await archive(new, 2, [not_modified("a"), same_content("b", b"<p>b"), line("c", b"<p>new", at=LATER)])
    return base, new


def records(path, kind):
    """Header fields and HTTP status of each record of a kind, by another reader."""
    with path.open("rb") as file:
        return [
            (dict(record.rec_headers.headers), record.http_headers.get_statuscode())
            for record in ArchiveIterator(file)
            if record.rec_type == kind
        ]


class _Options:
    verbose = False

    def __init__(self, inputs):
        self.inputs = inputs


async def test_what_has_not_changed_is_a_revisit_record_that_names_its_answer(two):
    own = two[1] / "warc" / "shop@2-00000.warc.gz"
    (not_modified, at_304), (same, at_200) = records(own, "revisit")
    assert (at_304, at_200) == ("304", "200")
    assert not_modified["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert same["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    first = records(two[0] / "warc" / "shop-00000.warc.gz", "response")
    dates = {fields["WARC-Target-URI"]: fields["WARC-Date"] for fields, _ in first}
    for fields, name in ((not_modified, "a"), (same, "b")):
        url = f"https://a.test/{name}"
        assert (fields["WARC-Refers-To-Target-URI"], fields["WARC-Refers-To-Date"]) == (url, dates[url])
    assert "WARC-Payload-Digest" not in not_modified
    checker = Checker(_Options([str(file.path) for file in all_files(two[1] / "warc")]))
    checker.process_all()
    assert checker.exit_value == 0


async def test_reader_gives_the_answers_of_then_for_those_that_say_nothing_new(two):
    reading = Captures([Source(file.path) for file in all_files(two[1] / "warc")])
    found = [(capture.request.url[-1], capture.response.body) for capture in reading]
    assert found == [("a", b"<p>a"), ("b", b"<p>b"), ("c", b"<p>c"), ("c", b"<p>new")]
    assert reading.passed_over == {UNCHANGED: 2}


async def test_generation_has_all_answers_when_the_one_before_is_gone(two, tmp_path):
    for path in sorted(two[0].rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    names = [file.path.name for file in all_files(two[1] / "warc")]
    assert names == ["shop-00000.warc.gz", "shop@2-00000.warc.gz"]
    assert archive_name(two[1] / "warc") == "shop@2"
    third = tmp_path / "shop@3"
    third.mkdir()
    carry_archives(two[1], third)
    await archive(third, 3, [line("d", b"<p>a", at=LATER)])
    (fields, _), *_ = records(third / "warc" / "shop@3-00000.warc.gz", "revisit")
    assert fields["WARC-Refers-To-Target-URI"] == "https://a.test/a"  # as of the first generation


async def test_carrying_may_be_done_again_whatever_was_done_of_it(two):
    base, new = two
    (new / "warc" / "shop-00000.warc.gz").unlink()
    (new / "warc" / "carried.db").unlink()
    (new / "warc" / "carried.db.part").write_bytes(b"torn")
    carry_archives(base, new)
    carry_archives(base, new)
    assert (new / "warc" / "shop-00000.warc.gz").samefile(base / "warc" / "shop-00000.warc.gz")
    assert (new / "warc" / "carried.db").stat().st_size > len(b"torn")
    assert not list((new / "warc").glob("*.part"))


async def test_files_are_copied_where_they_cannot_be_linked(two, monkeypatch):
    base, new = two
    (new / "warc" / "shop-00000.warc.gz").unlink()

    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    carry_archives(base, new)
    copied = new / "warc" / "shop-00000.warc.gz"
    assert copied.read_bytes() == (base / "warc" / copied.name).read_bytes()
    assert not carried.is_shared(copied)


async def test_going_on_with_an_older_generation_leaves_the_newer_one_alone(two):
    base, new = two
    linked = new / "warc" / "shop-00000.warc.gz"
    before = linked.read_bytes()
    sink = WarcSink(base / "warc", "shop", software="test")
    await sink.open(linked.stat().st_size)
    await sink.append([line("z", b"<p>z")])
    await sink.sync(fsync=True)
    await sink.aclose()
    assert linked.read_bytes() == before
    assert (base / "warc" / linked.name).stat().st_size > len(before)


def test_a_crawl_without_an_archive_has_nothing_to_carry(tmp_path):
    (tmp_path / "new").mkdir()
    carry_archives(tmp_path, tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


class TestFiles:
    @pytest.fixture
    async def base(self, tmp_path):
        directory = tmp_path / "shop"
        directory.mkdir()
        sink = FilesSink(directory / "files.jsonl", directory, most_bytes=1_000)
        await sink.open(None)
        await sink.append([line("a", b"<p>a"), line("b", b"<p>b")])
        await sink.sync(fsync=True)
        await sink.aclose()
        return directory

    @pytest.fixture
    def make(self, tmp_path, base):
        (tmp_path / "shop@2").mkdir()
        path = tmp_path / "shop@2" / "files.jsonl"
        return lambda: FilesSink(path, path.parent, most_bytes=1_000, earlier=base)

    async def test_a_line_that_is_carried_brings_its_body(self, base, make, tmp_path):
        old = list(Lines(base / "files.jsonl"))
        sink = make()
        await sink.open(None)
        await sink.append([old[0], line("b", b"<p>new")])
        await sink.sync(fsync=True)
        await sink.aclose()
        new = list(Lines(tmp_path / "shop@2" / "files.jsonl"))
        assert new[0] == old[0]
        kept = {
            path.read_bytes(): path.stat().st_nlink for path in (tmp_path / "shop@2").rglob("*.html") if path.is_file()
        }
        assert kept == {b"<p>a": 2, b"<p>new": 1}

    async def test_carried_again_after_a_crash_it_is_there_again(self, base, make, tmp_path):
        (first, _) = Lines(base / "files.jsonl")
        sink = make()
        await sink.open(None)
        await sink.append([first])
        await sink.aclose()  # before any commit
        again = make()
        await again.open(0)
        assert not [path for path in (tmp_path / "shop@2" / "files").rglob("*") if path.is_file()]
        path = tmp_path / "shop@2" / msgspec.json.decode(first)["path"]
        path.write_bytes(b"torn")
        await again.append([first])
        await again.sync(fsync=True)
        await again.aclose()
        assert path.read_bytes() == b"<p>a"
        assert list(Lines(tmp_path / "shop@2" / "files.jsonl")) == [first]

    async def test_a_body_that_somebody_took_away_stays_away(self, base, make, tmp_path, caplog):
        (first, _) = Lines(base / "files.jsonl")
        (base / msgspec.json.decode(first)["path"]).unlink()
        sink = make()
        await sink.open(None)
        await sink.append([first])
        await sink.sync(fsync=True)
        await sink.aclose()
        assert list(Lines(tmp_path / "shop@2" / "files.jsonl")) == [first]
        assert "a body is not there any more" in caplog.text

    async def test_a_line_cannot_lead_out_of_the_folder(self, make):
        sink = make()
        await sink.open(None)
        with pytest.raises(ExportError, match="is no body of a crawl"):
            await sink.append([b'{"path": "files/../../x"}'])
        await sink.aclose()
