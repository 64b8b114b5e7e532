"""What the fetch section may hold."""

from __future__ import annotations

import pytest

from crawler.config import CrawlConfig, FetchConfig, HostFetchConfig
from crawler.config.proxies import proxy_problem
from crawler.config.rules import problems


def wrong(**fetch):
    return [(problem.key, problem.expected) for problem in problems(CrawlConfig(fetch=FetchConfig(**fetch)))]


def wrong_of_host(**keys):
    return wrong(hosts={"a.test": HostFetchConfig(**keys)})


@pytest.mark.parametrize("address", ["a@b.org", "first.last+tag@x-y.example.co.uk", "o'brien@localhost"])
def test_a_contact_is_an_address(address):
    assert wrong(contact=address) == []


@pytest.mark.parametrize(
    "address", ["", "a", "@b", "a@", "a b@c.org", "Me <a@b.org>", "a@b..org", "a@b.org\nX: y", "é@b.org"]
)
def test_another_contact_is_refused(address):
    assert [key for key, _ in wrong(contact=address)] == ["fetch.from"]


@pytest.mark.parametrize(
    "url",
    [
        *("http://p.test", "https://p.test:8443/", "http://u:p%40@[::1]:3128", "http://u@192.0.2.1"),
        *("${PROXY}", "http://${USER}:${PASSWORD}@${HOST}:${PORT}", "environment", "direct", None, ()),
    ],
)
def test_a_proxy_is_an_http_url_or_says_where_to_look(url):
    assert wrong(proxy=url) == wrong_of_host(proxy=url) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("socks5://p.test:1080", "SOCKS is not spoken"),
        ("SOCKS4://u:${P}@p.test", "SOCKS is not spoken"),
        ("p.test:3128", "it begins with http:// or https://"),
        ("ftp://p.test", "it begins with http:// or https://"),
        ("http://", "a host and, after a colon, a port"),
        ("http://p.test:0", "a port up to 65535"),
        ("http://p.test:99999", "a port up to 65535"),
        ("http://u:p/w@p.test", "percent-encoded"),
        ("http://p.test/path", "no path"),
        ("http://p.test/?a", "no path"),
        ("http://p .test", "without blanks"),
        ("http://p.test\n", "without blanks"),
    ],
)
def test_another_proxy_is_refused_in_words_that_do_not_quote_it(url, expected):
    [(key, problem)] = wrong(proxy=(url,))
    assert key == "fetch.proxy[0]"
    assert expected in problem
    assert proxy_problem("http://hush:hush@") == proxy_problem("http://")


@pytest.mark.parametrize("word", ["environment", "direct"])
def test_what_is_no_proxy_stands_alone(word):
    assert wrong(proxy=("http://p.test", word)) == [
        ("fetch.proxy[1]", f"expected it alone, without a list: proxy: {word}")
    ]


def test_auth_has_a_colon_and_no_header_beside_it():
    assert wrong_of_host(auth="user:pass:word") == wrong_of_host(auth="${BOTH}") == []
    assert wrong_of_host(auth="user") == [('fetch.hosts["a.test"].auth', "expected user:password")]
    assert wrong_of_host(auth="u:\x00") == [('fetch.hosts["a.test"].auth', "expected no control characters")]
    [(key, expected)] = wrong_of_host(auth="u:p", headers={"AUTHORIZATION": "x"})
    assert key == 'fetch.hosts["a.test"].headers.AUTHORIZATION'
    assert "not both" in expected


def test_a_header_is_given_once_whatever_its_case():
    assert [key for key, _ in wrong(headers={"X-A": "1", "x-a": "2", "X-B": "3"})] == ["fetch.headers.x-a"]


def test_credentials_of_a_proxy_are_no_header():
    [(key, expected)] = wrong_of_host(headers={"Proxy-Authorization": "Basic x"})
    assert key == 'fetch.hosts["a.test"].headers.Proxy-Authorization'
    assert "into fetch.proxy" in expected


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${1A}", "x ${A"])
def test_a_reference_names_a_variable(text):
    for found in (wrong(headers={"X-A": text}), wrong_of_host(auth=f"u:{text}"), wrong(proxy=f"http://{text}@p.test")):
        assert "expected ${NAME}" in found[0][1]


def test_patterns_are_host_patterns():
    hosts = {"A.test": HostFetchConfig(), "*": HostFetchConfig(), "*.b.test:81": HostFetchConfig()}
    assert [key for key, _ in wrong(hosts=hosts)] == ['fetch.hosts["A.test"]', 'fetch.hosts["*"]']


def test_a_cookies_file_has_a_name():
    assert wrong_of_host(cookies="") == [('fetch.hosts["a.test"].cookies', "expected the path of a cookies.txt file")]
