"""The schema of what rules find."""

from __future__ import annotations

import json

import pytest

from crawler.cli import run

RULES = """
extract:
  rules:
    - name: product
      fields:
        sku: {css: .sku, required: true}
        name: h1
        price: {css: .price, type: float, default: 0}
        tags: {css: .tag, many: true}
        when: {css: time, type: date}
        words: {css: h1, transform: [{split: " "}]}
        offers: {css: .offer, many: true, fields: {cost: {css: b, type: decimal}}}
    - name: listing
      follow: [a]
    - name: api
      fields: {id: {json: id, type: int}, all: {json: "@"}}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "crawl.yaml"
    path.write_text(RULES)
    return str(path)


def printed(capsys, *arguments):
    assert run(["schema", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_types_of_a_rules_fields_are_in_the_schema_of_its_records(capsys, config):
    schema = printed(capsys, "items", "-c", config, "--rule", "product")
    text, null = {"type": "string"}, {"type": "null"}
    assert schema["title"] == "One line of product.jsonl"
    assert schema["required"] == list(schema["properties"])
    properties = schema["properties"]
    assert properties.pop("_rule")["const"] == "product"
    assert {name: value for name, value in properties.items() if name[0] != "_"} == {
        "sku": text,
        "name": {"anyOf": [text, null]},
        "price": {"type": "number"},
        "tags": {"type": "array", "items": text},
        "when": {"anyOf": [{"type": "string", "format": "date"}, null]},
        "words": {},
        "offers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"cost": {"anyOf": [text, null]}},
                "required": ["cost"],
            },
        },
    }


def test_the_records_of_all_rules_have_one_schema(capsys, config):
    schema = printed(capsys, "items", "-c", config)
    assert [rule["title"] for rule in schema["anyOf"]] == ["One line of product.jsonl", "One line of api.jsonl"]
    assert schema["anyOf"][1]["properties"]["all"] == {}


def test_rejects_have_a_schema_of_their_own(capsys):
    assert printed(capsys, "rejects")["required"] == ["_url", "_fetched_at", "_rule", "_errors"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["items"], "name the configuration with -c FILE"),
        (["items", "-c", "CONFIG", "--rule", "other"], "has no rule called other"),
        (["pages", "-c", "CONFIG"], "-c and --rule are for items"),
    ],
)
def test_what_cannot_be_meant_is_refused(capsys, config, arguments, told):
    assert run(["schema", *(config if argument == "CONFIG" else argument for argument in arguments)]) == 2
    assert told in capsys.readouterr().err
