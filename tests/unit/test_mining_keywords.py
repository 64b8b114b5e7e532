"""Terms are weighed as scikit-learn weighs them, in bounded memory, and the same whichever process read which page."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.mining.host_keywords import PARTS, PER_PAGE, HostKeywords, HostSums, spelled
from crawler.mining.keywords import count, decode, frequencies, merge, page_keywords
from crawler.mining.words import number, terms
from tests.support.planted_texts import PlantedTexts

PAGES = st.lists(st.text(alphabet="ab c今1é", max_size=40), max_size=8)


def counted(texts):
    return count(number(texts))


def keywords(texts, top=10):
    counts = counted(texts)
    return page_keywords(counts, frequencies(counts), top)


def tables(found):
    return [found.pages, found.hashes.tolist(), found.counts.tolist()]


@pytest.mark.slow
def test_weights_are_those_of_scikit_learn():
    text = pytest.importorskip("sklearn.feature_extraction.text", reason="compared with scikit-learn")
    planted = PlantedTexts(150, seed=4, vocabulary=3_000)
    pages = [planted.text(at) for at in range(150)] + ["", "12 34", "今天天气很好 Straße ÉTÉ", "once once once"]
    oracle = text.TfidfVectorizer(analyzer=terms, sublinear_tf=True)
    expected = oracle.fit_transform(pages)
    for page, found in enumerate(keywords(pages, top=100_000)):
        row = dict(zip(oracle.get_feature_names_out()[expected[page].indices], expected[page].data, strict=True))
        assert dict(found) == pytest.approx(row, abs=1e-9)
        assert len(found) == len(row)


@pytest.mark.slow
def test_the_heaviest_come_first_and_no_more_than_asked_for():
    planted = PlantedTexts(20, seed=4)
    pages = [planted.text(at) for at in range(20)]
    for every, some in zip(keywords(pages, top=100_000), keywords(pages, top=5), strict=True):
        weights = [weight for _, weight in every]
        assert weights == sorted(weights, reverse=True)
        assert some == every[:5]


def test_the_words_that_only_one_page_says_are_its_keywords():
    found = keywords([f"the shop has the {thing} and the {thing}" for thing in ("bicycle", "piano", "kettle")], top=1)
    assert [page[0][0] for page in found] == ["bicycle", "piano", "kettle"]


def test_ties_are_broken_the_same_way_in_any_batch():
    pages = [" ".join(f"word{at}" for at in range(40)), "something else", "word3 again"]
    one = keywords(pages)
    whole = frequencies(counted(pages))
    for order in ([2, 0, 1], [1, 2, 0]):
        again = page_keywords(counted([pages[at] for at in order]), whole)
        assert [again[order.index(at)] for at in range(3)] == one


@pytest.mark.slow
@given(PAGES)
def test_counts_come_back_from_disk_as_they_were(texts):
    counts = counted(texts)
    back = decode(counts.encode())
    assert back.vocabulary == counts.vocabulary
    for one, other in zip(counts[1:], back[1:], strict=True):
        assert one.tolist() == other.tolist()


@pytest.mark.slow
@given(PAGES)
def test_counts_are_how_often_each_page_says_each_term(texts):
    counts = counted(texts)
    for page, text in enumerate(texts):
        own = slice(counts.starts[page], counts.starts[page + 1])
        said = {
            counts.vocabulary[term]: times for term, times in zip(counts.terms[own], counts.times[own], strict=True)
        }
        assert said == {term: terms(text).count(term) for term in terms(text)}


@pytest.mark.slow
@given(st.lists(PAGES, max_size=5), st.randoms())
def test_frequencies_merged_in_any_order_and_grouping_are_those_of_all_pages(batches, chance):
    parts = [frequencies(counted(batch)) for batch in batches]
    expected = tables(frequencies(counted([text for batch in batches for text in batch])))
    chance.shuffle(parts)
    cut = chance.randint(0, len(parts))
    assert tables(merge(parts)) == expected
    assert tables(merge([merge(parts[cut:]), merge(parts[:cut])])) == expected


def test_weights_are_the_same_when_pages_are_counted_in_several_processes():
    planted = PlantedTexts(60, seed=9)
    pages = [planted.text(at) for at in range(60)]
    batches = [decode(counted(pages[at : at + 25]).encode()) for at in range(0, 60, 25)]
    whole = merge(frequencies(batch) for batch in batches)
    assert [page for batch in batches for page in page_keywords(batch, whole)] == keywords(pages)


def test_one_term_said_a_million_times_is_counted_to_the_last():
    pages = ["again " * 160_000, "again once more"]
    counts = decode(counted(pages).encode())
    assert counts.times.max() == 160_000
    assert dict(keywords(pages)[0]) == {"again": pytest.approx(1)}


@pytest.mark.parametrize("text", ["", "12 34 56", "😀 😀", "a b c", "_ __ ___"])
def test_texts_without_terms_have_no_keywords_and_count_as_pages(text):
    assert keywords([text, "some words"])[0] == []
    assert frequencies(counted([text])).pages == 1
    assert keywords([]) == []


def hosts_of(tmp_path, pages, hosts, cuts, top=10):
    whole = frequencies(counted(pages))
    batches = [counted(pages[start:end]) for start, end in zip([0, *cuts], [*cuts, len(pages)], strict=True)]
    names = [hosts[start:end] for start, end in zip([0, *cuts], [*cuts, len(pages)], strict=True)]
    tmp_path.mkdir(exist_ok=True)
    for worker in range(2):
        with HostSums(tmp_path, f"w{worker}") as sums:
            for batch, own in list(zip(batches, names, strict=True))[worker::2]:
                sums.add(batch, own, whole)
    found = HostKeywords(tmp_path, ["w0", "w1"], batches, top)
    return {host: found.of(host, hosts.count(host)) for host in set(hosts)}


@pytest.mark.slow
def test_keywords_of_a_host_are_the_mean_of_those_of_its_pages(tmp_path):
    planted = PlantedTexts(40, seed=8)
    pages = [planted.text(at) for at in range(40)]
    hosts = [random.Random(at).choice(["a.test", "b.test", "c.test"]) for at in range(40)]
    found = hosts_of(tmp_path, pages, hosts, [13, 20], top=50)
    kept = keywords(pages, PER_PAGE)
    for host in ("a.test", "b.test", "c.test"):
        means = {}
        for page, own in zip(kept, hosts, strict=True):
            for term, weight in page if own == host else ():
                means[term] = means.get(term, 0) + weight / hosts.count(host)
        weights = sorted(means.values(), reverse=True)[:50]
        assert [weight for _, weight in found[host]] == pytest.approx(weights, abs=1e-9)
        assert all(means[term] == pytest.approx(weight, abs=1e-9) for term, weight in found[host])


@pytest.mark.slow
def test_keywords_of_hosts_are_the_same_to_the_bit_however_pages_were_shared_out(tmp_path):
    planted = PlantedTexts(40, seed=8)
    pages = [planted.text(at) for at in range(40)]
    hosts = [f"{at % 7}.test" for at in range(40)]
    assert hosts_of(tmp_path / "one", pages, hosts, [5, 20]) == hosts_of(tmp_path / "other", pages, hosts, [33])


def test_a_host_without_a_term_has_no_keywords(tmp_path):
    assert hosts_of(tmp_path, ["12 34", "hello world"], ["a.test", "b.test"], [])["a.test"] == []
    with HostSums(tmp_path, "none"):
        pass
    assert len(list(tmp_path.glob("none.*"))) == PARTS
    assert HostKeywords(tmp_path, ["none"], []).of("a.test", 1) == []


def test_terms_are_spelt_from_the_batches_that_have_them():
    batches = [counted(["one two"]), counted(["two three"])]
    wanted = np.concatenate([batch.hashes for batch in batches])
    assert sorted(spelled(wanted, batches).values()) == ["one", "three", "two"]
