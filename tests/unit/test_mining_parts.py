"""A file of lines parted among processes, and the processes."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from crawler.errors import CrawlerError
from crawler.export.packing import PACKINGS
from crawler.mining import parts as parting
from crawler.mining.layout import keep, mapped, save
from crawler.mining.parts import parts
from crawler.mining.reading_links import source_of
from crawler.mining.tasks import Part, Task
from crawler.mining.workers import Workers

PACKERS = {packing.suffix: packing.pack for packing in PACKINGS.values()}


def link(number):
    return msgspec.json.encode({"source": f"http://a.test/{number // 7}", "target": "t", "text": "", "rel": None})


@pytest.fixture(params=PACKERS)
def links(request, tmp_path, monkeypatch):
    """A file of links, parted into small parts: its path, and its lines."""
    monkeypatch.setattr(parting, "LEAST_BYTES", 300)
    lines = [link(number) for number in range(500)]
    path = tmp_path / f"links.jsonl{request.param}"
    path.write_bytes(b"".join(PACKERS[request.param](lines[start : start + 11]) for start in range(0, 500, 11)))
    return path, lines


def content(part: Part):
    data = Path(part.path).read_bytes()[part.start : part.end]
    return data.split(b"\n")[:-1]


def test_parts_are_the_file_in_order(links, tmp_path):
    path, lines = links
    found = list(parts(path, None, tmp_path, jobs=4))
    assert len(found) > 4
    assert [part.number for part in found] == list(range(len(found)))
    assert [line for part in found for line in content(part)] == lines
    assert {part.is_spooled for part in found} == {path.suffix != ".jsonl"}


def test_lines_of_a_page_stay_together(links, tmp_path):
    path, lines = links
    found = [content(part) for part in parts(path, None, tmp_path, jobs=4, group=source_of)]
    assert [line for part in found for line in part] == lines
    assert len(found) > 4
    for before, after in itertools.pairwise(found):
        assert source_of(before[-1]) != source_of(after[0])


def test_only_what_is_committed_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(parting, "LEAST_BYTES", 300)
    path = tmp_path / "pages.jsonl"
    lines = [link(number) for number in range(100)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    end = sum(len(line) + 1 for line in lines[:60])
    assert [line for part in parts(path, end, tmp_path, jobs=2) for line in content(part)] == lines[:60]


def test_empty_file_has_no_part(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.touch()
    assert list(parts(path, None, tmp_path, jobs=2)) == []


def task(path, number=0):
    return Task(what="pages", folder=str(path.parent), part=Part(number=number, path=str(path)))


@pytest.mark.slow
def test_error_of_a_task_names_the_file(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b'{"url": 3}\n')
    with Workers(1) as workers, pytest.raises(CrawlerError, match=r"pages\.jsonl.*no page record"):
        list(workers.run([task(path)]))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to be had")
@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("write", [keep, lambda array, path: save((array,), path)])
def test_array_that_does_not_fit_on_the_disk_is_an_error_that_says_so(size, write):
    with pytest.raises(OSError, match="No space left"):
        write(np.zeros(size), Path("/dev/full"))


@pytest.mark.parametrize("array", [np.arange(7), np.zeros(0, np.uint32), np.arange(12, dtype="<u4")[::3]])
def test_arrays_are_kept_as_they_are(tmp_path, array):
    keep(array, tmp_path / "kept")
    assert mapped(tmp_path / "kept", array.dtype).tolist() == array.tolist()
    save((array, array), tmp_path / "saved")
    with (tmp_path / "saved").open("rb") as source:
        assert [np.load(source).tolist() for _ in range(2)] == [array.tolist()] * 2


@pytest.mark.slow
def test_killed_worker_is_named_and_none_is_left(tmp_path):
    path = tmp_path / "pages.jsonl"
    os.mkfifo(path)  # which nobody writes to: a task that does not end
    with Workers(2) as workers:
        pids = [worker.process.pid for worker in workers._all]

        def tasks():
            yield task(path)
            os.kill(workers._all[-1].process.pid, signal.SIGKILL)

        with pytest.raises(CrawlerError, match=rf"killed by signal 9 at part 0 of pages\.jsonl.*process {pids[-1]}"):
            list(workers.run(tasks()))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
