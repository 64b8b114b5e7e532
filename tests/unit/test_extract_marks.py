"""Pages that say the same have the same marks, whatever their URLs; others have not."""

from __future__ import annotations

import pytest

from crawler.extract.marks import ONE_IN, is_looked_at
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Request, Response, Url

EXTRACTOR = Extractor(Settings(trap_depth=8))


def marks(body, path="/x1", *, watched=True, extractor=EXTRACTOR):
    url = Url(f"http://a.test{path}")
    request = Request(url=url, host_key=HostKey("a.test"), scope_host="a.test", watched=watched)
    headers = ((b"content-type", b"text/html; charset=utf-8"),)
    return extractor.page(request, Response(url=url, status=200, headers=headers, body=body.encode())).marks


def test_neither_markup_nor_scripts_nor_order_count():
    one = marks("<title>A</title><h1>Hello</h1><script>t='1'</script><p>world")
    assert one == marks("<title>A</title><div><b>hello</b> world world</div><script>t='2'</script>")
    assert one != marks("<title>A</title><h1>Hello</h1><p>wide world")


def test_words_of_blocks_do_not_run_together():
    assert marks("<h1>May</h1><p>nothing") == marks("<h1>May</h1> <p>nothing")


def test_an_error_page_that_tells_its_url_says_the_same_of_all():
    one, other = (marks(f"<p>Sorry, {path} is not here", path) for path in ("/gone/for/ever", "/sorry/not"))
    assert one.words == other.words


def test_what_was_chosen_in_the_url_does_not_count():
    one, other = (marks(f"<p>Chosen: {color}", f"/shop?c={color}") for color in ("red", "blue"))
    assert one.words != other.words
    assert one.others == other.others


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<h1>November 2026</h1><p>1 2 3 No events", "<h1>May 2027</h1><p>No events 1 2 3 4 5"),
        ("<p>2026年11月 予定", "<p>2027年5月 予定"),
        ("<p>Tuesday 17 novembre", "<p>Monday 3 avril"),
    ],
)
def test_numbers_and_dates_do_not_count_loosely(one, other):
    assert marks(one).loose_words == marks(other).loose_words
    assert marks(one).words != marks(other).words


def test_pages_without_words_differ_by_their_pictures():
    one, other, same = (marks(f"<img src={src}>") for src in ("/p/1.jpg", "/p/2.jpg", "/p/1.jpg?v=3"))
    assert one.words != other.words
    assert one.loose_words != other.loose_words
    assert one == same


def test_of_pages_that_are_not_watched_few_are_looked_at_and_the_same_of_each_host():
    paths = [f"/product/{n}" for n in range(3_200)]
    looked_at = {path for path in paths if is_looked_at(Url(f"http://a.test{path}"))}
    assert 0.5 < len(looked_at) * ONE_IN / len(paths) < 1.5
    assert looked_at == {path for path in paths if is_looked_at(Url(f"https://b.test{path}"))}
    assert is_looked_at(Url("http://a.test/"))
    unseen = next(path for path in paths if path not in looked_at)
    assert marks("<p>Hello", unseen, watched=False) is None
    assert marks("<p>Hello", unseen) is not None


def test_nothing_is_looked_at_where_nobody_looks_for_traps():
    assert marks("<p>Hello", "/", extractor=Extractor(Settings())) is None


@pytest.mark.parametrize("body", ["", "<p>", "<frameset>", "\x00", "<title></title>"])
def test_empty_documents_have_marks(body):
    assert marks(body) is not None


def test_a_list_tells_which_links_lead_out_of_it_known_or_not():
    links = (
        "<a href=/item/1>1</a><a href=/item/2>2</a><a href='/list?page=8'>next</a><a href='/cal?date=2026-11-17'>x</a>"
    )
    assert len(marks(links, "/list?page=7").leads) == 2
    assert marks(links, "/item/3").leads == ()
    many = "".join(f"<a href=/item/{n}>n</a>" for n in range(300))
    some = marks(many, "/list?page=7").leads
    assert len(some) == 64
    assert some == marks(many, "/list?page=9").leads


def test_items_after_a_menu_of_a_thousand_links_lead_out_of_a_list():
    menu = "".join(f"<a href=/menu/{n}>n</a>" for n in range(1_000))
    lists = [f"{menu}<a href=/item/{n}>n</a><a href=/item/{n}a>n</a>" for n in range(100)]
    told = [marks(links, f"/list?page={n}").leads for n, links in enumerate(lists)]
    assert len(set().union(*told)) > 64 + 5


def test_what_comes_after_a_long_menu_counts():
    menu = " ".join(f"entry{n}" for n in range(5_000))
    one, other = (marks(f"<title>Shop</title><p>{menu}<p>{name}") for name in ("lamp", "chair"))
    assert one.words != other.words
    assert one.loose_words != other.loose_words
