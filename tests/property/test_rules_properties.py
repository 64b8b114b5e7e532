"""Any bytes through any rule: nothing raises, nothing hangs, and every line is one JSON object as its rule promises."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.config import CrawlConfig, ExtractConfig
from crawler.config.file import as_written, dump, loads
from crawler.config.rules import problems
from crawler.config.scraping import EachConfig, FieldConfig, FollowConfig, MatchConfig, RuleConfig, SkipConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url

URL = Url("https://a.test/b/c?d=e")
selectors = st.sampled_from(
    [
        "a",
        "*",
        "div p",
        "[data-x]",
        "p:nth-child(2)",
        "div:not(.x) > *",
        "title",
        "script",
        "td, li",
        ":empty",
        "ul:has(a)",
    ]
)
expressions = st.sampled_from(
    [
        "a",
        "@",
        "a[].b",
        "*",
        "[*].a",
        "length(@)",
        "sort_by(a, &b)",
        "a[?b > `1`]",
        "join(',', a)",
        "{x: a, y: b[0]}",
        "[]",
    ]
)
within = st.sampled_from(["json_ld", "json_ld:Product", "opengraph", "microdata", "script", "js:window.x"])
transforms = st.lists(
    st.sampled_from(
        [
            "strip",
            "lower",
            {"split": ","},
            {"join": "-"},
            {"number": {"locale": "en"}},
            "price",
            "date",
            "absolute",
            {"replace": ("a", "b")},
            "unique",
            "length",
            "json",
            "bool",
            {"index": 0},
            {"default": "x"},
            "html_unescape",
        ]
    ),
    max_size=3,
).map(tuple)
types = st.sampled_from([None, "str", "int", "float", "decimal", "bool", "date", "datetime", "url", "list", "object"])
making = {
    "regex": st.sampled_from([None, None, r"\d+", "(a)|b", ""]),
    "transform": transforms,
    "type": types,
    "required": st.booleans(),
}


def fields_on(sources, below):
    """Fields whose values come from these sources, and objects of such fields."""
    plain = st.one_of(
        *[st.builds(FieldConfig, **source, many=st.booleans(), **making) for source in sources],
        st.builds(FieldConfig, url=st.sampled_from(["path.0", "query.d", "port"]), **making),
        st.builds(FieldConfig, carried=st.just("x"), **making),
        st.builds(FieldConfig, const=st.sampled_from(["c", 1, 1.5, True])),
    )
    alternatives = st.builds(
        FieldConfig, any=st.lists(plain.map(optional), min_size=1, max_size=2).map(tuple), **making
    )
    named = st.dictionaries(st.sampled_from("abc"), plain | alternatives, min_size=1, max_size=3)
    objects = st.builds(FieldConfig, fields=named, many=st.booleans(), required=st.booleans(), **below)
    return plain | alternatives | objects


def optional(field):
    return FieldConfig(**{name: getattr(field, name) for name in FieldConfig.__struct_fields__} | {"required": False})


css = {"css": selectors, "take": st.sampled_from(["text", "own_text", "lines", "html", "inner_html", "markdown"])}
attributes = {"css": selectors, "attr": st.sampled_from(["href", "data-x", "class"])}
html_fields = fields_on([css, attributes, {"json": expressions, "in_": within}], {"css": selectors})
data_fields = fields_on([{"json": expressions}], {"json": expressions})
names = st.sampled_from(["a", "b", "c"])
html_rules = st.builds(
    RuleConfig,
    name=st.just("html"),
    match=st.none() | st.builds(MatchConfig, css=st.none() | selectors, type=st.just("html")),
    each=st.none() | selectors,
    fields=st.dictionaries(names, html_fields, min_size=1, max_size=3).map(lambda fields: {"x": "a", **fields}),
    follow=st.none()
    | st.lists(st.builds(FollowConfig, css=st.none() | selectors, carry=st.sampled_from([(), ("x",)])), max_size=2).map(
        tuple
    ),
    skip=st.lists(st.builds(SkipConfig, css=selectors), max_size=1).map(tuple),
)
embedded_rules = st.builds(
    RuleConfig,
    name=st.just("embedded"),
    each=st.builds(EachConfig, json=expressions, in_=within),
    fields=st.dictionaries(names, data_fields, max_size=3).map(lambda fields: {"x": FieldConfig(json="a"), **fields}),
    follow=st.none() | st.just((FollowConfig(json="a"), FollowConfig(json="@", carry=("x",)), "a")),
)
data_rules = st.builds(
    RuleConfig,
    name=st.just("data"),
    each=st.none() | expressions,
    fields=st.dictionaries(names, data_fields, max_size=3).map(lambda fields: {"x": FieldConfig(json="a"), **fields}),
    follow=st.none()
    | st.lists(st.builds(FollowConfig, json=expressions, carry=st.just(("x",))), max_size=2).map(tuple),
)
markup = st.text(alphabet="<>/=\"'& aplitdvscr-x1,{}[]:\0\ud800é\n", max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
pieces = st.lists(
    st.sampled_from(
        [
            b"<div>",
            b"<p>",
            b"</p>",
            b"<a href=/x data-x=1>",
            b"text 1,5",
            b"<ul><li>",
            b"<script>window.x={a:[{b:1}]}</script>",
            b"<script type=application/ld+json>",
            b'{"@type":"Product","a":[{"b":"2"}]}',
            b"</script>",
            b"<table><td>",
            b"<a>",
            b"<b>1</b>",
            b"</a>",
            b'{"a":',
            b"[",
            b"]",
            b"}",
            b'"\\ud800"',
            b"1e999",
            b"<x:y z='1'/>",
            b"&amp;",
            b"\xff",
        ]
    ),
    max_size=30,
).map(b"".join)
content_types = st.sampled_from(["text/html", "text/html; charset=koi8-r", "application/json", "text/xml", ""])
contexts = st.sampled_from([b"", b'{"x":"y"}', b"\xff"])


def page_of(rules, body, content_type, context=b""):
    request = Request(url=URL, host_key=HostKey("a.test"), scope_host="a.test", context=context)
    response = Response(url=URL, status=200, headers=((b"content-type", content_type.encode()),), body=body)
    return Extractor(Settings(extract=ExtractConfig(rules=rules))).page(request, response)


def check(page, rules):
    """Whether what came of a page is as promised."""
    assert isinstance(page, Page), page
    fields = {rule.name: rule.fields for rule in rules}
    counted = {}
    for sink, block in page.records:
        for line in block.split(b"\n") if sink != "pages" else ():
            record = json.loads(line.decode())
            name, _, rejects = sink.partition(".")
            counted[sink] = counted.get(sink, 0) + 1
            assert record["_rule"] == name
            assert bool(record.get("_errors")) == bool(rejects)
            for field, config in fields[name].items():
                if not rejects:
                    assert_valid(record[field], config)
    for fill in page.fills:
        assert counted.get(fill.rule, 0) == fill.records
        assert counted.get(f"{fill.rule}.rejects", 0) == fill.rejects


def assert_valid(value, config):
    if isinstance(config, str):
        assert value is None or (isinstance(value, str) and value)
        return
    assert value is not None or not config.required
    expected = {"int": int, "float": (int, float), "bool": bool, "list": list}.get(config.type)
    if expected is not None and value is not None and not isinstance(value, list):
        assert isinstance(value, expected)
    if config.fields is not None and value is not None:
        for each in value if config.many else [value]:
            assert each.keys() == config.fields.keys()


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(html_rules | data_rules | embedded_rules, min_size=1, max_size=2, unique_by=lambda rule: rule.name).map(
        tuple
    ),
    markup | pieces,
    content_types,
    contexts,
)
def test_any_bytes_through_any_rule_give_valid_records_or_none(rules, body, content_type, context):
    config = CrawlConfig(extract=ExtractConfig(rules=rules))
    if not list(problems(config)):
        check(page_of(rules, body, content_type, context), rules)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(html_rules | data_rules | embedded_rules, max_size=2).map(tuple))
def test_rules_are_stored_so_that_they_read_back_equal(rules):
    config = CrawlConfig(extract=ExtractConfig(rules=rules))
    if not list(problems(config)):
        assert loads(dump(config), "stored").config == as_written(config)


DEEP = (
    RuleConfig(
        name="deep",
        each="i",
        fields={
            "text": FieldConfig(css="", take="text"),
            "lines": FieldConfig(css="", take="lines"),
            "html": FieldConfig(css="i", take="html"),
            "markdown": FieldConfig(css="", take="markdown"),
            "many": FieldConfig(css="i", many=True, fields={"t": "p", "own": FieldConfig(css="", take="own_text")}),
            "script": FieldConfig(json="@", in_="script"),
            "ld": FieldConfig(json="@", in_="json_ld:Product"),
        },
        follow=(FollowConfig(css="i", carry=("text",)), "b"),
    ),
    RuleConfig(name="data", each="a", fields={"a": FieldConfig(json="@"), "b": FieldConfig(json="a.a")}),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"<i>" * 100_000 + b"<p>x</p>", "text/html", id="nested elements"),
        pytest.param(b"<i><b href=/x>" * 10_000, "text/html", id="nested within nested"),
        pytest.param(
            (b"<i " + b" ".join(b"a%d=1" % n for n in range(100)) + b">x</i>") * 10_000, "text/html", id="attributes"
        ),
        pytest.param(b"<i>\0\xed\xa0\x80&#xD800;<script>{'a':'\\ud800'}</script>", "text/html", id="NULs, surrogates"),
        pytest.param(b"<script>" + b'{"a":' * 100_000, "text/html", id="nested JSON in a script"),
        pytest.param(b"[" * 1_000_000, "application/json", id="nested JSON"),
        pytest.param(b'{"a":"\\ud800\\u0000"}', "application/json", id="JSON with surrogates"),
        pytest.param(b'{"a":[' + b'{"a":{"a":1}},' * 20_000 + b"]}", "application/json", id="much JSON"),
        pytest.param(b"<a>" * 100_000, "text/xml", id="nested XML"),
        pytest.param(
            b"<a " + b" ".join(b"a%d=''" % n for n in range(100_000)) + b"/>", "text/xml", id="XML attributes"
        ),
        pytest.param(b"<i>\xff\xfe" * 10_000, "text/html; charset=utf-16", id="wrong charset"),
    ],
)
def test_monsters_are_survived(body, content_type):
    check(page_of(DEEP, body, content_type), DEEP)
