"""A user or a password in a URL is in no message, whatever the spelling; and no other @ is taken for one."""

from __future__ import annotations

import msgspec
import pytest

from crawler.config.logins import has_login
from crawler.errors import ConfigError, UrlError
from crawler.seeds import read_seeds
from crawler.url import MAX_URL_CHARS, canonicalize

LOGINS = [
    "http://u5er:p4ss@h.test/",
    "http://p4ss@h.test/",
    "http://u5er:p4ss@p4ss@h.test/",
    "http://u5er:p4ss/p4ss@h.test/",
    "http://u5er:p4ss?p4ss@h.test/",
    "http://u5er:p4ss#p4ss@h.test/",
    "sitemap:http://u5er:p4ss@h.test/",
    "sitemap: https://u5er:p4ss@h.test",
    "//u5er:p4ss@h.test",
    "http:/u5er:p4ss@h.test",
    "http:u5er:p4ss@h.test",
    "u5er:p4ss@h.test",
    "u5er:p4ss@p4ss@h.test/x",
    "https:\\\\u5er:p4ss@h.test",
    "HTTP://u5er:p4ss@h.test",
    "ftp://u5er:p4ss@h.test",
    "http://u5er:p4ss@",
    "http://u5er:p4ss@[",
]
OTHERS = [
    "http://h.test:8080/x@y",
    "http://h.test/x@y:z",
    "h.test:8080/x@y",
    "http://[::1]:80/x@y",
    "https://medium.test/@u",
    "http://h.test?x=a@b",
    "http://h.test:80?a:b@c",
    "http://h.test:80#a:b@c",
    "http://h.test:/x@y",
    "sitemap:h.test/x@y",
]


@pytest.mark.parametrize("login", LOGINS)
def test_a_seed_with_a_login_is_refused_and_not_quoted(login, tmp_path):
    with pytest.raises(ConfigError, match=r"fetch\.hosts: \{HOST: \{auth") as caught:
        [*read_seeds([login])]
    assert "p4ss" not in str(caught.value)
    for name, text in (
        ("s.txt", login),
        ("s.jsonl", msgspec.json.encode({"url": login}).decode()),
        ("s.csv", f"url\n{login}"),
    ):
        (tmp_path / name).write_text(f"{text}\n")
        [seed] = read_seeds([str(tmp_path / name)])
        if "#p4ss" in login and name == "s.txt":
            continue
        assert seed.url is None
        assert "p4ss" not in repr(seed), name
        assert "u5er" not in repr(seed), name


@pytest.mark.parametrize(
    "text", ["a:" * 32_000, "http://" + "a:" * 32_000, "sitemap:" + " " * 64_000, "//" + "a" * 64_000, ":@" * 32_000]
)
def test_looking_for_one_takes_linear_time(text):
    """Ten times, of what once took twenty seconds: the test's own limit of time ends it."""
    for _ in range(10):
        has_login(text)


@pytest.mark.parametrize("given", OTHERS)
def test_another_at_sign_is_none(given):
    [seed] = read_seeds([given])
    assert seed.error is None
    assert "@" in seed.given


@pytest.mark.parametrize(
    "url",
    [
        "ftp://u:p4ss@h.test/",
        "http://u:p4ss@h.test:99999/",
        "http://u:p4ss@h.test:0/",
        "http://u:p4ss@h test/",
        "http://u:p4ss@[/",
        "//u:p4ss@h.test/",
        "\\\\u:p4ss@h.test",
        "http://u:p4ss@" + "h" * 300 + ".test/",
        "http://u:p4ss@h.test/" + "x" * MAX_URL_CHARS,
    ],
)
def test_what_is_said_of_a_bad_url_leaves_its_login_out(url):
    with pytest.raises(UrlError) as caught:
        canonicalize(url)
    assert "p4ss" not in str(caught.value)
