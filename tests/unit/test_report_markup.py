"""Text never becomes markup, and what cannot be seen is made visible."""

import pytest

from crawler.report.markup import Html, joined, lines, link, number, shown, tag


def test_text_is_escaped_in_children_and_attributes():
    drawn = tag("p", "a < b & c", title='say "<hi>" & go')
    assert drawn == '<p title="say &quot;&lt;hi&gt;&quot; &amp; go">a &lt; b &amp; c</p>'


def test_markup_is_left_as_it_is_and_what_is_made_of_it_is_text_again():
    bold = tag("b", "x")
    assert tag("p", bold, " ", bold) == "<p><b>x</b> <b>x</b></p>"
    assert tag("p", bold.upper()) == "<p>&lt;B&gt;X&lt;/B&gt;</p>"
    assert tag("p", bold + bold) == "<p>&lt;b&gt;x&lt;/b&gt;&lt;b&gt;x&lt;/b&gt;</p>"
    assert joined(("<", bold), " & ") == "&lt; &amp; <b>x</b>"


def test_attributes_are_named_as_in_html():
    drawn = tag("th", class_="n", aria_sort="ascending", data_fixed=True, title=None, hidden=False, colspan=2)
    assert drawn == '<th class="n" aria-sort="ascending" data-fixed="" colspan="2"></th>'
    assert tag("svg", viewBox="0 0 1 1", x=0.5) == '<svg viewBox="0 0 1 1" x="0.5"></svg>'


def test_void_elements_have_no_end():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_what_turns_text_around_or_is_not_seen_is_written_out():
    assert shown("a\u202eb\x00c\n") == "<bdi>a\\u202eb\\x00c\\n</bdi>"
    assert lines("a: 1\r\nb\u200b: 2") == "a: 1\\r\nb\\u200b: 2"


@pytest.mark.parametrize("url", ["http://a.test/", "https://a.test/?a=1&b=%22"])
def test_a_url_of_the_web_is_a_link_that_tells_nobody_where_it_was_found(url):
    drawn = link(url)
    assert drawn.startswith(f'<a class="url" href="{url.replace("&", "&amp;")}" rel="noopener noreferrer nofollow">')


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "ftp://a.test/", "//a.test/", "/x", "HTTPS:x", "",
     "https://a.test/cut…", "https://a.test/ b", "https://a.test/" + "a" * 3_000],
)  # fmt: skip
def test_what_is_no_whole_url_of_the_web_is_no_link(url):
    assert "href" not in link(url)


def test_a_long_url_is_shown_by_its_ends_and_leads_where_it_did():
    url = "https://a.test/" + "a" * 500 + "/end"
    drawn = link(url)
    assert f'href="{url}"' in drawn
    assert "…aaa" in drawn
    assert drawn.endswith("/end</bdi></a>")


def test_coordinates_are_short():
    assert [number(value) for value in (1, 1.0, 0.5, 1 / 3, 100.004, 0, -0.001)] == [
        "1", "1", "0.5", "0.33", "100", "0", "0",
    ]  # fmt: skip
    assert isinstance(tag("b"), Html)
