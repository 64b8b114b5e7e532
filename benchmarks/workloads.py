"""What is crawled? Two sites as nginx serves them: real documentation, and many small generated pages."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"
GENERATED_PAGES = 20_000
LINKS_A_PAGE = 20
WORDS = ("anchor", "basin", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "juniper", "knoll", "lagoon")


@dataclass(frozen=True)
class Workload:
    """A folder to serve, and where a crawl of it starts."""

    name: str
    root: Path
    start: str


def documentation() -> Workload:
    """The 526 pages of Debian's python3.11-doc (mean 68 KB), as `.ci/run` unpacked them."""
    root = CACHE / "debian/python3.11-doc/usr/share/doc/python3.11/html"
    if not root.exists():
        raise SystemExit("python3.11-doc is not unpacked: run .ci/run once (needs apt-get)")
    return Workload("documentation", root, "/index.html")


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
