from __future__ import annotations

import msgspec
import pytest

from crawler.export.outcomes import OutcomeRecord, SeedRecord, outcome_line, seed_line
from crawler.models import Finished, Outcome, Request
from crawler.seeds import Seed


@pytest.fixture
def request_():
    return Request(
        url="https://a.test/x",
        host_key="a.test",
        scope_host="a.test",
        depth=2,
        via="https://a.test/",
        seed="a.test",
        attempt=3,
    )


def test_outcome_line_says_how_and_why_a_url_ended(request_):
    end = Finished(request=request_, outcome=Outcome.FAILED, reason="http_503", status=503, at=1_700_000_000.25)
    assert msgspec.json.decode(outcome_line(end)) == {
        "url": "https://a.test/x",
        "outcome": "failed",
        "reason": "http_503",
        "status": 503,
        "target": None,
        "attempts": 3,
        "depth": 2,
        "via": "https://a.test/",
        "seed": "a.test",
        "at": "2023-11-14T22:13:20.250Z",
    }


def test_outcome_line_is_one_line_that_reads_back_as_its_record(request_):
    end = Finished(request=request_, outcome=Outcome.REDIRECTED, status=301, target="https://a.test/\u2028y\n")
    line = outcome_line(end)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=OutcomeRecord).target == "https://a.test/\u2028y\n"


def test_seed_line_joins_a_seed_to_the_end_of_its_redirects(request_):
    seed = Seed(given="A.test", url="https://a.test/", place="seeds.csv:2", metadata={"topic": "zwölf", "n": 1})
    end = Finished(request=request_, outcome=Outcome.FETCHED, status=200, has_page=True)
    assert msgspec.json.decode(seed_line(seed, end)) == {
        "given": "A.test",
        "place": "seeds.csv:2",
        "url": "https://a.test/",
        "error": None,
        "final_url": "https://a.test/x",
        "outcome": "fetched",
        "reason": None,
        "status": 200,
        "metadata": {"topic": "zwölf", "n": 1},
    }


def test_seed_without_a_url_or_an_end_has_nulls_and_no_field_missing():
    row = msgspec.json.decode(seed_line(Seed(given="::", error="not a host", place="argument 1"), None))
    assert set(row) == set(SeedRecord.__struct_fields__)
    assert (row["url"], row["error"], row["final_url"], row["outcome"]) == (None, "not a host", None, None)


@pytest.mark.parametrize("record", [OutcomeRecord, SeedRecord])
def test_every_field_is_documented_in_the_schema(record):
    schema = msgspec.json.schema(record)["$defs"][record.__name__]
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema["required"] == list(record.__struct_fields__)
