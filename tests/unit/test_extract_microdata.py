import gzip
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.extract.microdata import MAX_VALUES, microdata
from tests.support.corpora import corpus
from tests.support.references import resolver


def read(html, base="https://example.org/dir/page"):
    return microdata(LexborHTMLParser(html), resolver(base))


def item(properties, *types, id=None):  # noqa: A002
    return {"type": list(types), "id": id, "properties": properties}


def test_properties_belong_to_the_nearest_item():
    html = """<div itemscope itemtype="http://a/Product http://a/Thing"><b itemprop="name alias">A</b>
    <p itemprop=offers itemscope itemtype=http://a/Offer><i itemprop=price>5</i> <i itemprop=price>6</i></p></div>
    <p itemprop=stray>x</p><p itemscope></p>"""
    offer = item({"price": ["5", "6"]}, "http://a/Offer")
    product = item({"name": ["A"], "alias": ["A"], "offers": [offer]}, "http://a/Product", "http://a/Thing")
    assert read(html) == ([product, item({})], False)


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("<meta itemprop=x content=' a '>", "a"),
        ("<meta itemprop=x>", ""),
        ("<span itemprop=x content=b>a</span>", "b"),
        ("<a itemprop=x href=' ../b#c '>a</a>", "https://example.org/b#c"),
        ("<a itemprop=x href=mailto:a@b>a</a>", "mailto:a@b"),
        ("<a itemprop=x>a</a>", ""),
        ("<img itemprop=x src=i.png>", "https://example.org/dir/i.png"),
        ("<object itemprop=x data=o></object>", "https://example.org/dir/o"),
        ("<data itemprop=x value=5>five</data>", "5"),
        ("<meter itemprop=x value=.5>half</meter>", ".5"),
        ("<time itemprop=x datetime=2020-01-01>today</time>", "2020-01-01"),
        ("<time itemprop=x>2020</time>", "2020"),
        ("<input itemprop=query-input name=q required>", "required name=q"),
        ("<input itemprop=x name=q>", ""),
        ("<p itemprop=x> a \n <b>b</b>c<br>d <script>e</script></p>", "a bc d"),
    ],
)
def test_values_are_what_their_elements_say(element, value):
    (found,) = read(f"<div itemscope>{element}</div>").items
    assert list(found["properties"].values()) == [[value]]


def test_an_id_is_a_url_and_needs_a_type():
    assert read("<p itemscope itemtype=t itemid='#me'>").items == [item({}, "t", id="https://example.org/dir/page#me")]
    assert read("<p itemscope itemtype=t itemid=urn:isbn:1>").items == [item({}, "t", id="urn:isbn:1")]
    assert read("<p itemscope itemid='#me'>").items == [item({})]


def test_references_bring_properties_from_elsewhere_in_document_order():
    html = """<p id=b><i itemprop=x>1</i><b itemscope><i itemprop=x>not</i></b></p>
    <p itemscope itemref="c b b none"><i itemprop=x>2</i></p> <p id=c itemprop=x>3</p> <p id=b itemprop=x>not</p>"""
    assert read(html).items[1] == item({"x": ["1", "2", "3"]})


def test_a_reference_to_an_item_of_its_own_brings_what_is_in_it():
    html = "<p itemscope itemref=b></p><p id=b itemscope><i itemprop=x>1</i></p>"
    assert read(html).items == [item({"x": ["1"]})] * 2


def test_an_item_that_holds_itself_stays_empty_there():
    html = "<div itemscope itemtype=a itemref=c></div><p id=c itemprop=x itemscope itemtype=b itemref=c></p>"
    assert read(html).items == [item({"x": [item({}, "b")]}, "a")]
    html = (
        "<p itemscope itemref=c></p><p id=c itemprop=x itemscope itemref=d></p><p id=d itemprop=y itemscope itemref=c>"
    )
    assert read(html).items == [item({"x": [item({"y": [item({"x": [item({})]})]})]})]


def test_what_multiplies_is_cut():
    rings = "".join(f"<p id=i{n} itemprop='a b' itemscope itemref=i{n + 1}></p>" for n in range(40))
    found = read(f"<p itemscope itemref=i0></p>{rings}")
    assert found.was_cut
    assert json.dumps(found.items).count('"id"') <= MAX_VALUES


