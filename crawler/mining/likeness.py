"""Which pages say nearly the same? The lines of near_duplicates.jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crawler.mining.files import NearDuplicate
from crawler.mining.layout import file, mapped
from crawler.mining.near import clusters, fingerprint_clusters
from crawler.mining.sketch import SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from crawler.mining.linked import Clusters
    from crawler.mining.table import Table

_SKETCHES = "sketches"
_BATCH = 10_000


class Alike(NamedTuple):
    """What was found."""

    rows: Iterator[NearDuplicate]
    counts: dict[str, int]


def alike(table: Table, folder: Path, *, has_texts: bool) -> Alike:
    """Cluster the pages, by their texts or where there are none by the fingerprints of their records."""
    compared = np.flatnonzero(table.rows["has_sketch" if has_texts else "has_fingerprint"])
    found = _by_texts(table, folder, len(compared)) if has_texts else _by_fingerprints(table, compared)
    sizes = np.bincount(found.labels, minlength=len(compared))
    inside = np.flatnonzero(sizes[found.labels] > 1)
    labels = found.labels[inside]
    order = np.lexsort((inside, inside != labels, labels, -sizes[labels]))
    inside, labels = inside[order], labels[order]
    counts = {"compared": len(compared), "clusters": int((sizes > 1).sum()), "pages": len(inside)}
    return Alike(_rows(table, compared, inside, found, sizes), counts)


def _by_texts(table: Table, folder: Path, count: int) -> Clusters:
    """As pages without words have none, sketches are brought together in one file without gaps."""
    has_sketch = table.rows["has_sketch"]
    with (folder / _SKETCHES).open("wb") as out:
        for part, first, end in zip(table.parts, table.firsts, [*table.firsts[1:], table.count], strict=True):
            path = file(folder, part, _SKETCHES)
            sketches = mapped(path, "<u2").reshape(-1, SIZE)
            out.write(sketches[has_sketch[first:end]].tobytes())
            path.unlink()
    return clusters(mapped(folder / _SKETCHES, "<u2").reshape(count, SIZE))


def _by_fingerprints(table: Table, compared: NDArray[np.int64]) -> Clusters:
    return fingerprint_clusters(table.rows["fingerprint"][compared])


def _rows(
    table: Table, compared: NDArray[np.int64], inside: NDArray[np.int64], found: Clusters, sizes: NDArray[np.int64]
) -> Iterator[NearDuplicate]:
    all_rows = table.rows
    for start in range(0, len(inside), _BATCH):
        some = inside[start : start + _BATCH]
        labels = found.labels[some]
        rows, heads = all_rows[compared[some]], all_rows[compared[labels]]
        same = np.zeros(len(some), np.bool_)
        for name in ("content", "text"):
            same |= (rows[name] == heads[name]) & (rows[name] != 0)
        yield from (
            NearDuplicate(
                url=url, cluster=head, size=size, similarity=1.0 if exact else round(similarity, 4), exact=exact
            )
            for url, head, size, similarity, exact in zip(
                table.urls(compared[some]),
                table.urls(compared[labels]),
                sizes[labels].tolist(),
                found.similarity[some].tolist(),
                same.tolist(),
                strict=True,
            )
        )
