"""What holds for every text that calls itself a URL."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from yarl import URL

from crawler.config import UrlsConfig
from crawler.errors import UrlError
from crawler.url import MAX_URL_CHARS, Base, canonicalize, host, host_key, origin, path_and_query

pytestmark = pytest.mark.slow

PIECES = [
    "%",
    "%4",
    "1",
    "%2e",
    ".",
    "..",
    "/",
    "//",
    "\\",
    "?",
    "#",
    "&",
    "=",
    "@",
    ":",
    "[",
    "]",
    "a",
    "é",
    "ẞ",
    "xn--",
]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
HOSTS = st.sampled_from(["example.org", "EXAMPLE.org.", "u:p@h", "[::1]:8080", "127.1", "bücher.example:443"])
URLS = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https", "HTTP"]), HOSTS | HOSTS | HOSTS | TEXTS, TEXTS)
RULES = st.sampled_from([UrlsConfig(), UrlsConfig(sort_query=True), UrlsConfig(drop_params=("a", "%*", ""))])


def canonical(text, rules=UrlsConfig()):  # noqa: B008 - frozen
    try:
        return canonicalize(text, rules)
    except UrlError:
        assume(False)


@given(URLS, RULES)
@example("http://example.org/%%34%31", UrlsConfig())
@example("http://example.org/??", UrlsConfig())
@example("http://example.org/?a&?", UrlsConfig(drop_params=("a",)))
@example("http://../", UrlsConfig())
def test_canonicalize_is_idempotent(text, rules):
    url = canonical(text, rules)
    assert canonicalize(url, rules) == url


@given(URLS, RULES)
def test_a_canonical_url_is_short_ascii_without_fragment_or_secret(text, rules):
    url = canonical(text, rules)
    assert url.isascii()
    assert url.isprintable()
    assert len(url) <= MAX_URL_CHARS
    assert "#" not in url
    assert "@" not in host_key(url)
    assert not host(url).endswith(".")


@given(URLS)
def test_the_parts_make_up_the_whole(text):
    url = canonical(text)
    assert origin(url) + path_and_query(url) == url
    assert url.split("//", 1)[1].startswith(host_key(url) + "/")
    assert host_key(url).startswith(host(url))


@given(TEXTS | URLS, RULES)
def test_join_raises_nothing_but_url_error(href, rules):
    base = Base("https://example.org/a/b?c", rules)
    with suppress(UrlError):
        assert canonicalize(url := base.join(href), rules) == url


@given(st.builds("https://{}/{}".format, HOSTS, TEXTS))
def test_an_absolute_link_means_the_same_on_every_page(text):
    assert Base("http://example.org/a").join(text) == canonical(text)


@given(URLS)
def test_the_http_client_sends_a_canonical_url_as_it_is(text):
    url = canonical(text)
    assert str(URL(url, encoded=True)) == url


@given(st.text(alphabet=st.characters(categories=["Cs"]), min_size=1))
def test_lone_surrogates_are_refused(text):
    with pytest.raises(UrlError):
        canonicalize(f"http://example.org/{text}")
