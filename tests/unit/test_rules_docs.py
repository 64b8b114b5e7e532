"""The examples of docs/rules.md do as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crawler.config import ExtractConfig
from crawler.config.scraping import FieldConfig, FollowConfig, MatchConfig, RuleConfig, SkipConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Request, Response, Url
from tests.support.rules import configured

DOCS = (Path(__file__).parents[2] / "docs/rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n+```(\S+)\n(.*?)```\n+```json\n(.*?)```", DOCS, re.DOTALL)
URL = Url("https://shop.test/lamps/1")


@pytest.mark.parametrize("example", EXAMPLES, ids=[example[0].split("\n")[0] for example in EXAMPLES])
def test_an_example_gives_the_records_it_says(example):
    rules, kind, body, expected = example
    headers = ((b"content-type", (kind if "/" in kind else f"text/{kind}").encode()),)
    request = Request(url=URL, host_key=HostKey("shop.test"), scope_host="shop.test")
    response = Response(url=URL, status=200, headers=headers, body=body.encode())
    page = Extractor(Settings(extract=ExtractConfig(rules=configured(rules)))).page(request, response)
    lines = [json.loads(line) for sink, block in page.records if sink != "pages" for line in block.split(b"\n")]
    for line in lines:
        for key in ("_url", "_fetched_at", "_rule"):
            del line[key]
    decoder, wanted, at = json.JSONDecoder(), [], 0
    while expected[at:].strip():
        value, at = decoder.raw_decode(expected, at + len(expected[at:]) - len(expected[at:].lstrip()))
        wanted.append(value)
    assert lines == wanted
    assert [list(line) for line in lines] == [list(value) for value in wanted]


def test_every_example_was_found():
    assert len(EXAMPLES) == DOCS.count("```yaml") == 8


@pytest.mark.parametrize("section", [RuleConfig, MatchConfig, FieldConfig, FollowConfig, SkipConfig])
def test_every_word_is_explained(section):
    assert [name for name in section.__struct_encode_fields__ if f"{name}" not in DOCS] == []
