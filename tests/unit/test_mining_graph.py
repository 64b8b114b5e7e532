"""Links as numbers, and ranks made of them: as networkx has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from crawler.mining.edges import Edges
from crawler.mining.ends import Redirects, read_ends
from crawler.mining.layout import distinct, placed
from crawler.mining.linking import is_unfollowed
from crawler.mining.pagerank import DAMPING, pagerank

if TYPE_CHECKING:
    from pathlib import Path


def edges_of(pairs):
    keys = np.array([target << 32 | source for source, target in pairs], np.uint64)
    return Edges.of(distinct(keys))


def networkx_ranks(pairs, nodes):
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(pairs)
    found = networkx.pagerank(graph, alpha=DAMPING, tol=1e-12, max_iter=500)
    return [found[node] for node in range(nodes)]


@given(
    nodes=st.integers(1, 30),
    drawn=st.sets(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=120),
    parts=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_ranks_are_those_of_networkx_however_the_graph_is_parted(nodes, drawn, parts):
    pairs = [(source % nodes, target % nodes) for source, target in drawn]
    pairs = sorted({(source, target) for source, target in pairs if source != target})
    ranked = pagerank([edges_of([pair for pair in pairs if pair[0] % parts == part]) for part in range(parts)], nodes)
    assert ranked.ranks == pytest.approx(networkx_ranks(pairs, nodes), abs=1e-9)
    assert ranked.ranks.sum() == pytest.approx(1)
    assert ranked.in_links.tolist() == [sum(target == node for _, target in pairs) for node in range(nodes)]
    assert ranked.out_links.tolist() == [sum(source == node for source, _ in pairs) for node in range(nodes)]


def test_graph_without_nodes_or_edges_has_ranks():
    assert pagerank([], 0).ranks.tolist() == []
    assert pagerank([edges_of([])], 4).ranks.tolist() == [0.25] * 4


@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)))
@settings(deadline=None)
def test_hash_is_placed_where_it_is(known, asked):
    hashes = distinct(np.array(known, np.uint64))
    assert hashes.tolist() == sorted(set(known))
    at, is_there = placed(hashes, np.array(asked + known, np.uint64))
    assert is_there.tolist() == [one in known for one in asked + known]
    assert hashes[at[is_there]].tolist() == [one for one in asked + known if one in known]


@pytest.mark.parametrize(
    ("rel", "unfollowed"),
    [("nofollow", True), ("external NoFollow", True), ("ugc", True), ("sponsored", True), ("next", False), ("", False)],
)
def test_links_that_are_no_recommendation_say_so(rel, unfollowed):
    assert is_unfollowed(rel) is unfollowed


def written(folder: Path, rows):
    path = folder / "outcomes.jsonl"
    keys = ("url", "outcome", "reason", "status", "target", "via")
    path.write_bytes(b"".join(msgspec.json.encode(dict(zip(keys, row, strict=True))) + b"\n" for row in rows))
    return path


def hashes(*urls):
    return np.array([xxh3_64_intdigest(url.encode()) for url in urls], np.uint64)


def test_redirects_lead_to_their_end_and_a_loop_ends(tmp_path):
    steps = [("a", "b"), ("b", "c"), ("c", "d"), ("x", "y"), ("y", "x"), ("out", "elsewhere")]
    path = written(tmp_path, [(url, "redirected", None, 301, target, None) for url, target in steps])
    assert len(read_ends(path, None, tmp_path)) == 0
    ends = Redirects(tmp_path).ends(hashes("a", "b", "c", "d", "out", "page"))
    assert ends.tolist() == hashes("d", "d", "d", "d", "elsewhere", "page").tolist()
    assert Redirects(tmp_path).ends(hashes("x"))[0] in hashes("x", "y")


def test_whoever_leads_to_a_failure_counts_for_it(tmp_path):
    rows = [
        ("gone", "failed", "http_404", 404, None, "page"),
        ("moved", "redirected", None, 301, "gone", None),
        ("robots", "excluded", "robots", None, None, None),
        ("slow", "failed", "timeout", None, None, None),
    ]
    ends = read_ends(written(tmp_path, rows), None, tmp_path)
    assert [(failed.url, failed.reason, failed.via) for failed in ends] == [
        ("gone", "http_404", "page"), ("slow", "timeout", None)]  # fmt: skip
    dead, numbers = np.load(tmp_path / "dead.npy"), np.load(tmp_path / "dead_at.npy")
    found = dict(zip(dead.tolist(), numbers.tolist(), strict=True))
    assert found == dict(zip(hashes("gone", "moved", "slow").tolist(), [0, 0, 1], strict=True))


def test_crawl_without_outcomes_has_no_ends(tmp_path):
    assert list(read_ends(None, None, tmp_path)) == []
    assert Redirects(tmp_path).ends(hashes("a")).tolist() == hashes("a").tolist()
