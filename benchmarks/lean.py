"""What is taken of a page where a record holds little? Exactly what the other crawlers of `benchmarks.crawl` take."""

from __future__ import annotations

from crawler.config import ExtractConfig

LEAN = ExtractConfig(text="none", links=False, fields=("title", "description", "h1", "n_links", "word_count"))
#: the same as arguments of ``--set``
LEAN_SETTINGS = ("extract.text=none", "extract.links=false", f"extract.fields=[{', '.join(LEAN.fields or ())}]")
