import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.extract.rdfa import MAX_VALUES, rdfa
from tests.support.corpora import corpus
from tests.support.references import resolver

PAGE = "https://example.org/dir/page"
XSD = "http://www.w3.org/2001/XMLSchema#"
HTML = "http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML"
USES = {"@id": PAGE, "http://www.w3.org/ns/rdfa#usesVocabulary": [{"@id": "http://schema.org/"}]}


def read(html):
    return rdfa(LexborHTMLParser(html), resolver(PAGE))


def test_a_typed_element_is_a_subject_of_its_own():
    html = """<p vocab="http://schema.org/" typeof="Person"><b property="name">Ann <i>Lee</i></b>
    <a property=url href=/ann>home</a> <img property=image src=a.png> <b property=born content=1990>then</b></p>"""
    person = {
        "@id": "_:b0",
        "@type": ["http://schema.org/Person"],
        "http://schema.org/name": [{"@value": "Ann Lee"}],
        "http://schema.org/url": [{"@id": "https://example.org/ann"}],
        "http://schema.org/image": [{"@id": "https://example.org/dir/a.png"}],
        "http://schema.org/born": [{"@value": "1990"}],
    }
    assert read(html) == ([USES, person], False)


def test_items_nest():
    html = """<p vocab=http://schema.org/ resource=#p typeof=Product>
    <b property=offers typeof=Offer><i property=price>5</i></b></p>"""
    product = {
        "@id": f"{PAGE}#p",
        "@type": ["http://schema.org/Product"],
        "http://schema.org/offers": [{"@id": "_:b0"}],
    }
    offer = {"@id": "_:b0", "@type": ["http://schema.org/Offer"], "http://schema.org/price": [{"@value": "5"}]}
    assert read(html).subjects == [USES, product, offer]


@pytest.mark.parametrize(
    ("html", "relation", "value"),
    [
        ("<p property=dc:title>T", "http://purl.org/dc/terms/title", {"@value": "T"}),
        ("<p prefix='X: http://x/ y: http://y/' property=x:a>T", "http://x/a", {"@value": "T"}),
        ("<html xmlns:x='http://x/'><p property=x:a>T", "http://x/a", {"@value": "T"}),
        ("<p property=http://x/a>T", "http://x/a", {"@value": "T"}),
        ("<p lang=de><b property=http://x/a>T", "http://x/a", {"@value": "T", "@language": "de"}),
        ("<p lang=de><b lang='' property=http://x/a>T", "http://x/a", {"@value": "T"}),
        ("<p property=http://x/a datatype=xsd:int>5", "http://x/a", {"@value": "5", "@type": f"{XSD}int"}),
        (
            "<p property=http://x/a datatype=rdf:HTML>a <b>b</b></p>",
            "http://x/a",
            {"@value": "a <b>b</b>", "@type": HTML},
        ),
        (
            "<time property=http://x/a datetime=2020-01-02>x",
            "http://x/a",
            {"@value": "2020-01-02", "@type": f"{XSD}date"},
        ),
        ("<time property=http://x/a datetime=soon>x", "http://x/a", {"@value": "soon"}),
        ("<a rel=license href=/l#x>", "http://www.w3.org/1999/xhtml/vocab#license", {"@id": "https://example.org/l#x"}),
        ("<a rel=foaf:phone resource=tel:1 href=/b>", "http://xmlns.com/foaf/0.1/phone", {"@id": "tel:1"}),
        (
            "<p rel=foaf:knows resource='[dc:x]'>",
            "http://xmlns.com/foaf/0.1/knows",
            {"@id": "http://purl.org/dc/terms/x"},
        ),
        ("<meta property=og:title content=T>", "http://ogp.me/ns#title", {"@value": "T"}),
    ],
)
def test_statements_about_the_page(html, relation, value):
    assert read(html).subjects == [{"@id": PAGE, relation: [value]}]


def test_a_link_whose_text_is_asked_for_is_its_subject():
    assert read("<a property=http://x/a datatype='' href=/b>5").subjects == [
        {"@id": "https://example.org/b", "http://x/a": [{"@value": "5"}]}
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<p property=title>plain words need a vocabulary",
        "<link rel=stylesheet href=a.css><a rel=nofollow href=/b>x</a>",
        "<a property=title rel=nofollow href=/b>x</a>",
        "<p about=/x>nothing is said",
        "<p property=''>x",
        "",
    ],
)
def test_what_says_nothing_gives_nothing(html):
    assert read(html) == ([], False)


