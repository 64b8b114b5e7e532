"""Scraping rules are read as written, and what is wrong with them is told with its place."""

from __future__ import annotations

import pytest

from crawler.config import CrawlConfig, ExtractConfig
from crawler.config.file import ConfigMistakesError, as_written, dump, load, loads
from crawler.config.scraping import FieldConfig, FollowConfig, MatchConfig, RuleConfig
from tests.support.rules import configured, mistakes_of


def field_mistakes(field):
    """The mistakes in one field, which is YAML."""
    return [
        (key.removeprefix("extract.rules[0].fields."), expected)
        for *_, key, _, expected in mistakes_of(f"name: r\nmatch: {{type: html}}\nfields:\n  a: {field}")
    ]


def test_every_word_of_a_rule_is_read():
    (rule,) = configured(
        """
        name: products
        match: {url: ["*/p/*", /x/], css: .p, type: html}
        each: .p
        fields:
          name: h1
          price:
            css: .price
            attr: data-p
            transform: [strip, {number: {locale: de}}, {replace: [a, b]}]
            type: decimal
          state: {json: a.b, in: "js:window.__S__", many: true, default: [x, 1, 1.5, true, null]}
          one: {const: 1.50}
          text: {const: "1.50"}
          other: {any: [h2, {const: no}]}
          deep: {css: .d, fields: {deeper: {fields: {deepest: b}}}}
        follow: [a.next, {css: a, priority: 0, carry: [name]}]
        skip: ["*/logout*", {css: nav}]
        unique: [name]
        """
    )
    fields = rule.fields
    assert rule.match == MatchConfig(url=("*/p/*", "/x/"), css=".p", type="html")
    assert fields["name"] == "h1"
    assert fields["price"].transform == ("strip", {"number": {"locale": "de"}}, {"replace": ("a", "b")})
    assert (fields["state"].in_, fields["state"].default) == ("js:window.__S__", ("x", 1, 1.5, True, None))
    assert (fields["one"].const, fields["text"].const) == (1.5, "1.50")
    assert fields["other"].any == ("h2", FieldConfig(const="no"))
    assert fields["deep"].fields["deeper"].fields["deepest"] == "b"
    assert rule.follow == ("a.next", FollowConfig(css="a", priority=0, carry=("name",)))


def test_rules_are_stored_as_they_were_read():
    rules = configured(
        """
        name: r
        match: ["*", /x/]
        fields:
          a:
            json: '"@type"'
            in: json_ld
            transform: [{replace: ["1.5", " no "]}, {number: {locale: de}}, {bool: {"true": ["1", a], "false": "0"}}]
            default: 1.5
          b: {any: [h1, {const: "1.0"}, {const: 1e3}, {const: -0.5}], type: str}
        follow: []
        """
    )
    config = CrawlConfig(extract=ExtractConfig(rules=rules))
    assert loads(dump(config), "stored").config == as_written(config)


def test_rules_may_stand_in_files_beside_the_configuration(tmp_path):
    (tmp_path / "crawl.yaml").write_text("extract:\n  rules: rules/all.yaml\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/all.yaml").write_text("rules:\n- more.yaml\n- {name: b, fields: {x: h1}}\n- none.yaml\n")
    (tmp_path / "rules/more.yaml").write_text("- {name: a, fields: {x: h1}}\n- {name: c, fields: {x: h1}}\n")
    (tmp_path / "rules/none.yaml").write_text("")
    rules = load(tmp_path / "crawl.yaml").config.extract.rules
    assert [rule.name for rule in rules] == ["a", "c", "b"]
    assert "all.yaml" not in dump(load(tmp_path / "crawl.yaml").config)


def test_mistakes_in_a_rule_file_name_that_file(tmp_path):
    (tmp_path / "crawl.yaml").write_text("extract:\n  rules: [a.yaml, {name: ok, fields: {x: h1}}]\n")
    (tmp_path / "a.yaml").write_text("- name: a\n  fields:\n    x: {css: 'h1['}\n    y: {csss: h1}\n")
    with pytest.raises(ConfigMistakesError) as error:
        load(tmp_path / "crawl.yaml")
    told = [str(mistake).removeprefix(f"{tmp_path}/") for mistake in error.value.mistakes]
    assert told[0].startswith('a.yaml:3:14: extract.rules[0].fields.x.css: "h1[": expected a CSS selector')
    assert told[1] == "a.yaml:4:9: extract.rules[0].fields.y.csss: unknown key (did you mean css?)"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "No such file"),
        ({"r.yaml": "name: r\n"}, "expected a list of rules, or a map of them under rules"),
        ({"r.yaml": "rules: {a: 1}\n"}, "expected a list of rules"),
        ({"r.yaml": "- r.yaml\n"}, "expected rule files that do not name one another"),
        ({"r.yaml": "- [\n"}, "not YAML"),
        ({"r.yaml": "\udcff"}, "expected UTF-8"),
        ({"r.yaml": "- 5\n"}, "No such file"),
    ],
)
def test_what_is_no_rule_file_is_told(tmp_path, files, expected):
    (tmp_path / "crawl.yaml").write_text("extract: {rules: r.yaml}\n")
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigMistakesError) as error:
        load(tmp_path / "crawl.yaml")
    assert expected in str(error.value)


