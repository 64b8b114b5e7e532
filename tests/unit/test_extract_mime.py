"""A Content-Type header means what browsers take it for."""

import time

import pytest

from crawler.extract import mime


@pytest.mark.parametrize(
    ("header", "essence", "charset"),
    [
        ("text/html", "text/html", None),
        (" Text/HTML ;Charset = UTF-8 ", "text/html", "UTF-8"),
        ("text/html (made by hand)", "text/html", None),
        ("text/html charset=utf-8", "text/html", None),
        ("text/ht ml", "text/ht", None),
        ("text/", None, None),
        ("/html", None, None),
        ("html", None, None),
        ("", None, None),
        ("te\u00e4xt/html", None, None),
        ("text/html;charset", "text/html", None),
        ("text/html;charset=", "text/html", None),
        ('text/html;charset=""', "text/html", None),
        ("text/html;charset='utf-8'", "text/html", "utf-8"),
        ('text/html;charset="ut\\f-8"x', "text/html", "utf-8"),
        ('text/html;charset="utf-8', "text/html", "utf-8"),
        ('text/html;x=";charset=a,b";charset=c', "text/html", "c"),
        ("text/html;charset=a;charset=b", "text/html", "a"),
        ("text/plain, text/html;charset=a", "text/html", "a"),
        ("text/html;charset=a, text/plain", "text/plain", None),
        ("text/html;charset=a, text/html", "text/html", "a"),
        ("text/html;charset=a, */*", "text/html", "a"),
        ("text/html;charset=a, nonsense;charset=b", "text/html", "a"),
        ("*/*;charset=a", "*/*", "a"),
        (",,;charset=a", None, "a"),
    ],
)
def test_what_a_header_says_is_what_browsers_read_in_it(header, essence, charset):
    assert mime.read(header) == (essence, charset)


@pytest.mark.parametrize("piece", ['"', ";", ",", "a", " ", "\\", ';a="', ';a="b",', "text/html,", ";charset=", '"\\'])
def test_no_header_takes_long(piece):
    started = time.process_time()
    mime.read("text/html" + piece * (100_000 // len(piece)))
    assert time.process_time() - started < 1
