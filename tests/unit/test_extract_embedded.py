"""Pictures are followed where they are wanted as files, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.config.filing import Filed
from crawler.extract.embedded import MAX_EMBEDDED, embedded

PAGE = """<link rel="shortcut ICON" href="/fav.ico"><link rel=stylesheet href=style.css><body>
<img src=" a.png "><img src="a.png"><img src="DATA:image/png;base64,x"><img><img src="">
<picture><source srcset="b.webp 1x, c,d.webp 2x,e.webp"><img src=f.jpg srcset="g.jpg 100w ,h.jpg"></picture>
<video><source src=v.mp4 srcset=no></video><a href="i.png">i</a><input type=image src=j.png>"""


def resolve(href):
    return f"https://a.test/{href.lstrip('/')}"


def found(page, *patterns, how=resolve):
    return embedded(LexborHTMLParser(page), Filed(patterns), how)


def test_where_images_are_wanted_all_that_a_page_shows_are_found_once():
    expected = ("/fav.ico", "a.png", "b.webp", "c,d.webp", "e.webp", "f.jpg", "g.jpg", "h.jpg")
    assert found(PAGE, "image/*") == expected
    assert found(PAGE, "*.pdf", "image/png", how=None) == expected


def test_patterns_on_urls_choose_among_them():
    assert found(PAGE, "*.jpg") == ("f.jpg", "g.jpg", "h.jpg")
    assert found(PAGE, "*.pdf", "application/*") == ()
    assert found(PAGE, "*.jpg", how=lambda href: None) == ()
    assert found(PAGE, "*.jpg", how=None) == ()


@pytest.mark.parametrize(
    ("srcset", "hrefs"),
    [
        ("", ()),
        (" , ,", ()),
        ("a", ("a",)),
        ("a,", ("a",)),
        ("a 1x,b 2x", ("a", "b")),
        ("a, b", ("a", "b")),
        ("\na\t1x ,\n b", ("a", "b")),
        ("a 1x 2x, , b", ("a", "b")),
    ],
)
def test_candidates_of_a_srcset_are_told_apart(srcset, hrefs):
    assert found(f'<img srcset="{srcset}">', "image/*") == hrefs


def test_a_page_of_many_pictures_gives_so_many_and_no_more():
    assert len(found("".join(f"<img src={n}>" for n in range(MAX_EMBEDDED + 5)), "image/*")) == MAX_EMBEDDED


@settings(max_examples=100, deadline=None)
@given(srcset=st.text(alphabet=" ,\t\nab.1x\x00\u00e9", max_size=200))
def test_any_srcset_gives_hrefs_without_spaces(srcset):
    page = f"<img srcset='{srcset}'>".encode()
    assert all(href and not href[0].isspace() and href[-1] != "," for href in found(page, "image/*"))


def test_long_srcsets_take_linear_time():
    for text in ("," * 60_000, "a" * 60_000, "a " * 30_000, "a,b " * 15_000, "," + "a," * 30_000):
        found(f'<img srcset="{text}">', "image/*")
