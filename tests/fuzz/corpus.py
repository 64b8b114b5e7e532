"""What does fuzzing by coverage begin with, beside a target's own seeds? What the repository and its data hold."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.corpora import CORPORA
from tests.support.faults.bodies import BODIES
from tests.support.faults.chunking import CHUNKING
from tests.support.faults.headers import HEADERS
from tests.support.faults.heads import HEADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).with_name("cases")
MOST = 400
_ROWS = {
    "url": ("url_whatwg.jsonl", b""),
    "redirect": ("url_whatwg.jsonl", b""),
    "robots": ("robots_cases.jsonl", b""),
    "sitemap": ("sitemap_docs.jsonl", b"\n"),
    "page": ("structured_schemaorg.jsonl.gz", b"text/html\n"),
}
"""Target -> file of the third-party data, whose texts are inputs, and what stands before each."""


def seeds_of(target: Target) -> set[bytes]:
    """All there are for a target."""
    cases = (path.read_bytes() for path in (CASES / target.name).glob("*"))
    return {*target.seeds, *target.tokens, *cases, *list(_found(target.name))[:MOST]}


def _found(name: str) -> Iterator[bytes]:
    match name:
        case "answer" | "message":
            for fault in (*HEADS, *HEADERS, *BODIES, *CHUNKING):
                if not callable(fault.steps):
                    sent = b"".join(step for step in fault.steps if isinstance(step, bytes))
                    yield b"\x09\x50\n" * (name == "answer") + sent[:2000]
        case "config" | "rules":
            for path in (ROOT / "config" / "crawl.yaml", *sorted((ROOT / "config" / "rules").glob("*.yaml"))):
                yield path.read_bytes()
            for path in sorted(ROOT.glob("docs/*.md")):
                yield from (block.partition("```")[0].encode() for block in path.read_text().split("```yaml\n")[1:])
        case name if name in _ROWS:
            file, begin = _ROWS[name]
            for row in _rows(file):
                yield from (
                    begin + value.encode("utf-8", "replace") for value in row.values() if isinstance(value, str)
                )
        case _:
            pass


def _rows(name: str) -> Iterator[dict[str, object]]:
    """Of a file of the test data, which is not on every machine."""
    path = CORPORA / name
    if path.exists():
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row
