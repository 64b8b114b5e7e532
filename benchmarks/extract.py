"""How long does a page take in a parser worker, and which stage of it?

Prints microseconds of processor time a page (best of several rounds) for a small page, a large documentation page,
and robots.txt files: ``python benchmarks/extract.py [file.html ...]`` measures files of yours instead.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from crawler.config import ScopeConfig
from crawler.extract import charset, links, robots
from crawler.extract.content import decode_content
from crawler.extract.html import Document
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url
from crawler.scope import Scope
from crawler.url import Base

if TYPE_CHECKING:
    from collections.abc import Callable

URL = Url("https://www.example.org/library/index.html")
ROUNDS = 7


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


def print_page(name: str, body: bytes) -> None:
    """One block of figures."""
    extractor = Extractor(Settings(fingerprint_key=7))
    request = Request(url=URL, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed=URL)
    headers = ((b"Content-Type", b"text/html; charset=utf-8"),)
    response = Response(url=URL, status=200, headers=headers, body=body, fetched_at=1.0)
    zipped = gzip.compress(body, 6)
    document = Document(body, want_text=True)
    base = Base(URL)
    scope = Scope(ScopeConfig()).for_page("www.example.org", 1)
    found = links.resolve(document.hyperlinks, base, links.Refused())
    page = extractor.page(request, response)
    assert isinstance(page, Page), page
    print(
        f"{name}: {len(body)} bytes, {found.n_links} links, {len(found.targets)} targets, "
        f"record {len(page.records[0][1])} bytes"
    )
    stages: dict[str, Callable[[], object]] = {
        "all of it": lambda: extractor.page(request, response),
        "  (gunzip, if compressed)": lambda: decode_content(zipped, "gzip", 1 << 24),
        "  charset, declared": lambda: charset.decode(body, "text/html; charset=utf-8"),
        "  charset, undeclared": lambda: charset.decode(body, None),
        "  parse (selectolax alone)": lambda: LexborHTMLParser(body),
        "  parse and walk": lambda: Document(body, want_text=True),
        "  text": document.blocks,
        "  resolve links": lambda: links.resolve(document.hyperlinks, base, links.Refused()),
        "  scope and fingerprint": lambda: links.followed(found.targets, scope, 7, links.Refused()),
        "  link records": lambda: links.records(found.targets, 10_000),
        "  digest": lambda: hashlib.sha256(body).hexdigest(),
    }
    print_times(stages)


def print_robots() -> None:
    """Parse, compile and match, for a small and a large file."""
    small = b"User-agent: *\nDisallow: /cgi-bin/\nDisallow: /search\nDisallow: /*?sort=\nAllow: /search/about\n"
    kinds = (b"/wiki/Special:%d", b"/w/index.php?title=%d", b"/*/edit/%d", b"/private/%d/*.pdf$", b"/a/b/c/%d")
    large = b"User-agent: *\n" + b"".join(b"Disallow: " + kinds[n % len(kinds)] % n + b"\n" for n in range(700))
    for name, body in (("small robots.txt", small), ("700 rules", large)):
        print(name)
        print_times(robots_tasks(body))


def robots_tasks(body: bytes) -> dict[str, Callable[[], object]]:
    """What is done with a robots.txt."""
    parsed = robots.parse(body, "examplebot")
    matcher = robots.Matcher(parsed)
    return {
        "parse": lambda: robots.parse(body, "examplebot"),
        "compile": lambda: robots.Matcher(parsed),
        "match": lambda: matcher.allows("/wiki/Main_Page?action=raw"),
    }


def print_times(tasks: dict[str, Callable[[], object]]) -> None:
    """A line a task."""
    for name, task in tasks.items():
        print(f"  {name:28}{best_us(task):10.1f} us")


def main() -> None:
    """Measure the files named on the command line, or the standard set."""
    if sys.argv[1:]:
        for path in map(Path, sys.argv[1:]):
            print_page(path.name, path.read_bytes())
        return
    print_page("small page", page_of(5, 20, 11))
    print_page("documentation page", page_of(100, 312, 66))
    print_robots()


if __name__ == "__main__":
    main()
