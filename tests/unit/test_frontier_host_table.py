from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier.host_numbers import HostNumbers
from crawler.frontier.host_table import HostTable

fingerprints = st.integers(1, 2**64 - 1)
#: values that meet in few shards and few slots
crowded = st.one_of(fingerprints, st.integers(1, 40), st.integers(2**64 - 40, 2**64 - 1))


@given(st.lists(crowded, unique=True, max_size=300), st.lists(fingerprints, max_size=20))
def test_each_fingerprint_gives_the_number_it_was_added_with(added, others):
    table = HostTable()
    for number, fingerprint in enumerate(added, 1):
        assert table.get(fingerprint) == 0
        table.add(fingerprint, number)
    assert [table.get(fingerprint) for fingerprint in added] == list(range(1, len(added) + 1))
    assert all(table.get(fingerprint) == 0 for fingerprint in set(others).difference(added))
    assert len(table) == len(added)


def test_host_costs_under_22_bytes_however_full_the_shards():
    table = HostTable()
    for number in range(1, 30_001):
        table.add(number * 0x9E3779B97F4A7C15 % 2**64, number)
        if number > 10_000 and number % 1000 == 0:
            assert sum(12 * len(keys) for keys in table._keys) / number < 22


@given(st.lists(st.sampled_from([f"{n}.test" for n in range(40)])), st.integers(1, 12))
def test_host_keeps_the_number_it_was_given_first_however_few_names_are_kept(names, capacity):
    hosts, expected = HostNumbers(7, capacity), {}
    for name in names:
        assert hosts.find(name) == expected.get(name)
        assert hosts.number(name) == expected.setdefault(name, len(expected) + 1)
    assert len(hosts) == len(expected)
    assert len(hosts._recent) + len(hosts._older) <= capacity + 1
