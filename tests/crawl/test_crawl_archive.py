"""A crawl's archive and files hold each answer once, whatever it went through, and give the same records again."""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
from warcio.checker import Checker

from crawler.archive.captures import Captures
from crawler.archive.records import Records
from crawler.cli import run
from crawler.dataset import archived
from tests.crawl.conftest import COMMAND, environment
from tests.support.failpoint import program
from tests.support.killing import spread
from tests.support.matrix import ROUGH, Matrix, Way

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning"),  # of warcio's
]

SMALL = replace(ROUGH, hosts=2, pages_per_host=120, flaky_share=0.0, file_share=0.1)
KEEP = ["--set=export.warc=true", '--set=export.files=["text/*", "application/*"]']
HTML = ("text/html", "application/xhtml+xml")
#: what a crawl says that is no record of an answer
BESIDE = {"outcomes.jsonl", "seeds.jsonl", "files.jsonl", "runs.jsonl"}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return Matrix(tmp_path_factory.mktemp("archive"), SMALL)


def lines(directory, name):
    return [msgspec.json.decode(line) for line in (directory / f"{name}.jsonl").read_bytes().splitlines()]


def answered(directory):
    """URL -> status of all that ended with an answer."""
    ended = [*lines(directory, "pages"), *lines(directory, "outcomes")]
    return {end["url"]: end["status"] for end in ended if end["status"] is not None}


class _Options:
    verbose = False

    def __init__(self, inputs):
        self.inputs = inputs


def keeps_each_answer_once(directory):
    """Hold archive and files against what the crawl says of itself."""
    sources = archived.sources([directory])
    reading = Captures(sources)
    found = [(capture.request.url, capture.response.status) for capture in reading]
    assert len(found) == len(dict(found)), Counter(found).most_common(3)
    assert dict(found) == answered(directory)
    assert not reading.torn
    assert not reading.passed_over
    checker = Checker(_Options([str(source.path) for source in sources]))
    checker.process_all()
    assert checker.exit_value == 0
    stored = {record["path"] for record in lines(directory, "files")}
    there = {str(path.relative_to(directory)) for path in (directory / "files").rglob("*") if path.is_file()}
    assert stored == there


def reparsed(directory, *arguments):
    done = subprocess.run(
        [*COMMAND, "reparse", directory, "--json", *arguments],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout)


def test_killed_and_resumed_it_holds_each_answer_once_and_gives_the_same_records(matrix):
    with matrix.crawl("killed", Way(every="50ms", links=True)) as crawl:
        crawl.arguments = [*crawl.arguments, *KEEP]
        crawl.complete(spread(random.Random(5), 4, 1.5))
    keeps_each_answer_once(crawl.directory)
    told = reparsed(crawl.directory)
    assert told["answers"] == len(answered(crawl.directory))
    found = told["differences"]["pages"]
    assert (found["added"], found["removed"], found["changed"]) == (0, 0, 0)
    again = crawl.directory / "reparse-1"
    names = {path.name for path in crawl.directory.glob("*.jsonl")} - BESIDE
    assert {"pages.jsonl", "links.jsonl", "items.jsonl"} <= names
    for name in names:
        assert (again / name).read_bytes() == (crawl.directory / name).read_bytes()


