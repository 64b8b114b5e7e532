"""What do all crawlers here take of a page? By selectolax, for those that parse with it, and for `benchmarks.limits`.

The programs beside this one find it in their own folder, where Python looks first.
"""

from __future__ import annotations

from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser


def taken(url: str, status: int, body: bytes) -> tuple[dict[str, object], list[str]]:
    """A page's record, and the hrefs of its links as they stand there, those that say nothing left out."""
    tree = LexborHTMLParser(body)
    title = tree.css_first("title")
    description = tree.css_first("meta[name=description]")
    hrefs = [link.attributes["href"] for link in tree.css("a[href]")]
    h1 = [heading.text(strip=True) for heading in tree.css("h1")]
    tree.strip_tags(["script", "style"])
    row = {
        "url": url,
        "status": status,
        "title": title.text() if title else None,
        "description": description.attributes.get("content") if description else None,
        "h1": h1,
        "n_links": len(hrefs),
        "word_count": len(tree.body.text(separator=" ").split()) if tree.body else 0,
    }
    return row, [href for href in hrefs if href]


def record(url: str, status: int, body: bytes) -> tuple[dict[str, object], set[str]]:
    """A page's record, and the URLs it links to."""
    row, hrefs = taken(url, status, body)
    without_fragments = {href.partition("#")[0] for href in hrefs}  # few are left of hundreds: joins are dear
    return row, {joined(url, href) for href in without_fragments if href}


def joined(base: str, href: str) -> str:
    """The absolute URL, or nothing where it is not a URL."""
    try:
        return urljoin(base, href)
    except ValueError:
        return ""
