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
        case "url" | "redirect":
            for row in _rows("url_whatwg.jsonl"):
                yield from (value.encode("utf-8", "replace") for value in row.values() if isinstance(value, str))
        case "robots":
            for row in _rows("robots_cases.jsonl"):
                yield from (value.encode("utf-8", "replace") for value in row.values() if isinstance(value, str))
        case "sitemap":
            for row in _rows("sitemap_docs.jsonl"):
                yield from (b"\n" + value.encode() for value in row.values() if isinstance(value, str))
        case "charset":
            for row in _rows("encoding_prescan.jsonl"):
                yield from (b"\n" + value.encode() for value in row.values() if isinstance(value, str))
        case "page":
            for row in _rows("structured_schemaorg.jsonl.gz"):
                yield from (b"text/html\n" + value.encode() for value in row.values() if isinstance(value, str))
        case "config" | "rules":
            for path in sorted(ROOT.glob("docs/*.md")):
                for block in path.read_text().split("```yaml\n")[1:]:
                    yield block.partition("```")[0].encode()
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