def test_a_rule_file_alone_can_be_loaded_where_that_will_do(tmp_path):
    (tmp_path / "r.yaml").write_text("- {name: a, fields: {x: h1}}\n")
    (tmp_path / "m.yaml").write_text("rules: [r.yaml]\n")
    (tmp_path / "c.yaml").write_text("extract: {rules: r.yaml}\n")
    for name in ("r.yaml", "m.yaml", "c.yaml"):
        assert load(tmp_path / name, or_rules=True).config.extract.rules[0].name == "a"
    for name in ("r.yaml", "m.yaml"):
        with pytest.raises(ConfigMistakesError, match="scraping rules go below extract"):
            load(tmp_path / name)


@pytest.mark.parametrize(
    ("field", "key", "expected"),
    [
        ("'h1['", "a", "expected a CSS selector"),
        ("{css: 'a::attr(href)'}", "a.css", "an attribute is taken with attr: href"),
        ("{css: 'a:hover'}", "a.css", ":hover needs a user"),
        ("{css: 'a[href=\"x'}", "a.css", "closes its brackets"),
        ("{css: h1, take: texts}", "a.take", "did you mean text?"),
        ("{css: h1, attr: x, take: html}", "a.take", "attr or take, not both"),
        ("{const: 1, attr: x}", "a.attr", "expected css"),
        ("{css: h1, regex: '('}", "a.regex", "as RE2 knows it"),
        ("{css: h1, regex: '(?=x)'}", "a.regex", "as RE2 knows it"),
        ("{css: h1, type: strin}", "a.type", "did you mean str?"),
        ("{css: h1, transform: [stripp]}", "a.transform[0]", "strip"),
        ("{css: h1, transform: [{replace: a, strip: b}]}", "a.transform[0]", "a map of one name"),
        ("{css: h1, transform: [{number: {lokale: de}}]}", "a.transform[0]", "locale"),
        ("{any: h1}", "a.any", "expected a list, such as [h1]"),
        ("[h1]", "a", "expected text or a map of css, attr, take, json and the like"),
        ("{css: h1, transform: strip}", "a.transform", "expected a list, such as [strip]"),
        ("{json: 'a[', in: json_ld}", "a.json", "expected JMESPath"),
        ("{json: 'lenght(a)', in: json_ld}", "a.json", "did you mean length?"),
        ("{json: 'length(a, b)', in: json_ld}", "a.json", "expected 1 arguments"),
        ("{json: a}", "a", "CSS and `in` are for HTML"),
        ("{css: h1, in: json_ld}", "a.in", "expected json with it"),
        ("{json: a, in: '//x'}", "a.in", "expected json_ld, opengraph, microdata, js:NAME"),
        ("{json: a, in: 'js:a b'}", "a.in", "as scripts name it"),
        ("{css: h1, json: a, in: json_ld}", "a.json", "expected one of them; alternatives go under any"),
        ("{required: true}", "a", "expected one of css, json, const"),
        ("{const: 1, many: true}", "a.many", "of which there can be many"),
        ("{url: paht}", "a.url", "expected one of url, scheme"),
        ("{url: path.x}", "a.url", "path.N"),
        ("{any: []}", "a.any", "at least one alternative"),
        ("{any: [h1, {css: h2, required: true}]}", "a.any[1].required", "on the field itself"),
        ("{any: [h1, 'h2[']}", "a.any[1]", "expected a CSS selector"),
        ("{fields: {}}", "a.fields", "at least one field"),
        ("{css: h1, fields: {b: h2}, type: int}", "a.type", "expected object"),
        ("{const: 1, fields: {b: h2}}", "a.fields", "expected css or json to say where"),
        ("{css: h1, fields: {_b: h2}}", "a.fields._b", "does not begin with '_'"),
        ("{json: x, in: json_ld, fields: {b: h2}}", "a.fields.b", "looked for in a value"),
        ("{css: h1, required: true, default: x}", "a.default", "expected one of them"),
        ("{css: h1, type: int, default: x}", "a.default", "expected a whole number"),
        ("{const: x, type: float}", "a.const", "expected a number"),
    ],
)
def test_what_is_wrong_with_a_field_is_told_when_it_is_read(field, key, expected):
    found = field_mistakes(field)
    assert [told for told, _ in found] == [key]
    assert expected in found[0][1]


