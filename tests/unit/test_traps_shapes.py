"""Which URLs are of one family, and which of their parts may say nothing."""

from __future__ import annotations

import pytest

from crawler.models import Url
from crawler.traps.shapes import Kind, family, part_names, parts, repeats


def of(path):
    found = family(Url(f"http://a.test{path}"), 8)
    return (found.kind, found.pattern) if found else None


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/calendar/2026/11", "a.test/calendar/{date}"),
        ("/calendar/2026/11/17", "a.test/calendar/{date}"),
        ("/events/2026-11-17", "a.test/events/{date}"),
        ("/2026/nov/a-title", "a.test/{date}"),
        ("/cal/739000", "a.test/cal/{date}"),
        ("/show?month=11&year=2026", "a.test/show?{date}"),
        ("/show?d=3&m=11", "a.test/show?{date}"),
        ("/show?view=day&on=2026-11-17", "a.test/show?{date}"),
    ],
)
def test_urls_with_dates_are_a_calendars(path, pattern):
    assert of(path) == (Kind.CALENDAR, pattern)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/list/page/7", "a.test/list/{page}"),
        ("/list/page-7/", "a.test/list/{page}"),
        ("/list/p/7", "a.test/list/{page}"),
        ("/list?p=7", "a.test/list?{page}"),
        ("/list/page/12345", "a.test/list/{page}"),
        ("/forum/12?page=7", "a.test/forum/{n}?{page}"),
        ("/list?sort=price&offset=70", "a.test/list?{page}"),
    ],
)
def test_urls_with_page_numbers_are_a_lists(path, pattern):
    assert of(path) == (Kind.PAGINATION, pattern)


def test_urls_with_several_parameters_are_choices():
    assert of("/shop?color=red&size=m") == of("/shop?size=l&brand=x") == (Kind.FACETS, "a.test/shop?{choices}")


@pytest.mark.parametrize("path", ["/a/b/a/b/a/b/x.html", "/x/x/x", "/a/x/b/x/c/x/d/x", "/1/2/3/4/5/6/7/8"])
def test_long_paths_and_such_that_go_in_circles_are_deep(path):
    assert of(path) == (Kind.DEEP, "a.test/{deep}")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/p/12345",
        "/p-12345",
        "/pages/12345",
        "/pages/7",
        "/?p=12345",
        "/?page_id=7",
        "/product/12345",
        "/product?id=12345",
        "/2026/report.html",
        "/a/b/a/b",
        "/docs/1.2/page.html",
        "/p/hello",
    ],
)
def test_other_urls_are_of_no_family(path):
    assert of(path) is None


def test_blocks_of_any_length_repeat():
    assert repeats(["x", "a", "b", "c", "a", "b", "c", "a", "b", "c", "y"])
    assert not repeats(["a", "b", "c", "d", "a", "b", "c", "d"])


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/p?sid=a1b2c3d4&id=7", {"sid", "id"}),
        ("/s/0123456789abcdef/p/7", {"segment 2"}),
        ("/p;jsessionid=A1B2C3D4?x=", {"jsessionid"}),
        ("/product/12345/reviews", set()),
        ("/p?sid=a1b2c3d4&t=1234567890", {"sid", "t", "all ids"}),
    ],
)
def test_parameters_and_made_up_segments_are_parts_that_may_say_nothing(path, names):
    assert part_names(Url(f"http://a.test{path}")) == names


def test_what_is_left_without_a_part_is_the_same_for_all_its_values():
    one, other = (parts(Url(f"http://a.test/s/{value}/p/7?x=1")) for value in ("0123456789abcdef", "fedcba9876543210"))
    assert [part.rest for part in one if part.name == "segment 2"] == [
        part.rest for part in other if part.name == "segment 2"
    ]
    assert [part.value for part in one] != [part.value for part in other]
