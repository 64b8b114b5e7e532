"""What rules take of a page: items, fields, validation, links."""

from __future__ import annotations

import json

import pytest

from crawler.extract.rules import RuleSet
from tests.support.rules import configured, errors_of, page, record_of, resolving, scraped

LAMP = page(
    "<html lang=en><title>Lamps</title><h1> Blue\n<b>Lamp</b></h1><p class=price data-raw=2499>$24.99</p>"
    "<ul class=tags><li>new<li> <li>blue</ul><a class=more href='../more?x=1#y'>more</a>"
    "<div class=offer><b>Ann</b><i>3</i></div><div class=offer><b>Bob</b><i>x</i></div><div class=offer></div>"
)
SHOP = page(
    "<div class=item data-id=1><h2>One</h2><a href=/1>1</a></div>"
    "<div class=item data-id=2><a href=/2>2</a></div>"
    "<div class=item data-id=3><h2>Three</h2><a href=/3>3</a><a href=mailto:a@b.test>m</a></div>"
    "<nav><a class=next href='?page=3'>next</a><a href=/logout>bye</a><a class=ad href=/ad>ad</a></nav>"
)


def test_a_text_stands_for_a_selector_and_the_first_element_counts():
    assert record_of("title: h1\ntag: li\nnone: h7", LAMP) == {"title": "Blue Lamp", "tag": "new", "none": None}


def test_of_an_element_its_text_html_or_attribute_can_be_taken():
    record = record_of(
        """
        own: {css: h1, take: own_text}
        html: {css: h1 b, take: html}
        inner: {css: h1, take: inner_html}
        lines: {css: ul, take: lines}
        raw: {css: .price, attr: data-raw}
        missing: {css: .price, attr: title}
        """,
        LAMP,
    )
    assert record == {
        "own": "Blue",
        "html": "<b>Lamp</b>",
        "inner": " Blue\n<b>Lamp</b>",
        "lines": "new\nblue",
        "raw": "2499",
        "missing": None,
    }


def test_lines_are_those_of_preformatted_text_as_on_the_page():
    parsed = page(
        "<div>a<pre>x\n  y\n\n <b>z\n</b></pre>b  c<br>d</div><pre>\n  <code> 1\n\t2 </code></pre>"
        "<p> e\nf<textarea>g\nh"
    )
    fields = """
        all: {css: body, take: lines}
        div: {css: div, take: lines}
        pre: {css: "div + pre", take: lines}
        code: {css: code, take: lines}
        text: {css: pre}
    """
    assert record_of(fields, parsed) == {
        "all": "a\nx\n  y\n\n z\nb c\nd\n   1\n\t2\ne f\ng\nh",
        "div": "a\nx\n  y\n\n z\nb c\nd",
        "pre": "   1\n\t2",
        "code": " 1\n\t2",
        "text": "x y z",
    }


def test_many_takes_all_that_are_not_empty():
    assert record_of("tags: {css: .tags li, many: true}\nnone: {css: h7, many: true}", LAMP) == {
        "tags": ["new", "blue"],
        "none": None,
    }


def test_a_script_or_title_is_text_when_it_is_asked_for():
    parsed = page("<title>T</title><p>a<script>let x</script>b</p>")
    assert record_of("title: title\nscript: script\nrest: p", parsed) == {"title": "T", "script": "let x", "rest": "ab"}


def test_a_regex_takes_its_group_and_what_does_not_match_is_none():
    record = record_of(
        "cents: {css: .price, regex: '[.](\\d+)'}\nall: {css: h1, regex: B\\w+}\nno: {css: h1, regex: z}", LAMP
    )
    assert record == {"cents": "99", "all": "Blue", "no": None}


def test_values_are_transformed_in_order_and_converted():
    record = record_of(
        """
        price: {css: .price, transform: [{number: {locale: en}}], type: decimal}
        more: {css: .more, attr: href, type: url}
        words: {css: h1, transform: [lower, {split: " "}]}
        tags: {css: li, many: true, transform: [upper, {join: "+"}]}
        n: {css: .price, attr: data-raw, type: int}
        """,
        LAMP,
    )
    assert record == {
        "price": "24.99",
        "more": "https://shop.test/more?x=1",
        "words": ["blue", "lamp"],
        "tags": "NEW+BLUE",
        "n": 2499,
    }


def test_alternatives_are_tried_until_one_has_a_value_that_will_do():
    fields = """
        a: {any: [h7, .price, h1]}
        b: {any: [{css: h1, type: int}, {css: .price, attr: data-raw, type: int}]}
        c: {any: [h7, {const: none}]}
        d: {any: [h7, li], many: true}
    """
    assert record_of(fields, LAMP) == {"a": "$24.99", "b": 2499, "c": "none", "d": ["new", "blue"]}
    assert errors_of("x: {any: [h7, {css: h1, type: int}]}", LAMP) == [
        ("x", "Blue Lamp", "a whole number, not 'Blue Lamp'")
    ]


