"""Who should hold which partition: everybody an equal share, and as little moved as that takes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.fleet.partitions import PARTITIONS
from crawler.fleet.plan import moves, nobodys, planned, shares

EVEN = dict.fromkeys(range(PARTITIONS), 250.0)


def heavy_tailed(seed: int, partitions: int = PARTITIONS) -> dict[int, float]:
    """Hosts active in each partition, where some domains have thousands of hosts."""
    drawn = random.Random(seed)
    return {partition: float(int(100 * drawn.paretovariate(1.5))) for partition in range(partitions)}


def counted(plan) -> list[int]:
    return [plan.owners.count(worker) for worker in plan.workers]


def least_weight(weights, loads):
    """What the busiest cannot be spared: its heaviest partition, or the mean and one partition more."""
    heaviest = max(weights.values(), default=0.0)
    return max(heaviest, sum(loads.values()) / len(loads) + heaviest)


partitions = st.shared(st.integers(1, 64), key="partitions")
weighings = partitions.flatmap(
    lambda n: st.dictionaries(st.integers(0, n - 1), st.integers(0, 1000).map(float) | st.floats(0, 1e9))
)
crews = st.sets(st.integers(1, 30), max_size=12)


@pytest.mark.slow
@given(partitions, st.lists(st.tuples(crews, weighings, st.none() | st.integers(1, 5)), min_size=1, max_size=6))
def test_every_partition_has_a_worker_that_is_there_and_none_another(n, steps):
    plan = nobodys(n)
    for workers, weights, most in steps:
        plan = planned(plan, workers, weights, most=most)
        assert plan.workers == tuple(sorted(workers))[:most]
        assert len(plan.owners) == n
        assert set(plan.owners) <= (set(plan.workers) or {0})


@pytest.mark.slow
@given(partitions, st.lists(st.tuples(crews, weighings), min_size=1, max_size=6))
def test_busiest_has_at_most_one_partition_more_than_the_mean(n, steps):
    plan = nobodys(n)
    for workers, weights in steps:
        before, plan = plan, planned(plan, workers, weights)
        loads = shares(plan, weights)
        if set(plan.workers) > set(before.workers):
            assert max(loads.values()) <= least_weight(weights, loads) * (1 + 1e-6)


@given(partitions, crews, weighings)
def test_what_is_planned_once_stays_and_is_the_same_for_everyone(n, workers, weights):
    plan = planned(nobodys(n), workers, weights)
    assert planned(plan, set(workers), dict(weights)) is plan
    assert planned(nobodys(n), sorted(workers, reverse=True), dict(reversed(weights.items()))) == plan


@pytest.mark.parametrize("weights", [EVEN, heavy_tailed(1), {}], ids=["even", "heavy-tailed", "unknown"])
@pytest.mark.parametrize("workers", [2, 7, 100])
def test_first_plan_gives_all_the_same(workers, weights):
    plan = planned(nobodys(PARTITIONS), range(1, workers + 1), weights)
    weights = weights or EVEN
    loads = shares(plan, weights).values()
    assert max(loads) <= max(1.05 * sum(loads) / workers, *weights.values())
    assert plan.version == 1


@pytest.mark.parametrize("weights", [EVEN, heavy_tailed(2), {}], ids=["even", "heavy-tailed", "unknown"])
@pytest.mark.parametrize(("before", "after"), [(1, 2), (4, 5), (100, 110)])
def test_joining_moves_the_share_of_those_who_join(before, after, weights):
    old = planned(nobodys(PARTITIONS), range(1, before + 1), weights)
    new = planned(old, range(1, after + 1), weights)
    weights = weights or EVEN
    loads = shares(new, weights)
    mean = sum(loads.values()) / after
    joined = PARTITIONS * (after - before) / after
    assert max(loads.values()) <= max(1.06 * mean, *weights.values())
    assert min(loads.values()) >= 0.9 * mean
    assert len(moves(old, new)) <= 1.15 * joined + after
    assert {new.owners[partition] for partition in moves(old, new)} <= set(range(before + 1, after + 1))


def test_joining_brings_partitions_of_all_weights():
    weights = heavy_tailed(3)
    old = planned(nobodys(PARTITIONS), [1, 2, 3], weights)
    new = planned(old, [1, 2, 3, 4], weights)
    assert counted(new)[3] == pytest.approx(PARTITIONS / 4, rel=0.1)


@pytest.mark.parametrize("weights", [EVEN, heavy_tailed(4), {}], ids=["even", "heavy-tailed", "unknown"])
@pytest.mark.parametrize("lost", [[3], [1, 2], list(range(11, 21))])
def test_a_death_moves_little_but_the_partitions_of_the_dead(lost, weights):
    old = planned(nobodys(PARTITIONS), range(1, 31), weights)
    left = [worker for worker in old.workers if worker not in lost]
    new = planned(old, left, weights)
    were_theirs = {partition for partition, owner in enumerate(old.owners) if owner in lost}
    assert were_theirs <= set(moves(old, new))
    weights = weights or EVEN
    others = [weights[partition] for partition in set(moves(old, new)) - were_theirs]
    assert sum(others) <= len(lost) * max(weights.values())  # whoever inherits a heavy one gives as much away
    loads = shares(new, weights).values()
    assert max(loads) <= 1.2 * sum(loads) / len(left)


def test_a_death_does_not_stir_what_was_out_of_balance_but_bearable():
    old = planned(nobodys(90), [1, 2, 3], dict.fromkeys(range(90), 10.0))
    lighter = {partition: 8.5 if owner == 1 else 10.0 for partition, owner in enumerate(old.owners)}
    new = planned(old, [1, 2], lighter)
    assert set(moves(old, new)) == {partition for partition, owner in enumerate(old.owners) if owner == 3}
    loads = shares(new, lighter).values()
    assert max(loads) <= 1.05 * sum(loads) / 2


def test_nothing_moves_while_nobody_is_far_from_its_share():
    old = planned(nobodys(40), [1, 2], dict.fromkeys(range(40), 10.0))
    theirs = [partition for partition, owner in enumerate(old.owners) if owner == 1]
    lighter = dict.fromkeys(range(40), 10.0) | dict.fromkeys(theirs, 8.0)
    assert planned(old, [1, 2], lighter) is old
    far_lighter = dict.fromkeys(range(40), 10.0) | dict.fromkeys(theirs, 2.0)
    new = planned(old, [1, 2], far_lighter)
    assert moves(old, new)
    loads = shares(new, far_lighter).values()
    assert max(loads) <= 1.05 * sum(loads) / 2


def test_what_weighs_nothing_stays_where_it_is_when_hosts_run_out():
    old = planned(nobodys(PARTITIONS), [1, 2], dict.fromkeys(range(PARTITIONS), 1.0))
    last = planned(old, [1, 2], {old.owners.index(1): 5.0})
    assert last is old


def test_hosts_of_few_partitions_are_divided_however_few():
    old = planned(nobodys(PARTITIONS), [1, 2, 3], {})
    mine = [partition for partition, owner in enumerate(old.owners) if owner == 2][:6]
    new = planned(old, [1, 2, 3], dict.fromkeys(mine, 1.0))
    assert sorted(shares(new, dict.fromkeys(mine, 1.0)).values()) == [2.0, 2.0, 2.0]
    assert len(moves(old, new)) == 4


def test_a_domain_heavier_than_all_others_keeps_its_worker_to_itself():
    weights = dict.fromkeys(range(64), 1.0) | {17: 5_000.0}
    plan = planned(nobodys(64), [1, 2, 3, 4], weights)
    loads = shares(plan, weights)
    assert sorted(loads.values()) == [21.0, 21.0, 21.0, 5_000.0]
    joined = planned(plan, [1, 2, 3, 4, 5], weights)
    assert joined.owners[17] == plan.owners[17]
    assert len(moves(plan, joined)) <= 18


def test_a_domain_that_cannot_be_divided_does_not_set_others_in_motion():
    weights = dict.fromkeys(range(64), 1.0) | {17: 5_000.0}
    plan = planned(nobodys(64), [1, 2, 3, 4], weights)
    less = {partition: weight for partition, weight in weights.items() if partition % 16}
    assert planned(plan, [1, 2, 3, 4], less) is plan


def test_who_came_last_stands_by_and_follows_when_one_leaves():
    plan = planned(nobodys(64), [3, 1, 2, 4], {}, most=2)
    assert plan.workers == (1, 2)
    assert planned(plan, [1, 2, 3, 4, 5], {}, most=2) is plan
    follows = planned(plan, [2, 3, 4, 5], {}, most=2)
    assert follows.workers == (2, 3)
    assert counted(follows) == [32, 32]
    assert {follows.owners[partition] for partition in moves(plan, follows)} == {3}


def test_without_workers_nobody_holds_anything_until_one_comes():
    plan = planned(nobodys(8), [1], {})
    empty = planned(plan, [], {})
    assert (empty.workers, set(empty.owners), empty.version) == ((), {0}, 2)
    assert set(planned(empty, [7], {}).owners) == {7}


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 100), st.integers(0, 20), st.integers(0, 20))
def test_crews_that_change_move_little_more_than_they_must(seed, workers, leave, join):
    weights = heavy_tailed(seed)
    heaviest = max(weights.values())
    old = planned(nobodys(PARTITIONS), range(1, workers + 1), weights)
    crew = [*range(1 + min(leave, workers - 1), workers + 1), *range(200, 200 + join)]
    new = planned(old, crew, weights)
    mean = sum(weights.values()) / len(crew)
    moved = sum(weights[partition] for partition in moves(old, new))
    must = max(min(leave, workers - 1) / workers, join / len(crew)) * sum(weights.values())
    assert moved <= 1.15 * must + len(crew) * (0.1 * mean + heaviest)
    assert max(shares(new, weights).values()) <= max((1.05 if join else 1.2) * mean, mean + heaviest)
