"""How well is main text told from the rest, and how long does that take?

``python -m benchmarks.maintext`` scores it on the pages of ``../shared/corpora/maintext`` with the metrics of its
``evaluate.py``: 4-gram F1 on articles, word F1 on seven page types, F1 of segments that must and must not be there on
pages in several languages. Each is given for the half of the pages whose errors were looked into when the rules were
chosen, the half of which the scores alone were, and all. Trafilatura and Resiliparse are measured beside it where they
are installed. Milliseconds are CPU time a page, from the decoded document to the text, parsing included.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.extract import charset
from crawler.extract.html import Document
from crawler.extract.main_text import main_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "maintext"
SETS = ("aeb", "wcxb-dev", "traf")
HALVES = {"looked into": (0,), "scores only": (1,), "all": (0, 1)}


def load() -> tuple[ModuleType, list[dict[str, Any]]]:
    """The metrics, and each page with its truth, its document as ``utf8`` and which ``half`` it is in."""
    spec = importlib.util.spec_from_file_location("evaluate", CORPUS / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    metrics = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(metrics)
    pages = []
    for name in SETS:
        for line in (CORPUS / name / "truth.jsonl").read_text().split("\n")[:-1]:
            page = json.loads(line)
            body = gzip.decompress((CORPUS / name / page["page"]).read_bytes())
            page["utf8"] = charset.decode(body, None).utf8
            page["half"] = hashlib.sha256(page["id"].encode()).digest()[0] & 1
            pages.append(page)
    return metrics, pages


def ours(utf8: bytes) -> str:
    """Our main text of a document."""
    return main_content(Document(utf8, want_text=True)).text()[0]


def peers() -> dict[str, Callable[[bytes], str]]:
    """What else can be measured here."""
    found: dict[str, Callable[[bytes], str]] = {}
    if importlib.util.find_spec("resiliparse"):
        from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415

        found["resiliparse"] = lambda utf8: extract_plain_text(utf8.decode(), main_content=True)
    if importlib.util.find_spec("trafilatura"):
        from trafilatura import extract  # noqa: PLC0415

        found["trafilatura"] = lambda utf8: extract(utf8.decode()) or ""
    return found


def scores(metrics: ModuleType, pages: Iterable[tuple[dict[str, Any], str]]) -> dict[str, float]:
    """By set and, for the seven page types, by type: F1 of each page's text."""
    articles, segments = [], [0, 0, 0]
    by_type: dict[str, list[float]] = defaultdict(list)
    for page, text in pages:
        kind = page["id"].partition("/")[0]
        if kind == "aeb":
            articles.append(metrics.aeb_pr(page["text"], text))
        elif kind == "traf":
            found = metrics.withwithout(text, page["with"], page["without"])
            segments = [total + count for total, count in zip(segments, found, strict=False)]
        else:
            f1 = metrics.word_f1(text, page["text"])
            by_type["types"].append(f1)
            by_type[page["type"]].append(f1)
    true, missed, false = segments
    return {
        "articles": metrics.aeb_f1(articles)[0],
        "segments": 2 * true / max(1, 2 * true + missed + false),
        **{name: statistics.mean(values) for name, values in sorted(by_type.items(), key=lambda item: -len(item[1]))},
    }


def main() -> None:
    """Print a block for each."""
    if not CORPUS.is_dir():
        sys.exit(f"no pages at {CORPUS}")
    metrics, pages = load()
    for name, extract in {"ours": ours, **peers()}.items():
        start = time.process_time()
        texts = [extract(page["utf8"]) for page in pages]
        spent_ms = (time.process_time() - start) / len(pages) * 1e3
        print(f"{name}: {spent_ms:.2f} ms a page")
        for half, which in HALVES.items():
            chosen = [pair for pair in zip(pages, texts, strict=True) if pair[0]["half"] in which]
            shown = "  ".join(f"{key} {value:.3f}" for key, value in scores(metrics, chosen).items())
            print(f"  {half:13}{shown}")


if __name__ == "__main__":
    main()
