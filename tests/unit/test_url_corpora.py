"""Other people's URL test data, with every difference listed by its id and reason."""

from __future__ import annotations

import json

import pytest

from crawler.config import UrlsConfig
from crawler.errors import UrlError
from crawler.url import Base, canonicalize, registrable_domain, resolve
from tests.support.corpora import corpus

#: The standard has changed since the edition that can_ada 3.0 implements.
NEWER_STANDARD = {
    "urltestdata/310": "ASCII hosts are taken as they are, though their xn-- labels are no punycode (rule 1)",
    "urltestdata/314": "likewise",
    "urltestdata/316": "likewise",
    "urltestdata/917": "likewise",
    "toascii/16": "likewise",
    "toascii/19": "likewise",
    "toascii/32": "likewise",
    "toascii/91": "likewise",
    "toascii/73": "later Unicode tables ignore U+206B",
    "toascii/86": "later Unicode tables map capital sharp s to the small one, not to ss",
}

SAME_BY_THEIR_POLICY = {
    "w3lib/11": "takes + and %20 in queries for the same; only form data does (rule 7)",
    "w3lib/13": "likewise",
    "w3lib/21": "decodes %2C, a reserved character (rule 7)",
    "crawler-commons/90": "escapes brackets in queries; browsers send them bare (rule 7)",
    "crawler-commons/118": "removes empty path segments, which mean something to some servers",
    "crawler-commons/120": "likewise",
    "crawler-commons/121": "likewise",
    "crawler-commons/122": "likewise",
    "crawler-commons/123": "likewise",
    "crawler-commons/161": "takes ?a= for ?a",
    "crawler-commons/168": "removes parameters without a name",
}

#: Kept apart there by a fragment, which is asked to be kept there and never sent (rule 3).
DIFFERENT_BY_THEIR_POLICY = {"w3lib/58"}


def rows(name):
    return [json.loads(line) for line in corpus(name).read_text().splitlines()]


def attempt(make, *args):
    try:
        return make(*args)
    except UrlError:
        return None


def test_resolution_is_that_of_the_url_standard():
    cases = rows("url_whatwg.jsonl")
    wrong = {case["id"] for case in cases if attempt(resolve, case["input"], case["base"]) != case["href"]}
    assert wrong == set(NEWER_STANDARD)


def test_links_of_the_standards_tests_join_as_they_resolve():
    joined = 0
    for case in rows("url_whatwg.jsonl"):
        href, base = case["href"], attempt(Base, case["base"] or "")
        if base is None or case["id"] in NEWER_STANDARD:
            continue
        assert attempt(base.join, case["input"]) == (href and attempt(canonicalize, href)), case["id"]
        joined += href is not None
    assert joined > 30


def test_resolution_follows_the_examples_of_rfc_3986():
    cases = json.loads(corpus("rfc3986_5_4.json").read_text())
    different = {case["input"]: resolve(case["input"], case["base"]) for case in cases}
    expected = {case["input"]: case["expected"] for case in cases}
    expected["//g"] = "http://g/"  # an empty path is a slash in the URL standard
    assert different == expected


@pytest.fixture
def spellings():
    """(id, input, expected) of other canonicalisers, as this one spells them; None where it refuses."""
    rules = UrlsConfig(sort_query=True)
    return [
        (
            row["id"],
            row["expected"],
            attempt(canonicalize, row["input"], rules),
            attempt(canonicalize, row["expected"], rules),
        )
        for row in rows("url_canon.jsonl")
    ]


def test_input_and_expected_canonicalise_alike(spellings):
    different = {name for name, _, given, expected in spellings if given != expected}
    assert different == set(SAME_BY_THEIR_POLICY)


def test_two_different_expected_never_merge(spellings):
    expected = {}
    for name, theirs, _, ours in spellings:
        if ours and name not in DIFFERENT_BY_THEIR_POLICY:
            expected.setdefault(ours, set()).add(theirs)
    assert [merged for merged in expected.values() if len(merged) > 1] == []


def test_canonical_urls_of_the_corpus_stay_as_they_are(spellings):
    urls = [url for _, _, given, expected in spellings for url in (given, expected) if url]
    assert len(urls) > 150
    assert [canonicalize(url, UrlsConfig(sort_query=True)) for url in urls] == urls


def test_registrable_domains_are_those_of_the_public_suffix_list():
    for case in json.loads(corpus("psl_cases.json").read_text()):
        if not case["host"] or case["host"].startswith("."):
            continue  # no host name
        name = case["host"].lower()
        assert registrable_domain(name) == (case["registrable"] or name)
