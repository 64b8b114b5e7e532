"""Each numbered rule of `crawler.url`, and what it keeps apart."""

from __future__ import annotations

import pickle

import pytest

from crawler.config import UrlsConfig
from crawler.errors import UrlError
from crawler.url import MAX_HOST_CHARS, MAX_URL_CHARS, Base, canonicalize

SAME = {
    "1 host case": ("HTTP://EXAMPLE.org/A", "http://example.org/A"),
    "1 idna": ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    "1 ipv4": ("http://0x7f.1/", "http://127.0.0.1/"),
    "1 ipv6": ("http://[0:0::1]:80/", "http://[::1]/"),
    "1 http port": ("http://example.org:80/", "http://example.org/"),
    "1 https port": ("https://example.org:443/", "https://example.org/"),
    "1 dots": ("http://example.org/a/./b/../%2E/c", "http://example.org/a/c"),
    "1 no path": ("http://example.org", "http://example.org/"),
    "1 backslashes": ("http:\\\\example.org\\a", "http://example.org/a"),
    "1 newlines": (" http://exam\nple.org/a\tb ", "http://example.org/ab"),
    "1 not in a URL": ("http://example.org/é {}?ö <", "http://example.org/%C3%A9%20%7B%7D?%C3%B6%20%3C"),
    "3 fragment": ("http://example.org/a?b#c?d", "http://example.org/a?b"),
    "4 user and password": ("http://me:secret@example.org:8080/", "http://example.org:8080/"),
    "4 user and IPv6": ("http://me@[::1]:8080/", "http://[::1]:8080/"),
    "5 trailing dot": ("http://example.org.:8080/a.", "http://example.org:8080/a."),
    "6 empty query": ("http://example.org/a?#b", "http://example.org/a"),
    "7 upper case": ("http://example.org/%c3%a9?%2f", "http://example.org/%C3%A9?%2F"),
    "7 unreserved": ("http://example.org/%7Ea%2dB%5f%39?%41", "http://example.org/~a-B_9?A"),
    "7 bare percent": ("http://example.org/100%?%zz%a", "http://example.org/100%25?%25zz%25a"),
    "7 no new escape": ("http://example.org/%%34%31", "http://example.org/%2541"),
}

APART = {
    "scheme": ("http://example.org/", "https://example.org/"),
    "www": ("http://example.org/", "http://www.example.org/"),
    "path case": ("http://example.org/a", "http://example.org/A"),
    "empty segment": ("http://example.org/a/b", "http://example.org/a//b"),
    "trailing slash": ("http://example.org/a", "http://example.org/a/"),
    "index.html": ("http://example.org/", "http://example.org/index.html"),
    "empty value": ("http://example.org/?a", "http://example.org/?a="),
    "query that is a question mark": ("http://example.org/?", "http://example.org/??"),
    "query that ends in one": ("http://example.org/?a", "http://example.org/?a?"),
    "escaped slash": ("http://example.org/a/b", "http://example.org/a%2Fb"),
    "escaped percent": ("http://example.org/%2541", "http://example.org/%41"),
    "plus and space": ("http://example.org/?a+b", "http://example.org/?a%20b"),
    "order of parameters": ("http://example.org/?a&b", "http://example.org/?b&a"),
    "port": ("http://example.org/", "http://example.org:8080/"),
}

REFUSED = {
    "2 mail": ("mailto:me@example.org", "mailto"),
    "2 script": ("javascript:void(0)", "javascript"),
    "2 ftp": ("ftp://example.org/", "ftp"),
    "2 file": ("file:///etc/passwd", "file"),
    "relative": ("a/b", "http://"),
    "empty": ("", "http://"),
    "no host": ("http://", "http://"),
    "port": ("http://example.org:99999/", "99999"),
    "2 port 0": ("http://example.org:0/", "port 0"),
    "2 port 0 of an address": ("https://[::1]:00/", "port 0"),
    "lone surrogate": ("http://example.org/\ud800", "ud800"),
    "1 punycode": ("http://xn--0.com/", "xn--0"),
    "5 only dots": ("http://../", "empty label"),
    "5 two dots": ("http://example.org../", "empty label"),
    "5 host": (f"http://{'a.' * 127}a/", f"longer than {MAX_HOST_CHARS}"),
    "8 length": (f"http://example.org/{'a' * MAX_URL_CHARS}", f"longer than {MAX_URL_CHARS}"),
}


@pytest.mark.parametrize(("given", "expected"), SAME.values(), ids=SAME)
def test_equivalent_spellings_become_one(given, expected):
    assert canonicalize(given) == expected
    assert canonicalize(expected) == expected
    assert Base("https://elsewhere.example/a/b").join(given) == expected


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_what_servers_may_tell_apart_stays_apart(one, other):
    assert canonicalize(one) != canonicalize(other)


@pytest.mark.parametrize(("given", "wrong"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_url_is_refused_saying_why(given, wrong):
    with pytest.raises(UrlError) as raised:
        canonicalize(given)
    assert wrong in str(raised.value)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_messages_are_short_whatever_the_url():
    with pytest.raises(UrlError) as raised:
        canonicalize("http://[" + "a" * 100_000)
    assert len(str(raised.value)) < 300


def test_the_longest_url_passes():
    assert len(canonicalize("http://example.org/".ljust(MAX_URL_CHARS, "a"))) == MAX_URL_CHARS
    assert canonicalize(f"http://{'a.' * 126}a/")


@pytest.mark.parametrize(
    ("query", "expected"),
    [("b=2&a=1", "?a=1&b=2"), ("b=2&b=10&a", "?a&b=10&b=2"), ("&b&&a&", "?a&b"), ("&", ""), ("a=%41", "?a=A")],
)
def test_sorted_queries_differ_in_nothing_but_order(query, expected):
    assert canonicalize(f"http://example.org/?{query}", UrlsConfig(sort_query=True)) == f"http://example.org/{expected}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("utm_source=a&b=1&utm_medium", "?b=1"),
        ("UTM_source=a", "?UTM_source=a"),
        ("a=utm_x", "?a=utm_x"),
        ("xutm_source=a", "?xutm_source=a"),
        ("fbclid=1", ""),
        ("fbclid2=1", "?fbclid2=1"),
        ("s1=1&s12=1&s=1", "?s12=1&s=1"),
        ("a[]=1&a=2", "?a=2"),
        ("z&&a", "?z&&a"),
    ],
)
def test_dropped_parameters_are_those_whose_whole_name_matches(query, expected):
    rules = UrlsConfig(drop_params=("utm_*", "fbclid", "s?", "a[]"))
    assert canonicalize(f"http://example.org/?{query}", rules) == f"http://example.org/{expected}"
    assert Base("http://example.org/a", rules).join(f"/?{query}") == f"http://example.org/{expected}"


def test_opt_in_rules_are_off_by_default():
    assert canonicalize("http://example.org/?utm_source=b&a") == "http://example.org/?utm_source=b&a"
