from __future__ import annotations

import re

import pytest

from crawler.config import CrawlConfig
from crawler.config.file import dump, to_plain
from crawler.config.schema import json_schema
from crawler.config.values import all_keys


def at(schema, key):
    for name in key.split("."):
        schema = schema["properties"][name]
    return schema


@pytest.mark.parametrize("key", list(all_keys()))
def test_every_key_is_described(key):
    assert at(json_schema(), key)["description"]


def test_no_section_admits_other_keys():
    def sections(schema):
        if "properties" in schema:
            yield schema
            for below in schema["properties"].values():
                yield from sections(below)

    found = list(sections(json_schema()))
    assert len(found) == len(dump(CrawlConfig()).split(":\n"))
    assert all(section["additionalProperties"] is False for section in found)


def test_defaults_are_those_that_apply():
    schema, plain = json_schema(), to_plain(CrawlConfig())
    assert at(schema, "fetch.max_body")["default"] == plain["fetch"]["max_body"] == "10MiB"
    assert at(schema, "limits.default.delay")["default"] == "1s"
    assert "default" not in at(schema, "limits.hosts")["additionalProperties"]["properties"]["delay"]


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("fetch.timeout", ["500ms", "2s", "1.5m", "0"], ["5", "1e3s", "-1s", "5x"]),
        ("fetch.max_body", ["512", "10MiB", "1.5GB", "7B"], ["10X", "MiB"]),
    ],
)
def test_quantities_have_patterns_as_the_reader_takes_them(key, right, wrong):
    pattern = re.compile(at(json_schema(), key)["pattern"])
    assert all(map(pattern.search, right))
    assert not any(map(pattern.search, wrong))


def test_limits_of_numbers_and_choices_are_stated():
    schema = json_schema()
    assert at(schema, "limits.concurrency")["minimum"] == 1
    assert sorted(at(schema, "scope.stay_on")["enum"]) == ["any", "domain", "host"]
    assert at(schema, "parse.workers")["anyOf"] == [{"type": "integer", "minimum": 1}, {"enum": ["auto"]}]


def test_the_schema_names_its_draft_and_version():
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.fullmatch(r"urn:crawler:schema:config:\d+", schema["$id"])
