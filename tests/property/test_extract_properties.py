import json
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.extract import charset, robots, robots_match
from crawler.extract.encodings import decode_as, encoding_name
from crawler.extract.page import Extractor, Settings
from crawler.extract.robots_match import Matcher, deciding_rule
from crawler.models import HostKey, Kind, Page, ParseFailure, Request, Response, Robots, Url
from crawler.url import canonicalize

URL = Url("http://example.org/")
EXTRACTOR = Extractor(Settings(fingerprint_key=1, max_body_bytes=100_000, link_lines=True))

TOKENS = """
< > = ' " / <p> </p> <title> <svg> <template> </template> <script> </script> <h1> <table> <td> <frameset> <noscript>
<a\0href= <area\0href= <base\0href= <link\0rel=canonical\0href= <meta\0charset= <!-- --> <textarea> <math>
utf-16 text http://x/ //[ javascript: ? # % %41 &#xd800; &nbsp; &amp \ud7ff \xe9
"""
MARKUP = st.lists(st.sampled_from(["\u2028", "\u0085", *TOKENS.split()]), max_size=40).map(
    lambda tokens: " ".join(tokens).replace("\0", " ").replace("= ", "=").encode()
)
BODIES = st.one_of(st.binary(max_size=300), MARKUP, st.text(max_size=200).map(lambda text: text.encode("utf-16")))
ENCODINGS = st.sampled_from([None, b"gzip", b"br", b"zstd", b"deflate", b"identity", b"x, y", b"\xff"])
TYPES = st.sampled_from([b"text/html", b"text/html; charset=shift_jis", b"text/html; charset=utf-16", b"", b"\xff/"])


@pytest.mark.slow
@given(body=BODIES, encoding=ENCODINGS, content_type=TYPES, kind=st.sampled_from([Kind.PAGE, Kind.ROBOTS]))
def test_any_bytes_become_a_page_or_a_failure_that_names_its_reason(body, encoding, content_type, kind):
    headers = [(b"content-type", content_type)]
    if encoding is not None:
        headers.append((b"content-encoding", encoding))
    request = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org", kind=kind)
    result = EXTRACTOR.page(request, Response(url=URL, status=200, headers=tuple(headers), body=body))
    if isinstance(result, ParseFailure):
        assert result.reason == "bad_encoding"
        return
    assert isinstance(result, Page)
    assert len({link.url for link in result.links}) == len(result.links)
    assert all(canonicalize(link.url) == link.url for link in result.links)
    records = {sink: lines.decode() for sink, lines in result.records}
    if not records:
        return
    assert records["pages"].splitlines() == [records["pages"]]
    record = json.loads(records["pages"])
    assert len(record["links"]) <= record["n_links"] + body.count(b"<area")
    assert record["word_count"] == len(record["text"].split())
    assert ("links" in records) is bool(record["links"])
    assert [link_of(line) for line in records.get("links", "").splitlines()] == record["links"]


def link_of(line):
    row = json.loads(line)
    assert row.pop("source") == URL
    return {"url": row.pop("target"), **row}


SITEMAP_TOKENS = """
<urlset> </urlset> <sitemapindex> <sitemap> </sitemap> <url> </url> <loc> </loc> <lastmod> </lastmod> <priority> <rss>
<item> </item> <link> </link> <link\0href='/x'/> <guid> <feed> <entry> <![CDATA[ ]]> <!-- --> <!DOCTYPE <!ENTITY <?xml
http://example.org/a http://b.test/ //[ /x & &amp; &nbsp; &lt; ]> ' 0.5 \x01 \xe9 \u2028
"""
SITEMAPS = st.lists(st.sampled_from(SITEMAP_TOKENS.split()), max_size=60).map(
    lambda tokens: "".join(tokens).replace("\0", " ").encode()
)


