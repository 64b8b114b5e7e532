"""The account of a crawl's runs: a row when one begins and one when it ends, whatever happens in between."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from crawler.errors import CrawlerError
from crawler.runs import Began, Ended, next_run, noted, read_runs
from tests.support.clock import FakeClock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.jsonl"


def run(path, how=None, error=None):
    with noted(path, FakeClock(), ["crawler", "crawl", "a.test"], fsync=True) as account:
        if how:
            account.end(how)
        if error:
            raise error


def test_a_run_has_a_row_for_its_beginning_and_one_for_its_end(path):
    run(path, "complete")
    began, ended = read_runs(path)
    assert (began.run, began.command, ended) == (
        1,
        ("crawler", "crawl", "a.test"),
        Ended(run=1, at=ended.at, ended="complete"),
    )
    assert began.version.startswith("crawler ")
    assert began.pid > 0
    first = msgspec.json.decode(path.read_bytes().splitlines()[0])
    assert first.keys() == {"event", "run", "at", "command", "version", "pid"}


def test_runs_are_numbered_and_nothing_before_is_changed(path):
    run(path, "budget.pages")
    before = path.read_bytes()
    assert next_run(path) == 2
    run(path, "complete")
    assert path.read_bytes().startswith(before)
    assert [(row.run, type(row)) for row in read_runs(path)] == [(1, Began), (1, Ended), (2, Began), (2, Ended)]


@pytest.mark.parametrize(
    ("error", "ended"),
    [(CrawlerError("disk"), "failed"), (RuntimeError(), "failed"), (asyncio.CancelledError(), "stop"), (None, "stop")],
)
def test_a_run_that_nobody_said_the_end_of_has_one(path, error, ended):
    if error is None:
        run(path)
    else:
        with pytest.raises(type(error)):
            run(path, error=error)
    assert read_runs(path)[-1].ended == ended


def test_the_first_word_on_how_it_ended_is_the_last(path):
    with pytest.raises(RuntimeError):
        run(path, "complete", RuntimeError())
    assert [row.ended for row in read_runs(path)[1:]] == ["complete"]


@pytest.mark.parametrize("torn", [b'{"event":"ended","ru', b"\0\0\0\0", b'{"event":"began","run":1}'])
def test_a_torn_last_line_goes_when_the_next_run_begins(path, torn):
    run(path, "complete")
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    run(path, "complete")
    assert path.read_bytes().startswith(whole + b'{"event":"began","run":2,')
    assert len(read_runs(path)) == 4


def test_lines_of_others_are_left_and_read_over(path):
    path.write_bytes(b'{"event":"moved"}\nno json\n\xff\n')
    run(path, "complete")
    assert path.read_bytes().startswith(b'{"event":"moved"}\nno json\n\xff\n')
    assert [row.run for row in read_runs(path)] == [1, 1]


def test_no_file_means_no_runs(path):
    assert read_runs(path) == []
    assert next_run(path) == 1


def test_a_beginning_that_cannot_be_noted_is_an_error_and_an_end_is_not(path, caplog):
    path.mkdir()
    with pytest.raises(CrawlerError, match="cannot be written"):
        run(path)
    path.rmdir()
    with noted(path, FakeClock(), [], fsync=False) as account:
        path.unlink()
        path.mkdir()
        account.end("complete")
    assert "the end of this run is not noted" in caplog.text
