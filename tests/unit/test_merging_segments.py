"""Whose directories are merged is read from what each says of itself; strangers are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from crawler.errors import ConfigError, CrawlerError
from crawler.merging.segments import (
    Fleet,
    Worker,
    crawl_id,
    read_fleet,
    refuse_strangers,
    segments,
    worker_directory,
    write_fleet,
    write_worker,
)

CRAWL = crawl_id("crawler:shop", 17)


def worker(number, crawl=CRAWL):
    return Worker(id=number, name="host-1", crawl=crawl, url="redis://127.0.0.1:6379/0", prefix="crawler:shop")


def made(directory, number, crawl=CRAWL):
    path = worker_directory(directory, number, f"host.{number}/../x")
    path.mkdir(parents=True)
    write_worker(path, worker(number, crawl))
    return path


def test_workers_are_found_by_number_wherever_the_crawl_or_one_of_them_is_named(tmp_path):
    paths = {number: made(tmp_path, number) for number in (10, 2, 1)}
    (tmp_path / "workers" / "notes").mkdir()
    assert [(one.path, one.worker.id) for one in segments(tmp_path)] == [(paths[n], n) for n in (1, 2, 10)]
    assert [one.worker.id for one in segments(paths[2])] == [2]
    assert segments(tmp_path / "workers" / "notes") == []
    assert segments(tmp_path / "nowhere") == []


def test_a_worker_s_name_never_leads_out_of_the_folder(tmp_path):
    assert worker_directory(tmp_path, 3, "../../etc").parent == tmp_path / "workers"
    assert worker_directory(tmp_path, 3, "..").name == "3-worker"
    assert worker_directory(tmp_path, 3, "web 1:ä").name == "3-web-1"


def test_the_crawl_s_mark_is_read_as_it_was_written(tmp_path):
    assert read_fleet(tmp_path) is None
    fleet = Fleet(name="shop", crawl=CRAWL, url="redis://127.0.0.1:6379/0", prefix="crawler:shop", partitions=8)
    write_fleet(tmp_path, fleet)
    assert read_fleet(tmp_path) == fleet


def test_another_crawl_s_worker_is_refused_and_one_given_twice(tmp_path):
    made(tmp_path, 1)
    other = made(tmp_path / "b", 2, crawl_id("crawler:shop", 18))
    with pytest.raises(ConfigError, match="another crawl") as caught:
        refuse_strangers([*segments(tmp_path), *segments(other)], CRAWL)
    assert str(other) in str(caught.value)
    made(tmp_path / "c", 1)
    with pytest.raises(ConfigError, match="worker 1's, and so is"):
        refuse_strangers([*segments(tmp_path), *segments(tmp_path / "c")], CRAWL)
    refuse_strangers([*segments(tmp_path), *segments(tmp_path)], CRAWL)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": "x"}', b"\xff"])
def test_a_file_that_is_none_of_ours_is_named(tmp_path, content):
    path = made(tmp_path, 1) / "worker.json"
    path.write_bytes(content)
    with pytest.raises(CrawlerError, match=r"worker\.json"):
        segments(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    path = made(tmp_path, 1) / "worker.json"
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(CrawlerError, match="format 2"):
        segments(tmp_path)


def test_workers_that_begin_at_the_same_moment_mark_their_directory_together(tmp_path):
    fleet = Fleet(name="c", crawl=CRAWL, prefix="crawler:c", url="redis://127.0.0.1:6379/0", partitions=8)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: write_fleet(tmp_path, fleet), range(200)))
    assert read_fleet(tmp_path) == fleet
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.json"]
