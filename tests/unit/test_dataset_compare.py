"""What is told of the difference between two files of records is what is different between them."""

from __future__ import annotations

import random

import msgspec
import pytest

from crawler.dataset import compare as module
from crawler.dataset.compare import Difference, compare, compare_all
from crawler.errors import CrawlerError


@pytest.fixture
def files(tmp_path):
    def write(*sides):
        paths = []
        for number, records in enumerate(sides):
            path = tmp_path / f"{number}.jsonl"
            path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
            paths.append(path)
        return paths

    return write


def page(number, **fields):
    return {"url": f"https://a.test/{number}", "title": "t", **fields}


def test_same_records_in_any_order_are_no_difference(files):
    records = [page(number) for number in range(50)]
    mixed = random.Random(1).sample(records, 50)
    found = compare(*files(records, mixed), "pages")
    assert found == Difference(before=50, now=50)
    assert found.is_none


def test_added_removed_and_changed_records_are_counted_with_their_fields(files):
    before = [page(1), page(2, title=None), page(3), page(4, old=1), page(5, same=[1, {"a": 2}])]
    now = [page(2), page(3, title="u", new=None), page(4), page(5, same=[1, {"a": 2}]), page(6), page(7)]
    found = compare(*files(before, now), "pages")
    assert (found.added, found.removed, found.changed) == (2, 1, 3)
    assert found.fields == {"title": 2, "new": 1, "old": 1}
    assert found.field_examples == {
        "title": ["https://a.test/2", "https://a.test/3"],
        "new": ["https://a.test/3"],
        "old": ["https://a.test/4"],
    }
    assert found.examples == {"added": ["https://a.test/6", "https://a.test/7"], "removed": ["https://a.test/1"]}


def test_items_are_known_by_their_page_and_number_on_it(files):
    before = [{"_url": "a", "x": 1}, {"_url": "a", "x": 2}, {"_url": "b", "x": 3}]
    now = [{"_url": "a", "x": 1}, {"_url": "a", "x": 9}, {"_url": "a", "x": 4}]
    found = compare(*files(before, now), "product")
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert (found.field_examples, found.examples) == ({"x": ["a"]}, {"added": ["a"], "removed": ["b"]})


def test_a_field_may_be_called_added_or_removed(files):
    found = compare(*files([page(1, added=1), page(2)], [page(1, added=2), page(2), page(3)]), "pages")
    assert found.examples == {"added": ["https://a.test/3"]}
    assert found.field_examples == {"added": ["https://a.test/1"]}


def test_spelling_of_the_same_values_is_no_difference(tmp_path):
    for name, line in (
        ("a", b'{"url":"x","n":1.0,"t":"\\u00e9"}\n'),
        ("b", '{"url": "x", "t": "é", "n": 1}\n'.encode()),
    ):
        (tmp_path / name).write_bytes(line)
    assert compare(tmp_path / "a", tmp_path / "b", "pages").is_none


@pytest.mark.parametrize(("bound", "value"), [("_HELD", 10), ("_HELD_BYTES", 400)])
def test_records_far_apart_are_matched_on_the_disk(files, monkeypatch, bound, value):
    monkeypatch.setattr(module, bound, value)
    draw = random.Random(7)
    before = [page(number, title=draw.choice("ab")) for number in range(300)]
    now = [page(number, title=draw.choice("ab")) for number in range(100, 400)]
    draw.shuffle(before)
    draw.shuffle(now)
    old, new = ({record["url"]: record["title"] for record in side} for side in (before, now))
    found = compare(*files(before, now), "pages")
    assert (found.added, found.removed) == (100, 100)
    assert found.changed == sum(new[url] != old[url] for url in old.keys() & new.keys())


def test_what_is_no_record_is_told_with_its_line(files, tmp_path):
    before, now = files([page(1)], [page(1), {"title": "t"}])
    with pytest.raises(CrawlerError, match=r"1\.jsonl:2: not a record of pages"):
        compare(before, now, "pages")


def test_files_of_two_directories_are_compared_by_name_but_for_those_that_are_no_records_of_pages(tmp_path):
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        for name in ("outcomes.jsonl", "links.jsonl", "seeds.jsonl", "a.rejects.jsonl", "notes.txt"):
            (tmp_path / side / name).write_bytes(b"{}\n")
    (tmp_path / "old/pages.jsonl").write_bytes(b'{"url":"x"}\n')
    (tmp_path / "new/a.jsonl").write_bytes(b'{"_url":"x"}\n')
    found = compare_all(tmp_path / "old", tmp_path / "new")
    assert list(found) == ["pages", "a"]
    assert (found["pages"].removed, found["a"].added) == (1, 1)


def test_what_was_made_of_the_records_is_not_compared_unless_both_have_it(tmp_path):
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "keywords.jsonl").write_bytes(b'{"_url":"x"}\n')
    (tmp_path / "old/host_keywords.jsonl").write_bytes(b'{"host":"x.test"}\n')
    found = compare_all(tmp_path / "old", tmp_path / "new", made_of={"keywords", "host_keywords"})
    assert [(name, one.is_none) for name, one in found.items()] == [("keywords", True)]
    with pytest.raises(CrawlerError, match="host_keywords"):
        compare_all(tmp_path / "old", tmp_path / "new")
