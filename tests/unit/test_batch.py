"""Records of an earlier generation among those of this one: each once, where it belongs, and read only when written."""

from __future__ import annotations

import asyncio

import pytest

from crawler.batch import Batch
from crawler.checkpoint import EARLY_BYTES, Committed
from crawler.errors import ExportError
from crawler.frontier.memory import MemoryStore
from crawler.known import Known
from crawler.models import Finished, Outcome
from tests.support.frontiers import seed
from tests.unit.test_checkpoint import opened

NAMES = frozenset(("pages", "outcomes", "links", "products"))


class Carrier:
    """Gives of each URL what `records` says; remembers what it was asked for at once."""

    def __init__(self, records=lambda request: (("pages", request.url.encode()),)):
        self.records = records
        self.asked = []

    async def lines(self, requests):
        await asyncio.sleep(0)
        self.asked.append([request.url for request in requests])
        return [self.records(request) for request in requests]


def url(number):
    return f"https://a.test/{number}"


def fetched(number):
    return Finished(request=seed(url(number)), outcome=Outcome.FETCHED, has_page=True), (
        ("pages", url(number).encode()),
    )


def unchanged(number, *, has_page=True, size=20):
    known = Known(id=number + 1, has_page=has_page, bytes=size)
    return Finished(request=seed(url(number), known=known), outcome=Outcome.UNCHANGED, has_page=has_page), ()


async def lines_of(ends, carrier=None, names=NAMES):
    batch = Batch()
    for end, records in ends:
        batch.add(end, records)
    await batch.carry(carrier or Carrier(), names)
    return batch


@pytest.mark.parametrize("marks", ["", "f", "u", "uuf", "ffu", "fufuufffu", "uo", "ofuofou"])
async def test_pages_lie_in_the_order_of_their_ends_whoever_made_them(marks):
    kinds = {"f": fetched, "u": unchanged, "o": lambda n: unchanged(n, has_page=False, size=0)}
    ends = [kinds[mark](number) for number, mark in enumerate(marks)]
    batch = await lines_of(ends)
    assert batch.lines.get("pages", []) == [end.request.url.encode() for end, _ in ends if end.has_page]
    committed = Committed(pages=batch.lines.get("pages", ()), positions={}, ended=batch.finished)
    assert list(committed.news) == [records[0][1] for _, records in ends if records]


async def test_thousands_are_read_some_at_a_time_and_each_once():
    carrier = Carrier()
    await lines_of([unchanged(number) for number in range(2_500)], carrier)
    assert [len(some) for some in carrier.asked] == [1_000, 1_000, 500]
    assert [one for some in carrier.asked for one in some] == [url(number) for number in range(2_500)]


async def test_all_records_of_a_url_are_carried_but_those_that_nothing_is_written_to():
    records = (("products", b"1\n2"), ("pages", b"{}"), ("old-rule", b"3"), ("links", b"4"))
    batch = await lines_of([unchanged(0)], Carrier(lambda _: records))
    assert {name: lines for name, lines in batch.lines.items() if lines} == {
        "pages": [b"{}"],
        "products": [b"1\n2"],
        "links": [b"4"],
    }


async def test_records_of_what_has_no_page_are_carried_too():
    batch = await lines_of([unchanged(0, has_page=False)], Carrier(lambda _: (("products", b"1"),)))
    assert (batch.lines["products"], batch.lines["pages"]) == ([b"1"], [])


@pytest.mark.parametrize(
    ("end", "records"),
    [
        (unchanged(0), ()),
        (unchanged(0, size=0), ()),
        (unchanged(0), (("pages", b"{}"), ("pages", b"{}"))),
        (unchanged(0, has_page=False), (("pages", b"{}"),)),
    ],
    ids=["none", "none though nothing was said of its size", "two", "one too many"],
)
async def test_page_without_its_one_record_is_an_error_that_names_it(end, records):
    with pytest.raises(ExportError, match=url(0)):
        await lines_of([end], Carrier(lambda _: records))


async def test_nothing_can_be_carried_where_nobody_does():
    batch = Batch()
    batch.add(*unchanged(0))
    with pytest.raises(ExportError, match=f"{url(0)} is as it was"):
        await batch.carry(None, NAMES)


async def test_what_will_be_read_counts_as_if_it_waited(tmp_path):
    frontier, sinks, committer = await opened(MemoryStore(), tmp_path, carrier=Carrier())
    frontier.add([seed(url(0)), seed(url(1))])
    committer.finish(*unchanged(0, size=EARLY_BYTES - 1))
    assert not committer._due.is_set()
    committer.finish(*unchanged(1, size=1))
    assert committer._due.is_set()
    for sink in sinks.values():
        await sink.aclose()


async def test_carried_pages_are_in_the_file_and_others_have_their_line(tmp_path):
    told = []

    async def committed(commit):
        told.append(commit)

    frontier, sinks, committer = await opened(MemoryStore(), tmp_path, carrier=Carrier(), committed=committed)
    ends = [fetched(0), unchanged(1), unchanged(2, has_page=False, size=0)]
    frontier.add([end.request for end, _ in ends])
    for request, (end, records) in zip(await frontier.take([("a.test", 9)]), ends, strict=True):
        kept = Finished(
            request=request, outcome=end.outcome, has_page=end.has_page, reason=None if records else "not_modified"
        )
        committer.finish(kept, records)
    await committer._commit()
    for sink in sinks.values():
        await sink.aclose()
    assert (tmp_path / "pages.jsonl").read_text().split() == [url(0), url(1)]
    (line,) = (tmp_path / "outcomes.jsonl").read_text().splitlines()
    assert f'"url":"{url(2)}","outcome":"unchanged","reason":"not_modified"' in line
    assert told[0].pages == [url(0).encode(), url(1).encode()]
    assert told[0].news == [url(0).encode()]
