"""How long does a page take in a parser worker, and which stage of it?

Prints microseconds of processor time a page (best of several rounds) for a small page, a large documentation page,
and robots.txt files: ``python -m benchmarks.extract [file.html ...]`` measures files of yours instead. A page is
measured twice: with all its links on earlier pages of the site, and as the first page of its host; pages of a crawl
lie in between. ``python -m benchmarks.extract --ratio`` tells how many times the processor time of a bare parse, links
and text read, the record with all defaults takes: of the pages of Debian's python3.11-doc, each measured in turns. What
each feature costs, `benchmarks.features` tells.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from benchmarks.workloads import documentation
from crawler.config import ExtractConfig, ScopeConfig, UrlsConfig
from crawler.extract import charset, robots, robots_meta
from crawler.extract.content import decode_content
from crawler.extract.html import Document
from crawler.extract.links import Hyperlinks
from crawler.extract.page import Extractor, Settings
from crawler.extract.robots_match import Matcher
from crawler.extract.targets import Targets
from crawler.models import HostKey, Page, Request, Response, Url
from crawler.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = Url("https://www.example.org/library/index.html")
ROUNDS = 7
WHOLE = ExtractConfig()
FEW = ExtractConfig(text="none", links=False, fields=("title", "description", "h1", "n_links"))
WITH_WORDS = ExtractConfig(text="none", links=False, fields=("title", "description", "h1", "n_links", "word_count"))


def best_us(task: Callable[[], object], seconds: float = 0.05) -> float:
    """Microseconds of processor time of one call, the best of several rounds of about `seconds` each."""
    start = time.process_time()
    task()
    calls = max(1, int(seconds / max(time.process_time() - start, 1e-6)))
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(calls):
            task()
        rounds.append((time.process_time() - start) / calls)
    return min(rounds) * 1e6


def page_of(paragraphs: int, n_links: int, words: int) -> bytes:
    """A documentation-like page."""
    per_paragraph = n_links / paragraphs
    phrase = '<code class="literal"><span class="pre">some</span></code> words of text, and then a good many more '
    parts = []
    done = 0
    for number in range(paragraphs):
        upto = round((number + 1) * per_paragraph)
        anchors = " ".join(
            f'<a class="reference" href="../guide/part-{n}.html#s{n}">part <b>{n}</b></a>' for n in range(done, upto)
        )
        done = upto
        parts.append(
            f"<section id=s{number}><h2>Section {number}</h2>\n<p>{phrase * (words // 11)}{anchors}</p></section>\n"
        )
    return (
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>A page</title>"
        "<meta name=description content='What it is about'><link rel=canonical href=/library/></head>"
        f"<body><h1>A page</h1>{''.join(parts)}</body></html>"
    ).encode()


def visits(
    body: bytes, hosts: Iterator[str], *, link_lines: bool = False, extract: ExtractConfig = WHOLE
) -> Callable[[], Page]:
    """A function that extracts the page `body`, each time as the page of the next of `hosts`."""
    extractor = Extractor(Settings(fingerprint_key=7, link_lines=link_lines, extract=extract))
    headers = ((b"Content-Type", b"text/html; charset=utf-8"),)

    def visit() -> Page:
        host = next(hosts)
        url = Url(f"https://{host}/library/index.html")
        request = Request(url=url, host_key=HostKey(host), scope_host=host, seed=url)
        page = extractor.page(request, Response(url=url, status=200, headers=headers, body=body, fetched_at=1.0))
        assert isinstance(page, Page), page
        return page

    return visit


def print_page(name: str, body: bytes) -> None:
    """One block of figures."""
    zipped = gzip.compress(body, 6)
    document = Document(body, want_text=True)
    scope = Scope(ScopeConfig()).for_page("www.example.org", 1)
    known = Targets(UrlsConfig(), 7).of_page(URL, scope)
    links = Hyperlinks(document, known, skip_rel=("nofollow",))
    names = robots_meta.meta_names("crawler")
    visit = visits(body, itertools.repeat("www.example.org"))
    shown, _ = links.records(10_000)
    print(
        f"{name}: {len(body)} bytes, {links.n_links} links, {len(shown)} targets, "
        f"record {len(visit().records[0][1])} bytes"
    )
    stages: dict[str, Callable[[], object]] = {
        "all of it, links known": visit,
        "all of it, first of its host": visits(body, (f"host{n}.example.org" for n in itertools.count())),
        "  with a line for each link": visits(body, itertools.repeat("www.example.org"), link_lines=True),
        "four fields of it": visits(body, itertools.repeat("www.example.org"), extract=FEW),
        "  and word_count": visits(body, itertools.repeat("www.example.org"), extract=WITH_WORDS),
        "  (gunzip, if compressed)": lambda: decode_content(zipped, "gzip", 1 << 24),
        "  charset, declared": lambda: charset.decode(body, "text/html; charset=utf-8"),
        "  charset, undeclared": lambda: charset.decode(body, None),
        "  parse (selectolax alone)": lambda: LexborHTMLParser(body),
        "  parse and walk": lambda: Document(body, want_text=True),
        "  parse and skim": lambda: Document(body, want_text=False, want_link_texts=False),
        "  head": lambda: document.head(names),
        "  text": document.blocks,
        "  links, known": lambda: Hyperlinks(document, known, skip_rel=("nofollow",)),
        "  links, new": lambda: Hyperlinks(document, Targets(UrlsConfig(), 7).of_page(URL, scope)),
        "  link records": lambda: links.records(10_000),
        "  digest": lambda: hashlib.sha256(body).hexdigest(),
    }
    print_times(stages)


def print_robots() -> None:
    """Parse, compile and match, for a small and a large file."""
    small = b"User-agent: *\nDisallow: /cgi-bin/\nDisallow: /search\nDisallow: /*?sort=\nAllow: /search/about\n"
    kinds = (b"/wiki/Special:%d", b"/w/index.php?title=%d", b"/*/edit/%d", b"/private/%d/*.pdf$", b"/a/b/c/%d")
    large = b"User-agent: *\n" + b"".join(b"Disallow: " + kinds[n % len(kinds)] % n + b"\n" for n in range(700))
    hostile = b"User-agent: *\n" + b"".join(b"Disallow: /*a*a*a*%d\n" % n for n in range(20_000))
    for name, body in (("small robots.txt", small), ("700 rules", large), ("hostile robots.txt", hostile)):
        print(name)
        print_times(robots_tasks(body))


def robots_tasks(body: bytes) -> dict[str, Callable[[], object]]:
    """What is done with a robots.txt."""
    parsed = robots.parse(body, "examplebot")
    matcher = Matcher(parsed)
    return {
        "parse": lambda: robots.parse(body, "examplebot"),
        "compile": lambda: Matcher(parsed),
        "match": lambda: matcher.allows("/wiki/Main_Page?action=raw"),
        "match, long path": lambda: matcher.allows("/" + "a" * 1_500),
    }


def print_times(tasks: dict[str, Callable[[], object]]) -> None:
    """A line a task."""
    for name, task in tasks.items():
        print(f"  {name:30}{best_us(task):10.1f} us")


def bare(body: bytes) -> object:
    """What the ratio compares with."""
    tree = LexborHTMLParser(body)
    return [link.attributes.get("href") for link in tree.css("a")], tree.body.text() if tree.body else ""


def print_ratio() -> None:
    """One line; the better of two rounds counts, the first of which finds new links."""
    pages = [path.read_bytes() for path in sorted(documentation().root.rglob("*.html"))]
    ratios = []
    extractor = Extractor(Settings(fingerprint_key=7))
    request = Request(url=URL, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed=URL)
    headers = ((b"Content-Type", b"text/html; charset=utf-8"),)
    for _ in range(2):
        least = whole = 0.0
        for body in pages:
            start = time.process_time()
            bare(body)
            between = time.process_time()
            extractor.page(request, Response(url=URL, status=200, headers=headers, body=body, fetched_at=1.8e9))
            least, whole = least + between - start, whole + time.process_time() - between
        ratios.append((whole / least, least / len(pages) * 1e6, whole / len(pages) * 1e6))
    ratio, least_us, whole_us = min(ratios)
    print(f"{len(pages)} pages: bare {least_us:.0f} us, record {whole_us:.0f} us a page, {ratio:.2f} times")


def main() -> None:
    """Measure the files named on the command line, or the standard set."""
    if sys.argv[1:] == ["--ratio"]:
        print_ratio()
        return
    if sys.argv[1:]:
        for path in map(Path, sys.argv[1:]):
            print_page(path.name, path.read_bytes())
        return
    print_page("small page", page_of(5, 20, 11))
    print_page("documentation page", page_of(100, 312, 66))
    print_robots()


if __name__ == "__main__":
    main()
