"""What does each feature of a page record cost?

``python -m benchmarks.features`` prints microseconds of processor time a page: of parsing and walking, of each feature
by itself, and of the record with all of a crawl's defaults; of every sixth page of Debian's python3.11-doc, and of the
shared pages beside the checkout (../shared/corpora/pagefacts), whichever there are. Figures beside each other are
measured in turns, a page at a time, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import gzip
import time
from pathlib import Path
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from benchmarks.workloads import CACHE
from crawler.config import ScopeConfig, UrlsConfig
from crawler.extract import charset
from crawler.extract.article import article_of
from crawler.extract.byline import byline
from crawler.extract.counts import reading_s, sentences
from crawler.extract.fingerprint import fingerprint
from crawler.extract.html import Document
from crawler.extract.json_ld import of_scripts
from crawler.extract.language import detect
from crawler.extract.links import Hyperlinks
from crawler.extract.main_text import main_content
from crawler.extract.markdown import markdown
from crawler.extract.opengraph import of_metas
from crawler.extract.outline import headings
from crawler.extract.page import Extractor, Settings
from crawler.extract.pictures import images
from crawler.extract.shell import needs_js
from crawler.extract.tables import tables
from crawler.extract.targets import Targets
from crawler.models import HostKey, Request, Response, Url
from crawler.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTATION = CACHE / "debian/python3.11-doc/usr/share/doc/python3.11/html"
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "pagefacts"
URL = Url("https://www.example.org/library/index.html")
REQUEST = Request(url=URL, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed=URL)
HEADERS = ((b"Content-Type", b"text/html; charset=utf-8"),)
ROUNDS = 3


def page_sets() -> dict[str, list[bytes]]:
    """The pages there are, by what they are."""
    found = {
        "documentation": [path.read_bytes() for path in sorted(DOCUMENTATION.rglob("*.html"))[::6]],
        "web pages": [gzip.decompress(path.read_bytes()) for path in sorted(CORPUS.glob("*.html.gz"))],
    }
    return {name: [charset.decode(page, None).utf8 for page in pages] for name, pages in found.items() if pages}


def bare(page: bytes) -> object:
    """What any crawler has to do: parse, and read links and text."""
    tree = LexborHTMLParser(page)
    links = [link.attributes.get("href") for link in tree.css("a")]
    return links, tree.body.text() if tree.body else ""


def tasks(page: bytes, extractor: Extractor, targets: Targets) -> dict[str, Callable[[], object]]:
    """What is measured of one page, by name."""
    document = Document(page, want_text=True)
    head = document.head(frozenset(("robots",)))
    of_page = targets.of_page(URL, Scope(ScopeConfig()).for_page("www.example.org", 1))
    links = Hyperlinks(document, of_page)
    main = main_content(document)
    text, words = main.text()
    tree = document.tree
    article = article_of(of_scripts(document.scripts).values)
    response = Response(url=URL, status=200, headers=HEADERS, body=page, fetched_at=1.8e9)
    return {
        "parse, read links and text": lambda: bare(page),
        "record, all defaults": lambda: extractor.page(REQUEST, response),
        "  parse": lambda: LexborHTMLParser(page),
        "  parse and walk": lambda: Document(page, want_text=True),
        "  links": lambda: Hyperlinks(document, of_page),
        "  main text": lambda: main_content(document).text(),
        "  meta": lambda: byline(tree, head, article, url=URL, fetched_on="2030-01-01"),
        "  json_ld": lambda: of_scripts(document.scripts),
        "  opengraph": lambda: of_metas(head.meta_nodes),
        "  language": lambda: detect(text),
        "  fingerprint": lambda: fingerprint(text),
        "  counts": lambda: (sentences(text), reading_s(text, words, "en"), links.n_within("x")),
        "  headings": lambda: headings(document),
        "  needs_js": lambda: needs_js(document, links.n_links, lambda: words),
        "off by default: all text": document.blocks,
        "  Markdown": lambda: markdown(main.roots, main.dropped, of_page.url),
        "  images": lambda: images(tree, of_page.url),
        "  tables": lambda: tables(tree),
    }


def measure(pages: list[bytes]) -> dict[str, float]:
    """Microseconds a page, by task: the least of some rounds of each page, which others disturb the least."""
    extractor, targets = Extractor(Settings(fingerprint_key=7)), Targets(UrlsConfig(), 7)
    totals: dict[str, float] = {}
    for page in pages:
        best: dict[str, float] = {}
        for name, task in tasks(page, extractor, targets).items():
            for _ in range(ROUNDS):
                start = time.process_time()
                task()
                best[name] = min(best.get(name, 1e9), time.process_time() - start)
        for name, seconds in best.items():
            totals[name] = totals.get(name, 0.0) + seconds * 1e6 / len(pages)
    return totals


def main() -> None:
    """Measure each set of pages."""
    for name, pages in page_sets().items():
        print(f"{len(pages)} pages, {name}, {sum(map(len, pages)) // len(pages)} bytes on average")
        figures = measure(pages)
        least = figures["parse, read links and text"]
        for task, us in figures.items():
            print(f"  {task:30}{us:9.0f} us {us / least:7.2f}x")


if __name__ == "__main__":
    main()