@pytest.mark.parametrize(
    ("rule", "key", "expected"),
    [
        ("fields: {a: h1}", "", "expected a name"),
        ("name: a b", ".name", "expected a file name"),
        ("name: -a", ".name", "expected a file name"),
        ("name: Pages", ".name", "a file that a crawl has already"),
        ("name: r\nmatch: 'x/*'", ".match", "did you mean *x/*?"),
        ("name: r\nmatch: ['*', '/(/']", ".match[1]", "as RE2 knows it"),
        ("name: r\nmatch: {url: ['x/*']}", ".match.url[0]", "did you mean *x/*?"),
        ("name: r\nmatch: {css: '['}", ".match.css", "expected a CSS selector"),
        ("name: r\nmatch: {json: '['}", ".match.json", "expected JMESPath"),
        ("name: r\nmatch: {type: json}\nfields: {a: h1}", ".fields.a", "CSS and `in` are for HTML"),
        ("name: r\nfields: {a: h1, b: {json: b}}", ".fields.b", "JMESPath without `in` is for JSON and XML"),
        ("name: r\neach: '['\nfields: {a: h1}", ".each", "expected a CSS selector"),
        ("name: r\neach: '['\nfields: {a: {json: a}}", ".each", "expected JMESPath"),
        ("name: r\neach: a\nfields: {a: {any: [h1, {json: a}]}}", ".each", "expected match.type"),
        ("name: r\neach: {json: '[', in: json_ld}\nfields: {a: {json: a}}", ".each.json", "expected JMESPath"),
        ("name: r\neach: {json: a}\nfields: {a: {json: a}}", ".each.in", "expected json_ld, opengraph"),
        ("name: r\neach: {json: a, in: json_ld}\nfields: {a: h1}", ".fields.a", "looked for in a value"),
        ("name: r\neach: {json: a, in: json_ld}\nmatch: {type: xml}", ".each", "expected what is for XML"),
        ("name: r\nfields: {_a: h1}", ".fields._a", "does not begin with '_'"),
        ("name: r\nfields: {a: h1}\nunique: [b]", ".unique[0]", "expected a field of the rule, which has a"),
        (
            "name: r\nfields: {a: h1}\nfollow: [{css: a, carry: [b]}]",
            ".follow[0].carry[0]",
            "expected a field of the rule",
        ),
        ("name: r\nfollow: [{css: a, priority: 64}]", ".follow[0].priority", "expected a whole number from 0 to 63"),
        ("name: r\nmatch: '*'", "", "expected fields, follow or skip"),
        ("name: r\nfollow: a.next", ".follow", "expected a list, such as [a.next]"),
        ("name: r\nfollow: [a, []]", ".follow[1]", "expected text or a map of css"),
        ("name: r\nfollow: ['[']", ".follow[0]", "expected a CSS selector"),
        ("name: r\nfollow: [{css: a, url: [x]}]", ".follow[0].url[0]", "expected a glob"),
        ("name: r\nskip: [x]", ".skip[0]", "expected a glob"),
        ("name: r\nskip: [{}]", ".skip[0]", "expected url or css"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_when_it_is_read(rule, key, expected):
    found = mistakes_of(rule)
    assert [told for _, _, told, _, _ in found] == [f"extract.rules[0]{key}"]
    assert expected in found[0][4]


def test_two_rules_need_two_names():
    ((line, _, key, value, expected),) = mistakes_of("- {name: a, fields: {x: h1}}\n- {name: A, fields: {x: h1}}")
    assert (line, key, value) == (2, "extract.rules[1].name", "A")
    assert "another rule has it" in expected


def test_places_are_those_of_the_file():
    rules = "name: r\nmatch:\n  url: ['*', 'x/*']\nfields:\n  a:\n    css: h1\n    transform: [strip, oops]\n  b: 'h1['"
    assert [(line, column) for line, column, *_ in mistakes_of(rules)] == [
        (3, 20),
        (7, 30),
        (8, 9),
    ]  # six columns are around them


def test_one_mistake_hides_no_other_and_moves_no_place():
    found = mistakes_of(
        "- name: a\n"
        "  match: x/*\n"
        "  fields: {x: h1, y: {json: y}}\n"
        "-\n"
        "- [x]\n"
        "- name: c\n"
        "  follow: [[], 'a[', {css: 'b['}]\n"
        "  skip: [{url: ['*', [], 'z']}]\n"
    )
    assert [(line, key.removeprefix("extract.rules")) for line, _, key, *_ in found] == [
        (2, "[0].match"),
        (3, "[0].fields.y"),
        (4, "[1]"),
        (5, "[2]"),
        (7, "[3].follow[0]"),
        (7, "[3].follow[1]"),
        (7, "[3].follow[2].css"),
        (8, "[3].skip[0].url[1]"),
        (8, "[3].skip[0].url[2]"),
    ]


def test_what_cannot_be_read_is_not_called_missing_too():
    assert [key for _, _, key, _, _ in mistakes_of("name: r\nfields: {a: {css: [h1]}}")] == [
        "extract.rules[0].fields.a.css"
    ]


def test_a_rule_made_in_python_is_checked_too():
    from crawler.config.rules import problems

    rule = RuleConfig(name="r", fields={"a": FieldConfig(const=float("inf"))})
    (problem,) = problems(CrawlConfig(extract=ExtractConfig(rules=(rule,))))
    assert (problem.key, problem.expected) == ("extract.rules[0].fields.a.const", "expected a finite number")
    deep = FieldConfig(css="b")
    for _ in range(500):
        deep = FieldConfig(fields={"x": deep})
    rule = RuleConfig(name="r", fields={"a": deep})
    assert any(
        "within one another" in problem.expected
        for problem in problems(CrawlConfig(extract=ExtractConfig(rules=(rule,))))
    )
