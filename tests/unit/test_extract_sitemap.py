import gzip

import pytest

from crawler.extract import sitemap_entries
from crawler.extract.content import ContentError
from crawler.extract.sitemap import MAX_BYTES, parse
from crawler.extract.sitemap_entries import Entry

HOST = "a.test"
A, B = f"http://{HOST}/a", f"http://{HOST}/b"


def read(body, content_type="text/xml", **arguments):
    raw = body.encode() if isinstance(body, str) else body
    return parse(raw, content_type, HOST, **arguments)


def urls(body, *arguments, **keywords):
    return [entry.url for entry in read(body, *arguments, **keywords).entries]


def urlset(*locations, after=""):
    return "<urlset>" + "".join(f"<url><loc>{location}</loc></url>" for location in locations) + after


def test_an_entry_keeps_what_is_said_of_it():
    body = (
        '<?xml version="1.0"?><!-- x --><URLSET xmlns="urn:wrong"><url><Loc> http://a.test/a?b&amp;c\n</Loc>'
        "<lastmod>2005-01-01\n</lastmod><changefreq>weekly</changefreq><priority> 0.80 </priority></url>"
        "<url><priority>7</priority><lastmod/><loc><![CDATA[http://a.test/b]]></loc><changefreq>"
        f"{'x' * 200}</changefreq></url></URLSET>"
    )
    assert read(body).entries == [Entry("http://a.test/a?b&c", "url", "2005-01-01", "weekly", 0.8), Entry(B)]


@pytest.mark.parametrize("value", ["nan", "-0.1", "1.01", "high", "", "inf"])
def test_priority_that_is_none_is_left_out(value):
    (entry,) = read(f"<urlset><url><loc>{A}</loc><priority>{value}</priority></url></urlset>").entries
    assert entry.priority is None


def test_an_index_lists_sitemaps_and_may_be_sloppy():
    body = (
        f"<s:sitemapindex xmlns:s='x'>"
        f"<s:sitemap><s:loc>{A}</s:loc><s:lastmod>1</s:lastmod><s:loc>{B}</s:loc></s:sitemap>"
        f"<s:sitemap>\n{A}2\n</s:sitemap><s:url><s:loc>{A}3</s:loc></s:url></s:sitemapindex>"
    )
    assert read(body).entries == [
        Entry(A, "sitemap", "1"),
        Entry(B, "sitemap"),
        Entry(f"{A}2", "sitemap"),
        Entry(f"{A}3"),
    ]


def test_extensions_are_passed_by_but_for_pages_in_other_languages():
    body = (
        f"<urlset><url><image:image><image:loc>{A}.png</image:loc></image:image><image:loc>{A}.gif</image:loc>"
        f"<xhtml:link rel='alternate' hreflang='de' href=' {A}/de '/><xhtml:link rel='next' href='{A}/2'/>"
        f"<loc>{A}</loc>"
        f"<PageMap xmlns='x'><url><loc>{A}/no</loc></url></PageMap></url><url><loc>{B}</loc></url></urlset>"
    )
    assert read(body).entries == [Entry(A), Entry(f"{A}/de", "alternate"), Entry(B)]


def test_an_unclosed_entry_ends_where_the_next_begins():
    assert urls(f"<urlset><url><loc>{A}</loc><url><loc>{B}</loc></url></url></urlset>") == [A, B]


