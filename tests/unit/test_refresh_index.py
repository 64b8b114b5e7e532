"""Records of the generation before are found again, byte for byte, whatever files they lie in."""

from __future__ import annotations

import gzip
import os
import random
from contextlib import closing
from types import SimpleNamespace

import msgspec
import pytest

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.packing import PACKINGS, suffix
from crawler.frontier.sqlite_schema import open_store
from crawler.models import LINKS, OUTCOMES, PAGES, Kind
from crawler.refresh import carry
from crawler.refresh.base import Base
from crawler.refresh.carry import RecordCarrier
from crawler.refresh.index import INDEX, forget, index_records
from crawler.refresh.seeding import RefreshSeeds
from crawler.url import fingerprint

SINKS = ("products", OUTCOMES, PAGES, LINKS)
PAGE_COUNT = 300


def url(number):
    return f"https://shop.test/{number}"


def of(number):
    """The lines of one URL: sink -> lines. Not all have any, and 7 is no page, but has items."""
    rng = random.Random(number)
    page = {"url": url(number), "text": "ü" * rng.randrange(2000), "content_digest": f"sha256:{number}"}
    lines = {PAGES: [page | {"fetched_at": "2026-01-02T03:04:05.000Z"}]} if number % 7 else {}
    lines["products"] = [{"_url": url(number), "name": f"{n}"} for n in range(rng.randrange(3))]
    lines[LINKS] = [{"source": url(number), "target": url(n), "text": "", "rel": None} for n in range(number % 5)]
    return {sink: [msgspec.json.encode(line) for line in some] for sink, some in lines.items() if some}


@pytest.fixture(params=PACKINGS)
def base(tmp_path, request):
    """A crawl in whose files pages stand in another order than in its store."""
    return made(tmp_path / "shop", request.param)


