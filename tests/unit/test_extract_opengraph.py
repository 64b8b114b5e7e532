import gzip
import json

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.extract.opengraph import MAX_CHARS, MAX_VALUES, cards, of_metas, opengraph, twitter
from tests.support.corpora import corpus


def meta(name, content, attribute="property"):
    return f'<meta {attribute}="{name}" content="{content}">'


def read(*metas):
    return cards(LexborHTMLParser("<head>" + "".join(metas)))


def test_each_property_has_its_contents_in_document_order():
    found = read(
        meta("og:title", " Lamps "), meta("og:image", "a.jpg"), meta("article:tag", "x"), meta("article:tag", "y")
    )
    assert found == ({"og:title": ["Lamps"], "og:image": ["a.jpg"], "article:tag": ["x", "y"]}, {}, False)


def test_what_belongs_to_one_of_several_images_stands_at_its_place():
    found = read(
        meta("og:image", "a.jpg"),
        meta("og:image", "b.jpg"),
        meta("og:image:width", "300"),
        meta("og:image:alt", "B"),
        meta("og:image", "c.jpg"),
        meta("og:image:width", "200"),
    ).opengraph
    assert found == {
        "og:image": ["a.jpg", "b.jpg", "c.jpg"],
        "og:image:width": [None, "300", "200"],
        "og:image:alt": [None, "B"],
    }


def test_alternate_locales_are_a_plain_list():
    found = read(meta("og:locale", "en"), meta("og:locale:alternate", "fr"), meta("og:locale:alternate", "de"))
    assert found.opengraph == {"og:locale": ["en"], "og:locale:alternate": ["fr", "de"]}


def test_twitter_stands_under_either_attribute_and_open_graph_under_its_own():
    tree = LexborHTMLParser(
        meta("twitter:card", "summary", "name") + meta("Twitter:Title", "T") + meta("og:title", "no", "name")
    )
    assert (opengraph(tree), twitter(tree)) == ({}, {"twitter:card": ["summary"], "twitter:title": ["T"]})


def test_one_element_may_name_several_properties():
    found = read(meta("og:title twitter:title", "T"), '<meta name="title" property="og:type" content="article">')
    assert found == ({"og:title": ["T"], "og:type": ["article"]}, {"twitter:title": ["T"]}, False)


def test_vocabularies_of_others_and_elements_without_content_are_passed_over():
    assert read(meta("dc:title", "x"), meta("title", "x"), '<meta property="og:title">', "<meta>") == ({}, {}, False)


def test_what_is_too_much_is_cut():
    found = read(meta("og:title", "x" * (MAX_CHARS + 1)), meta("og:" + "x" * 300, "y"))
    assert (found.opengraph, found.was_cut) == ({"og:title": ["x" * MAX_CHARS]}, True)
    many = [meta("og:image", "x")] * (2 * MAX_VALUES)
    assert len(read(*many).opengraph["og:image"]) == MAX_VALUES


def test_places_of_many_images_do_not_multiply():
    images = [meta("og:image", "x")] * 900
    parts = [meta(f"og:image:p{number}", "x") for number in range(900)]
    found = read(*images, *parts)
    assert found.was_cut
    assert sum(map(len, found.opengraph.values())) <= MAX_VALUES


def test_nodes_may_come_from_a_walk_of_someone_else():
    tree = LexborHTMLParser(meta("og:title", "x"))
    assert of_metas(tree.css("meta")) == cards(tree)


def test_shared_case_agrees():
    rows = map(json.loads, corpus("structured_extruct.jsonl").read_text().splitlines())
    (row,) = (row for row in rows if row["syntax"] == "opengraph")
    expected = {}
    for name, content in row["expected"][0]["properties"]:
        expected.setdefault(name, []).append(content)
    found = opengraph(LexborHTMLParser(row["html"]))
    assert found.pop("fb:app_id")  # of a vocabulary that the case leaves out
    assert found == expected


@pytest.mark.slow
def test_properties_of_real_pages_agree():
    folder = corpus("pagefacts")
    rows = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    wrong = []
    for row in rows:
        found = opengraph(LexborHTMLParser(gzip.decompress((folder / row["page"]).read_bytes())))
        # The truth has no places, and no other vocabularies.
        plain = {name: [content for content in contents if content is not None] for name, contents in found.items()}
        if {name: contents for name, contents in plain.items() if name.startswith("og:")} != row["opengraph"]:
            wrong.append(row["id"])
    assert len(rows) > 40
    assert wrong == []
