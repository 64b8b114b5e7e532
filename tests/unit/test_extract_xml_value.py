"""XML as JMESPath sees it."""

from __future__ import annotations

import pytest

from crawler.extract.xml_value import MAX_DEPTH, xml_value


def test_elements_attributes_and_texts_have_their_places():
    value, problem = xml_value(
        b'<?xml version="1.0"?><!-- c --><a:root xmlns:a="u" xmlns="v" id="1" a:lang="en"> x <b>1</b><b>2</b>'
        b'<c/><d e="f">g</d>'
        b"<h> <i/> </h>y</a:root>"
    )
    assert problem is None
    assert value == {
        "root": {
            "@id": "1",
            "@lang": "en",
            "b": ["1", "2"],
            "c": None,
            "d": {"@e": "f", "#text": "g"},
            "h": {"i": None},
            "#text": "x y",
        }
    }


def test_an_only_child_that_is_empty_and_a_list_of_empty_ones():
    assert xml_value(b"<a><b/></a>") == ({"a": {"b": None}}, None)
    assert xml_value(b"<a><b/><b/></a>") == ({"a": {"b": [None, None]}}, None)


@pytest.mark.parametrize("body", [b"", b"text", b"\0", b"<", b"{}"])
def test_what_is_no_xml_has_no_value_but_a_reason(body):
    value, problem = xml_value(body)
    assert value is None
    assert problem


def test_where_it_breaks_what_came_before_counts():
    value, problem = xml_value(b"<a><b>1</b><c>2 & 3</c></a>")
    assert value == {"a": {"b": "1", "c": "2"}}
    assert "not well-formed" in problem


def test_entities_of_its_own_are_not_expanded():
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;">]><a>&y;</a>'
    assert xml_value(bomb) == (None, "it declares the entity 'x'")
    external = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;b</a>'
    assert xml_value(external)[0] == {"a": "b"}


def test_elements_nested_too_deep_are_left_out():
    value, problem = xml_value(b"<a>" * 100_000)
    assert "unclosed token" in problem or "no element" in problem or "deeper" in problem
    depth = 0
    while isinstance(value, dict):
        value, depth = value["a"], depth + 1
    assert depth == MAX_DEPTH


def test_thousands_of_attributes_are_no_harm():
    value, _ = xml_value(b"<a " + b" ".join(b'a%d=""' % number for number in range(20_000)) + b"/>")
    assert len(value["a"]) == 20_000
