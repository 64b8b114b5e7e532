"""Files that are not as they were committed: what is too much is cut off, what is missing is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest

from tests.proof.test_proof_steps import SMALL, WAY
from tests.support.audit import Harvest, output
from tests.support.failpoint import program
from tests.support.matrix import Matrix, Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SINKS = ("items", "items.rejects", "pages", "outcomes", "links")
PACKINGS = ("none", "gzip", "zstd")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    matrix = Matrix(tmp_path_factory.mktemp("damage"), SMALL)
    matrix.whole(links=True)
    return matrix


@contextmanager
def half_done(matrix, name, compress="none"):
    """A crawl that died when it had committed some of everything."""
    way = Way(every=WAY.every, links=True, concurrency=WAY.concurrency, compress=compress)
    with matrix.crawl(name, way) as crawl:
        assert crawl.live(program=program("append", 16)).died
        assert all(committed(crawl, sink) > 100 for sink in SINKS)
        yield crawl


def committed(crawl, sink):
    """The length that the store knows, which is left as it is: a copy is asked."""
    copy = crawl.directory.with_suffix(".copy")
    shutil.copytree(crawl.directory, copy)
    try:
        with closing(sqlite3.connect(copy / "crawl.db")) as store:
            return store.execute("SELECT bytes FROM file WHERE name = ?", (sink,)).fetchone()[0]
    finally:
        shutil.rmtree(copy)


@pytest.mark.parametrize("compress", PACKINGS)
@pytest.mark.parametrize("tail", [b"\n", b'{"url":"http://h0.test/pages/1","status":2', bytes(100_000)])
def test_what_a_crash_left_beyond_the_committed_length_is_cut_off(matrix, compress, tail):
    with half_done(matrix, f"longer-{compress}-{len(tail)}", compress) as crawl:
        for sink in SINKS:
            with output(crawl.directory, sink).open("ab") as file:
                file.write(tail)
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


@pytest.mark.parametrize("sink", SINKS)
def test_a_file_shorter_than_committed_is_refused_and_nothing_of_the_others_is_lost(matrix, sink):
    with half_done(matrix, f"shorter-{sink}") as crawl:
        path, length = output(crawl.directory, sink), committed(crawl, sink)
        whole = path.read_bytes()
        path.write_bytes(whole[: length - 1])
        others = {other: committed(crawl, other) for other in SINKS if other != sink}
        before = contents(crawl, others)
        life = crawl.live()
        assert life.code == 1, life.stderr
        for words in (str(path), f"{length:,}", f"{length - 1:,}", "--repair"):
            assert words in life.stderr, life.stderr
        assert contents(crawl, others) == before
        assert path.stat().st_size == length - 1
        path.write_bytes(whole)
        crawl.complete()
        Harvest.of(crawl.directory).same_as(matrix.whole(links=True))


def overwritten(path, _):
    with path.open("r+b") as file:
        file.write(bytes(8192))


def halved(path, length):
    os.truncate(path, length // 2)  # of what is committed: what was written after that may be more


def removed(path, _):
    for file in path.parent.glob(f"{path.name}*"):  # what lies beside a store belongs to it
        file.unlink()


DAMAGES = [(sink, halved, compress) for sink in SINKS for compress in PACKINGS]
DAMAGES += [(sink, removed, "none") for sink in SINKS]
DAMAGES += [("crawl.db", overwritten, "none"), ("crawl.db", removed, "gzip")]


@pytest.mark.parametrize(("name", "damage", "compress"), DAMAGES)
def test_damage_is_refused_by_name_and_repaired_where_asked(matrix, name, damage, compress):
    with half_done(matrix, f"{name}-{damage.__name__}-{compress}", compress) as crawl:
        path = crawl.directory / name if name == "crawl.db" else output(crawl.directory, name)
        damage(path, 0 if name == "crawl.db" else committed(crawl, name))
        life = crawl.live()
        assert life.code == 1, life.stderr
        assert str(path) in life.stderr
        assert "--repair" in life.stderr
        life = crawl.live(more=("--repair",))
        assert life.code == 0, life.stderr
        harvest = Harvest.of(crawl.directory)
        whole = matrix.whole(links=True)
        assert harvest.endings == whole.endings
        assert harvest.files == whole.files
        assert crawl.live().code == 0


def contents(crawl, lengths):
    """What is committed of some output files."""
    return {sink: output(crawl.directory, sink).read_bytes()[:length] for sink, length in lengths.items()}