RSS = f"""<?xml version="1.0"?><rss version="2.0"><channel><link>{A}</link><item><title>x</title>
<link>{A}1</link><guid>{A}no</guid><pubDate>Thu, 05 Jan 2017 13:34:51 +0100</pubDate></item>
<item><guid isPermaLink="false">{A}2</guid></item><item><guid>urn:x</guid></item><item><link/><guid>{A}3</guid></item>
<item><atom:link rel="self" href="{A}no"/><atom:link rel="Alternate" href="{A}4"/><dc:date>2001</dc:date></item>
<item><media:link>{A}no</media:link><link> /5 </link><link>{A}no</link></item></channel></rss>"""

ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="{A}"/><entry><link rel="edit" href="{A}no"/>
<link rel="alternate" href="{A}no"/><link href="{A}1"/><published>2001</published><updated>2002</updated></entry>
<entry><source><link href="{A}no"/></source><link rel="alternate" href="{A}2"/></entry><entry><id>urn:x</id></entry>
</feed>"""

RDF = f"""<rdf:RDF><channel rdf:about="{A}"><image><url>{A}no</url></image></channel>
<item rdf:about="{A}no"><link>{A}1</link></item><rss:item rdf:about="{A}2"/></rdf:RDF>"""


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        (RSS, [f"{A}1", f"{A}2", f"{A}3", f"{A}4", "/5"]),
        (ATOM, [f"{A}1", f"{A}2"]),
        (RDF, [f"{A}1", f"{A}2"]),
    ],
)
def test_a_feed_lists_the_pages_of_its_entries(feed, expected):
    assert urls(feed) == expected


def test_dates_of_feeds_are_kept():
    assert [entry.lastmod for entry in read(RSS).entries] == [
        "Thu, 05 Jan 2017 13:34:51 +0100",
        None,
        None,
        "2001",
        None,
    ]
    assert [entry.lastmod for entry in read(ATOM).entries] == ["2002", None]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_lists_a_url_a_line(end):
    lines = ["\ufeff" + A, "", f"  {B}\t", "www.a.test/x", "a.test/y", "/z", "a word", "HTTPS://A.TEST/"]
    assert urls(end.join(lines), "text/plain") == [A, B, "www.a.test/x", "a.test/y", "/z", "", "HTTPS://A.TEST/"]


@pytest.mark.parametrize("body", [b"", b" \n", b"hello world\n", b"\x89PNG\r\n\x1a\n", b"Sitemap: http://a.test/"])
def test_a_text_without_any_url_is_no_sitemap(body):
    with pytest.raises(ContentError) as raised:
        read(body)
    assert raised.value.reason == "bad_sitemap"


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("body", [urlset(A, after="</urlset>"), A])
def test_gzip_is_known_by_its_first_bytes(layers, body):
    packed = body.encode()
    for _ in range(layers):
        packed = gzip.compress(packed)
    assert urls(packed, "application/bogus") == [A]


def test_encodings_are_found_out_as_browsers_do():
    body = f'<?xml version="1.0" encoding="{{}}"?>{urlset("http://a.test/п", after="</urlset>")}'
    expected = ["http://a.test/п"]
    assert urls(body.format("utf-8").encode("utf-16")) == expected  # its mark, whatever it declares
    assert urls(body.format("windows-1251").encode("windows-1251")) == expected
    assert urls(b"\n " + body.format("windows-1251").encode("windows-1251"), None) == expected
    assert urls(body.format("utf-16").encode()) == expected
    assert urls(body.format("ascii").encode(), "text/xml; charset=utf-8") == expected
    assert urls(urlset("http://a.test/é", after="</urlset>").encode("latin-1"), None) == ["http://a.test/é"]


@pytest.mark.parametrize("before", ["\ufeff", "\n \t\r\n", "\ufeff\n\ufeff ", "\0"])
def test_blanks_before_the_markup_do_not_matter(before):
    assert urls(f'{before}<?xml version="1.0"?>{urlset(A, after="</urlset>")}') == [A]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (f"{A}?x=1&y=2&copy=3", f"{A}?x=1&y=2&copy=3"),
        (f"{A}&eacute;&nope;&amp;&#38;&#x26;", f"{A}é&nope;&&&"),
        (f"{A}\x01b", f"{A} b"),
        (f"<![CDATA[{A}?x&y&amp;]]>&", f"{A}?x&y&amp;&"),
        (f"{A}?&LT;", f"{A}?<"),
    ],
)
def test_the_commonest_mistakes_are_mended(text, url):
    found = read(urlset(text, B, after="</urlset>"))
    assert ([entry.url for entry in found.entries], found.broken) == ([url, B], None)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("", [A]),
        ("</url></urlset>", [A]),
        (f"<url><loc>{B}</lo", [A, B]),
        (f"<url><loc>{B}", [A]),
        (f"<url><loc>{B}</loc><lastm", [A, B]),
        ("<url><lastmod>1</lastmod>", [A]),
        (f"<url><loc>{B}</LOC>", [A, B]),
        (f"<url><loc>{B}< </loc></url>", [A, B]),
        (f"<url><loc><![CDATA[{B}", [A]),
        (f"<url><loc>{B}<!-- ", [A]),
    ],
)
def test_what_came_before_a_break_counts_and_the_break_is_told(end, expected):
    found = read(urlset(A, after=end))
    assert [entry.url for entry in found.entries] == expected
    assert "line 1, column" in found.broken


def test_what_follows_the_end_is_no_break():
    found = read(urlset(A, after="</urlset>\n<!-- --> Warning: & <x"))
    assert (len(found.entries), found.broken) == (1, None)


def test_a_body_that_lacks_its_end_is_read_as_far_as_it_goes():
    assert read(urlset(A, after="<url><lo"), is_cut=True).broken == "it ends early"
    assert urls(f"{A}\n{B}", is_cut=True) == [A]
    packed = gzip.compress("".join(f"{A}{number}\n" for number in range(20_000)).encode())
    found = read(packed[:-2000])
    assert 10_000 < len(found.entries) < 20_000
    assert found.broken == "it ends early"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<!DOCTYPE html><html><head><urlset>", "an HTML page"),
        ("<HTML xmlns='x'>", "an HTML page"),
        ("<?xml version='1.0'?><opml><outline/></opml>", "no element of a sitemap or feed"),
        ("<urlset><url><loc>http://a.test", "broken before its first entry: "),
        ("<", "unclosed token"),
        ("<urlset><url></urlset>", "mismatched tag"),
    ],
)
def test_what_is_no_sitemap_is_said_to_be_none(body, told):
    with pytest.raises(ContentError, match=told) as raised:
        read(body)
    assert raised.value.reason == "bad_sitemap"


def test_elements_nest_only_so_deep():
    with pytest.raises(ContentError, match="nested deeper than"):
        read(f"<urlset><url><loc>{A}</loc></url>{'<a>' * 2000}")


def test_an_empty_sitemap_is_one():
    assert read("<urlset/>").entries == read("<rss><channel/></rss>").entries == []


def test_corrupt_gzip_is_a_bad_encoding():
    with pytest.raises(ContentError) as raised:
        read(b"\x1f\x8b" + b"x" * 100)
    assert raised.value.reason == "bad_encoding"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "declarations",
    ['<!ENTITY a "b">', f'<!ENTITY l0 "ha">{LAUGHS}', '<!ENTITY % a "b">'],
)
def test_a_document_that_declares_entities_is_refused(declarations):
    with pytest.raises(ContentError, match="declares the entity"):
        read(f"<!DOCTYPE urlset [{declarations}]>{urlset('&l9;', after='</urlset>')}")


def test_what_lies_elsewhere_is_never_loaded(tmp_path):
    (tmp_path / "secret").write_text(A)
    where = (tmp_path / "secret").as_uri()
    for declaration in (
        f'<!DOCTYPE urlset SYSTEM "{where}">',
        f'<!DOCTYPE urlset [<!ENTITY e SYSTEM "{where}">]>',
        f'<!DOCTYPE urlset [<!ENTITY % p SYSTEM "{where}"> %p;]>',
    ):
        assert urls(f"{declaration}{urlset('&e;', B, after='</urlset>')}")[-1] == B
        assert A not in urls(f"{declaration}{urlset('&e;', B, after='</urlset>')}")


def test_attributes_by_declaration_are_left_out():
    declared = f'<!DOCTYPE feed [<!ATTLIST link href CDATA "{A}">]>'
    assert urls(f"{declared}<feed><entry><link/></entry><entry><link href='{B}'/></entry></feed>") == [B]


def test_entries_beyond_the_limit_are_counted_only(monkeypatch):
    monkeypatch.setattr(sitemap_entries, "MAX_ENTRIES", 2)
    alternates = "".join(f'<link rel="alternate" href="{A}/{n}"/>' for n in range(3))
    found = read(f"<urlset><url><loc>{A}</loc>{alternates}</url>" + urlset(B, B, B, after="</urlset></urlset>"))
    assert [entry.url for entry in found.entries] == [A, f"{A}/0", f"{A}/1", B]
    assert found.beyond == 3
    text = read("\n".join([A, "", B, A, B]))
    assert (len(text.entries), text.beyond) == (2, 2)


def test_what_unpacks_to_more_than_the_limit_is_cut():
    assert MAX_BYTES == 50 * 1024**2
    line = f"{A}{'x' * 500}\n".encode()
    found = read(gzip.compress(line * 1000), limit=10_000)
    assert (len(found.entries), found.broken) == (10_000 // len(line), "only its first 10000 bytes are read")
