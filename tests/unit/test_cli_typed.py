"""A command is kept as it was typed, but for what is secret in it."""

from __future__ import annotations

import shlex

import pytest

from crawler.cli.typed import without_secrets, words_typed

SECRET = "s3cret"


def kept(line):
    return shlex.join(without_secrets(shlex.split(line)))


@pytest.mark.parametrize(
    "line",
    [
        "crawl example.org -d data/shop --depth 3 --resume -v",
        "crawl https://example.org/a?b=c@d -c crawl.yaml",
        "crawl sitemap:https://example.org/sitemap.xml",
        "crawl --set limits.default.delay=2s --set=scope.include=[*/a*]",
        "crawl --set fetch.timeout=5s --set 'fetch.user_agent=bot/1.0 (+https://example.org/bot)'",
        "crawl --set 'fetch.headers.Accept-Language=de'",
        "crawl --set 'fetch.headers.Authorization=Bearer ${TOKEN}'",
        "crawl --set 'fetch.proxy=http://me:${PASSWORD}@proxy.test:3128'",
        "crawl --retry-failed --where 'reason=timeout host=*.example.org'",
        "crawl -- -x",
    ],
)
def test_what_is_not_secret_stays(line):
    assert shlex.split(kept(line)) == shlex.split(line)


@pytest.mark.parametrize(
    "line",
    [
        f"crawl https://me:{SECRET}@example.org/a",
        f"crawl https://{SECRET}@example.org/a",
        f"crawl me:{SECRET}@example.org",
        f"crawl https://me:p@{SECRET}@example.org/a@b",
        f"crawl me:p@{SECRET}@example.org",
        f"crawl sitemap:https://me:{SECRET}@example.org/sitemap.xml",
        f"crawl --set 'fetch.headers.Authorization=Bearer {SECRET}'",
        f"crawl --set=fetch.headers.X-Api-Key={SECRET}",
        f"crawl --set 'fetch={{headers: {{Cookie: a={SECRET}}}}}'",
        f"crawl --set 'fetch.hosts[\"a.test\"].auth=me:{SECRET}'",
        f"crawl --set fetch.hosts='{{a.test: {{auth: \"me:{SECRET}\"}}}}'",
        f"crawl --set fetch.proxy=http://me:{SECRET}@proxy.test:3128",
        f"crawl --set 'fetch.proxy=[http://a.test, http://me:{SECRET}@proxy.test:3128]'",
        f"crawl --set fetch.no_such_key={SECRET}",
        f"crawl --set seeds=[https://me:{SECRET}@example.org/]",
        f"crawl --token {SECRET} example.org",
        f"crawl --serve-token={SECRET} example.org",
    ],
)
def test_what_is_secret_goes(line):
    shown = kept(line)
    assert SECRET not in shown
    assert "<left out>" in shown
    assert shown.startswith("crawl ")


def test_bytes_that_are_no_text_are_escaped():
    assert list(without_secrets(["-d", "caf\udce9"])) == ["-d", "caf\\xe9"]


def test_where_nothing_was_typed_there_is_no_command():
    assert words_typed() == ()
