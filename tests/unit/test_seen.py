from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier import seen as seen_module
from crawler.frontier.seen import Seen

fingerprints = st.integers(1, 2**64 - 1)
#: values that meet in few shards and few slots
crowded = st.one_of(fingerprints, st.integers(1, 40), st.integers(2**64 - 40, 2**64 - 1))


@given(st.lists(st.lists(crowded, max_size=60)))
def test_exactly_the_first_of_equal_fingerprints_is_new(batches):
    seen, known = Seen(), set()
    for batch in batches:
        new = []
        for position, fingerprint in enumerate(batch):
            if fingerprint not in known:
                known.add(fingerprint)
                new.append(position)
        assert seen.add_all(batch) == new
    assert len(seen) == len(known)
    assert all(not seen.add(fingerprint) for fingerprint in known)


@given(st.lists(st.lists(crowded, max_size=100), max_size=3), st.lists(crowded, max_size=60))
def test_what_it_was_filled_with_is_known(filled, asked):
    seen = Seen(20)
    seen.fill(filled)
    known = {fingerprint for batch in filled for fingerprint in batch}
    assert len(seen) == len(known)
    assert [asked[n] for n in seen.add_all(asked)] == [n for n in dict.fromkeys(asked) if n not in known]


@pytest.mark.slow
def test_fingerprint_is_known_long_after_it_was_asked_for(monkeypatch):
    monkeypatch.setattr(seen_module, "_RECENT", 50)
    seen = Seen()
    for start in range(1, 4_000, 40):
        assert len(seen.add_all(range(start, start + 40))) == 40
        assert seen.add_all(range(1, start + 40)) == []
    assert len(seen._recent) < 4_100


def test_add_says_whether_the_fingerprint_was_new():
    seen = Seen()
    assert seen.add(7)
    assert not seen.add(7)
    assert seen.add(2**64 - 1)
    assert len(seen) == 2


def test_shard_grown_many_times_keeps_all_it_held():
    seen = Seen()
    one_shard = [1 + n * 97 for n in range(3_000)]
    assert seen.add_all(one_shard) == list(range(3_000))
    assert seen.add_all(one_shard) == []


@pytest.mark.slow
def test_table_made_for_a_number_of_items_takes_them_hardly_growing():
    source = random.Random(4)
    seen = Seen(150_000)
    before = table_bytes(seen)
    assert len(seen.add_all([source.getrandbits(64) or 1 for _ in range(150_000)])) == 150_000
    assert before / 150_000 < 16
    assert table_bytes(seen) < before * 1.1


@pytest.mark.slow
def test_item_costs_under_sixteen_bytes_however_full_the_shards():
    source = random.Random(3)
    seen = Seen()
    for _ in range(8):
        seen.add_all([source.getrandbits(64) or 1 for _ in range(40_000)])
        if len(seen) >= 160_000:
            assert table_bytes(seen) / len(seen) < 16


def test_what_was_added_is_in_it_and_nothing_else():
    source = random.Random(6)
    added, others = ({source.getrandbits(64) | 1 for _ in range(20_000)} for _ in range(2))
    seen = Seen()
    seen.add_all(list(added))
    assert all(fingerprint in seen for fingerprint in added)
    assert not any(fingerprint in seen for fingerprint in others - added)


def test_empty_table_is_small():
    assert table_bytes(Seen()) < 400_000


def test_shards_that_fill_alike_do_not_grow_in_step():
    source = random.Random(5)
    seen = Seen()
    for _ in range(300):
        seen.add_all([shard << 53 | source.getrandbits(53) for shard in range(64)])
    sizes = {len(table) for table in seen._tables[:64]}
    assert len(sizes) > 32


def table_bytes(seen):
    return sum(table.itemsize * len(table) for table in seen._tables)
