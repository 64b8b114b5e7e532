"""What docs/transforms.md says is so."""

import json
import re
from pathlib import Path

import pytest
import yaml

from crawler.extract.transforms import NAMES, compiled
from crawler.extract.value_types import Context, converted
from tests.support.rules import page, record_of, resolving

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "transforms.md").read_text()
ROW = re.compile(r"^\| `(?P<what>[^`]+)` \| `(?P<value>[^`]+)` \| (?:`(?P<result>[^`]+)`|refused) \|$", re.MULTILINE)
ROWS = [match.groups() for match in ROW.finditer(DOCS[: DOCS.index("## Types")])]
TYPES = [match.groups() for match in ROW.finditer(DOCS[DOCS.index("## Types") :])]
PAGE = Context(resolving("https://shop.example/lamps/blue"))


def test_every_line_is_read():
    assert len(ROWS) + len(TYPES) == DOCS.count("\n| `")
    assert {name.strip("{").partition(":")[0] for name, _, _ in ROWS} == set(NAMES)


@pytest.mark.parametrize(("what", "value", "result"), ROWS)
def test_transform_does_what_the_documentation_says(what, value, result):
    written = yaml.safe_load(what)
    ((name, args),) = written.items() if isinstance(written, dict) else [(written, None)]
    assert converted(compiled(name, args)(json.loads(value), PAGE), None, PAGE) == json.loads(result)


@pytest.mark.parametrize(("type_", "value", "result"), TYPES)
def test_type_takes_what_the_documentation_says(type_, value, result):
    if result is None:
        with pytest.raises(ValueError, match="expected"):
            converted(json.loads(value), type_, PAGE)
    else:
        assert converted(json.loads(value), type_, PAGE) == json.loads(result)


@pytest.mark.parametrize("what", [what for what, _, _ in ROWS])
def test_a_rule_may_say_so(what):
    record = record_of(f"x: {{css: .none, transform: [{what}]}}", page("<p>a"))
    assert record["x"] in (None, "unknown")
