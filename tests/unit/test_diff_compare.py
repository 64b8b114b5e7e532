"""The differences of two crawls are those that a comparison in memory, as plain as can be, finds."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.diff import sorting
from crawler.diff.compare import Differences
from crawler.diff.content import FIELDS
from crawler.errors import ConfigError, CrawlerError
from crawler.export.packing import PACKINGS
from crawler.models import Outcome
from tests.support.large_crawl import make
from tests.support.two_crawls import OFFER, PRODUCT, OneCrawl, at

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "",
    "a",
    "b\0c",
    "two\nlines  and\tmore",
    "\u202eright to left",
    "<script>x</script>",
    "é\U0001f600",
    "w " * 9_000,
]
TEXTS = st.sampled_from(HOSTILE) | st.none()
NAMES = st.sampled_from(["", "p1", "p2", "p3", "q%00", "z" * 900])
PAGES = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {
            "title": TEXTS,
            "text": TEXTS,
            "lang": st.sampled_from([None, "en"]),
            "h1": st.sampled_from([(), ("a",), ("b",)]),
        },
        optional={
            "links": st.lists(st.tuples(NAMES, st.sampled_from(HOSTILE), st.none()), unique_by=lambda link: link[0])
        },
    ),
)
ITEMS = st.lists(
    st.tuples(
        NAMES,
        st.fixed_dictionaries(
            {
                "sku": st.sampled_from([None, "1", "2", "x" * 700]),
                "name": TEXTS,
                "price": st.sampled_from([None, 1, 2.5]),
            }
        ),
    ),
    max_size=8,
)


def crawl(folder, pages, items=(), **options):
    made = OneCrawl(folder, rules=[PRODUCT, OFFER], **options)
    for name, fields in pages.items():
        made.page(name, **fields)
    for page, fields in sorted(items, key=lambda item: item[0]):  # those of a page stand together
        made.item("product", page, **fields)
        made.item("offer", page, title=fields["name"], cost=fields["price"])
    return made.write()


@pytest.fixture
def crawls(tmp_path):
    made = iter(("before", "after"))
    return lambda pages, items=(), **options: crawl(tmp_path / next(made), pages, items, **options)


def found(before, after, **options):
    differences = Differences(before, after, **options)
    records = list(differences)
    told = differences.told
    for counts in filter(None, (told.pages, told.links, *told.items.values())):
        assert counts.before + counts.added - counts.removed == counts.after
        assert counts.unchanged >= 0
    return records, told


def plain(value):
    return " ".join(value.split()) if isinstance(value, str) else value


@settings(max_examples=30)
@given(PAGES, PAGES)
def test_pages_are_compared_as_in_memory(old, new):
    with TemporaryDirectory() as folder:
        sides = (crawl(Path(folder, side), pages, store=False) for side, pages in (("a", old), ("b", new)))
        records, told = found(*sides, only=("pages",))
    said = {record.url: record for record in records}
    assert [record.url for record in records] == sorted(said)
    for name in {*old, *new}:
        was, now = old.get(name), new.get(name)
        record = said.pop(at(name), None)
        if was is None or now is None:
            assert record.change == ("added" if was is None else "removed")
            continue
        differing = tuple(
            field
            for field in FIELDS
            if (plain(was.get(field)) if field == "text" else was.get(field))
            != (plain(now.get(field)) if field == "text" else now.get(field))
        )
        assert (record.fields if record else ()) == differing
        if record:
            assert set(record.before) == set(record.after) == set(differing)
            assert record.before != record.after
    assert not said
    assert (told.pages.before, told.pages.after) == (len(old), len(new))


def values(fields, names):
    return frozenset((name, msgspec.json.encode(fields[name])) for name in names if fields[name] is not None)


@settings(max_examples=30)
@given(ITEMS, ITEMS)
def test_items_are_compared_as_in_memory(old, new):
    with TemporaryDirectory() as folder:
        sides = (crawl(Path(folder, side), {}, items, store=False) for side, items in (("a", old), ("b", new)))
        records, _ = found(*sides, only=("items",))
    counts = Counter((record.rule, record.change) for record in records)
    expected = Counter()
    sides = defaultdict(lambda: ([], []))
    for side, items in enumerate((old, new)):
        best = {}
        for page, fields in sorted(items, key=lambda item: item[0]):
            value = values(fields, ("sku", "name", "price"))
            if fields["sku"] is None:
                sides["product", page][side].append(value)
            else:
                best.setdefault(fields["sku"], (page, value))
            offer = {"title": fields["name"], "cost": fields["price"]}
            sides["offer", page][side].append(values(offer, offer))
        for sku, (_, value) in best.items():
            sides["product", 0, sku][side].append(value)
    for place, (was, now) in sides.items():
        left = [list((Counter(one) - Counter(other)).elements()) for one, other in ((was, now), (now, was))]
        for one, other in zip_longest(*left):
            expected[place[0], "added" if one is None else "removed" if other is None else "changed"] += 1
    assert counts == expected


@settings(max_examples=30)
@given(PAGES, PAGES, st.booleans(), st.booleans())
def test_links_are_compared_as_in_memory_wherever_they_were_kept(old, new, first, second):
    with TemporaryDirectory() as folder:
        before = crawl(Path(folder, "a"), old, links=first, store=False)
        sides = before, crawl(Path(folder, "b"), new, links=second, store=False)
        records, told = found(*sides, only=("links",))
    was, now = (
        {(at(name), at(target)): text for name, page in pages.items() for target, text, _ in page.get("links", ())}
        for pages in (old, new)
    )
    said = {(record.url, record.target): record.change for record in records}
    assert len(said) == len(records)
    assert {link for link in said if said[link] == "added"} == now.keys() - was.keys()
    assert {link for link in said if said[link] == "removed"} == was.keys() - now.keys()
    assert {link for link in said if said[link] == "changed"} == {
        link for link in was.keys() & now.keys() if was[link] != now[link]
    }
    assert (told.links.before, told.links.after) == (len(was), len(now))


def test_the_same_crawl_elsewhere_is_no_difference(crawls):
    pages = {f"p{n}": {"text": "x" * n, "links": ("a", "b")} for n in range(20)}
    items = [("p1", {"sku": "1", "name": "a", "price": 2}), ("p2", {"sku": None, "name": "b", "price": 3})]
    records, told = found(crawls(pages, items), crawls(pages, items[::-1], compress="zstd", links=True))
    assert records == []
    assert (told.pages.unchanged, told.links.unchanged, told.items["product"].unchanged) == (20, 40, 2)


def test_an_item_is_known_by_its_key_on_whatever_page_it_stands(crawls):
    before = crawls({}, [("p1", {"sku": "1", "name": "a", "price": 1}), ("p9", {"sku": "1", "name": "z", "price": 9})])
    after = crawls({}, [("p2", {"sku": "1", "name": "a", "price": 2})])
    records, told = found(before, after, only=("items",))
    (record,) = [record for record in records if record.rule == "product"]
    assert (record.change, record.url, record.key) == ("changed", at("p2"), {"sku": "1"})
    assert (record.fields, record.before, record.after) == (("price",), {"price": 1}, {"price": 2})
    assert told.items["product"].doubles == 1


def test_of_long_texts_what_differs_is_shown(crawls):
    words = " ".join(f"word{n}" for n in range(2_000))
    before, after = crawls({"p": {"text": words}}), crawls({"p": {"text": words.replace("word1000 ", "other ")}})
    ((record,), _) = found(before, after, only=("pages",))
    assert "word1000 word1001" in record.before["text"]
    assert "word999 other word1001" in record.after["text"]
    assert all(
        len(text) <= 302 and text[0] == text[-1] == "…" for text in (record.before["text"], record.after["text"])
    )


def test_how_the_url_of_a_page_that_is_missing_ended_is_told(tmp_path):
    before, after = OneCrawl(tmp_path / "a").page("p").page("q").page("r"), OneCrawl(tmp_path / "b")
    after.end("p", Outcome.FAILED, "http_404", 404)
    after.pending = ["q"]
    records, _ = found(before.write(), after.write())
    ends = [record.ended and (record.ended.outcome, record.ended.reason) for record in records]
    assert ends == [("failed", "http_404"), ("pending", None), None]


def test_a_crawl_without_a_store_is_compared_by_its_files(crawls):
    records, _ = found(crawls({"p": {}}, store=False), crawls({"p": {"title": "t"}, "q": {}}))
    assert [(record.url, record.change) for record in records] == [(at("p"), "changed"), (at("q"), "added")]


def test_what_the_configurations_do_not_share_is_not_compared_and_named(tmp_path):
    before = OneCrawl(tmp_path / "a", rules=[PRODUCT], text="all").page("p", text="all of it")
    after = OneCrawl(tmp_path / "b", rules=[OFFER], fields=("title", "text")).page("p", text="main")
    after.item("offer", "p", title="x", cost=1)
    records, told = found(before.write(), after.write())
    assert records == []
    assert told.links is None
    assert [note.partition(":")[0] for note in told.notes] == [
        *("description", "h1", "lang", "canonical", "text"),
        *("product", "offer", "Links"),
    ]


def test_the_same_directory_twice_is_refused(crawls, tmp_path):
    one = crawls({"p": {}})
    with pytest.raises(ConfigError, match="same directory"):
        Differences(one, type(one)(tmp_path / "." / "before"))


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_a_damaged_file_is_an_error_that_names_it(crawls, compress):
    before = crawls({f"p{n}": {"text": f"{n} " * 200} for n in range(9)}, compress=compress)
    after = crawls({"p1": {}})
    (pages,) = before.spellings("pages")
    data = bytearray(pages.read_bytes())
    data[len(data) // 2 :] = b"\x00" * (len(data) - len(data) // 2)
    pages.write_bytes(data)
    with pytest.raises(CrawlerError, match=r"before/pages\.jsonl"):
        list(Differences(before, after))


def test_a_file_that_was_packed_since_is_read_whole(crawls):
    before, after = crawls({"p": {}, "q": {}}), crawls({"p": {}, "q": {}})
    pages = after.records("pages")
    after.records("pages", ".gz").write_bytes(PACKINGS["gzip"].pack(pages.read_bytes().splitlines()))
    pages.unlink()
    assert found(before, after)[0] == []


@given(st.lists(st.tuples(st.text("ab\0\nz", max_size=4), st.binary(max_size=40))), st.integers(300, 3_000))
def test_what_memory_does_not_hold_is_sorted_all_the_same(entries, most):
    with sorting.Sorter(most) as sorter:
        for entry in entries:
            sorter.add(*entry)
        assert list(sorter) == sorted(entries, key=lambda entry: entry[0])


_MEASURED = """
import sys
from pathlib import Path
from crawler.diff.changes import rows
from crawler.directory import CrawlDirectory
from tests.support.two_crawls import peak_bytes

before, after = (CrawlDirectory(Path(name)) for name in sys.argv[1:])
first = peak_bytes()
print(sum(row.change == "unchanged" for row in rows(before, after)), peak_bytes() - first)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells no peak of memory here")
def test_memory_does_not_grow_with_the_crawls(tmp_path):
    sides = [make(tmp_path / side, 14_000, links=2, words=400).folder for side in "ab"]
    held_bytes = sum(path.stat().st_size for path in tmp_path.glob("?/pages.jsonl"))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, sides)], capture_output=True, check=True, cwd=ROOT, text=True
    )
    unchanged, grown = map(int, done.stdout.split())
    assert unchanged == 14_000 * 106 // 100
    assert grown < 80 << 20 < held_bytes
