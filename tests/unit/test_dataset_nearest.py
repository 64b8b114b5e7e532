"""What somebody may mean who names a URL or host that is not known."""

from __future__ import annotations

import pytest

from crawler.config import UrlsConfig
from crawler.dataset.nearest import by_likeness, last_part, nearest_hosts, spellings
from crawler.url import STANDARD, canonicalize


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://a.test/about", "https://a.test/about/"),
        ("https://a.test/about/", "https://a.test/about"),
        ("https://a.test/about", "http://a.test/about"),
        ("https://a.test/about", "https://www.a.test/about"),
        ("https://www.a.test:8080/about", "https://a.test:8080/about"),
        ("https://a.test/About", "https://a.test/about"),
        ("https://a.test/about?x=1", "https://a.test/about"),
        ("https://a.test/a?q=X", "https://a.test/a?q=x"),
        ("https://a.test/a/index.html", "https://a.test/a/"),
        ("https://a.test/a/", "https://a.test/a/index.html"),
        ("https://a.test/a%2Fb", "https://a.test/a/b"),
        ("https://a.test/a%2520b", "https://a.test/a%20b"),
        ("https://a.test/a+b", "https://a.test/a%20b"),
        ("https://a.test/a%20b", "https://a.test/a+b"),
        ("http://a.test/About", "https://www.a.test/about"),
    ],
)
def test_spellings_that_are_taken_for_one_another_are_tried(url, other):
    assert other in spellings(url, STANDARD)


def test_spellings_are_canonical_distinct_and_not_the_url_itself():
    rules = UrlsConfig(drop_params=("utm_*",))
    url = canonicalize("https://a.test/A%20b/%FF%23?utm_x=1&y=%2f", rules)
    made = spellings(url, rules)
    assert url not in made
    assert len(made) == len(set(made))
    assert made == [canonicalize(other, rules) for other in made]


def test_the_likelier_spelling_comes_first():
    made = spellings("http://a.test/about", STANDARD)
    assert set(made[:2]) == {"http://a.test/about/", "http://www.a.test/about"}
    assert made.index("http://a.test/about/") < made.index("https://www.a.test/about/")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://a.test/", ""),
        ("https://a.test/?x=1", ""),
        ("https://a.test/a/b.html", "/b.html"),
        ("https://a.test/a/b/", "/b/"),
        ("https://a.test/a/b?x=/c", "/b?x=/c"),
    ],
)
def test_last_part_is_the_last_segment_and_the_query(url, part):
    assert last_part(url) == part


def test_urls_that_share_more_come_first_and_those_unlike_are_left_out():
    near = "https://a.test/shop/list"
    nearer = "https://a.test/shop/item-124"
    far = "https://a.test/imprint"
    assert by_likeness("https://a.test/shop/item-123", [far, near, nearer]) == [nearer, near]


def test_if_none_is_like_it_all_are_kept():
    assert by_likeness("https://a.test/shop", ["https://a.test/x", "https://a.test/y"])


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("a.test", ["z.example", "www.a.test"], ["www.a.test"]),
        ("www.a.test", ["blog.a.test", "a.test"], ["a.test", "blog.a.test"]),
        ("a.test:8080", ["b.other", "a.test", "a.test:81"], ["a.test:81", "a.test"]),
        ("shop.example.co.uk", ["other.co.uk", "www.example.co.uk"], ["www.example.co.uk"]),
        ("exmaple.org", ["example.org", "unlike.net"], ["example.org"]),
        ("[::1]:80", ["[::1]", "a.test"], ["[::1]"]),
    ],
)
def test_hosts_of_the_same_name_or_domain_come_before_those_spelt_alike(name, known, expected):
    assert nearest_hosts(name, known) == expected
