"""A crawl directory read back."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from crawler.dataset.records import links, outcomes, pages, seeds, sitemaps
from crawler.errors import CrawlerError
from crawler.export.outcomes import outcome_line, seed_line
from crawler.export.packing import PACKINGS
from crawler.extract.page import Extractor, Settings
from crawler.models import Finished, Kind, Outcome, Request, Response
from crawler.seeds import read_seeds

REQUEST = Request(url="https://a.test/", host_key="a.test", scope_host="a.test", seed="a.test", id=1)
END = Finished(request=REQUEST, outcome=Outcome.FAILED, reason="timeout")


def test_outcomes_and_seeds_come_back_as_they_were_written(tmp_path):
    (tmp_path / "outcomes.jsonl").write_bytes(outcome_line(END) + b"\n")
    (seed,) = read_seeds(["a.test"])
    (tmp_path / "seeds.jsonl").write_bytes(seed_line(seed, END) + b"\n")
    (outcome,) = outcomes(tmp_path)
    assert (outcome.url, outcome.outcome, outcome.reason) == ("https://a.test/", Outcome.FAILED, "timeout")
    (row,) = seeds(tmp_path)
    assert (row.given, row.final_url) == ("a.test", "https://a.test/")


def test_a_directory_may_be_named_by_a_text(tmp_path):
    (tmp_path / "outcomes.jsonl").write_bytes(outcome_line(END) + b"\n")
    assert list(outcomes(str(tmp_path))) == list(outcomes(tmp_path))


def test_a_line_still_being_written_is_left_out(tmp_path):
    (tmp_path / "outcomes.jsonl").write_bytes(outcome_line(END) + b"\n" + outcome_line(END)[:20])
    assert len(list(outcomes(tmp_path))) == 1


def test_a_missing_file_and_a_foreign_line_are_named(tmp_path):
    with pytest.raises(CrawlerError, match=r"pages\.jsonl: cannot be read"):
        list(pages(tmp_path))
    (tmp_path / "pages.jsonl").write_bytes(msgspec.json.encode({"title": "x"}) + b"\n")
    with pytest.raises(CrawlerError, match=r"pages\.jsonl:1: not a PageRecord"):
        list(pages(tmp_path))


@pytest.mark.parametrize("packing", PACKINGS.values(), ids=PACKINGS)
def test_records_are_found_however_their_file_is_compressed(tmp_path, packing):
    response = Response(
        url=REQUEST.url, status=200, headers=((b"content-type", b"text/html"),), body=b"<a href=/x>to x</a>"
    )
    for name, lines in Extractor(Settings(link_lines=True)).page(REQUEST, response).records:
        (tmp_path / f"{name}.jsonl{packing.suffix}").write_bytes(packing.pack([lines]))
    (tmp_path / f"outcomes.jsonl{packing.suffix}").write_bytes(packing.pack([outcome_line(END)]))
    (page,) = pages(tmp_path)
    (link,) = links(tmp_path)
    assert (page.url, link.source, link.target, link.text) == (REQUEST.url, page.url, "https://a.test/x", "to x")
    assert [outcome.reason for outcome in outcomes(tmp_path)] == ["timeout"]


def test_entries_of_sitemaps_come_back_as_they_were_written(tmp_path):
    asked = msgspec.structs.replace(REQUEST, kind=Kind.SITEMAP)
    response = Response(url=REQUEST.url, status=200, body=b"https://a.test/x\nhttps://a.test/y")
    ((name, lines),) = Extractor(Settings(sitemap_lines=True)).page(asked, response).records
    (tmp_path / f"{name}.jsonl").write_bytes(lines + b"\n")
    assert [(line.kind, line.url) for line in sitemaps(tmp_path)] == [
        ("url", "https://a.test/x"),
        ("url", "https://a.test/y"),
    ]


def test_a_file_that_is_there_twice_is_not_guessed_at(tmp_path):
    (tmp_path / "outcomes.jsonl").write_bytes(outcome_line(END) + b"\n")
    (tmp_path / "outcomes.jsonl.gz").write_bytes(gzip.compress(outcome_line(END) + b"\n"))
    with pytest.raises(CrawlerError, match=r"outcomes\.jsonl and outcomes\.jsonl\.gz are both there, expected one"):
        list(outcomes(tmp_path))


def test_links_that_were_not_asked_for_are_missing_by_name(tmp_path):
    with pytest.raises(CrawlerError, match=r"links\.jsonl: cannot be read: No such file"):
        list(links(tmp_path))
