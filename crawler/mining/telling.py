"""Which keywords do the pages of a part have, and what do they add to their hosts? For a worker, once it is known in
how many pages each term is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.files import Keyword, PageKeywords
from crawler.mining.host_keywords import HostSums
from crawler.mining.keywords import page_keywords
from crawler.mining.layout import PAGE, file, mapped
from crawler.mining.tasks import Answer
from crawler.mining.texts import load, read_counts
from crawler.mining.writing import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.mining.keywords import Frequencies
    from crawler.mining.tasks import Task

FREQUENCIES = "frequencies"
TERMS = "terms"  #: what pages add to their hosts


def write_keywords(task: Task) -> Answer:
    """Write the lines of keywords.jsonl for the pages of a part, and what its hosts say."""
    folder, part = Path(task.folder), task.part.number
    whole = load(folder / FREQUENCIES)
    with HostSums(folder, f"{part}.{TERMS}") as hosts:
        rows = write_rows(file(folder, part, "keywords"), _rows(task, whole, hosts))
    return Answer(part=part, counts={"rows": rows})


def keywords(found: list[tuple[str, float]]) -> tuple[Keyword, ...]:
    """As they are written."""
    return tuple(Keyword(term, float(score)) for term, score in found)


def _rows(task: Task, whole: Frequencies, hosts: HostSums) -> Iterator[PageKeywords]:
    folder, part, top = Path(task.folder), task.part.number, int(task.numbers["top"])
    rows = mapped(file(folder, part, "pages"), PAGE)
    names = np.array(task.hosts, object)[rows["host"]] if len(rows) else []
    at = 0
    with file(folder, part, "urls").open(encoding="utf-8", newline="\n") as urls:
        for counts in read_counts(file(folder, part, "counts")):
            found = page_keywords(counts, whole, top)
            hosts.add(counts, list(names[at : at + len(found)]), whole)
            at += len(found)
            for terms in found:
                yield PageKeywords(url=urls.readline().rstrip("\n"), keywords=keywords(terms))
