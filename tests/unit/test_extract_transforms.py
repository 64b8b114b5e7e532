"""What each transform makes of a value, what it refuses, and which arguments are none."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import UrlError
from crawler.extract.transforms import NAMES, compiled, problem_of
from crawler.extract.value_types import Context
from crawler.url import Base


def resolve(href):
    try:
        return Base("https://shop.example/a/b").join(href)
    except UrlError:
        return None


PAGE = Context(resolve)
GERMAN = Context(resolve, "de-DE")


def done(name, args, value, page=PAGE):
    return compiled(name, args)(value, page)


TEXTS = [
    ("strip", None, " \n a  b ", "a  b"),
    ("strip", "* ", "* a *", "a"),
    ("collapse", None, " a \xa0 b\n", "a b"),
    ("lower", None, "ÄB", "äb"),
    ("upper", None, "ß", "SS"),
    ("title", None, "blue lamp", "Blue Lamp"),
    ("replace", ["a", "b"], "banana", "bbnbnb"),
    ("replace", ["a", ""], "banana", "bnn"),
    ("replace", ["a", None], "banana", "bnn"),
    ("replace", {"a": "b", "b": "c"}, "ab", "cc"),
    ("replace", ["/([0-9]+) x ([0-9]+)/", r"\2 by \1"], "size 3 x 4", "size 4 by 3"),
    ("replace", ["/(a)|(b)/", r"[\1\2]"], "abc", "[a][b]c"),
    ("replace", ["/x/", r"\\"], "x", "\\"),
    ("replace", ["/x*/", "-"], "ä", "-ä-"),
    ("replace", [1, 2], "11", "22"),
    ("replace", ["/", "-"], "a/b", "a-b"),
    ("remove", "€", "5 €", "5 "),
    ("remove", ["€", "/[a-z]+/"], "ab5 €", "5 "),
    ("regex", "SKU ([0-9]+)", "SKU 123", "123"),
    ("regex", "/[0-9]+/", "SKU 123", "123"),
    ("regex", "(?i)sku (x)?", "SKU 123", None),
    ("regex", "[0-9]+", "none", None),
    ("split", None, " a  b ", ["a", "b"]),
    ("split", ",", "a, b,,c", ["a", "b", "c"]),
    ("split", "/[,;]/", "ä, b;c", ["ä", "b", "c"]),
    ("split", ",", "", []),
    ("prefix", "SKU-", "1", "SKU-1"),
    ("suffix", " cm", "1", "1 cm"),
    ("html_unescape", None, "a &amp; b &eacute;", "a & b é"),
    ("strip_html", None, "<p>One</p><p>two &amp; <b>th</b>ree</p><script>x</script>", "One two & three"),
    ("strip_html", None, "1 > 0", "1 > 0"),
    ("url_decode", None, "a%20b%C3%A9%", "a bé%"),
    ("absolute", None, "../c?d#e", "https://shop.example/c?d"),
    ("absolute", None, " ", None),
    ("url_part", "host", "https://a.example:8080/x", "a.example"),
    ("url_part", "port", "https://a.example/x", "443"),
    ("url_part", "domain", "https://a.shop.co.uk/x", "shop.co.uk"),
    ("url_part", "path.0", "https://a.example/x%20y/z/", "x y"),
    ("url_part", "path.-1", "https://a.example/x/z/", "z"),
    ("url_part", "path.7", "https://a.example/x/z/", None),
    ("url_part", "query.p", "https://a.example/?q=1&p=2&p=3", "2"),
    ("url_part", "query.x", "https://a.example/?q=1", None),
    ("url_part", "fragment", "no URL", None),
    ("json", None, '{"a": [1, null]}', {"a": [1, None]}),
    ("json", None, " ", None),
    ("lower", None, 5, "5"),
    ("lower", None, True, "true"),
    ("lower", None, None, None),
    ("lower", None, ["A", None, "B"], ["a", None, "b"]),
]


@pytest.mark.parametrize(("name", "args", "value", "expected"), TEXTS)
def test_text_becomes(name, args, value, expected):
    assert done(name, args, value) == expected


READ = [
    ("number", None, "1,299.50", Decimal("1299.50")),
    ("number", None, "1.299", Decimal("1.299")),
    ("number", "de", "1.299", 1299),
    ("number", {"locale": "de"}, "1.299,5", Decimal("1299.5")),
    ("number", {"decimal": ","}, "1 299,5", Decimal("1299.5")),
    ("number", {"short": True}, "1.2k", 1200),
    ("number", {"short": "true"}, "1.2k", 1200),
    ("number", None, 3.5, Decimal("3.5")),
    ("number", None, 3, 3),
    ("number", None, " ", None),
    ("price", None, "£1,299.00", {"amount": Decimal("1299.00"), "currency": "GBP"}),
    ("price", None, 5, {"amount": 5, "currency": None}),
    ("price", None, "2万円", {"amount": 20000, "currency": "JPY"}),
    ("price", None, "3,5 Mio. €", {"amount": 3500000, "currency": "EUR"}),
    ("price", None, "$1.5 million", {"amount": 1500000, "currency": "USD"}),
    ("price", None, "99¢", {"amount": Decimal("0.99"), "currency": None}),
    ("price", None, "$5 m", {"amount": 5, "currency": "USD"}),
    ("price", None, "15.000 đ", {"amount": 15000, "currency": "VND"}),
    ("bool", None, "In Stock.", True),
    ("bool", {"true": "Buy now!"}, "Buy now", True),
    ("price", {"currency": "eur"}, "5", {"amount": 5, "currency": "EUR"}),
    ("price", {"locale": "de", "take": "amount"}, "1.299 €", 1299),
    ("price", "amount", "1.299 €", 1299),
    ("price", "currency", "1.299 €", "EUR"),
    ("price", "amount", "", None),
    ("scale", 0.01, 1299, Decimal("12.99")),
    ("scale", "0.01", "1299", Decimal("12.99")),
    ("scale", 100, "12.50", Decimal("1250.00")),
    ("date", None, "6 May 2024", "2024-05-06"),
    ("date", None, "2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"),
    ("date", {"take": "date"}, "2024-05-06T07:08:09Z", "2024-05-06"),
    ("date", "%d/%m/%Y", "05/06/2024", "2024-06-05"),
    ("date", "%d.%m.%Y %H:%M", "05.06.2024 07:08", "2024-06-05T07:08:00"),
    ("date", {"day_first": False}, "05.06.2024", "2024-05-06"),
    ("date", {"day_first": True}, "05/06/2024", "2024-06-05"),
    ("date", "unix", "1715000000", "2024-05-06T12:53:20Z"),
    ("date", "unix_ms", 1715000000500, "2024-05-06T12:53:20.500Z"),
    ("date", None, "", None),
    ("bool", None, "Yes", True),
    ("bool", None, "nein", False),
    ("bool", None, "https://schema.org/InStock", True),
    ("bool", None, "http://schema.org/OutOfStock", False),
    ("bool", None, False, False),
    ("bool", None, 1, True),
    ("bool", {"true": ["Add to  cart", "Buy"]}, " add to cart", True),
    ("bool", {"true": "Add to cart"}, "no", False),
    ("bool", {"true": "nicht vorrätig", "false": "x"}, "X", False),
    ("bool", None, "", None),
]


@pytest.mark.parametrize(("name", "args", "value", "expected"), READ)
def test_what_people_write_is_read_as(name, args, value, expected):
    got = done(name, args, value)
    assert (got, type(got)) == (expected, type(expected))


def test_page_language_decides_what_the_text_leaves_open():
    assert done("number", None, "1.299", GERMAN) == 1299
    assert done("date", None, "05/06/2024", GERMAN) == "2024-06-05"
    assert done("date", {"language": "en-US"}, "05/06/2024", GERMAN) == "2024-05-06"


LISTS = [
    ("join", None, ["a", None, 1], "a 1"),
    ("join", ", ", ["a", "b"], "a, b"),
    ("join", ", ", "a", "a"),
    ("slice", [1, 3], ["a", "b", "c", "d"], ["b", "c"]),
    ("slice", {"start": -2}, ["a", "b", "c"], ["b", "c"]),
    ("slice", {"stop": 2}, "abc", "ab"),
    ("index", 0, ["a", "b"], "a"),
    ("index", -1, ["a", "b"], "b"),
    ("index", "1", ["a", "b"], "b"),
    ("index", 2, ["a", "b"], None),
    ("index", -3, ["a", "b"], None),
    ("index", 0, "ab", "ab"),
    ("unique", None, ["b", "a", "b", 1, True, 1], ["b", "a", 1, True]),
    ("unique", None, [{"a": 1}, {"a": 1}, [1], [1]], [{"a": 1}, [1]]),
    ("compact", None, ["a", "", None, [], 0, False], ["a", 0, False]),
    ("flatten", None, ["a", ["b", ["c"]]], ["a", "b", ["c"]]),
    ("length", None, ["a", "b"], 2),
    ("length", None, "äb", 2),
    ("default", "none", None, "none"),
    ("default", "none", "", "none"),
    ("default", 0, [], 0),
    ("default", 1, 0, 0),
]


@pytest.mark.parametrize(("name", "args", "value", "expected"), LISTS)
def test_list_becomes(name, args, value, expected):
    assert done(name, args, value) == expected


REFUSED = [
    ("number", None, "none", "expected a number, not 'none'"),
    ("number", "de", "24.99", "expected a number as 1.234,5, not '24.99'"),
    ("number", None, "1.2.3", "expected a number, not '1.2.3'"),
    ("price", None, "Call us", "expected a price, not 'Call us'"),
    ("date", None, "yesterday", "expected a date, not 'yesterday'"),
    ("date", "%d.%m.%Y", "2024-05-06", "expected a date as %d.%m.%Y, not '2024-05-06'"),
    ("date", "unix", "1e99", "expected a date as unix, not '1e99'"),
    ("bool", None, "maybe", "expected a word for true (1, active, ano, auf lager, …) or false ("),
    ("scale", 2, "x", "expected a decimal number, not 'x'"),
    ("absolute", None, "mailto:a@b.example", "expected an http or https URL, not 'mailto:a@b.example'"),
    ("json", None, "{a: 1}", "expected JSON, not '{a: 1}'"),
    ("json", None, "[NaN]", "expected JSON, not '[NaN]'"),
    ("json", None, "[" * 100_000, "expected JSON, not '[[["),
    ("lower", None, {"a": 1}, "expected text, not an object"),
    ("lower", None, [["a"]], "expected text, not a list of 1"),
    ("split", ",", "a," * 20_000, "expected a text of at most 10000 parts"),
    ("replace", ["a", "b" * 1000], "a" * 100_000, "expected a text of at most 10000000 characters"),
    ("replace", ["/a/", "b" * 1000], "a" * 11_000, "expected a text of at most 10000000 characters that is"),
    ("join", "b" * 1000, ["a"] * 100_000, "expected texts of at most 10000000 characters together"),
]


@pytest.mark.parametrize(("name", "args", "value", "expected"), REFUSED)
def test_value_that_cannot_be_read_is_refused(name, args, value, expected):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is compared below
        done(name, args, value)
    assert str(caught.value).startswith(expected)


WRONG = [
    ("stripp", None, "expected a transform, one of absolute, bool,"),
    ("strip", ["a"], "expected a text, as strip: '*'"),
    ("lower", "a", "expected no arguments"),
    ("replace", None, "expected a text and its replacement"),
    ("replace", ["a"], "expected a text and its replacement"),
    ("replace", ["", "a"], "expected a text and its replacement"),
    ("replace", {}, "expected a text and its replacement"),
    ("replace", ["/(/", "a"], "expected a regular expression as RE2 knows it: missing )"),
    ("replace", ["/a/", r"\1"], "expected \\0 to \\0 or \\\\ in a replacement, not \\1"),
    ("replace", ["/a/", "\\"], "expected \\0 to \\0 or \\\\ in a replacement, not \\"),
    ("remove", [], "expected one or several texts"),
    ("remove", "", "expected texts that are not empty"),
    ("regex", None, "expected a text"),
    ("regex", "a(?=b)", "expected a regular expression as RE2 knows it"),
    ("regex", "\ud800", "expected a regular expression in Unicode"),
    ("number", "german!", "expected a locale, as de or pt-BR, not 'german!'"),
    ("number", {"local": "de"}, "expected arguments out of locale, decimal, group, short, not 'local' (did you mean"),
    ("number", {"decimal": "x"}, "expected one of ., ,,"),
    ("number", {"decimal": ",", "group": ","}, "expected separators between thousands"),
    ("number", {"short": "maybe"}, "expected true or false"),
    ("price", "amounts", "expected one of amount, currency, both, not 'amounts' (did you mean amount?)"),
    ("price", {"currency": "EURO"}, "expected a currency by its ISO 4217 code, as EUR, not 'EURO'"),
    ("price", ["EUR"], "expected named arguments: locale, currency, take, decimal, group"),
    ("date", "dd.mm.yyyy", "expected a format as %d.%m.%Y"),
    ("date", {"day_first": "perhaps"}, "expected true or false"),
    ("bool", {"true": ["a"], "false": ["A"]}, "expected different words for true and false, not 'a' for both"),
    ("scale", "x", "expected a number, as scale: 0.01"),
    ("scale", "1e999", "expected a number, as scale: 0.01"),
    ("slice", 3, "expected where to start and before what to stop"),
    ("slice", {"start": "x"}, "expected a whole number, as slice: {start: 1}"),
    ("index", "first", "expected a whole number, as index: 0"),
    ("index", True, "expected a whole number, as index: 0"),
    ("url_part", "hots", "expected one of url, scheme, host, port, domain, path, query, fragment, path.N, query.NAME"),
]


@pytest.mark.parametrize(("name", "args", "expected"), WRONG)
def test_mistake_in_a_rule_is_told_with_what_was_expected(name, args, expected):
    assert (problem_of(name, args) or "").startswith(expected)


def test_unknown_name_gets_the_nearest_one():
    assert (problem_of("stripp", None) or "").endswith("(did you mean strip?)")


ARGUMENTS = {
    "replace": ["/a+|,/", "b"],
    "remove": "/[^a]/",
    "regex": "(.)$",
    "prefix": "a",
    "suffix": "a",
    "url_part": "path.0",
    "slice": [1, -1],
    "index": 0,
    "default": "x",
    "scale": "0.01",
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(codec=None))
WRITTEN = st.text(st.sampled_from("0123456789.,'- €$kKrR%:/T"), max_size=30)
VALUES = st.recursive(
    SCALARS | WRITTEN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def problem_with(step, value):
    """None if the value is read; what was said if it is refused."""
    try:
        step(value, GERMAN)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(value=VALUES)
def test_any_value_is_read_or_refused_by_value_error(name, value):
    assert (problem_with(compiled(name, ARGUMENTS.get(name)), value) or "expected").startswith("expected")


@pytest.mark.slow
@settings(max_examples=50)
@given(st.sampled_from(NAMES), VALUES)
def test_any_arguments_are_right_or_told_wrong(name, args):
    assert (problem_of(name, args) or "expected").startswith("expected")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_long_text_of_anything_is_read_or_refused(name):
    step = compiled(name, ARGUMENTS.get(name))
    for text in ("a1.", "1 ", "<b>", "&lt;", "€1,-", "[{", "\0\ud800", "1-", "https://a/%20?a=b&"):
        assert len(problem_with(step, text * (100_000 // len(text))) or "") < 300
