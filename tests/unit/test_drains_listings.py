"""Sitemaps, feeds, XML and robots.txt made to be slow, large or endless: bounded, and what was left out is reported."""

import time
from xml.parsers import expat

import pytest

from crawler.config import ExtractConfig
from crawler.config.scraping import RuleConfig
from crawler.extract import robots
from crawler.extract.page import Extractor, Settings
from crawler.extract.robots_match import Matcher, deciding_rule
from crawler.extract.sitemap_entries import MAX_ENTRIES
from crawler.extract.sitemap_links import MAX_LEVELS
from crawler.extract.xml_value import MAX_DEPTH, MAX_ELEMENTS, xml_value
from crawler.models import HostKey, Kind, ParseFailure, Request, Response, Url

URL = Url("https://example.org/sitemap.xml")
CPU_S = 10.0
MIB = 1024**2


@pytest.fixture(autouse=True)
def _in_time():
    before = time.process_time()
    yield
    assert time.process_time() - before < CPU_S


def sitemap_of(body, *, via=None, context=b"", url=URL, **settings):
    request = Request(
        url=url, host_key=HostKey("example.org"), scope_host="example.org", kind=Kind.SITEMAP, via=via, context=context
    )
    response = Response(url=url, status=200, headers=((b"content-type", b"text/xml"),), body=body)
    return Extractor(Settings(fingerprint_key=3, **settings)).page(request, response)


def refused(page):
    return {refusal.rule: refusal.count for refusal in page.refusals}


def urlset(entries):
    return b"<urlset>" + entries + b"</urlset>"


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">%s]>""" % b"".join(
    b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 30)
)
BLOWUP = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "%s">]>' % (b"x" * 100_000)
PARAMETER = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY % a "<!ENTITY b \'x\'>">%a;]>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
EXTERNAL_DTD = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">'


@pytest.mark.parametrize("prologue", [LAUGHS, BLOWUP, PARAMETER], ids=["laughs", "blow-up", "parameter"])
@pytest.mark.parametrize(
    "document",
    [
        b"<urlset><url><loc>https://example.org/&a29;&a;</loc></url></urlset>",
        b"<feed><entry><link href='&a;'/></entry></feed>",
    ],
)
def test_a_document_that_declares_entities_is_not_read(prologue, document):
    failure = sitemap_of(prologue + document)
    assert isinstance(failure, ParseFailure)
    assert (failure.reason, "declares the entity" in failure.detail) == ("bad_sitemap", True)
    value, problem = xml_value(prologue + document)
    assert value is None
    assert "declares the entity" in problem


@pytest.mark.parametrize("prologue", [EXTERNAL, EXTERNAL_DTD], ids=["entity", "document type"])
def test_what_lies_elsewhere_is_never_loaded(prologue):
    page = sitemap_of(prologue + urlset(b"<url><loc>https://example.org/x&a;y</loc></url>"))
    assert [link.url for link in page.links] in (["https://example.org/xy"], ["https://example.org/x&a;y"])
    value, _ = xml_value(prologue + b"<a>x&a;y</a>")
    assert "root:" not in str(value)


def test_this_expat_bounds_what_entities_may_become_besides():
    assert expat.version_info >= (2, 4, 0)  # which refuses an amplification over 100


def test_a_sitemap_nested_too_deep_is_bad_and_xml_is_read_down_to_a_depth():
    failure = sitemap_of(b"<urlset>" + b"<a>" * 1_000_000)
    assert (failure.reason, "nested deeper" in failure.detail) == ("bad_sitemap", True)
    value, problem = xml_value(b"<a>" * 1_000_000)
    assert f"nested deeper than {MAX_DEPTH}" in problem or problem
    depth = 0
    while isinstance(value, dict):
        value, depth = next(iter(value.values())), depth + 1
    assert depth <= MAX_DEPTH


@pytest.mark.slow
def test_of_xml_with_too_many_elements_the_first_are_read():
    value, problem = xml_value(b"<a>" + b"<b/>" * (MAX_ELEMENTS + 10) + b"</a>")
    assert f"more than {MAX_ELEMENTS}" in problem
    assert len(value["a"]["b"]) == MAX_ELEMENTS - 1


@pytest.mark.parametrize(
    "xml",
    [
        b"<a " + b" ".join(b"a%d='x'" % n for n in range(50_000)) + b"/>",
        b"<a>" + b"<b x='1'/>" * 50_000,
        b"<a>" + b"&amp;" * MIB + b"</a>",
        b"<a><![CDATA[" + b"]]" * MIB + b"]]></a>",
        b"<a>" + b"<!-- -->" * 120_000 + b"</a>",
        b"<a>" + b"<?p ?>" * 120_000 + b"</a>",
        b"<" + b"a" * (4 * MIB),
        b"<a b='" + b"x" * (4 * MIB),
        b"<!DOCTYPE a [" + b"<!ELEMENT a (" + b"(" * 200_000,
        b"<!DOCTYPE a [<!ELEMENT a (" + b"b|" * 50_000 + b"b)>]><a/>",
        b"<!DOCTYPE a [" + b"<!ATTLIST a b CDATA 'x'>" * 50_000 + b"]><a/>",
        b"".join(b"<a%d>" % n for n in range(90)) + b"x" * (4 * MIB),
    ],
    ids=range(12),
)
@pytest.mark.slow
def test_xml_that_goes_on_and_on_takes_time_by_its_length(xml):
    xml_value(xml)
    sitemap_of(xml)
    sitemap_of(b"<urlset><url><loc>https://example.org/</loc></url>" + xml)


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"<a b='", b"<", b"<!--", b"<![CDATA[", b"<?"])
def test_one_token_of_many_megabytes_is_not_gone_through_again_and_again(start):
    before = time.process_time()
    sitemap_of(b"<urlset>" + start + b"x" * (24 * MIB))
    assert time.process_time() - before < 4.0