def made(path, compress="none"):
    path.mkdir()
    directory = CrawlDirectory(path)
    with closing(open_store(directory.store, fsync=False)) as store:
        key = int(store.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0], 16)
        marks = b"".join(fingerprint(url(n), key).to_bytes(8, "little") for n in range(1, PAGE_COUNT + 1))
        store.execute("INSERT INTO seen VALUES (1, ?)", (marks,))
        store.execute("INSERT INTO host (id, name) VALUES (1, 'shop.test')")
        store.execute("INSERT INTO seed VALUES (1, 'shop.test', 'shop.test')")
        rows = [(n, 1, 32, 0, None, 1, url(n), None) for n in range(1, PAGE_COUNT + 1)]
        store.executemany("INSERT INTO url VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    order = random.Random(1).sample(range(1, PAGE_COUNT + 1), PAGE_COUNT)
    for sink in (PAGES, "products", LINKS):
        batches = [order[at : at + 40] for at in range(0, len(order), 40)]
        packed = [[line for n in batch for line in of(n).get(sink, ())] for batch in batches]
        pack = PACKINGS[compress].pack
        directory.records(sink, suffix(compress)).write_bytes(b"".join(pack(lines) for lines in packed if lines))
    return directory


@pytest.fixture
def into(tmp_path):
    (tmp_path / "shop@2").mkdir()
    return tmp_path / "shop@2"


async def carried(into, numbers):
    carrier = RecordCarrier(into)
    try:
        return await carrier.lines([SimpleNamespace(known=SimpleNamespace(id=n)) for n in numbers])
    finally:
        carrier.close()


async def test_each_url_has_all_its_lines_byte_for_byte(base, into):
    index_records(base, into, SINKS)
    asked = [*random.Random(2).choices(range(1, PAGE_COUNT + 1), k=500), PAGE_COUNT + 1, 0]
    found = await carried(into, asked)
    expected = [
        {sink: b"\n".join(lines) for sink, lines in of(n).items()} if 0 < n <= PAGE_COUNT else {} for n in asked
    ]
    assert [dict(records) for records in found] == expected
    with Base(base.store, into / INDEX) as urls:
        for known in urls.urls(at_once=50):
            lines = [line for some in of(known.id).values() for line in some]
            assert known.bytes == (sum(len(line) + 1 for line in lines) or None)
            assert known.digest == (f"sha256:{known.id}" if known.id % 7 else None)
    forget(into)
    assert list(into.iterdir()) == []


async def test_what_is_read_at_once_makes_no_difference(base, into, monkeypatch):
    index_records(base, into, SINKS)
    whole = await carried(into, range(1, PAGE_COUNT + 1))
    monkeypatch.setattr(carry, "_READ_BYTES", 1)
    assert await carried(into, range(1, PAGE_COUNT + 1)) == whole


async def test_an_index_is_made_once_and_anew_where_it_does_not_fit(tmp_path, into, monkeypatch):
    base = made(tmp_path / "shop")
    index_records(base, into, SINKS)
    with monkeypatch.context() as patched:
        patched.setattr("crawler.refresh.index.Lines", None)  # nothing is read again
        index_records(base, into, SINKS)
    pages = base.records(PAGES)
    lines = pages.read_bytes().splitlines(keepends=True)
    pages.write_bytes(b"".join(reversed(lines)))
    index_records(base, into, SINKS)
    assert dict((await carried(into, [1]))[0])[PAGES] == of(1)[PAGES][0]
    (into / INDEX).write_bytes(b"no database " * 1000)
    index_records(base, into, SINKS)
    assert dict((await carried(into, [1]))[0])[PAGES] == of(1)[PAGES][0]


def test_a_death_while_it_is_made_leaves_none_that_counts(tmp_path, into, monkeypatch):
    base = made(tmp_path / "shop", "gzip")
    with monkeypatch.context() as patched:
        patched.setattr("crawler.refresh.index._number", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index_records(base, into, SINKS)
    index_records(base, into, SINKS)
    with Base(base.store, into / INDEX) as urls:
        assert sum(known.bytes or 0 for known in urls.urls()) > 0


def test_without_sinks_nothing_is_read_and_nothing_held(base, into):
    base.records(PAGES).write_bytes(b"no record\n")
    index_records(base, into, [])
    with Base(base.store, into / INDEX) as urls:
        assert {known.bytes for known in urls.urls()} == {None}


async def test_records_that_went_or_changed_meanwhile_are_told_of(tmp_path, into):
    base = made(tmp_path / "shop")
    index_records(base, into, SINKS)
    pages = base.records(PAGES)
    carrier = RecordCarrier(into)
    asked = [SimpleNamespace(known=SimpleNamespace(id=n)) for n in range(1, PAGE_COUNT)]
    os.truncate(pages, pages.stat().st_size // 2)
    with pytest.raises(CrawlerError, match=rf"{pages}: byte [\d,]+: not the record that was there"):
        await carrier.lines(asked)
    carrier.close()
    pages.unlink()
    with pytest.raises(CrawlerError, match=r"pages.jsonl: cannot be read: .* has to stay where it was"):
        RecordCarrier(into)


@pytest.mark.parametrize("line", [b"{}", b"[]", b"no json", b'{"url": 1}'])
def test_a_line_that_is_no_record_is_told_of_with_its_byte(tmp_path, into, line):
    base = made(tmp_path / "shop")
    pages = base.records(PAGES)
    length = pages.stat().st_size
    with pages.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(CrawlerError, match=rf"{pages}: byte {length:,}: not a record of pages"):
        index_records(base, into, SINKS)


def test_a_file_that_is_there_twice_is_refused(tmp_path, into):
    base = made(tmp_path / "shop")
    base.records(PAGES, ".gz").write_bytes(gzip.compress(b""))
    with pytest.raises(CrawlerError, match=r"pages.jsonl and pages.jsonl.gz are both there"):
        index_records(base, into, SINKS)


def test_what_was_cut_short_is_known_to_be_so(tmp_path, into):
    base = made(tmp_path / "shop")
    pages = base.records(PAGES)
    lines = [msgspec.json.decode(line) for line in pages.read_bytes().splitlines()]
    for page in lines:
        page["truncated"] = {url(1): ["body"], url(2): ["text"]}.get(page["url"], [])
    pages.write_bytes(b"".join(msgspec.json.encode(page) + b"\n" for page in lines))
    with closing(open_store(base.store, fsync=False)) as store:
        store.executemany("INSERT INTO validator VALUES (?, ?, NULL)", [(1, '"tag"'), (2, '"tag"')])
        store.execute("INSERT INTO done SELECT value, 'fetched', NULL, 200, NULL, 1, 9, 1 FROM json_each('[1,2]')")
    index_records(base, into, SINKS)
    with Base(base.store, into / INDEX) as urls:
        seeds = RefreshSeeds(urls, None, SimpleNamespace(reads_anew=lambda _: False, skip=lambda _: None), carries=True)
        requests, _ = seeds._batch(Kind.PAGE, 0)
    cut, whole = (request.known for request in requests[:2])
    assert (cut.etag, cut.digest, cut.has_page) == (None, "", True)
    assert (whole.etag, whole.digest) == ('"tag"', "sha256:2")
    assert cut.bytes > 0