def test_what_an_alternative_leaves_open_the_field_decides_as_if_it_stood_there_itself():
    parsed = page("<p class=sale>call us</p><p class=price>$173.00</p><p class=price>$9.50</p>")
    fields = """
        own: {any: [h7, {css: .price, transform: [{price: amount}]}], type: decimal}
        nested: {any: [{any: [{css: .price, transform: [{price: amount}]}]}], type: decimal}
        bare: {any: [{css: .price, transform: [{price: amount}]}]}
        transformed: {any: [.sale, .price], transform: [{price: amount}], type: decimal}
        typed: {any: [.sale, {css: .price, regex: '[0-9.]+'}], type: decimal}
        matched: {any: [.sale, .price], regex: '[0-9.]+', transform: [number, {default: 0}], type: float}
        many: {any: [.sale, .price], many: true, transform: [{price: amount}], type: decimal}
        given: {any: [.sale, h7], transform: [number, {default: 0}]}
    """
    assert record_of(fields, parsed) == {
        "own": "173.00",
        "nested": "173.00",
        "bare": 173,
        "transformed": "173.00",
        "typed": "173.00",
        "matched": 173.0,
        "many": ["173.00", "9.50"],
        "given": 0,
    }
    assert errors_of("x: {any: [.sale, h7], type: float}", parsed) == [("x", "call us", "a number, not 'call us'")]


def test_objects_nest_and_those_in_which_nothing_is_found_are_none():
    fields = """
        offers: {css: .offer, many: true, fields: {seller: b, currency: {const: EUR}}}
        page: {fields: {title: h1, none: {fields: {x: h7, y: {const: 1}}}}}
    """
    assert record_of(fields, LAMP) == {
        "offers": [{"seller": "Ann", "currency": "EUR"}, {"seller": "Bob", "currency": "EUR"}],
        "page": {"title": "Blue Lamp", "none": None},
    }


def test_parts_of_the_url_and_constants_are_values():
    fields = """
        url: {url: url}
        host: {url: host}
        domain: {url: domain}
        port: {url: port}
        first: {url: path.0}
        last: {url: path.-1}
        beyond: {url: path.7}
        q: {url: query.q}
        const: {const: 1.5}
    """
    record = record_of(fields + "    has_title: {css: h1, required: true}", LAMP)
    assert record == {
        "url": "https://shop.test/lamps/blue?page=2&q=a%20b",
        "host": "shop.test",
        "domain": "shop.test",
        "port": "443",
        "first": "lamps",
        "last": "blue",
        "beyond": None,
        "q": "a b",
        "const": 1.5,
        "has_title": "Blue Lamp",
    }


def test_a_default_stands_where_there_is_no_value_but_not_for_a_wrong_one():
    assert record_of("a: {css: h7, default: [x, 1]}\nb: {css: h1, default: y}", LAMP) == {
        "a": ["x", 1],
        "b": "Blue Lamp",
    }
    assert errors_of("a: {css: h1, type: int, default: 1}", LAMP) == [
        ("a", "Blue Lamp", "a whole number, not 'Blue Lamp'")
    ]


def test_a_default_is_of_the_type_of_its_field():
    fields = """
        int: {css: h7, type: int, default: "5"}
        decimal: {css: h7, type: decimal, default: 5.5}
        date: {css: h7, type: date, default: "2024-05-06T07:08:09Z"}
        many: {css: h7, many: true, type: int, default: ["1", 2]}
        str: {css: h7, type: str, default: 5}
        none: {css: h7, type: int}
    """
    assert record_of(fields, LAMP) == {
        "int": 5,
        "decimal": "5.5",
        "date": "2024-05-06",
        "many": [1, 2],
        "str": "5",
        "none": None,
    }


def test_a_record_that_fails_is_rejected_with_every_reason_and_what_was_got():
    result = scraped(
        """
        name: lamps
        fields:
          title: h1
          sku: {css: .sku, required: true}
          price: {css: .price, type: float}
          offers: {css: .offer, many: true, fields: {seller: b, n: {css: i, type: int, required: true}}}
        """,
        LAMP,
    )
    assert result.records == []
    ((rule, record),) = result.rejects
    assert rule == "lamps"
    assert record["_errors"] == [
        {"field": "sku", "value": None, "expected": "a value"},
        {"field": "price", "value": "$24.99", "expected": "a number, not '$24.99'"},
        {"field": "offers[1].n", "value": "x", "expected": "a whole number, not 'x'"},
    ]
    assert (record["title"], record["offers"][0]) == ("Blue Lamp", {"seller": "Ann", "n": 3})


