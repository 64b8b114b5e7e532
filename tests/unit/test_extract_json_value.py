"""JSON as servers and scripts write it."""

from __future__ import annotations

import pytest

from crawler.extract.json_value import MAX_DEPTH, JsonError, assigned_value, json_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ("\ufeff[1]", [1]),
        ("{a: 1, 'b': 'x\\'y', c: .5, d: -0x1F,}", {"a": 1, "b": "x'y", "c": 0.5, "d": -31}),
        ("/* c */ [1, // d\n 2,]", [1, 2]),
        ("[undefined, NaN, void 0, !0, !1, 1e999]", [None, None, None, True, False, None]),
        ('JSON.parse("{\\"a\\": \\"\\u0041\\"}")', {"a": "A"}),
        ('"\\ud83d\\ude00\\ud800"', "\U0001f600\ufffd"),
        ("'\\ud83d\\ude00\\x41\\u{42}\\n'", "\U0001f600AB\n"),
        ('{"\\ud800": 1}', {"\ufffd": 1}),
        ('"a\tb"', "a\tb"),
        ("[1] ;", [1]),
        ("1" * 5_000, None),
    ],
)
def test_values_are_read_strictly_and_else_as_scripts_write_them(text, value):
    assert json_value(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "[1", "[1] 2", "{a}", "]", "{]", "function() {}", "[" * 100_000, '{"a":' * 300]
)
def test_what_is_none_is_refused(text):
    with pytest.raises(JsonError):
        json_value(text)


def test_nesting_is_bounded():
    assert json_value("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(JsonError):
        json_value("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("script", "variable", "value"),
    [
        ('window.__S__ = {"a": 1}; f()', "window.__S__", {"a": 1}),
        ("window['__S__']={a:1}", "window.__S__", {"a": 1}),
        ("if (x == 1) y.x = 2; var x = [3]", "x", [3]),
        ("x = f(); x = 4", "x", 4),
        ("a.b.c = JSON.parse('[5]')", "a.b.c", [5]),
        ("xx = 1; x.y = 2", "x", None),
        ("x=[" * 100_000, "x", None),
    ],
)
def test_what_scripts_assign_is_found(script, variable, value):
    assert assigned_value(script, variable) == value