def test_a_relation_finds_its_other_end_within():
    knows = "http://xmlns.com/foaf/0.1/knows"
    html = "<div about=#me rel=foaf:knows><p><a href=/bob>Bob</a></p><p typeof=foaf:Person about=#eve></p></div>"
    assert read(html).subjects == [
        {"@id": f"{PAGE}#eve", "@type": ["http://xmlns.com/foaf/0.1/Person"]},
        {"@id": f"{PAGE}#me", knows: [{"@id": f"{PAGE}#eve"}, {"@id": "https://example.org/bob"}]},
    ]


def test_rev_turns_a_relation_round():
    html = (
        "<p about=#a rev=foaf:knows resource=#b></p><p about=#c rev=foaf:knows><i about=#d property=dc:title>D</i></p>"
    )
    found = {each["@id"]: each for each in read(html).subjects}
    assert found[f"{PAGE}#b"]["http://xmlns.com/foaf/0.1/knows"] == [{"@id": f"{PAGE}#a"}]
    assert found[f"{PAGE}#d"]["http://xmlns.com/foaf/0.1/knows"] == [{"@id": f"{PAGE}#c"}]


def test_a_link_around_properties_is_their_subject():
    assert read("<a href=/b><i property=dc:title>B</i></a>").subjects == [
        {"@id": "https://example.org/b", "http://purl.org/dc/terms/title": [{"@value": "B"}]}
    ]


def test_a_statement_made_twice_counts_once():
    assert read("<p property=dc:title>T</p>" * 3).subjects == [
        {"@id": PAGE, "http://purl.org/dc/terms/title": [{"@value": "T"}]}
    ]


@pytest.mark.slow
def test_more_than_may_be_kept_is_cut():
    found = read("".join(f"<p property=dc:title>{number}</p>" for number in range(MAX_VALUES + 1)))
    assert found.was_cut
    assert len(found.subjects[0]["http://purl.org/dc/terms/title"]) == MAX_VALUES


@pytest.mark.slow
@pytest.mark.parametrize(
    "html",
    [
        "<div property=dc:title>x" * 5_000,
        "<div rel=dc:title>x" * 5_000 + "<a href=/b>" * 5_000,
        "<span src=x><b rel=dc:title></b>" * 2_000,
        "".join(f"<div prefix='p{n}: http://x/' xmlns:q{n}='http://y/'>" for n in range(5_000)) + "<i property=p1:x>",
        "<p vocab='http://x/" + "x" * 100_000 + "'>" + "<i property='a b c d'>x</i>" * 10_000,
        "<p prefix='" + "a: http://x/ " * 50_000 + "'>",
        "<p typeof='" + "a:b " * 100_000 + "' rel='" + "dc:b " * 100_000 + "'>",
        "<p typeof='" + " ".join(f"a:{n}" for n in range(50_000)) + "'>",
        "<p about='" + "x" * 1_000_000 + "'>" + "<i property=dc:title>x</i>" * 10_000,
    ],
)
def test_hostile_pages_take_no_more_than_their_size(html):
    assert len(msgspec.json.encode(read(html).subjects)) < 10_000_000


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(
            [
                *("<p property='x dc:title :y _:z'>", "</p>", "\0 t", "<a href='//['>", "<div rel=dc:a rev='b c:d'>"),
                *("<p vocab=http://v typeof>", "<p vocab='' about='[x]'>", "<i resource=_: typeof='a b:c'>", "</div>"),
                *("<p prefix='x: y: z : //' inlist>", "<template><b property=dc:x>", "<time property=dc:d datetime=P>"),
            ]
        ),
        max_size=30,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_nesting_gives_what_json_can_hold(parts):
    msgspec.json.encode(read("".join(parts)).subjects)


def test_shared_cases_agree():
    rows = [json.loads(line) for line in corpus("structured_extruct.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["syntax"] == "rdfa"]
    wrong = []
    for row in rows:
        found = rdfa(LexborHTMLParser(row["html"]), resolver(row["options"]["base_url"])).subjects
        if statements(found) != statements(row["expected"]):
            wrong.append(row["id"])
    assert len(rows) >= 8
    assert wrong == []


def statements(subjects):
    """As a set, since order means nothing in RDF, without the names of what has none, which each reader makes up."""
    return {
        (anonymous(about["@id"]), relation, plain(value))
        for about in subjects
        for relation, values in about.items()
        if relation != "@id"
        for value in values
    }


def plain(value):
    if isinstance(value, str):
        return value
    if "@id" in value:
        return anonymous(value["@id"])
    text, kind = value["@value"], value.get("@type")
    if kind and kind.endswith("XMLLiteral"):  # what RDFa 1.0 made of elements with markup within, and 1.1 reads as text
        text, kind = re.sub("<[^>]*>", "", text), None
    return " ".join(text.split()), kind


def anonymous(iri):
    return "_:" if iri.startswith("_:") else iri
