import pytest

from crawler.config import ScopeConfig, UrlsConfig
from crawler.errors import UrlError
from crawler.extract.targets import Targets
from crawler.scope import Scope
from crawler.url import Base, Url, canonicalize, fingerprint

SCOPE = Scope(ScopeConfig(max_depth=3, exclude=("*/private/*",)))
PAGES = [
    Url(f"{origin}{path}")
    for origin in ("http://a.test", "https://a.test", "http://a.test:8080", "http://b.test")
    for path in ("/", "/?x", "/f", "/f/", "/f/g?x/y", "/f/h", "/private/")
]
HREFS = [
    *(
        "",
        "?q",
        "?q:",
        "x",
        "./x",
        "../x",
        "x?y",
        ".",
        "..",
        "f/g",
        "x:y",
        "1:2",
        "~u",
        "%7Eu",
        "/",
        "/x",
        "//c.test/x",
    ),
    *(
        "\\x",
        "\\\\c.test",
        "/\\c.test",
        "http:x",
        "http:?x",
        "HTTP:/x",
        "https:x",
        "https:/x",
        "http://b.test",
        "http://[",
    ),
    *(
        "HTTP://b.test/",
        " x",
        " /x",
        "\t?x",
        "\n/x",
        "\tx",
        "ht\ntp:x",
        "ht\ntp://c.test",
        "x\ty",
        "/\t/c.test",
        "x\n:y",
    ),
    *(
        "mailto:x",
        "Mailto:x",
        " mailto:x",
        "java\tscript:x",
        "\x0bx",
        "\x00?x",
        "é",
        "x" * 17_000,
        "é:",
        "data:,",
        "\ud800",
    ),
    *("private/x", "/private/x", "a" * 999 + "é", "a" * 1001),
]


def of_page(targets, url, depth=1, scope_host="a.test"):
    return targets.of_page(url, SCOPE.for_page(scope_host, depth))


def looked_up(page, href):
    return page.site.get(href) or page.folder.get(href) or page.resolve(href)


def expected_url(base, href):
    try:
        return Base(base).join(href)
    except UrlError:
        return None


@pytest.mark.parametrize("memory_bytes", [8 * 1024**2, 20_000, 0])
def test_an_href_means_the_same_whatever_pages_came_before(memory_bytes):
    targets = Targets(UrlsConfig(), 5, memory_bytes)
    for url in PAGES * 2:
        page = of_page(targets, url)
        for href in HREFS * 2:
            link = looked_up(page, href).link
            expected = expected_url(url, href)
            assert (link and link.url) == expected, (url, href)
            if link:
                assert link.fingerprint == fingerprint(expected, 5)
                assert link.host_key == expected.split("/")[2]
                assert page.url(f"{href}#fragment") == expected


def test_verdicts_are_kept_apart_by_scope_host_and_depth():
    targets = Targets(UrlsConfig(), 5)
    verdicts = [
        [
            looked_up(of_page(targets, PAGES[0], depth, scope_host), href).rule
            for href in ("/x", "/private/x", "mailto:x")
        ]
        for scope_host, depth in (("a.test", 1), ("b.test", 1), ("a.test", 4), ("a.test", 3), ("b.test", 1))
    ]
    mail = "scheme: mailto"
    assert verdicts == [
        [None, "scope.exclude: */private/*", mail],
        ["scope.stay_on: host", "scope.stay_on: host", mail],
        ["scope.max_depth: 3", "scope.max_depth: 3", mail],
        [None, "scope.exclude: */private/*", mail],
        ["scope.stay_on: host", "scope.stay_on: host", mail],
    ]


def test_what_a_folder_or_site_has_in_common_is_resolved_once():
    targets = Targets(UrlsConfig(), 5)
    first = of_page(targets, Url("http://a.test/f/1?x"))
    kept = {href: looked_up(first, href) for href in ("x", "/x", "//b.test/x", "http://b.test/y", "tel:1")}
    second = of_page(targets, Url("http://a.test/f/2"))
    assert all(looked_up(second, href) is target for href, target in kept.items())
    elsewhere = of_page(targets, Url("http://a.test/g/"))
    assert [href for href, target in kept.items() if looked_up(elsewhere, href) is not target] == ["x"]


@pytest.mark.parametrize("href", ["/{}", "{}", "http://b.test/{}", "tel:{}", "?{}"])
def test_memory_is_bounded_whatever_pages_hold(href):
    targets = Targets(UrlsConfig(), 5, memory_bytes=20_000)
    for number in range(20):
        page = of_page(targets, canonicalize(f"http://a.test/{number}/"))
        for link in range(100):
            looked_up(page, href.format(f"{number}-{link}"))
        assert len(page.site) + len(page.folder) < 70
        assert len(targets._places) < 40


def test_a_huge_href_is_not_remembered_beyond_its_page():
    targets = Targets(UrlsConfig(), 5)
    page = of_page(targets, PAGES[0])
    href = "/" + "x" * 2_000
    assert page.target(href) is page.target(href)
    assert href not in page.site