@pytest.mark.slow
@given(
    body=st.one_of(SITEMAPS, BODIES), content_type=TYPES, via=st.sampled_from([None, "http://example.org/robots.txt"])
)
def test_any_bytes_become_a_sitemap_or_a_failure_that_names_its_reason(body, content_type, via):
    asked = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org", kind=Kind.SITEMAP, via=via)
    extractor = Extractor(Settings(sitemap_lines=True))
    result = extractor.page(asked, Response(url=URL, status=200, headers=((b"content-type", content_type),), body=body))
    if isinstance(result, ParseFailure):
        assert result.reason in ("bad_sitemap", "bad_encoding")
        return
    assert result.reason == "sitemap"
    assert len({link.url for link in result.links}) == len(result.links)
    assert all(canonicalize(link.url) == link.url and link.host_key == "example.org" for link in result.links)
    listed = [json.loads(line)["url"] for _, lines in result.records for line in lines.decode().splitlines()]
    assert set(listed) >= {link.url for link in result.links}


@pytest.mark.slow
@given(body=BODIES, content_type=st.one_of(st.none(), st.text(max_size=50)))
def test_decoding_yields_valid_utf_8_of_a_known_encoding(body, content_type):
    text = charset.decode(body, content_type)
    assert text.text.encode() == text.utf8
    assert encoding_name(text.charset) == text.charset


@pytest.mark.slow
@given(
    data=st.binary(max_size=200), name=st.sampled_from(["gbk", "euc-jp", "big5", "shift_jis", "euc-kr", "iso-2022-jp"])
)
def test_multi_byte_decoders_take_any_bytes(data, name):
    assert not any("\ud800" <= character <= "\udfff" for character in decode_as(data, name))


ROBOTS_LINES = st.lists(
    st.sampled_from(
        (
            *("User-agent: *", "user-agent: bot", "Disallow: /", "Allow: /a*b$", "Disallow: *%2", "Allow: /%zz$*", ":"),
            *("Crawl-delay: 1e999", "Request-rate: 1/0", "Disallow: /\u20ac", "Disallow /x", "Allow: /x/index.htm"),
        )
    ),
    max_size=12,
)


@pytest.mark.slow
@given(
    body=st.one_of(st.binary(max_size=300), ROBOTS_LINES.map(lambda lines: "\r".join(lines).encode())),
    path=st.text(max_size=30).map(lambda text: f"/{text}"),
)
@example(body=b"User-agent: *\nDisallow: /*\nAllow: /", path="/")
def test_robots_never_raise_and_never_forbid_themselves(body, path):
    matcher = Matcher(robots.parse(body, "bot"))
    assert isinstance(matcher.allows(path), bool)
    assert matcher.allows("/robots.txt")


def naive_match(pattern, path):
    """The definition, by trying everything: `*` is any run, a final `$` the end."""
    if not pattern:
        return True
    if pattern == "$":
        return not path
    if pattern[0] == "*":
        return any(naive_match(pattern[1:], path[start:]) for start in range(len(path) + 1))
    return bool(path) and path[0] == pattern[0] and naive_match(pattern[1:], path[1:])


RULES = st.lists(st.tuples(st.booleans(), st.text("ab*", max_size=6), st.sampled_from(["", "$"])), max_size=6)


@pytest.mark.slow
@given(rules=RULES, path=st.text("ab/", max_size=8))
def test_matching_agrees_with_its_definition(rules, path):
    path = f"/{path}"
    patterns = [(allow, f"/{middle}{end}") for allow, middle, end in rules]
    lines = [f"{'Allow' if allow else 'Disallow'}: {pattern}" for allow, pattern in patterns]
    body = "\n".join(["User-agent: *", *lines]).encode()
    matching = [(len(pattern), allow) for allow, pattern in patterns if naive_match(pattern, path)]
    said = robots.parse(body, "bot")
    assert Matcher(said).allows(path) is max(matching, default=(0, True))[1]
    decided = deciding_rule(said, path)
    assert (decided and (len(decided[1]), decided[0])) == max(matching, default=None)
    assert decided is None or naive_match(decided[1], path)


@given(rules=RULES, path=st.text("ab/", max_size=8), wildcards=st.integers(0, 3), work=st.sampled_from([0, 500, 10**6]))
def test_limits_on_matching_never_allow_what_is_refused_without(rules, path, wildcards, work):
    robots_txt = Robots(rules=tuple((allow, f"/{middle}{end}") for allow, middle, end in rules))
    without = Matcher(robots_txt).allows(f"/{path}")
    with patch.multiple(robots_match, MAX_WILDCARDS=wildcards, MAX_WORK=work):
        assert without or not Matcher(robots_txt).allows(f"/{path}")