def test_each_item_is_a_record_and_selectors_do_not_leave_it():
    result = scraped(
        "name: shop\neach: .item\n"
        "fields: {id: {css: '', attr: data-id}, name: {css: h2, required: true}, n: {css: div}}",
        SHOP,
    )
    assert [record for _, record in result.records] == [
        {"id": "1", "name": "One", "n": None},
        {"id": "3", "name": "Three", "n": None},
    ]
    assert [record["id"] for _, record in result.rejects] == ["2"]


def test_how_often_each_field_had_a_value_of_its_own_is_counted():
    (fill,) = scraped(
        "name: shop\neach: .item\nfields: {name: {css: h2, default: '?'}, id: {css: '', attr: data-id}}", SHOP
    ).fills
    assert (fill.rule, fill.records, fill.rejects, fill.filled) == ("shop", 3, 0, {"name": 2, "id": 3})


@pytest.mark.parametrize(
    ("match", "is_for"),
    [
        ("'*/lamps/*'", True),
        ("['*/desks/*', /lamps.blue/]", True),
        ("'*/desks/*'", False),
        ("{css: h1 b}", True),
        ("{css: h1 i}", False),
        ("{url: ['*/lamps/*'], css: h7}", False),
        ("{type: html}", True),
        ("null", True),
    ],
)
def test_a_rule_is_for_pages_that_satisfy_all_of_its_match(match, is_for):
    result = scraped(f"name: r\nmatch: {match}\nfields: {{title: h1}}", LAMP)
    assert (len(result.records), len(result.fills)) == (is_for, is_for)


def test_rules_for_json_leave_html_alone_and_the_other_way_round():
    rules = "- {name: h, fields: {a: h1}}\n- {name: j, fields: {a: {json: a}}}\n- {name: u, fields: {a: {url: host}}}"
    assert [rule for rule, _ in scraped(rules, LAMP).records] == ["h", "u"]
    assert [rule for rule, _ in scraped(rules, page(value={"a": 1})).records] == ["j"]


def test_json_is_addressed_by_jmespath():
    parsed = page(value={"items": [{"id": 1, "tags": ["a", None, "b"]}, {"id": None, "tags": []}], "next": "/2"})
    result = scraped(
        """
        name: api
        match: {json: "items[0]"}
        each: items
        fields:
          id: {json: id, type: int, required: true}
          tags: {json: tags, many: true}
          all: {json: "@"}
          obj: {json: "@", fields: {n: {json: length(tags)}}}
        follow: [{json: id}]
        """,
        parsed,
    )
    assert [record for _, record in result.records] == [
        {"id": 1, "tags": ["a", "b"], "all": parsed.value["items"][0], "obj": {"n": 3}}
    ]
    assert result.rejects[0][1]["_errors"] == [{"field": "id", "value": None, "expected": "a value"}]
    assert result.follow == []


def test_a_function_that_does_not_like_what_it_gets_gives_no_value():
    assert record_of(
        "a: {json: length(n)}\nb: {json: 'sum(n)'}\nc: {json: 'x[?@ > `1`]'}", page(value={"n": 1, "x": ["a", 2]})
    ) == {
        "a": None,
        "b": None,
        "c": None,
    }


def test_html_holds_json_in_scripts_in_variables_and_as_json_ld():
    parsed = page(
        '<script type=application/ld+json>{"@graph": [{"@type": ["Thing", "Product"], "name": "L"}]}</script>'
        '<script id=s type=application/json>{"a": {"b": 2}}</script><script src=x></script>'
        "<script>var y=1;window.__STATE__ = {items: [{id: 7,}]}; go()</script>"
    )
    fields = """
        ld: {json: name, in: json_ld:Product}
        all: {json: "[0].\\"@graph\\"[0].name", in: json_ld}
        script: {json: a.b, in: "#s"}
        state: {json: "items[*].id", in: "js:window.__STATE__", many: true}
        none: {json: "@", in: "js:window.other"}
        objects: {json: items, in: "js:window.__STATE__", many: true, fields: {id: {json: id}}}
    """
    assert record_of(fields, parsed) == {
        "ld": "L",
        "all": "L",
        "script": 2,
        "state": [7],
        "none": None,
        "objects": [{"id": 7}],
    }


def test_what_a_listing_carried_is_a_value():
    assert record_of("a: {carried: name}\nb: {carried: other}\nc: h1", page("<h1>x", carried={"name": ["n"]})) == {
        "a": ["n"],
        "b": None,
        "c": "x",
    }