def test_of_a_repaired_crawl_each_url_is_extracted_once(matrix):
    with matrix.crawl("lost-lines", Way(every="50ms")) as crawl:
        crawl.arguments = [*crawl.arguments, "--set=export.warc=true"]
        crawl.complete()
        pages = crawl.directory / "pages.jsonl"
        os.truncate(pages, pages.stat().st_size // 2)
        assert crawl.live(more=("--repair",)).code == 0
    told = reparsed(crawl.directory)
    assert told["answers"] == len(answered(crawl.directory))
    assert told["passed_over"]["answer of a URL that was fetched again later"] > 0
    found = told["differences"]["pages"]
    assert (found["before"], found["added"], found["removed"], found["changed"]) == (found["now"], 0, 0, 0)


@pytest.mark.parametrize(
    ("step", "number", "how"),
    [("half", 4, "kill"), ("commit", 3, "kill"), ("fsync", 40, "unplug"), ("written", 9, "unplug")],
)
def test_dying_in_the_middle_of_a_checkpoint_loses_and_repeats_no_answer(matrix, step, number, how):
    with matrix.crawl(f"{how}-{step}", Way(every="50ms")) as crawl:
        crawl.arguments = [*crawl.arguments, *KEEP]
        assert crawl.live(program=program(step, number, how)).died
        crawl.complete()
    keeps_each_answer_once(crawl.directory)


def test_other_rules_give_other_records_and_the_difference_is_told(matrix):
    with matrix.crawl("other", Way()) as crawl:
        crawl.arguments = [*crawl.arguments, "--set=export.warc=true", "--set=scope.max_depth=2"]
        crawl.complete()
    told = reparsed(crawl.directory, "--set=extract.text=none", "--set=parse.workers=2")
    found = told["differences"]["pages"]
    assert found["changed"] == found["now"] == len(lines(crawl.directory, "pages"))
    assert found["fields"]["text"] == found["changed"]
    assert told["directory"].endswith("reparse-1")
    assert reparsed(crawl.directory)["directory"].endswith("reparse-2")
    files = sorted(str(path) for path in (crawl.directory / "warc").glob("*.gz"))
    alone = reparsed(files[0], *files[1:], "-d", str(crawl.directory / "alone"))
    assert alone["differences"] == {}
    assert (crawl.directory / "alone/pages.jsonl").read_bytes() == (crawl.directory / "pages.jsonl").read_bytes()


def test_no_secret_reaches_the_archive(matrix, monkeypatch):
    monkeypatch.setenv("HUSH", "hush-hush")
    headers = (
        '{Authorization: Bearer s3cret, Cookie: a=s3cret, X-Api-Key: s3cret, X-Plain: "${HUSH}", Accept-Language: en}'
    )
    secret = [
        f"--set=fetch.headers={headers}",
        '--set=fetch.hosts={"h1.test": {auth: "user:s3cret"}}',
    ]
    with matrix.crawl("secret", Way()) as crawl:
        crawl.arguments = [*crawl.arguments, "--set=export.warc=true", "--set=scope.max_depth=1", *secret]
        crawl.complete()
    requests = [
        record.block
        for source in archived.sources([crawl.directory])
        for record in Records(source.path)
        if record.kind == "request"
    ]
    assert len(requests) == len(answered(crawl.directory))
    assert all(b"Accept-Language: en\r\n" in block for block in requests)
    assert all(b"Authorization: <left out>\r\n" in block for block in requests)
    everything = b"".join(block for block in requests)
    assert b"s3cret" not in everything
    assert b"hush" not in everything


def test_a_killed_reparse_leaves_nothing_under_its_name_and_the_next_one_tidies_up(matrix, tmp_path):
    with matrix.crawl("tidy", Way()) as crawl:
        crawl.arguments = [*crawl.arguments, "--set=export.warc=true", "--set=scope.max_depth=2"]
        crawl.complete()
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*COMMAND, "reparse", crawl.directory, "-d", out], env=environment(), stdout=subprocess.DEVNULL
    )
    draft = tmp_path / "out.crawl-new"
    while process.poll() is None and not (draft / "pages.jsonl").exists():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
    process.kill()
    process.wait()
    assert not out.exists()
    assert draft.exists()
    reparsed(crawl.directory, "-d", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert {path.name for path in out.iterdir()} >= {"outcomes.jsonl", "pages.jsonl"}
    assert all(path.name.endswith(".jsonl") for path in out.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such file or directory"),
        (["."], ".: holds no WARC archive"),
        (["bad.warc"], "bad.warc: at byte 0: no WARC record"),
        (["bad.warc", "-d", "bad.warc"], "exists already; name another directory"),
    ],
)
def test_what_cannot_be_reparsed_is_said_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    if "bad.warc" in arguments:
        (tmp_path / "bad.warc").write_bytes(b"nothing of the kind")
    assert run(["reparse", *arguments]) in (1, 2)
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.warc"] * ("bad.warc" in arguments)


def test_an_archive_that_has_lost_its_end_is_refused_and_repaired(matrix):
    with matrix.crawl("repaired", Way()) as crawl:
        crawl.arguments = [*crawl.arguments, *KEEP, "--set=scope.max_depth=1"]
        crawl.complete()
        (archive,) = (crawl.directory / "warc").glob("*.gz")
        archive.write_bytes(archive.read_bytes()[:-1000])
        (crawl.directory / "summary.json").unlink()
        refused = crawl.live()
        assert refused.code == 1
        assert "expected at least" in refused.stderr
        assert crawl.live(more=["--repair"]).code == 0
    sources = archived.sources([crawl.directory])
    reading = Captures(sources)
    found = {capture.request.url for capture in reading}
    assert not reading.torn
    assert found < answered(crawl.directory).keys()
    assert len(found) >= len(answered(crawl.directory)) - 5
