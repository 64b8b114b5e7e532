"""What is crawled? Three sites as nginx serves them: large pages, a mix as the web has it, and many small pages.

`census` says which pages a crawl of one has to find, without a crawler and without a server.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import can_ada
from selectolax.lexbor import LexborHTMLParser

CACHE = Path(__file__).resolve().parents[1] / ".cache"
ORIGIN = "http://127.0.0.1"  #: where `census` pretends to be; a port would change nothing
GENERATED_PAGES = 20_000
LINKS_A_PAGE = 20
WORDS = ("anchor", "basin", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "juniper", "knoll", "lagoon")

PYTHON = ("python3.11-doc", "usr/share/doc/python3.11/html")
# Debian has larger ones, but Sphinx marks their sources as nofollow, which only some crawlers obey.
SITES = {  #: name -> Debian package, folder to serve, page to start from
    "python": (*PYTHON, "index.html"),
    "postgresql": ("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html", "index.html"),
    "sqlite": ("sqlite3-doc", "usr/share/doc/sqlite3", "index.html"),
    "boost": ("libboost1.74-doc", "usr/share/doc/libboost1.74-doc", "doc/html/index.html"),
    "qt": ("qtbase5-doc-html", "usr/share/qt5/doc", "qtcore/qtcore-index.html"),
}


@dataclass(frozen=True)
class Workload:
    """A folder to serve, and where a crawl of it starts."""

    name: str
    root: Path
    start: str


@dataclass(frozen=True)
class Census:
    """The pages that links lead to from the start, and what they are like."""

    sizes: dict[str, int]  #: path as a crawler has to ask for it -> bytes
    links: int  #: a[href] on all of them
    broken: int  #: distinct URLs of the host that are linked to and lead nowhere
    other: int  #: distinct URLs of the host that are something else than HTML

    def __str__(self) -> str:
        pages = len(self.sizes)
        kilobytes = sum(self.sizes.values()) / pages / 1000
        told = f"{pages:,} pages, mean {kilobytes:.1f} KB and {self.links / pages:.0f} links"
        return f"{told}; {self.broken} broken links, {self.other} files that are no HTML"


def documentation() -> Workload:
    """The 526 pages of Debian's python3.11-doc (mean 96 KB)."""
    package, folder = PYTHON
    return Workload("documentation", unpacked(package) / folder, "/index.html")


def five() -> Workload:
    """8,502 pages (mean 23 KB) of five projects' documentation, as Debian has it, from one page that links to all."""
    root = CACHE / "bench/five"
    root.mkdir(parents=True, exist_ok=True)
    for name, (package, folder, _) in SITES.items():
        served = unpacked(package) / folder
        if not (root / name).exists():
            (root / name).symlink_to(served)
    links = "\n".join(f'<li><a href="{name}/{start}">{name}</a></li>' for name, (_, _, start) in SITES.items())
    (root / "index.html").write_text(f"<!doctype html><title>Five</title><h1>Five</h1><ul>\n{links}\n</ul>\n")
    return Workload("five", root, "/index.html")


def generated() -> Workload:
    """20,000 pages of about 1.9 KB with 20 links each, all reachable; written once."""
    root = CACHE / "bench/generated"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        for number in range(GENERATED_PAGES):
            page = root / page_path(number).lstrip("/")
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(page_html(number))
        (root / "complete").touch()
    return Workload("generated", root, page_path(0))


WORKLOADS = {make.__name__: make for make in (documentation, five, generated)}


def unpacked(package: str) -> Path:
    """A Debian package's files under .cache/debian, fetched once as `.ci/run` does, and not installed."""
    folder = CACHE / "debian" / package
    if not (folder / ".complete").exists():
        if shutil.which("apt-get") is None:
            raise SystemExit(f"{package} is not unpacked in {folder}, and there is no apt-get to fetch it with")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            download = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", package]
            subprocess.run(download, cwd=work, check=True)
            subprocess.run(["dpkg", "-x", *Path(work).glob("*.deb"), folder], check=True)
        (folder / ".complete").touch()
    return folder


def census(workload: Workload) -> Census:
    """Walk the links of `workload` on disk; counted once, then read from .cache/bench."""
    counted = CACHE / "bench" / f"{workload.name}.census.json"
    if not counted.exists():
        counted.parent.mkdir(parents=True, exist_ok=True)
        found = walked(workload.root, workload.start)
        counted.write_text(json.dumps([found.sizes, found.links, found.broken, found.other]))
    return Census(*json.loads(counted.read_text()))


def walked(root: Path, start: str) -> Census:
    """Breadth first over a[href], by the URL standard's rules, of files as nginx serves them."""
    waiting = deque([start])
    seen = {start}
    sizes: dict[str, int] = {}
    links = broken = other = 0
    while waiting:
        path = waiting.popleft()
        file = root / unquote(path.partition("?")[0]).lstrip("/")
        if file.is_dir() and not path.endswith("/"):
            found = {path + "/"}  # nginx redirects
        elif not (file := file / "index.html" if file.is_dir() else file).is_file():
            broken += 1
            continue
        elif file.suffix not in (".html", ".htm"):
            other += 1
            continue
        else:
            body = file.read_bytes()
            hrefs, found = linked(path, body)
            sizes[path] = len(body)
            links += hrefs
        waiting.extend(found - seen)
        seen |= found
    return Census(sizes, links, broken, other)


def linked(path: str, body: bytes) -> tuple[int, set[str]]:
    """How many a[href] a page has, and the paths on its own host they lead to."""
    tree = LexborHTMLParser(body)
    base = can_ada.parse(ORIGIN + path)
    declared = tree.css_first("base[href]")
    if declared is not None:
        base += declared.attributes["href"] or ""
    hrefs = [link.attributes["href"] or "" for link in tree.css("a[href]")]
    found = set()
    for href in set(hrefs):
        try:
            url = (base + href).href.partition("#")[0]
        except ValueError:
            continue
        if url.startswith(ORIGIN + "/"):
            found.add(url.removeprefix(ORIGIN))
    return len(hrefs), found


def page_path(number: int) -> str:
    """Where a generated page is; a thousand to a folder."""
    return f"/{number // 1000}/{number}.html"


def page_html(number: int) -> str:
    """A generated page: two links of a tree that reaches all, the rest at random."""
    drawn = random.Random(number)
    children = [child for child in (2 * number + 1, 2 * number + 2) if child < GENERATED_PAGES]
    targets = children + [drawn.randrange(GENERATED_PAGES) for _ in range(LINKS_A_PAGE - len(children))]
    links = "\n".join(
        f'<li><a href="{page_path(target)}">{drawn.choice(WORDS)} {target}</a></li>' for target in targets
    )
    title = f"{drawn.choice(WORDS).title()} {number}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="description" content="About {title}."></head><body><h1>{title}</h1>\n'
        f"<p>{' '.join(drawn.choices(WORDS, k=125))}</p>\n<ul>\n{links}\n</ul></body></html>\n"
    )
