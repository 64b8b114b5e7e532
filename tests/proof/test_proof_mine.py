"""What mining finds on 100,000 pages is what was planted there: near-duplicates, ranks, keywords, dead links."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import networkx
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from crawler.cli import run
from crawler.mining.words import terms
from tests.support.mined_crawl import make

PAGES = 100_000
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def mined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mined") / "crawl"
    planted = make(folder, PAGES, words=80, links=8, hosts=200)
    assert run(["mine", str(folder), "-q"]) == 0
    return folder, planted


def rows(folder, name):
    with (folder / f"{name}.jsonl").open("rb") as lines:
        yield from map(json.loads, lines)


def pairs(sizes):
    return sum(size * (size - 1) // 2 for size in sizes)


def test_near_duplicates_are_found_and_little_else(mined):
    """Pairs of pages in a cluster: found and planted, without listing them."""
    folder, planted = mined
    found = {row["url"]: row["cluster"] for row in rows(folder, "near_duplicates")}
    both = Counter(
        (found[url], cluster) for url, cluster in zip(planted.urls, planted.clusters, strict=True) if url in found
    )
    told, true = pairs(Counter(found.values()).values()), pairs(Counter(planted.clusters).values())
    assert true > 10_000
    assert pairs(both.values()) / told >= 0.98
    assert pairs(both.values()) / true >= 0.95


def test_ranks_are_within_a_millionth_of_networkx(mined):
    folder, planted = mined
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(PAGES))
    graph.add_edges_from(planted.edges.tolist())
    expected = networkx.pagerank(graph, alpha=0.85, tol=1e-14, max_iter=500)  # times the number of nodes
    number = {url: place for place, url in enumerate(planted.urls)}
    seen = 0
    for row in rows(folder, "ranks"):
        page = number[row["url"]]
        assert abs(row["rank"] - expected[page]) <= 1e-6 * expected[page]
        assert (row["in_links"], row["out_links"]) == (graph.in_degree(page), graph.out_degree(page))
        seen += 1
    assert seen == PAGES


def test_keywords_are_those_of_scikit_learn(mined):
    folder, _ = mined
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True)
    weights = vectorizer.fit_transform(row["text"] for row in rows(folder, "pages"))
    names = vectorizer.get_feature_names_out()
    for place, row in enumerate(rows(folder, "keywords")):
        if place % 97:
            continue
        of_page = weights[place]
        expected = dict(zip(names[of_page.indices], of_page.data, strict=True))
        found = {word["term"]: word["score"] for word in row["keywords"]}
        assert found == pytest.approx({term: expected[term] for term in found}, abs=1e-9)
        assert min(found.values()) == pytest.approx(sorted(expected.values())[-10], abs=1e-9)


def test_dead_links_and_languages_add_up(mined):
    folder, planted = mined
    assert {row["url"]: row["in_links"] for row in rows(folder, "dead_links")} == {
        url: len(who) for url, who in planted.dead.items()
    }
    pages = defaultdict(int)
    for row in rows(folder, "languages"):
        pages[row["lang_detected"]] += row["pages"]
    thirds = -(-PAGES // 3)
    assert pages == {"de": thirds, "en": PAGES - thirds}
