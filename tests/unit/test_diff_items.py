"""Records of a rule are partners by key, by what they say, or by place; which of them differ follows from that."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import CrawlConfig, ExtractConfig, RuleConfig
from crawler.diff.excerpt import SHORT, beginning, excerpts
from crawler.diff.items import Item, Rule, matched, rules_of

KEYED = Rule("product", ("sku", "size"))
PLAIN = Rule("offer")


def items(rule, *records):
    return [Item(msgspec.json.encode({"_url": "http://a.test/", **record}), rule) for record in records]


def told(rule, before, after):
    pairs = matched(items(rule, *before), items(rule, *after))
    return [(pair.change, pair.fields) for pair in pairs]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], []),
        ([{"a": 1}, {"a": 1}], [{"a": 1}], [("removed", ())]),
        ([{"a": 1, "b": 1}], [{"a": 1, "b": 2}], [("changed", ("b",))]),
        ([{"a": 1}, {"a": 2}, {"a": 3}], [{"a": 1}, {"a": 3}], [("removed", ())]),
        ([{"a": 1}, {"a": 2}, {"a": 3}], [{"a": 1}, {"a": 9}, {"a": 3}], [("changed", ("a",))]),
        ([], [{"a": 1}], [("added", ())]),
        ([{"a": None}], [{}], []),
        ([{"a": 1, "_at": 1}], [{"a": 1, "_at": 2}], []),
        ([{"a": [1, {"b": 2}]}], [{"a": [1, {"b": 3}]}], [("changed", ("a",))]),
    ],
)
def test_without_a_key_values_and_then_places_tell(before, after, expected):
    assert told(PLAIN, before, after) == expected


def test_with_a_key_it_tells_whatever_the_order_and_the_rest_says():
    before = [{"sku": 1, "size": "S", "n": 1}, {"sku": 1, "size": "M", "n": 2}, {"sku": None, "n": 3}]
    after = [{"n": 3}, {"sku": 1, "size": "M", "n": 1}, {"sku": 2, "size": "S", "n": 1}]
    assert told(KEYED, before, after) == [("changed", ("n",)), ("added", ()), ("removed", ())]


def test_records_that_share_a_key_are_all_compared():
    before, after = [{"sku": 1, "n": 1}, {"sku": 1, "n": 2}], [{"sku": 1, "n": 2}, {"sku": 1, "n": 3}]
    assert told(KEYED, before, after) == [("changed", ("n",))]


@given(st.lists(st.sampled_from([{"a": 1}, {"a": 2}, {"a": 1, "b": None}, {"b": [1]}])), st.randoms())
def test_the_same_records_in_any_order_are_no_difference(records, draw):
    mixed = draw.sample(records, len(records))
    assert told(PLAIN, records, mixed) == told(KEYED, records, mixed) == []


def test_of_a_rule_that_changed_what_both_have_is_compared():
    def config(**fields):
        return CrawlConfig(extract=ExtractConfig(rules=(RuleConfig(name="r", fields=fields, unique=("a",)),)))

    (rule,), notes = rules_of(config(a="a", b="b"), config(a="a", c="c"), None)
    assert rule == Rule("r", ("a",), frozenset("a"))
    assert notes == ["r: b, c not compared, as only one crawl's rule has it."]


TEXTS = st.text("ab c", max_size=900)


@given(TEXTS, TEXTS, st.sampled_from(["", "a b " * 300]), st.sampled_from(["", "c a " * 300]))
def test_excerpts_of_what_differs_differ_and_are_short(one, other, before, after):
    one, other = before + one + after, before + other + after
    shown = excerpts(one, other)
    assert (shown[0] == shown[1]) == (one == other)
    assert all(len(text) <= SHORT + 2 for text in shown)
    assert beginning(one)[:SHORT] == one[:SHORT]


def test_values_that_are_no_texts_are_shown_whole():
    assert excerpts([1] * 500, None) == ([1] * 500, None)
    assert excerpts(None, "x" * 900) == (None, "x" * SHORT + "…")
