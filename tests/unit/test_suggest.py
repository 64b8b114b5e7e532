"""Rules are learnt from examples: where they stand, which selectors lead there, and how long those will hold."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.config.file import loads
from crawler.demo import shop
from crawler.extract.near_misses import near_misses, steps_of
from crawler.extract.parsed import Parsed
from crawler.extract.rules import RuleSet
from crawler.extract.suggest import MAX_EXAMPLES, suggest
from crawler.extract.suggest_names import is_generated, is_looks, means_something
from crawler.extract.suggest_places import MAX_PLACES, find_places
from crawler.extract.suggest_rule import rule_of
from crawler.extract.suggest_values import Agreement, Example, number_in
from tests.support.corpora import corpus

SHOP = "http://shop.test"
NOTEBOOKS = ("pocket-notebook", "field-book", "dot-grid-a5")


def html_page(html, url=f"{SHOP}/a/b"):
    return Parsed(
        url=url,
        base_url=url,
        status=200,
        headers=(),
        fetched_at="2026-01-01T00:00:00.000Z",
        kind="html",
        text=html if isinstance(html, str) else "",
        tree=LexborHTMLParser(html),
    )


def shop_page(path):
    return html_page(shop.find_page(path), SHOP + path)


def best(suggestion):
    """Field -> its best candidate."""
    return {field.name: field.candidates[0] for field in suggestion.fields}


def scraped(suggestion, pages):
    """What the suggested rule gives of pages, read as a file of rules is."""
    import yaml

    text = yaml.safe_dump({"extract": {"rules": [rule_of(suggestion, pages)]}})
    rules = RuleSet(loads(text, "suggested").config.extract.rules)
    return [record for page in pages for _, record in rules.scrape(page, lambda url: url).records]


@pytest.mark.parametrize(
    ("given", "value", "agreement"),
    [
        ("Blue Lamp", "Blue Lamp", Agreement.EQUAL),
        ("Blue  Lamp ", "Blue Lamp", Agreement.EQUAL),
        ("blue lamp", "Blue Lamp", Agreement.CASE),
        ("24.99", "€24,99", Agreement.NUMBER),
        ("1299", "1.299,00 €", Agreement.NUMBER),
        ("24.99", "was 30.00, now 24.99", Agreement.CONTAINS),
        ("Lamp", "Blue Lamp - A Shop", Agreement.CONTAINS),
        ("Lamp", "Lampshade", None),
        ("24.99", "124.99", None),
        ("24.99", "SKU", None),
        ("", "", None),
    ],
)
def test_a_value_agrees_as_people_type_what_they_see(given, value, agreement):
    assert Example(given).agreement(value) == agreement


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("€24.99", "24.99"),
        ("24,99 €", "24.99"),
        ("1.299,00", "1299"),
        ("1,299.00", "1299"),
        ("1,299", "1299"),
        ("0.125", "0.125"),
        ("1'299", "1299"),
        ("1\u202f299,5", "1299.5"),
        ("\u22125", "-5"),
    ],
)
def test_numbers_are_read_in_either_style(text, number):
    assert number_in(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "none", "1 or 2.", "3 x 4", "1" * 40, "1.2.3.4 and so much more to say of it"])
def test_what_holds_no_number_or_several_is_none(text):
    assert number_in(text) is None


@pytest.mark.parametrize("name", ["css-1q2w3e", "sc-bdVaJa", "Price_root__3kXyZ", "jsx-2871293847", "_3xKjH9"])
def test_names_that_tools_make_are_told_from_words(name):
    assert is_generated(name)


@pytest.mark.parametrize(
    "name", ["price", "product-title", "productTitle", "a-price-whole", "h2", "html5", "post__date"]
)
def test_words_are_not_taken_for_names_that_tools_make(name):
    assert not is_generated(name)


def test_names_for_what_a_thing_is_are_told_from_names_for_its_looks():
    assert means_something("product-title")
    assert not is_looks("product-title")
    assert is_looks("mt-4")
    assert is_looks("text-lg")
    assert not means_something("mt-4")


def test_a_listing_is_learnt_from_one_of_its_items():
    pages = [shop_page("/category/notebooks")]
    suggestion = suggest(pages, ["Field Book", "14.50"])
    assert (suggestion.each, suggestion.items, suggestion.missing) == (".product", (6,), ())
    assert {name: candidate.css for name, candidate in best(suggestion).items()} == {"title": "h2", "price": ".price"}
    records = scraped(suggestion, pages)
    assert len(records) == 6
    assert records[1] == {"title": "Field Book", "price": Decimal("14.50")} or records[1]["title"] == "Field Book"


def test_examples_of_several_items_are_one_field():
    suggestion = suggest([shop_page("/category/notebooks")], ["Field Book", "Pocket Notebook", "14.50", "6.50"])
    assert suggestion.each == ".product"
    assert [field.examples for field in suggestion.fields] == [("Field Book", "Pocket Notebook"), ("14.50", "6.50")]


def test_a_detail_page_is_learnt_without_items_and_data_come_first():
    pages = [shop_page(f"/products/{name}") for name in NOTEBOOKS]
    suggestion = suggest(pages, ["6.50", "Pocket Notebook"])
    assert suggestion.each is None
    price, name = suggestion.fields
    assert (price.candidates[0].within, price.candidates[0].json) == ("json_ld:Product", "offers.price")
    assert price.candidates[1].css == ".price"
    assert [sight.value for sight in name.candidates[0].sights] == ["Pocket Notebook", "Field Book", "Dot Grid A5"]
    assert all(candidate.stability == "stable" for candidate in (price.candidates[1], *name.candidates[:2]))
    assert rule_of(suggestion, pages)["match"] == f"{SHOP}/products/*"
    assert [record["name"] for record in scraped(suggestion, pages)] == ["Pocket Notebook", "Field Book", "Dot Grid A5"]


def test_one_field_may_have_an_example_on_each_page():
    pages = [shop_page(f"/products/{name}") for name in NOTEBOOKS]
    suggestion = suggest(pages, ["Pocket Notebook", "Dot Grid A5"])
    (field,) = suggestion.fields
    assert field.examples == ("Pocket Notebook", "Dot Grid A5")
    assert field.candidates[0].examples == 2


def test_cells_of_one_row_are_different_fields_of_the_same_item():
    rows = "".join(f"<tr><td>Lamp {n}</td><td>{n}.99</td><td>Maker {n}</td></tr>" for n in "1234")
    page = html_page(f"<table>{rows}</table>")
    suggestion = suggest([page], ["Lamp 2", "2.99", "Maker 2"])
    assert suggestion.each == "tr"
    assert [candidate.css for candidate in best(suggestion).values()] == [
        "td:nth-of-type(1)",
        "td:nth-of-type(2)",
        "td:nth-of-type(3)",
    ]
    assert len(scraped(suggestion, [page])) == 4


def test_items_of_a_plain_list_are_the_values_themselves():
    page = html_page("<ul>" + "".join(f"<li>Tag {n}</li>" for n in "1234") + "</ul>")
    suggestion = suggest([page], ["Tag 1", "Tag 3"])
    assert suggestion.each == "li"
    assert best(suggestion)["value"].css == ""
    assert [record["value"] for record in scraped(suggestion, [page])] == ["Tag 1", "Tag 2", "Tag 3", "Tag 4"]


def test_what_an_element_is_beats_where_it_stands_and_generated_names_come_last():
    page = html_page(
        '<div class="css-1q2w3e"><div><p class="css-9z8y7x" itemprop="price">24.99</p></div></div>'
        '<div class="css-1q2w3e"><p>Other</p></div>'
    )
    (field,) = suggest([page], ["24.99"]).fields
    assert field.candidates[0].css == '[itemprop="price"]'
    assert not any("css-" in candidate.css for candidate in field.candidates)


def test_without_any_name_the_way_by_position_is_fragile():
    page = html_page("<div><div><span>a</span><span>24.99</span></div></div>")
    (field,) = suggest([page], ["24.99"]).fields
    assert field.candidates[0].stability == "fragile" or field.candidates[0].worth < 8
    assert any("nth-of-type(2)" in candidate.css for candidate in field.candidates)


def test_a_value_beside_its_label_is_chosen_by_the_label():
    page = html_page("<dl><dt>Weight:</dt><dd>2 kg</dd><dt>Colour</dt><dd>red</dd></dl>")
    (field,) = suggest([page], ["2 kg"]).fields
    assert field.candidates[0].css == 'dt:lexbor-contains("Weight") + dd'


def test_a_link_is_known_by_where_it_leads():
    page = shop_page("/category/notebooks")
    suggestion = suggest([page], [f"{SHOP}/products/field-book"])
    assert suggestion.each == ".product"
    assert (best(suggestion)["url"].attr, best(suggestion)["url"].agreement) == ("href", Agreement.URL)
    assert rule_of(suggestion, [page])["fields"]["url"]["type"] == "url"


def json_page(value):
    return Parsed(
        url=f"{SHOP}/api/1",
        base_url=f"{SHOP}/api/1",
        status=200,
        headers=(),
        fetched_at="2026-01-01T00:00:00.000Z",
        kind="json",
        text="",
        value=value,
    )


def test_a_list_in_json_is_learnt_from_values_of_its_items():
    page = json_page({"found": [{"name": f"Lamp {n}", "price": {"eur": n + 0.5}} for n in range(4)], "name": "Lamps"})
    suggestion = suggest([page], ["Lamp 1", "Lamp 3", "1.5"])
    assert (suggestion.each, suggestion.items) == ("found", (4,))
    assert [field.candidates[0].json for field in suggestion.fields] == ["name", "price.eur"]
    assert [record["name"] for record in scraped(suggestion, [page])] == ["Lamp 0", "Lamp 1", "Lamp 2", "Lamp 3"]


def test_json_responses_are_learnt_as_jmespath():
    page = json_page({"product": {"name": "Blue Lamp", "offers": [{"price": 24.99}]}})
    suggestion = suggest([page], ["24.99", "Blue Lamp"])
    assert [field.candidates[0].json for field in suggestion.fields] == ["product.offers[0].price", "product.name"]
    assert scraped(suggestion, [page])[0]["name"] == "Blue Lamp"


def test_examples_that_stand_nowhere_are_named_and_too_many_are_not_looked_for():
    suggestion = suggest([html_page("<p>one</p>")], ["one", "two", *map(str, range(100, 100 + MAX_EXAMPLES))])
    assert "two" in suggestion.missing
    assert len(suggestion.missing) == MAX_EXAMPLES - 1


@pytest.mark.parametrize(
    "html",
    [
        b"<span>" * 20_000 + b"Blue Lamp",
        b"<p>Blue Lamp</p>" * 20_000,
        b"<p " + b" ".join(b"a%d='Blue Lamp'" % n for n in range(1_000)) + b">",
        b"<p class='" + b"x y" * 5_000 + b"'>Blue Lamp",
        "<p>Blue Lamp\ud800\0".encode("utf-8", "surrogatepass") + b"\xff",
        b"<script type='application/ld+json'>" + b"[" * 5_000 + b'"Blue Lamp"',
    ],
    ids=["deep", "wide", "attributes", "classes", "bytes", "json"],
)
@pytest.mark.slow
def test_monsters_are_gone_through_and_little_is_kept_of_them(html):
    page = html_page(html)
    found = find_places(page.tree, 0, [Example("Blue Lamp")], page.base_url)
    assert len(found.places) <= 2 * MAX_PLACES
    suggestion = suggest([page], ["Blue Lamp", "24.99"])
    assert sum(len(field.candidates) for field in suggestion.fields) <= 12
    near_misses(page.tree, [".a .b > p.Price"])


@pytest.mark.slow
def test_titles_and_authors_of_real_articles_have_stable_selectors():
    folder = corpus("maintext/traf")
    rows = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    stable = []
    for row in rows[:60]:
        examples = [row[key] for key in ("title", "author") if row.get(key)]
        if examples:
            body = gzip.decompress((folder / row["page"]).read_bytes())
            fields = suggest([html_page(body, row["url"])], examples).fields
            stable += [field.candidates[0].stability == "stable" for field in fields]
    assert len(stable) > 30
    assert sum(stable) >= 0.9 * len(stable)


PIECES = (
    "<p> <div class='price a'> <b id=x1> </div> <li> <td> 24.99 Blue Lamp €24,99 \0 &#xd800; <script> </script> "
    "<template> <svg> itemprop=q <a href=//x/[> <table> </table> <h1> <meta property=og:title content=Lamp>"
)
WORDS = st.sampled_from(PIECES.split(" "))


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=30), st.lists(st.text(max_size=10) | WORDS, max_size=4), st.binary(max_size=40))
def test_any_page_and_any_examples_give_a_rule_that_can_be_read(words, examples, junk):
    html = " ".join(words).encode("utf-8", "replace") + junk
    page = html_page(html)
    suggestion = suggest([page, html_page(b"<p>other</p>" + junk)], examples)
    if suggestion.fields:
        scraped(suggestion, [page])


def test_steps_are_parted_at_combinators_alone():
    assert steps_of("a > b.c  d:not(e f)[g='h > i']+j") == ["a", " > b.c", "  d:not(e f)[g='h > i']", "+j"]


@pytest.mark.parametrize(
    ("selector", "near"),
    [
        (".product .prize", (".product .price", 6)),
        (".product > h3 > a", (".product", 6)),
        ("article.produkt h2", ("article.product h2", 6)),
        ("#product", (".product", 6)),
        ("p.cost", ("p.price", 6)),
        ("h5", None),
        ("p[[", None),
    ],
)
def test_what_nearly_matches_is_found_with_how_often(selector, near):
    found = near_misses(shop_page("/category/notebooks").tree, [selector])[selector]
    assert (near in [(miss.css, miss.found) for miss in found]) if near else found == ()


def test_letter_case_counts_and_is_said_to():
    page = html_page("<!doctype html><p class=Price>1</p>")
    (miss,) = near_misses(page.tree, ["p.price"])["p.price"][:1]
    assert (miss.css, miss.found, miss.why) == ("p.Price", 1, "letter case counts")


def test_names_that_cannot_stand_in_a_selector_are_near_to_none():
    page = html_page(r"<p class='price\1 price\g<0> price\ md:price'>1</p><p class=prices>2</p>")
    assert [miss.css for miss in near_misses(page.tree, [".price"])[".price"]] == [".prices"]
