from __future__ import annotations

import re

import pytest

from crawler.config import CrawlConfig, Section
from crawler.config.file import to_plain
from crawler.config.schema import json_schema
from crawler.config.values import all_keys


def at(schema, key):
    for name in key.split("."):
        schema = schema["properties"][name]
    return schema


@pytest.mark.parametrize("key", list(all_keys()))
def test_every_key_is_described(key):
    assert at(json_schema(), key)["description"]


def sections(schema):
    """Every section in a schema, with its description; those of maps, lists and unions too."""
    if "properties" in schema:
        yield schema["description"], schema
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    below += [schema[key] for key in ("additionalProperties", "items") if isinstance(schema.get(key), dict)]
    for part in below:
        yield from sections(part)


def test_no_section_admits_other_keys():
    found = dict(sections(json_schema()))
    assert found.keys() >= {cls.__doc__.partition("\n")[0] for cls in Section.__subclasses__()}
    assert all(section["additionalProperties"] is False for section in found.values())


def test_one_of_several_types_is_told_from_the_others():
    schema = json_schema()
    flag, adaptive = at(schema, "limits.adaptive")["anyOf"]
    assert (flag, adaptive["type"]) == ({"type": "boolean"}, "object")
    assert adaptive["properties"]["factor"]["default"] == 2
    text, several, nothing = at(schema, "fetch.proxy")["anyOf"]
    assert (text, nothing) == ({"type": "string"}, {"type": "null"})
    assert several == {"type": "array", "items": {"type": "string"}}


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
        ("breaker.rest", ["5m"], ["5", "m"]),
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


def test_fields_of_rules_may_hold_fields_without_end():
    schema = json_schema()
    field = schema["$defs"]["FieldConfig"]["properties"]
    text, again = field["any"]["anyOf"][0]["items"]["anyOf"]
    assert (text, again) == ({"type": "string"}, {"$ref": "#/$defs/FieldConfig"})
    assert {"type": "number"} in field["const"]["anyOf"]
    rules = at(schema, "extract.rules")
    assert rules["type"] == ["array", "string", "null"]
    assert rules["items"]["type"] == ["object", "string"]
    follow = rules["items"]["properties"]["follow"]["anyOf"][0]["items"]["anyOf"][1]["properties"]
    assert (follow["priority"]["minimum"], follow["priority"]["maximum"]) == (0, 63)


def test_the_schema_names_its_draft_and_version():
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.fullmatch(r"urn:crawler:schema:config:\d+", schema["$id"])
