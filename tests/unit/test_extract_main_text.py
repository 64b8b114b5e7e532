"""The main text of a page: what is kept, what is left out, and that any page has one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import maintext
from crawler.extract.html import Document
from crawler.extract.main_text import main_content
from crawler.extract.main_words import words_against
from crawler.extract.reading import raw_text
from tests.support.corpora import corpus

SENTENCE = "The lake froze early that year, and the ferry stayed in its harbour until the end of March. "
PROSE = "".join(f"<p>{SENTENCE * 2}</p>" for _ in range(5))
MENU = "<ul><li><a href=/a>Home</a><li><a href=/b>News</a><li><a href=/c>Contact</a></ul>"


def main_text(body):
    return main_content(Document(body.encode("utf-8", "replace"), want_text=True)).text()[0]


def all_text(body):
    return Document(body.encode("utf-8", "replace"), want_text=True).blocks()[0]


def card(title, teaser="Read about it in this short teaser, which is a sentence of its own."):
    return f"<div class=card><a href=/x><h3>{title}</h3></a><p>{teaser}</p></div>"


@pytest.mark.parametrize(
    "beside",
    [
        f"<nav>{MENU}</nav>",
        f"<footer><p>{SENTENCE}</footer>",
        f"<aside><p>{SENTENCE}</aside>",
        f"<header><p>{SENTENCE}</header>",
        f"<div role=dialog><p>{SENTENCE}</div>",
        f"<div hidden><p>{SENTENCE}</div>",
        f'<div style="color:red; display: none"><p>{SENTENCE}</div>',
        f"<div class='site-footer wide'><p>{SENTENCE}</div>",
        f"<div id=cookieConsent><p>{SENTENCE}</div>",
        f"<div class=post_comments><p>{SENTENCE}</div>",
        f"<div class=authorbox><p>{SENTENCE}</div>",
        f"<noscript>{SENTENCE}</noscript>",
        "<figure><img><figcaption>A harbour in winter</figcaption></figure>",
        f"<h2>Related</h2>{MENU}",
        "<button>Subscribe</button><select><option>One</select>",
    ],
)
def test_what_is_beside_an_article_is_left_out(beside):
    text = main_text(f"<body>{beside}<div>{PROSE}</div>{beside}")
    assert text == "\n".join([(SENTENCE * 2).strip()] * 5)


def test_cards_of_other_articles_are_left_out_though_they_are_more():
    cards = "".join(card(f"Another story {number}") for number in range(40))
    text = main_text(f"<meta property=og:type content=article><div>{PROSE}</div><div class=grid>{cards}</div>")
    assert "Another story" not in text
    assert "ferry" in text


def test_an_article_keeps_its_headings_lists_links_and_code():
    text = main_text(
        f"<nav>{MENU}</nav><div><h1>Winter</h1>{PROSE}<h2>Ferries</h2><p>{SENTENCE}See <a href=/t>the timetable</a>."
        f"<ul><li>Bread<li>Salt</ul><pre>if ice:\n    wait()</pre><p>{SENTENCE}</div>"
    )
    for line in ("Ferries", "Bread", "if ice:", "    wait()"):
        assert line in text.split("\n")
    assert "the timetable." in text
    assert "Home" not in text


def test_title_dates_and_names_above_an_article_are_left_out_of_its_text():
    body = f"<div><h1>Winter</h1><div>4 March</div><div>By Ann</div><h2>Ice</h2>{PROSE}</div>"
    assert main_text(body).split("\n")[:2] == ["Ice", (SENTENCE * 2).strip()]


def test_the_title_is_among_the_nodes_of_an_article_for_markdown():
    main = main_content(Document(f"<nav>{MENU}</nav><div><h1>Winter</h1>{PROSE}</div>".encode(), want_text=True))
    assert kept_words(main)[:2] == ["Winter", "The"]


def test_all_items_of_a_listing_are_kept_though_they_are_links():
    items = "".join(f"<li><a href=/{n}>Lamp {n}</a> <span>{n} EUR</span>" for n in range(30))
    text = main_text(f"<nav>{MENU}</nav><h1>Lamps</h1><ul>{items}</ul><footer>{MENU}</footer>")
    assert text.split("\n") == ["Lamps", *(f"Lamp {n} {n} EUR" for n in range(30))]


def test_comments_are_the_main_text_of_a_forum_and_not_of_an_article():
    comment = f"<div class=comment><p>{SENTENCE}</p></div>"
    assert main_text(f"<nav>{MENU}</nav>{comment * 8}").count("ferry") == 8
    assert main_text(f"<nav>{MENU}</nav><div>{PROSE}</div>{comment * 8}").count("ferry") == 10


def test_a_name_does_not_cut_what_holds_most_sentences():
    for name in ("has-sidebar", "menu-open", "widget", "modal"):
        assert "ferry" in main_text(f"<body><nav>{MENU}</nav><div class={name}>{PROSE}</div>")


def test_a_link_that_is_never_closed_links_nothing():
    assert main_text(f"<nav>{MENU}</nav><div><a href=/x><div>{PROSE}</div></div>").count("ferry") == 10
    assert main_text(f"<nav>{MENU}</nav><a name=top><div>{PROSE}</div>").count("ferry") == 10


def test_what_noscript_holds_is_kept_where_it_is_all_there_is():
    assert main_text(f"<nav>{MENU}</nav><noscript><div>{PROSE}</div></noscript>").count("ferry") == 10


@pytest.mark.parametrize(
    "body",
    [
        f"<nav>{MENU}</nav>",
        f"<footer>{SENTENCE}</footer>",
        f"<div class=menu>{MENU}</div>",
        "one",
        "one<p>two",
        "<pre>  one</pre>",
        "<a href=/x>one</a>",
        "<frameset><frame src=/x></frameset>",
        "<svg><text>one</text></svg>",
        "",
        "<template><p>one</template>",
    ],
)
def test_a_page_that_is_nothing_else_is_its_own_main_text(body):
    assert main_text(body) == all_text(body)


def test_a_sentence_without_spaces_is_one():
    sentence = "その年は湖が早くに凍り、渡し船は三月の終わりまで港にとどまっていた。"
    paragraphs = f"<p>{sentence * 6}" * 8
    assert main_text(f"<nav>{MENU}</nav><div>{paragraphs}</div>{MENU}").count("渡し船") == 48
    assert "Contact" not in main_text(f"<div>{paragraphs}</div><div>{MENU}</div>")


def kept_words(main):
    """The words within the roots, but for what is dropped: as a renderer of another format would find them."""
    words = []
    for root in main.roots:
        nodes, stack = [], [root]
        while stack:
            node = stack.pop()
            if node.mem_id in main.dropped:
                continue
            nodes.append(node)
            children, child = [], node.first_child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))
        words += raw_text(nodes).replace("\0", " ").split()
    return words


@pytest.mark.parametrize(
    "body",
    [
        f"<nav>{MENU}</nav><div><h2>Winter</h2>{PROSE}<ul><li><a href=/x>Other</a></ul><p>{SENTENCE}</div>",
        f"<nav>{MENU}</nav><a href=/1><div>One</div></a>two<div class=menu>{MENU}</div>three",
        f"<body>bare {SENTENCE}<footer>no</footer> text",
    ],
)
def test_nodes_and_text_are_the_same_choice(body):
    main = main_content(Document(body.encode(), want_text=True))
    text, n_words = main.text()
    assert kept_words(main) == text.split()
    assert n_words == len(text.split())


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("siteFooter", {"footer"}),
        ("c-site__nav--top", {"nav"}),
        ("overflow-hidden", set()),
        ("hidden md:block", set()),
        ("sr-only", {"hidden"}),
        ("elementor-widget", set()),
        ("navigate unrelated shared", set()),
    ],
)
def test_words_are_read_from_names_as_developers_write_them(names, words):
    assert words_against(names) == words


# The parser's own time is quadratic in the depth of blocks and in the attributes of one element.
HOSTILE = {
    "deep blocks": "<div>" * 5_000 + SENTENCE,
    "deep markup": "<span>x" * 20_000 + "</span>y" * 20_000,
    "deep markup without text": "<span>" * 50_000 + SENTENCE + "</span>" * 50_000,
    "deep links in blocks": "<a href=/><div>x" * 2_000,
    "many blocks": "<p>x" * 50_000,
    "many names": "".join(f"<p class=menu-{n}>{SENTENCE}" for n in range(5_000)),
    "deep names": "<div class='menu comment'>" * 5_000 + SENTENCE,
    "a long name": f"<div class='{'menu-' * 100_000}'>{SENTENCE}</div>{PROSE}",
    "attributes": f"<div {' '.join(f'a{n}' for n in range(5_000))}>{PROSE}</div>",
    "headings": "<h2>x" * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_have_main_text_before_the_test_times_out(name):
    body = HOSTILE[name].encode()
    document = Document(body, want_text=True)
    text, n_words = main_content(document).text()
    assert n_words == len(text.split())
    assert text


PIECES = st.sampled_from(
    "<a href=x>|</a>|<div class=menu>|</div>|<h2>|</h2>|<p>|<pre>|<td>|<nav>|</nav>|<template>|<svg>|</svg>|<noscript>|"
    "<form>|\0|\ud800|word |<body class=nav>|<table>|</table>|<select>|<li>|<article>|</article>|<span hidden>|</span>|"
    f"<button>|<h1>|</h1>|{SENTENCE}".split("|")
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_any_page_has_main_text_if_it_has_text(pieces):
    body = "".join(pieces).encode("utf-8", "replace")
    document = Document(body, want_text=True)
    text, n_words = main_content(document).text()
    assert n_words == len(text.split())
    assert bool(text) == bool(document.blocks()[0])


@pytest.mark.slow
def test_main_text_is_told_as_well_as_it_was_on_pages_with_known_text():
    corpus("maintext")
    metrics, pages = maintext.load()
    pages = [page for page in pages if page["half"]]  # those whose errors nobody looked into
    scores = maintext.scores(metrics, [(page, maintext.ours(page["utf8"])) for page in pages])
    assert scores["articles"] > 0.95
    assert scores["types"] > 0.88
    assert scores["segments"] > 0.915