@pytest.mark.slow
def test_of_a_sitemap_without_end_as_many_entries_are_taken_as_one_may_list():
    entry = b"<url><loc>/%d</loc></url>"
    page = sitemap_of(urlset(b"".join(entry % number for number in range(120_000))))
    assert len(page.links) == MAX_ENTRIES
    assert refused(page) == {f"sitemap: beyond {MAX_ENTRIES} entries": 120_000 - MAX_ENTRIES}
    lines = sitemap_of(b"".join(b"https://example.org/%d\n" % number for number in range(120_000)))
    assert len(lines.links) == MAX_ENTRIES
    assert refused(lines) == {f"sitemap: beyond {MAX_ENTRIES} entries": 120_000 - MAX_ENTRIES}


@pytest.mark.slow
def test_one_entry_of_a_million_alternates_is_as_many_as_one_may_list():
    links = b"".join(b"<xhtml:link rel='alternate' href='/%d'/>" % number for number in range(120_000))
    page = sitemap_of(urlset(b"<url><loc>/a</loc>" + links + b"</url>"))
    assert len(page.links) == MAX_ENTRIES + 1
    assert refused(page) == {f"sitemap: beyond {MAX_ENTRIES} entries": 120_000 - MAX_ENTRIES}


def test_an_index_that_lists_itself_ends_at_the_third_level():
    """Each level's requests say how deep they are; a URL known already is no request at all, so circles end at once."""
    body = b"<sitemapindex><sitemap><loc>%s</loc></sitemap><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>"
    context, levels = b"", 0
    page = sitemap_of(body % URL.encode())
    while page.links:
        levels += 1
        own, other = page.links
        assert own.url == URL
        assert own.fingerprint == sitemap_of(body % URL.encode()).links[0].fingerprint
        page = sitemap_of(body % URL.encode(), via=URL, context=other.context)
        context = other.context
    assert context
    assert levels == MAX_LEVELS - 1
    assert refused(page) == {f"sitemap: below level {MAX_LEVELS}": 2}


@pytest.mark.slow
def test_sitemaps_of_repairable_mistakes_take_time_by_their_length():
    sitemap_of(urlset(b"<url><loc>/a?b&c</loc></url>" * 20_000))
    sitemap_of(urlset(b"<url><loc>" + b"&" * MIB))
    sitemap_of(urlset(b"<url><loc>" + b"<![CDATA[" * (MIB // 8)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [b"[" * MIB, b'{"a":' * (MIB // 2), b"[" + b"1," * MIB, b"9" * MIB, b'"' + b"\\" * MIB]
)
def test_json_for_rules_is_read_or_refused_in_time(start):
    rule = RuleConfig(name="r", match="*", fields={"a": "x"})
    extract = ExtractConfig(rules=(RuleConfig(name="r", each="@", fields=rule.fields),))
    request = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org")
    headers = ((b"content-type", b"application/json"),)
    Extractor(Settings(extract=extract)).page(request, Response(url=URL, status=200, headers=headers, body=start))


GROUP = b"user-agent: *\n"


def rules_of(lines):
    return robots.parse(GROUP + lines, "bot")


@pytest.mark.slow
def test_a_million_rules_are_as_many_as_half_a_megabyte_holds():
    found = rules_of(b"".join(b"disallow: /%d\n" % number for number in range(1_000_000)))
    assert 20_000 < len(found.rules) < 40_000
    matcher = Matcher(found)
    assert not matcher.allows("/17")
    for _ in range(1000):
        matcher.allows("/allowed" * 1000)


def test_a_line_without_end_is_cut_and_the_next_counts():
    found = rules_of(b"disallow: /" + b"a" * 100_000 + b"\ndisallow: /private\n")
    assert found.rules[1] == (False, "/private")
    assert len(found.rules[0][1]) < 17_000


@pytest.mark.parametrize(
    "pattern",
    [
        "/" + "*a" * 8_000 + "$",
        "/" + "*a" * 8_000 + "b",
        "/*" + "a" * 8_000 + "*b$",
        "/" + "*" * 16_000,
        "/" + "*aa*ab" * 2_000,
    ],
)
def test_patterns_made_to_be_slow_cost_what_they_may_for_one_path(pattern):
    found = rules_of(f"disallow: {pattern}\n".encode() * 30)
    matcher = Matcher(found)
    before = time.process_time()
    for _ in range(20):
        matcher.allows("/" + "a" * 16_000)
    assert time.process_time() - before < 2.0
    deciding_rule(found, "/" + "a" * 16_000)


def test_many_different_slow_patterns_cost_no_more_than_one_path_may():
    lines = b"".join(b"disallow: /*a*%d*a$\n" % number for number in range(20_000))
    matcher = Matcher(rules_of(lines))
    before = time.process_time()
    for _ in range(20):
        matcher.allows("/" + "a" * 16_000)
    assert time.process_time() - before < 2.0


@pytest.mark.parametrize(
    "body",
    [
        b"\n" * MIB,
        b"\r" * MIB,
        b":" * MIB,
        b"#" * MIB,
        b"\0" * MIB,
        b"a" * MIB,
        b"user-agent:*\n" * 50_000,
        b"\xff" * MIB,
    ],
)
def test_robots_txt_of_anything_is_read_in_time(body):
    robots.parse(body, "bot")
    robots.parse(GROUP + b"disallow: " + body, "bot")