@pytest.mark.slow
@pytest.mark.parametrize(
    "html",
    [
        "<div itemscope itemprop=a>" * 5_000,
        "<div itemscope>" * 5_000,
        "<div itemscope>" + "<div itemprop=a>x" * 5_000,
        "<div itemscope><p itemprop=a>" * 2_000 + "x" * 100_000,
        "<div itemscope itemref=r></div>" * 10_000 + "<p id=r>" + "<i itemprop=a>text</i>" * 10_000,
        "".join(f"<i itemscope itemref=r{n}></i>" for n in range(5_000))
        + "".join(f"<div id=r{n}>" for n in range(5_000))
        + "<i itemprop=a>x</i>" * 5_000,
        "<p itemscope " + " ".join(f"a{n}=1" for n in range(5_000)) + " itemref='" + "x " * 100_000 + "'>",
        "<p itemscope><i itemprop='" + " ".join(f"a{n}" for n in range(100_000)) + "'>x",
    ],
    ids=["nested items", "nested scopes", "nested texts", "both", "one root", "nested roots", "attributes", "names"],
)
def test_hostile_pages_take_no_more_than_their_size(html):
    msgspec.json.encode(read(html))


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "<div itemscope>",
                    "<p id=a itemprop=x itemscope itemref='a b'>",
                    "<p id=b itemprop=y>",
                    "</p>",
                    "\0 t",
                ),
                *("<a itemprop='x y' href='//['>", "</div>", "<template><i itemprop=x>"),
                "<p itemscope itemref='b a' itemid='#' itemtype>",
            ]
        ),
        max_size=30,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_nesting_gives_what_json_can_hold(parts):
    msgspec.json.encode(read("".join(parts)))


#: where the shared cases say otherwise, and why it stays so
KNOWN = {
    "the case leaves out the item of a second <body>, whose attributes a parser gives to the first": {
        "schemaorg/eg-0207/microdata",
        "schemaorg/eg-0225/microdata",
        "schemaorg/eg-0448/microdata",
    },
    "the case has no value for a <time> without datetime, which by the standard is its text": {
        "schemaorg/eg-0374/microdata",
        "schemaorg/eg-0376/microdata",
        "schemaorg/eg-0402/microdata",
    },
}


def test_shared_cases_agree():
    lines = corpus("structured_extruct.jsonl").read_text().splitlines()
    with gzip.open(corpus("structured_schemaorg.jsonl.gz"), "rt") as more:
        rows = [row for row in map(json.loads, [*lines, *more]) if row["syntax"] == "microdata"]
    wrong = set()
    for row in rows:
        resolve = resolver(row.get("base_url") or [*row.get("args", ()), "http://example.org/page"][0])
        found = microdata(LexborHTMLParser(row["html"]), resolve).items
        if [plain(each, resolve) for each in found] != [plain(each, resolve) for each in nested(row["expected"])]:
            wrong.add(row["id"])
    assert len(rows) > 100
    print(f"{len(rows) - len(wrong)} of {len(rows)} agree")
    assert wrong <= set().union(*KNOWN.values())
    # The suite's own two parsers did not agree on any of them either.
    assert not [row["id"] for row in rows if row["id"] in wrong and row["agreed"]]


def nested(items):
    """Items that refer to each other by number, within each other."""
    if not items or "iid" not in items[0]:
        return items
    by_number = {each["iid"]: each for each in items}
    inner = set()
    for each in items:
        for values in each["properties"].values():
            for place, value in enumerate(values):
                if isinstance(value, dict):
                    inner.add(value["iid_ref"])
                    values[place] = by_number[value["iid_ref"]]
    return [each for number, each in by_number.items() if number not in inner]


def plain(value, resolve):
    """An item of theirs or ours, with lists for single values, types in no order and URLs resolved."""
    if not isinstance(value, dict):
        return resolved(" ".join(value.split()), resolve)
    if "valueName" in value:
        return f"required name={value['valueName']}"
    types, properties = value.get("type") or [], value["properties"]
    return {
        "type": sorted(types if isinstance(types, list) else [types]),
        "id": value.get("id") and resolved(value["id"], resolve),
        "properties": {
            name: [plain(each, resolve) for each in (values if isinstance(values, list) else [values])]
            for name, values in properties.items()
        },
    }


def resolved(text, resolve):
    if " " in text or not (text.startswith("#") or "/" in text or "." in text):
        return text
    url = resolve(text)
    return url + "".join(text.partition("#")[1:]) if url else text
