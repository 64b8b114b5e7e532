"""Who wrote a page, when, and for which site."""

import gzip
import json

import pytest

from crawler.extract import charset
from crawler.extract.article import article_of
from crawler.extract.byline import byline, site_name
from crawler.extract.html import Document
from crawler.extract.json_ld import of_scripts
from tests.support.corpora import corpus

URL = "https://example.org/a"


def byline_of(body, url=URL, fetched_on="2025-11-28"):
    document = Document(body if isinstance(body, bytes) else body.encode(), want_text=False)
    head = document.head(frozenset(("robots",)))
    article = article_of(of_scripts(document.scripts).values)
    return byline(document.tree, head, article, url=url, fetched_on=fetched_on)


def ld(value):
    return f"<script type=application/ld+json>{json.dumps(value)}</script>"


def test_json_ld_of_the_article_comes_first():
    found = byline_of(
        ld(
            {
                "@graph": [
                    {"@type": "WebPage", "datePublished": "2020-01-01", "author": {"@id": "#p"}},
                    {
                        "@type": ["NewsArticle"],
                        "datePublished": "2023-05-06T10:00:00+02:00",
                        "dateModified": "2023-05-07",
                    },
                    {"@type": "Person", "@id": "#p", "name": "Ann  Author"},
                    {"@type": "Comment", "author": "No", "datePublished": "2024-01-01"},
                ]
            }
        )
        + "<meta name=author content=Meta><meta name=date content=2019-01-01>"
    )
    assert found == ("Ann Author", "2023-05-06T10:00:00+02:00", "2023-05-07")


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("Ann", "Ann"),
        (["Ann", {"name": "Bob"}], "Ann, Bob"),
        ({"name": ["Ann"]}, "Ann"),
        ({"url": "x"}, None),
        ([[]], None),
        (5, None),
        ("https://example.org/ann", None),
        ("admin", None),
    ],
)
def test_authors_are_named_in_many_ways(author, names):
    assert byline_of(ld({"@type": "Article", "author": author})).author == names


@pytest.mark.parametrize(
    ("body", "published"),
    [
        ("<meta property=article:published_time content=2023-05-06T10:00:00Z>", "2023-05-06T10:00:00Z"),
        ("<meta name=DC.date content=2023-05-06>", "2023-05-06"),
        ("<meta name=date content=nonsense><meta name=pubdate content='6 May 2023'>", "2023-05-06"),
        ("<meta property=og:type content=article><time datetime=2023-05-06>yesterday</time>", "2023-05-06"),
        ("<meta property=og:type content=article><p class=post-date>May 6, 2023</p>", "2023-05-06"),
        ("<html lang=de><meta name=generator content=x><p class=Datum></p><p class=date>6.5.2023</p>", "2023-05-06"),
        ("<meta property=og:type content=article><aside><time>2023-05-06</time></aside>", None),
        ("<meta name=date content=2031-01-01>", None),
        ("<p>On May 6, 2023 nothing happened.", None),
    ],
)
def test_a_date_is_published_where_the_page_says_so_and_never_in_the_future(body, published):
    assert byline_of(body).published == published


@pytest.mark.parametrize(
    ("url", "published"),
    [
        ("https://example.org/2023/05/06/title", "2023-05-06"),
        ("https://example.org/news/2023-05-06-title.html", "2023-05-06"),
        ("https://example.org/news_20230506.html", "2023-05-06"),
        ("https://example.org/2023/05/title", None),
        ("https://example.org/id/1202305061", None),
        ("https://example.org/2033/05/06/", None),
        ("https://example.org/2023/02/31/", None),
    ],
)
def test_the_path_of_a_url_may_hold_the_date(url, published):
    assert byline_of("<p>x", url).published == published


@pytest.mark.parametrize(
    ("body", "author"),
    [
        ("<meta name=author content='Ann'><meta property=article:author content='Bob'>", "Ann"),
        ("<meta name=citation_author content='Ann, A.'><meta name=citation_author content=Bob>", "Ann, A., Bob"),
        ("<meta property=article:author content=https://facebook.com/x>", None),
        ("<meta name=generator content=x><a rel='author me' href=/ann>By Ann Author</a>", "Ann Author"),
        ("<meta name=generator content=x><span class=author>von Ann | 3 min</span>", "Ann"),
        ("<meta name=generator content=x><div class=comment><b class=author>Troll</b></div>", None),
    ],
)
def test_an_author_is_who_the_page_names(body, author):
    assert byline_of(body).author == author


def test_a_site_has_the_name_it_gives_itself():
    head = Document(
        b"<meta name=application-name content=App><meta property=og:site_name content=Site>", want_text=False
    )
    assert site_name(head.head(frozenset())) == "Site"


@pytest.mark.slow
def test_most_dates_and_authors_of_real_pages_are_found():
    """Trafilatura finds 328 dates and 52 wrong ones, 156 authors and 75 wrong ones, in seventy times the time."""
    folder = corpus("maintext/traf")
    dates, authors = [], []
    for row in map(json.loads, (folder / "truth.jsonl").read_text().splitlines()):
        if "date" not in row:
            continue
        body = charset.decode(gzip.decompress((folder / row["page"]).read_bytes()), None).utf8
        found = byline_of(body, row["url"], "2026-11-28")
        dates.append((found.published or "")[:10] == row["date"])
        if "author" in row:
            name = row["author"] if isinstance(row["author"], str) else ", ".join(row["author"])
            authors.append((found.author or "").lower() == " ".join(name.lower().split()))
    assert sum(dates) > 0.74 * len(dates)
    assert sum(authors) > 0.53 * len(authors)
