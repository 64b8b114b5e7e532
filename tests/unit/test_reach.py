"""What a request may lead to, by its seed and by the configuration; odd spellings of addresses included."""

from __future__ import annotations

import pytest

from crawler.addresses import purpose
from crawler.config import CrawlConfig, FetchConfig
from crawler.config.hosts import network_problem
from crawler.config.rules import problems
from crawler.errors import UrlError
from crawler.models import Request
from crawler.reach import Reach, address_of, seed_of
from crawler.url import canonicalize, host_key


def found(url, seed):
    return Request(url=url, host_key=host_key(url), scope_host="x", seed=seed)


def shuts_out(name, *addresses, **fetch):
    return Reach(FetchConfig(**fetch)).shuts_out(name, addresses)


@pytest.mark.parametrize(
    "spelt",
    [
        *("127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "2130706433", "127.0.0.1."),
        *(
            "0X7F.0.0.1",
            "%31%32%37.0.0.1",
            "\uff11\uff12\uff17.0.0.1",
            "127\u30020\u30020\u30021",
            "\u2460\u2461\u2466.1",
            "[::1]",
            "[0:0::0:1]",
            "[::ffff:127.0.0.1]",
        ),
        *("[::ffff:7f00:1]", "0", "0.0.0.0", "[::]", "169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]"),
    ],
)
def test_odd_spellings_are_the_address_they_mean(spelt):
    key = host_key(canonicalize(f"http://{spelt}:8080/"))
    assert address_of(key) is not None
    assert purpose(address_of(key)) is not None
    assert shuts_out(key)


@pytest.mark.parametrize(
    "spelt", ["[fe80::1%25eth0]", "[fe80::1%eth0]", "1.2.3.4.5", "256.1.1.1", "127.0.0.1..", "a.0x7f"]
)
def test_what_no_browser_takes_for_an_address_is_no_url(spelt):
    with pytest.raises(UrlError):
        canonicalize(f"http://{spelt}/")


def test_a_name_is_shut_out_where_none_of_its_addresses_may_be_asked():
    assert shuts_out("a.test", "10.0.0.1")
    assert shuts_out("a.test", "10.0.0.1", "::1")
    assert not shuts_out("a.test", "10.0.0.1", "8.8.8.8")
    assert not shuts_out("a.test")  # asked through a proxy
    assert shuts_out("10.0.0.1:8080")
    assert not shuts_out("8.8.8.8")


def test_addresses_and_names_of_the_configuration_are_allowed():
    assert not shuts_out("a.test", "10.0.0.1", allow_addresses=("10.0.0.0/8",))
    assert shuts_out("a.test", "127.0.0.1", allow_addresses=("10.0.0.0/8",))
    assert not shuts_out("[::1]:80", allow_addresses=("::1",))
    assert not shuts_out("[::ffff:10.0.0.1]", allow_addresses=("10.0.0.1",))
    assert not shuts_out("a.test:81", "127.0.0.1", resolve={"*.test": "127.0.0.1"})
    assert shuts_out("test", "127.0.0.1", resolve={"*.test": "127.0.0.1"})
    assert shuts_out("127.0.0.1", resolve={"*.test": "127.0.0.1"})


@pytest.mark.parametrize(
    ("seed", "url", "own"),
    [
        ("http://10.0.0.1/", "http://10.0.0.1/a", "10.0.0.1"),
        ("http://10.0.0.1:81/", "http://10.0.0.1:82/a", "10.0.0.1:81"),
        ("a.test", "http://a.test:82/a", "a.test"),
        ("sitemap: a.test", "https://a.test/a", "a.test"),
        ("sitemap:http://0xa.1/s.xml", "http://10.0.0.1/", "10.0.0.1"),
        ("http://[::1]:8/", "http://[::1]/", "[::1]:8"),
        ("http://A.TEST./x", "http://a.test/", "a.test"),
        ("a.test", "http://b.a.test/", None),
        ("http://a.test@10.0.0.1/", "http://a.test/", None),
        ("not a url", "http://a.test/", None),
        ("", "http://a.test/", None),
    ],
)
def test_the_host_of_the_seed_as_given_counts_whatever_the_port(seed, url, own):
    assert seed_of(found(url, seed)) == own


@pytest.mark.parametrize("text", ["10.0.0.0/8", "127.0.0.1", "127.0.0.1/32", "::1", "fd00::/8", "::/0", "0.0.0.0/0"])
def test_networks_are_addresses_with_or_without_a_length(text):
    assert network_problem(text) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.0.0.1/8", "which is 10.0.0.0/8"),
        ("[::1]", "did you mean ::1?"),
        ("10.0.0.0/33", "/33 is longer"),
        *((text, "expected an IP address or network") for text in ("", "localhost", "10.0.0.0/", "10.0.0.0/255.0.0.0")),
        *((text, "expected an IP address or network") for text in ("127.1", "fe80::1%lo", "10.0.0.0/-8", "*", "a/8")),
    ],
)
def test_other_networks_are_refused_with_what_was_meant(text, hint):
    assert hint in network_problem(text)
    (problem,) = problems(CrawlConfig(fetch=FetchConfig(allow_addresses=("::1", text))))
    assert problem.key == "fetch.allow_addresses[1]"
