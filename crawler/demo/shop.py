"""What does the demo's shop answer?

A stationer's: a front page, listings with pagination, forty products, a journal, and, as on any real site, a few
things that went wrong: a dead link, a renamed product, a redirect loop, a slow page, a page in latin-1, one with a
``<base>``, one that fails at the first try. Pure: an answer depends on the path and on how often it was asked for.
"""

from __future__ import annotations

import json
from html import escape
from typing import NamedTuple

from crawler.demo.blog import POSTS, Post
from crawler.demo.catalogue import CATEGORIES, Product

NAME = "Alder & Reed"
PER_PAGE = 6
POSTS_PER_PAGE = 5
MOVED = {
    "/products/pocket-notebook-a6": "/products/pocket-notebook",
    "/old-shop": "/old-shop/welcome",
    "/old-shop/welcome": "/old-shop",
}
ROBOTS = "User-agent: *\nDisallow: /basket\n"
HTML = "text/html; charset=utf-8"


class Answer(NamedTuple):
    """What the server sends: `delay_s` seconds after it was asked."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay_s: float = 0.0


def respond(path: str, visit: int = 1) -> Answer:
    """Answer the `visit`-th request (from 1) for a path with its query."""
    if path in MOVED:
        return Answer(301, (("Location", MOVED[path]),), b"")
    if path == "/robots.txt" or path.startswith("/images/"):
        kind, text = ("text/plain", ROBOTS) if path == "/robots.txt" else ("image/svg+xml", picture(path))
        return Answer(200, (("Content-Type", kind),), text.encode())
    if path == "/imprint":
        return Answer(200, (("Content-Type", "text/html; charset=iso-8859-1"),), imprint().encode("latin-1"))
    if path == "/stock" and visit == 1:
        return Answer(500, (("Content-Type", HTML),), layout("Error", "<h1>Please try again</h1>").encode())
    html = find_page(path)
    if html is None:
        return Answer(404, (("Content-Type", HTML),), layout("Not found", "<h1>There is no such page</h1>").encode())
    return Answer(200, (("Content-Type", HTML),), html.encode(), delay_s=0.3 if path == "/delivery" else 0.0)


def find_page(path: str) -> str | None:
    """The HTML at a path; None if there is none."""
    location, _, query = path.partition("?")
    number = int(query.removeprefix("page=")) if query.removeprefix("page=").isdecimal() else 1
    html: str | None = None
    match location.strip("/").split("/"):
        case [""]:
            html = front_page()
        case ["category", slug] if slug in CATEGORIES:
            html = category_page(slug, number)
        case ["products", slug]:
            html = product_page(slug)
        case ["journal"]:
            html = journal_page(number)
        case ["journal", slug]:
            html = post_page(slug)
        case [("about" | "delivery" | "stock" | "basket") as name]:
            html = plain_page(name)
        case ["guides", "paper-weights"]:
            html = guide_page()
    return html


def layout(title: str, body: str, head: str = "") -> str:
    """A whole document around `body`; `head` goes into its head as it is."""
    categories = " ".join(f'<a href="/category/{slug}">{escape(name)}</a>' for slug, (name, _) in CATEGORIES.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)} - {escape(NAME)}</title>\n{head}</head>\n<body>\n"
        f'<header><a href="/">{escape(NAME)}</a> <nav>{categories} <a href="/journal">Journal</a> '
        f'<a href="/basket" rel="nofollow">Basket</a></nav></header>\n'
        f"<main>\n{body}\n</main>\n"
        '<footer><a href="/about">About us</a> <a href="/delivery">Delivery</a> <a href="/stock">In stock today</a> '
        '<a href="/guides/paper-weights">Paper weights</a> <a href="/imprint">Imprint</a></footer>\n'
        "</body>\n</html>\n"
    )


def described(text: str) -> str:
    """The description a search engine would show."""
    return f'<meta name="description" content="{escape(text)}">\n'


def json_ld(kind: str, **facts: object) -> str:
    """A schema.org object as a script element."""
    facts = {"@context": "https://schema.org", "@type": kind, **facts}
    return f'<script type="application/ld+json">{json.dumps(facts, ensure_ascii=False)}</script>\n'


def price(cents: int) -> str:
    """Cents as a price tag."""
    return f"\N{EURO SIGN}{cents // 100}.{cents % 100:02}"


def front_page() -> str:
    """What is new, one product of each category."""
    tiles = "\n".join(tile(goods[0]) for _, goods in CATEGORIES.values())
    intro = "Notebooks, pens and paper for people who still write things down."
    return layout("Stationery", f"<h1>{escape(NAME)}</h1>\n<p>{intro}</p>\n{tiles}", described(intro))


def tile(product: Product) -> str:
    """A product as listings show it."""
    return (
        f'<article class="product"><h2><a href="/products/{product.slug}">{escape(product.name)}</a></h2>'
        f'<p class="price">{price(product.price_cents)}</p></article>'
    )


def category_page(slug: str, number: int) -> str | None:
    """One page of a listing, from 1; None past its end."""
    name, goods = CATEGORIES[slug]
    shown = goods[(number - 1) * PER_PAGE : number * PER_PAGE]
    if number < 1 or not shown:
        return None
    tiles = "\n".join(tile(product) for product in shown)
    body = f"<h1>{escape(name)}</h1>\n{tiles}\n{pagination(f'/category/{slug}', number, len(goods), PER_PAGE)}"
    return layout(numbered(name, number), body)


def numbered(title: str, number: int) -> str:
    """The title of one page of a listing."""
    return f"{title}, page {number}" if number > 1 else title


def pagination(path: str, number: int, total: int, per_page: int) -> str:
    """Links to the pages before and after this one."""
    links = []
    if number > 1:
        links.append(f'<a rel="prev" href="{path if number == 2 else f"{path}?page={number - 1}"}">Previous</a>')
    if number * per_page < total:
        links.append(f'<a rel="next" href="{path}?page={number + 1}">Next</a>')
    return f'<nav class="pages">{" ".join(links)}</nav>'


def product_page(slug: str) -> str | None:
    """One product; None if there is none of that name."""
    for category, (_, goods) in CATEGORIES.items():
        for product in goods:
            if product.slug == slug:
                return product_sheet(category, product)
    return None


def product_sheet(category: str, product: Product) -> str:
    """A product as text and as structured data."""
    stock = "InStock" if product.in_stock else "OutOfStock"
    offer = {
        "@type": "Offer",
        "price": f"{product.price_cents / 100:.2f}",
        "priceCurrency": "EUR",
        "availability": f"https://schema.org/{stock}",
    }
    data = json_ld("Product", name=product.name, description=product.description, sku=product.slug, offers=offer)
    body = (
        f'<p><a href="/category/{category}">{escape(CATEGORIES[category][0])}</a></p>\n'
        f'<h1>{escape(product.name)}</h1>\n<img src="/images/{product.slug}.svg" alt="{escape(product.name)}">\n'
        f'<p class="price">{price(product.price_cents)}</p>\n<p class="description">{escape(product.description)}</p>\n'
        f'<p class="stock">{"In stock" if product.in_stock else "Out of stock"}</p>'
    )
    return layout(product.name, body, described(product.description) + data)


def journal_page(number: int) -> str | None:
    """One page of the journal, newest first; None past its end."""
    shown = POSTS[::-1][(number - 1) * POSTS_PER_PAGE : number * POSTS_PER_PAGE]
    if number < 1 or not shown:
        return None
    entries = "\n".join(
        f'<article><h2><a href="/journal/{post.slug}">{escape(post.title)}</a></h2>'
        f'<p>{escape(post.author)}, <time datetime="{post.date}">{post.date}</time></p></article>'
        for post in shown
    )
    pages = pagination("/journal", number, len(POSTS), POSTS_PER_PAGE)
    return layout(numbered("Journal", number), f"<h1>Journal</h1>\n{entries}\n{pages}")


def picture(path: str) -> str:
    """A drawing that stands in for a photograph: a colour of its own for every path, and an initial."""
    hue, letter = sum(path.encode()) % 360, path.rpartition("/")[2][:1].upper()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="240">'
        f'<rect width="100" height="100" fill="hsl({hue} 40% 80%)"/>'
        f'<text x="50" y="65" font-size="44" text-anchor="middle">{escape(letter)}</text></svg>'
    )


def post_page(slug: str) -> str | None:
    """One article of the journal; None if there is none of that name."""
    post = next((post for post in POSTS if post.slug == slug), None)
    return None if post is None else article(post)


def article(post: Post) -> str:
    """A post with the products it mentions, as text and as structured data."""
    names = {product.slug: product.name for _, goods in CATEGORIES.values() for product in goods}
    mentioned = "".join(
        f'<li><a href="/products/{slug}">{escape(names.get(slug, slug.replace("-", " ").capitalize()))}</a></li>'
        for slug in post.mentions
    )
    text = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in post.paragraphs)
    body = (
        f'<article><h1>{escape(post.title)}</h1>\n<p class="byline">{escape(post.author)}, '
        f'<time datetime="{post.date}">{post.date}</time></p>\n{text}\n</article>\n'
        f'<ul class="mentioned">{mentioned}</ul>'
    )
    author = {"@type": "Person", "name": post.author}
    data = json_ld("BlogPosting", headline=post.title, datePublished=post.date, author=author)
    return layout(post.title, body, described(post.paragraphs[0]) + data)


def plain_page(name: str) -> str:
    """A page that is little more than text."""
    title, text = {
        "about": ("About us", 'Three people and a workshop. We moved here from the <a href="/old-shop">old shop</a>.'),
        "delivery": ("Delivery", "Parcels leave on weekdays at four, and cross the country overnight."),
        "stock": ("In stock today", "All but two of our forty products are on the shelf."),
        "basket": ("Your basket", "Your basket is empty."),
    }[name]
    return layout(title, f"<h1>{title}</h1>\n<p>{text}</p>")


def guide_page() -> str:
    """A page whose links are relative to its ``<base>``."""
    body = (
        "<h1>Paper weights</h1>\n<p>Grams per square metre, from "
        '<a href="tracing-paper">tracing paper</a> at 42 to the <a href="watercolour-block">watercolour block</a> '
        'at 300; <a href="../journal/why-paper-has-a-grain">its grain</a> matters as much.</p>'
    )
    return layout("Paper weights", body, '<base href="/products/">\n')


def imprint() -> str:
    """The one page an older system still writes, in latin-1."""
    page = layout("Imprint", "<h1>Imprint</h1>\n<p>Papeterie Erlenröhricht, Mühlgässchen 7, 8001 Zürich</p>")
    return page.replace('<meta charset="utf-8">', "")