def test_only_the_links_of_follow_are_followed_with_priority_and_what_they_carry():
    result = scraped(
        """
        name: shop
        each: .item
        fields: {name: h2, id: {css: "", attr: data-id, type: int}}
        follow:
          - {css: "", priority: 5, carry: [name, id]}
          - .next
          - {url: ["*/logout"]}
        """,
        SHOP,
    )
    links = [(link.href, link.priority, json.loads(link.context or b"null")) for link in result.follow]
    assert links == [
        ("/1", 5, {"name": "One", "id": 1}),
        ("/2", 5, {"id": 2}),
        ("/3", 5, {"name": "Three", "id": 3}),
        ("mailto:a@b.test", 5, {"name": "Three", "id": 3}),
        ("?page=3", 32, None),
        ("/logout", 32, None),
    ]
    assert {link.rule for link in result.follow} == {"shop"}


def test_without_follow_all_links_are_and_with_an_empty_one_none():
    assert scraped("name: r\nfields: {a: h1}", SHOP).follow is None
    assert scraped("name: r\nfields: {a: h1}\nfollow: []", SHOP).follow == []


def test_too_much_to_carry_is_not_carried_in_part():
    result = scraped(
        "name: r\nfields: {a: h1}\nfollow: [{css: a, carry: [a]}]", page(f"<h1>{'x' * 16400}</h1><a href=/1>1</a>")
    )
    assert [link.context for link in result.follow] == [None]


def test_links_are_skipped_by_pattern_and_by_where_they_stand():
    (skipped,) = scraped("name: r\nskip: ['*/logout', {css: .ad}, {css: nav, url: ['*page=*']}]", SHOP).skips
    urls = ["/1", "/logout", "/ad", "/lamps/blue?page=3"]
    assert [url for url in urls if f"https://shop.test{url}" in skipped] == urls[1:]


@pytest.mark.slow
def test_too_many_items_are_said_to_be_too_many():
    result = scraped("name: r\neach: i\nfields: {a: {css: ''}}", page("<i>x</i>" * 10_001))
    assert len(result.records) == 10_000
    ((_, record),) = result.rejects
    assert "at most 10000 items" in record["_errors"][0]["expected"]


def test_people_are_told_which_selector_found_what_and_why_a_rule_is_not_for_a_page():
    rules = """
        - name: other
          match: "*/desks/*"
          fields: {a: h1}
        - name: shop
          each: .item
          fields:
            name: {any: [h2, h3], required: true}
            link: {fields: {to: {css: a, attr: href}}}
          follow: [.next]
    """
    ticks = iter(range(100))
    other, shop = RuleSet(configured(rules)).explain(SHOP, resolving(), lambda: next(ticks))
    assert (other.is_matched, other.why_not) == (False, f"match.url: none of */desks/* matches {SHOP.url}")
    assert (shop.items, len(shop.records), len(shop.rejects), shop.elapsed_s) == (3, 2, 1, 1)
    name, link, to = shop.fields
    assert [(source.expression, source.found) for source in name.sources] == [("h2", 2), ("h3", 0)]
    assert (name.filled, name.objects, name.values) == (2, 3, ("One", "Three"))
    assert [error.expected for error in name.errors] == ["a value"]
    assert (link.name, to.name, to.sources[0].found, to.values) == ("link", "link.to", 3, ("/1", "/2", "/3"))
    (follow,) = shop.follow
    assert (follow.expression, follow.found, follow.urls) == (".next", 1, ("https://shop.test/lamps/blue?page=3",))


def test_items_of_an_html_page_may_be_values_of_json_in_it():
    html = "<script>var s = {items: [{n: 1, to: '/1'}, {n: 2, to: '/2'}]}</script><a href=/x>x</a>"
    result = scraped(
        """
        name: r
        each: {json: items, in: "js:s"}
        fields: {n: {json: n, type: int}}
        follow: [{json: to}, {json: to, carry: [n], priority: 1}, a]
        """,
        page(html),
    )
    assert [record for _, record in result.records] == [{"n": 1}, {"n": 2}]
    assert [(link.href, link.priority) for link in result.follow] == [
        *[("/1", 32), ("/1", 1), ("/2", 32), ("/2", 1)],
        ("/x", 32),
    ]
    assert scraped("name: r\neach: {json: x, in: 'js:none'}\nfields: {n: {json: n}}", page(html)).records == []


def test_a_named_argument_of_a_transform_may_be_a_list():
    parsed = page("<p>Buy</p><b>gone</b>")
    words = '{bool: {"true": [Buy, "on order"], "false": [gone]}}'
    assert record_of(f"a: {{css: p, transform: [{words}]}}\nb: {{css: b, transform: [{words}]}}", parsed) == {
        "a": True,
        "b": False,
    }


def test_a_transform_may_give_a_default():
    assert record_of("a: {css: h7, transform: [{default: x}]}\nb: {css: h1, regex: '(z*)'}", LAMP) == {
        "a": "x",
        "b": None,
    }
