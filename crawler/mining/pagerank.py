"""How important is each node of a graph, going by who links to it? PageRank by power iteration.

Page, Brin, Motwani, Winograd, "The PageRank Citation Ranking" (1998): the share of time that somebody spends on a page
who follows a link of the page they are on, each equally likely, and with probability ``1 - damping`` goes to any page
instead. From a page without links they go to any page, too (as networkx does). The graph may lie on the disk, and is
read once in each round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crawler.mining.edges import Edges

DAMPING = 0.85
TOLERANCE = 1e-10
"""The ranks of all nodes together are off by at most 6 times this when it ends: 0.85 / (1 - 0.85)."""
MOST_ROUNDS = 200


class Ranked(NamedTuple):
    """What came out."""

    ranks: NDArray[np.float64]  #: adding up to 1
    out_links: NDArray[np.int64]  #: of each node
    in_links: NDArray[np.int64]
    rounds: int
    change: float  #: in the last round, of all ranks together


def pagerank(graph: Sequence[Edges], nodes: int) -> Ranked:
    """Rank the nodes.

    Args:
        graph: Its edges, in parts, no edge twice.
        nodes: How many there are; they are numbered from 0.
    """
    out_links, in_links = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    for part in graph:
        out_links += np.bincount(part.sources, minlength=nodes)
        in_links[part.targets] += np.diff(part.starts, append=len(part.sources))
    if not nodes:
        return Ranked(np.zeros(0), out_links, in_links, 0, 0.0)
    is_end = out_links == 0
    share = np.where(is_end, 0.0, 1.0 / np.maximum(out_links, 1))
    ranks = np.full(nodes, 1.0 / nodes)
    rounds, change = 0, 1.0
    while change > TOLERANCE and rounds < MOST_ROUNDS:
        given = ranks * share
        passed = np.zeros(nodes)
        for part in graph:
            if len(part.sources):
                passed[part.targets] += np.add.reduceat(given[part.sources], part.starts)
        passed = DAMPING * (passed + ranks[is_end].sum() / nodes) + (1.0 - DAMPING) / nodes
        change = float(np.abs(passed - ranks).sum())
        ranks = passed
        rounds += 1
    return Ranked(_rounded(ranks / ranks.sum()), out_links, in_links, rounds, change)


def _rounded(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """To twelve digits: what is summed up in another order, as with other parts, gives the same ranks."""
    scale = 10.0 ** (11 - np.floor(np.log10(ranks)))
    rounded: NDArray[np.float64] = np.round(ranks * scale) / scale
    return rounded
