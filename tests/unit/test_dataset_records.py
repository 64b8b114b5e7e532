"""A crawl directory read back."""

from __future__ import annotations

import msgspec
import pytest

from crawler.dataset.records import outcomes, pages, seeds
from crawler.errors import CrawlerError
from crawler.export.outcomes import outcome_line, seed_line
from crawler.models import Finished, Outcome, Request
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


def test_a_line_still_being_written_is_left_out(tmp_path):
    (tmp_path / "outcomes.jsonl").write_bytes(outcome_line(END) + b"\n" + outcome_line(END)[:20])
    assert len(list(outcomes(tmp_path))) == 1


def test_a_missing_file_and_a_foreign_line_are_named(tmp_path):
    with pytest.raises(CrawlerError, match=r"pages\.jsonl: cannot be read"):
        list(pages(tmp_path))
    (tmp_path / "pages.jsonl").write_bytes(msgspec.json.encode({"title": "x"}) + b"\n")
    with pytest.raises(CrawlerError, match=r"pages\.jsonl:1: not a PageRecord"):
        list(pages(tmp_path))
