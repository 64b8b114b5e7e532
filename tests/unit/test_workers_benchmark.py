"""How workers that share a crawl are compared with a crawl by itself."""

from __future__ import annotations

import json

from benchmarks.workers import Round, command, differing, hosts, records
from crawler.fleet.partitions import partition_of


def test_each_site_and_each_copy_has_a_partition_of_its_own():
    names = hosts(2)
    assert len(set(names)) == 10
    assert len({partition_of(name) for name in names}) == 10


def test_each_host_is_a_seed(tmp_path):
    words = list(map(str, command("8080", tmp_path, 2, ())))
    seeds = [word for word in words if word.startswith("http://")]
    assert [seed.split("/")[2] for seed in seeds] == [f"{host}:8080" for host in hosts(2)]


def test_records_are_the_same_whoever_came_first_and_whatever_the_port(tmp_path):
    for port, at in (("1", "a"), ("2", "b")):
        page = {"url": f"http://x.test:{port}/a%20b", "title": "T", "depth": int(port), "fetched_at": at}
        (tmp_path / port).write_text(json.dumps(page) + "\n")
    first, second = (dict(records(tmp_path / port, port)) for port in ("1", "2"))
    assert first == second
    assert list(first) == ["x.test/a b"]


def test_records_that_differ_or_are_missing_are_named():
    def made(**found):
        return Round(pages_per_s=1, all_ms=1, redis_ms=0, merge_s=0, records=found)

    assert differing(made(a="1", b="2"), made(a="1", b="2")) == []
    assert differing(made(a="1", b="2"), made(a="1", b="3", c="4")) == ["b", "c"]
