"""Which values a type takes, what it makes of them for JSON, and which it refuses."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.value_types import Context, converted, plain_number

PAGE = Context(lambda href: f"https://shop.example/{href}" if ":" not in href else None)

TAKEN = [
    ("str", "a ", "a "),
    ("str", 5, "5"),
    ("str", 5.5, "5.5"),
    ("str", Decimal("5.50"), "5.50"),
    ("str", True, "true"),
    ("int", "24", 24),
    ("int", " -7 ", -7),
    ("int", "007", 7),
    ("int", 24.0, 24),
    ("int", Decimal("24.00"), 24),
    ("int", 10**30, 10**30),
    ("float", "24.99", 24.99),
    ("float", ".5", 0.5),
    ("float", "1e3", 1000.0),
    ("float", 3, 3.0),
    ("decimal", "24.90", "24.90"),
    ("decimal", "-1e-3", "-0.001"),
    ("decimal", 24.9, "24.9"),
    ("decimal", Decimal("1299.00"), "1299.00"),
    ("decimal", 0.1, "0.1"),
    ("bool", True, True),
    ("bool", "False", False),
    ("date", "2024-05-06", "2024-05-06"),
    ("date", "2024-05-06T07:08:09Z", "2024-05-06"),
    ("datetime", "2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"),
    ("datetime", "2024-05-06 07:08", "2024-05-06T07:08:00"),
    ("datetime", "2024-05-06T07:08:09.5+0200", "2024-05-06T07:08:09.500000+02:00"),
    ("url", " a b", "https://shop.example/a b"),
    ("list", ["a", 1], ["a", 1]),
    ("list", (Decimal("1.50"),), [1.5]),
    ("object", {"a": Decimal("1.50")}, {"a": 1.5}),
    (None, Decimal("1.50"), 1.5),
    (None, Decimal("1E+3"), 1000),
    (None, {"price": {"amount": Decimal("1299.00")}}, {"price": {"amount": 1299}}),
    (None, ["a", (1,)], ["a", [1]]),
    *[(type_, None, None) for type_ in ("str", "int", "bool", "date", "url", "list", "object", None)],
]


@pytest.mark.parametrize(("type_", "value", "expected"), TAKEN)
def test_value_is_taken_as(type_, value, expected):
    got = converted(value, type_, PAGE)
    assert (got, type(got)) == (expected, type(expected))


REFUSED = [
    ("str", ["a"], "expected text, not a list of 1"),
    ("str", {"a": 1}, "expected text, not an object"),
    ("int", "24.99", "expected a whole number, not '24.99'"),
    ("int", "24.0", "expected a whole number, not '24.0'"),
    ("int", 24.5, "expected a whole number, not 24.5"),
    ("int", "1,299", "expected a whole number, not '1,299'"),
    ("int", True, "expected a whole number, not True"),
    ("int", "", "expected a whole number, not ''"),
    ("int", "٣", "expected a whole number, not '٣'"),
    ("int", Decimal("1e999999"), "expected a whole number, not Decimal('1E+999999')"),
    ("int", "9" * 10_000, "expected a whole number, not '999"),
    ("float", "nan", "expected a number, not 'nan'"),
    ("float", float("inf"), "expected a number, not inf"),
    ("float", "1e400", "expected a number between -1.8e308 and 1.8e308, not '1e400'"),
    ("float", "5 €", "expected a number, not '5 €'"),
    ("decimal", "1_000", "expected a decimal number, not '1_000'"),
    ("decimal", [], "expected a decimal number, not a list of 0"),
    ("bool", "yes", "expected true or false, not 'yes'"),
    ("bool", 1, "expected true or false, not 1"),
    ("date", "6 May 2024", "expected a date as 2024-05-06 (transform: [date] reads others), not '6 May 2024'"),
    ("date", "2024-02-30", "expected a date as 2024-05-06"),
    ("date", 2024, "expected a date as 2024-05-06"),
    ("datetime", "2024-05-06", "expected a date and time as 2024-05-06T07:08:09+02:00"),
    ("datetime", "2024-05-06T25:00", "expected a date and time as"),
    ("url", "mailto:a@example.org", "expected an http or https URL, not 'mailto:a@example.org'"),
    ("url", "", "expected an http or https URL, not ''"),
    ("list", "a", "expected a list, not 'a'"),
    ("object", ["a"], "expected an object, not a list of 1"),
    (None, Decimal("0.12345678901234567890"), "expected a number of at most 15 digits, not '0.1234"),
    (None, Decimal("NaN"), "expected a number, not NaN"),
]


@pytest.mark.parametrize(("type_", "value", "expected"), REFUSED)
def test_value_that_would_lose_something_is_refused(type_, value, expected):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is compared below
        converted(value, type_, PAGE)
    assert str(caught.value).startswith(expected)
    assert len(str(caught.value)) < 300


TYPES = ("str", "int", "float", "decimal", "bool", "date", "datetime", "url", "list", "object", None)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**390, 10**410)
    | st.floats()
    | st.decimals()
    | st.text(st.sampled_from("0123456789.-+eETZ: "))
    | st.text(st.characters(codec=None))
    | st.datetimes().map(str)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def said_of(value, type_):
    """The value's JSON and nothing, or nothing and why it is refused."""
    try:
        return json.dumps(converted(value, type_, PAGE), allow_nan=type_ in ("list", "object", None)), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.sampled_from(TYPES), VALUES)
def test_any_value_is_refused_or_fit_for_json(type_, value):
    _, problem = said_of(value, type_)
    assert (problem or "expected").startswith("expected")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_number_for_json_is_the_same_number(number):
    if len(number.as_tuple().digits) <= 15:
        assert Decimal(repr(plain_number(number))) == number
