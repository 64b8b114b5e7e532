"""Pages that say nearly the same are in one cluster, others are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.fingerprint import fingerprint
from crawler.mining.near import NEAR, NEAR_BITS, clusters, fingerprint_clusters
from crawler.mining.sketch import SIZE, sketch, sketches
from crawler.mining.words import number
from tests.support.planted_texts import PlantedTexts, scores

HAND = "the quick brown fox jumps over the lazy dog and then sleeps for a while in the warm sun of the afternoon"


def sketched(texts):
    return sketches(number(texts))[0]


def shares(one, other):
    found = sketched([one, other])
    return float((found[0] == found[1]).mean())


@pytest.fixture(scope="module")
def planted():
    return PlantedTexts(1_000, seed=11)


@pytest.fixture(scope="module")
def planted_sketches(planted):
    return np.concatenate([sketched([planted.text(at + step) for step in range(500)]) for at in range(0, 1_000, 500)])


@pytest.mark.slow
def test_planted_near_duplicates_are_found_and_nothing_else(planted, planted_sketches):
    precision, recall = scores(planted.families, clusters(planted_sketches).labels)
    assert precision >= 0.98
    assert recall >= 0.95


@pytest.mark.slow
def test_short_pages_are_told_apart_though_most_of_their_words_are_their_sites():
    planted = PlantedTexts(2_000, seed=5, around=(30, 90))
    found = np.concatenate([sketched([planted.text(at + step) for step in range(500)]) for at in range(0, 2_000, 500)])
    precision, recall = scores(planted.families, clusters(found).labels)
    assert precision >= 0.98
    assert recall >= 0.95


@pytest.mark.slow
def test_every_member_is_as_near_to_its_representative_as_near_duplicates_are(planted_sketches):
    found = clusters(planted_sketches)
    assert (found.labels[found.labels] == found.labels).all()
    assert (found.similarity >= np.float32(NEAR)).all()
    assert (found.similarity[np.unique(found.labels)] == 1).all()


@pytest.mark.slow
def test_clusters_do_not_depend_on_the_order_of_pages(planted_sketches):
    families = clusters(planted_sketches).labels
    order = np.random.default_rng(3).permutation(len(planted_sketches))
    assert scores(families[order], clusters(planted_sketches[order]).labels) > (0.999, 0.999)


@pytest.mark.slow
def test_a_memory_mapped_file_gives_the_same(planted_sketches, tmp_path):
    planted_sketches.tofile(tmp_path / "sketches")
    mapped = np.memmap(tmp_path / "sketches", np.uint16, "r").reshape(-1, SIZE)
    assert (clusters(mapped).labels == clusters(planted_sketches).labels).all()


def test_a_chain_of_edits_does_not_join_its_ends():
    planted = PlantedTexts(1, seed=2)
    texts, own = [], planted._some(300)
    for _ in range(60):
        texts.append(" ".join(planted._words[own]))
        own = planted.edited(own, 0.04)
    found = clusters(sketched(texts))
    assert found.labels[0] != found.labels[-1]
    assert len(np.unique(found.labels)) > 3
    assert (found.similarity >= np.float32(NEAR)).all()


def test_a_hundred_thousand_equal_pages_are_one_cluster():
    one = np.tile(sketched([HAND]), (100_000, 1))
    found = clusters(one)
    assert (found.labels == 0).all()
    assert (found.similarity == 1).all()


@pytest.mark.slow
def test_many_pages_that_differ_in_a_token_are_one_cluster():
    found = clusters(sketched([f"{HAND} your session is s{at:x}" for at in range(3_000)]))
    assert len(np.unique(found.labels)) == 1


@pytest.mark.parametrize("texts", [[], ["one page"], [HAND, "nothing of it here"]])
def test_pages_alone_are_their_own_clusters(texts):
    assert clusters(sketched(texts)).labels.tolist() == [*range(len(texts))]
    assert fingerprint_clusters(np.arange(len(texts), dtype=np.uint64) << 32).labels.tolist()[:1] == [0][: len(texts)]


def test_short_texts_are_alike_only_if_they_are_equal():
    texts = ["page not found", "Page not found!", "page not there", "not found page", "今天天气"]
    assert clusters(sketched(texts)).labels.tolist() == [0, 0, 2, 3, 4]


def test_texts_without_words_have_no_sketch():
    assert [sketch(text) for text in ("", " \n", "a b c", "😀😀", "…")] == [None] * 5
    assert len(sketch("12 34")) == 2 * SIZE


def test_white_space_case_and_signs_do_not_count():
    assert sketch(HAND) == sketch(HAND.upper().replace(" ", ",\n\t "))


def test_tables_of_other_numbers_are_not_equal():
    one, other = (" ".join(str(at * step % 9973 + 10) for at in range(200)) for step in (7, 11))
    assert shares(one, one) == 1
    assert shares(one, other) < NEAR


def test_texts_without_spaces_are_compared_too():
    one = "".join(chr(0x4E00 + at * at % 3001) for at in range(400))
    other = "".join(chr(0x4E00 + at * at * at % 2999) for at in range(400))
    assert shares(one, f"{one[:200]}新{one[200:]}") > 0.9
    assert shares(one, other) < 0.2


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.text(alphabet="abc 今1", max_size=60), max_size=6))
def test_a_sketch_does_not_depend_on_the_batch(texts):
    together = sketched(texts)
    for text, found in zip(texts, together, strict=True):
        alone = sketch(text)
        assert alone is None or alone == found.astype("<u2").tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("text", ["word " * 1_000_000, " ".join(map(str, range(200_000))), "今" * 1_000_000])
def test_huge_texts_have_a_sketch_in_bounded_time(text):
    assert len(sketch(text)) == 2 * SIZE


@pytest.mark.slow
def test_more_pages_than_a_batch_of_the_kernel_have_the_same_sketches():
    texts = [f"{HAND} {at}" for at in range(4_200)]
    together = sketched(texts)
    assert (together[4_150:] == sketched(texts[4_150:])).all()


def test_fingerprints_that_differ_little_are_one_cluster():
    one = 0x0123456789ABCDEF
    few, many = (one ^ sum(1 << (11 * bit) % 64 for bit in range(count)) for count in (NEAR_BITS, NEAR_BITS + 1))
    assert fingerprint_clusters(np.array([one, few], np.uint64)).labels.tolist() == [0, 0]
    assert fingerprint_clusters(np.array([one, many], np.uint64)).labels.tolist() == [0, 1]


@pytest.mark.slow
def test_fingerprints_of_records_find_copies_and_small_edits_and_nothing_else(planted):
    marks = [int(fingerprint(planted.text(at)), 16) for at in range(1_000)]
    precision, recall = scores(planted.families, fingerprint_clusters(np.array(marks, np.uint64)).labels)
    assert precision >= 0.98
    assert recall >= 0.2
