"""Who is due, in which order, and in which state."""

from crawler.politeness.schedule import GUARD_S, Schedule
from crawler.politeness.scheduled import Group, Scheduled, State


def hosts_in(schedule, *pairs, slots=1):
    hosts = [Scheduled(f"h{n}", delay_s=delay, concurrency=slots, due=due) for n, (delay, due) in enumerate(pairs)]
    for host in hosts:
        schedule.offer(host, 0.0)
    return hosts


def start(schedule, now):
    host = schedule.pop(now)
    schedule.claim(host, now)
    schedule.offer(host, now)
    schedule.started(host, now)
    return host


def test_longest_due_host_comes_first():
    schedule = Schedule()
    a, b, c = hosts_in(schedule, (0, 3.0), (0, 1.0), (0, 2.0))
    assert [start(schedule, 5.0) for _ in range(3)] == [b, c, a]


def test_host_with_many_free_slots_starves_no_other():
    schedule = Schedule()
    a, b = hosts_in(schedule, (0, 0.0), (0, 0.0), slots=3)
    assert [start(schedule, 1.0) for _ in range(6)] == [a, b, a, b, a, b]
    assert schedule.pop(1.0) is None


def test_host_is_next_again_only_while_it_may_start_and_no_other_is_due():
    schedule = Schedule()
    a, b = hosts_in(schedule, (0, 0.0), (0, 1.0), slots=3)
    schedule.claim(schedule.pop(0.5), 0.5)
    assert schedule.is_next(a, 0.5)
    assert not schedule.is_next(a, 1.0), "the other has come due"
    assert schedule.pop(1.0) is b
    schedule.claim(a, 1.0)
    assert schedule.is_next(a, 1.0)
    schedule.claim(a, 1.0)
    assert not schedule.is_next(a, 1.0), "its slots are taken"


def test_next_start_counts_from_the_wire_not_from_the_hand_out():
    schedule = Schedule()
    (host,) = hosts_in(schedule, (1.0, 0.0), slots=2)
    schedule.claim(schedule.pop(0.0), 0.0)
    schedule.offer(host, 0.0)
    assert schedule.pop(100.0) is None, "one is unstarted"
    schedule.started(host, 7.0)
    assert schedule.next_at() == 8.0 + GUARD_S
    assert schedule.pop(8.0) is None


def test_longer_delay_counts_from_the_latest_start():
    schedule = Schedule()
    hosts_in(schedule, (1.0, 0.0), slots=2)
    host = start(schedule, 0.0)
    schedule.pace(host, 5.0, 0.0)
    schedule.pace(host, 2.0, 0.0)
    assert schedule.next_at() == 5.0 + GUARD_S


def test_attempt_that_never_got_on_the_wire_is_paced_all_the_same():
    schedule = Schedule()
    (host,) = hosts_in(schedule, (1.0, 0.0))
    schedule.claim(schedule.pop(0.0), 0.0)
    schedule.offer(host, 0.0)
    schedule.released(host, 3.0, started=False)
    assert schedule.next_at() == 4.0 + GUARD_S


def test_hold_and_longer_delay_stop_what_is_handed_out():
    schedule = Schedule()
    held, slowed = hosts_in(schedule, (0, 0.0), (0, 0.0), slots=2)
    for _ in range(4):
        host = schedule.pop(0.0)
        schedule.claim(host, 0.0)
        schedule.offer(host, 0.0)
    assert schedule.may_start(held, 0.0)
    schedule.hold(held, 2.0, 0.0)
    assert not schedule.may_start(held, 1.9)
    schedule.pace(slowed, 5.0, 1.0)
    assert not schedule.may_start(slowed, 1.0), "one of the two may be on its way"
    schedule.taken_back(slowed, 1.0)
    assert schedule.may_start(slowed, 1.0)
    schedule.started(slowed, 1.0)
    assert schedule.next_at() == 6.0 + GUARD_S


def test_request_taken_back_frees_its_slot_and_is_no_start():
    schedule = Schedule()
    (host,) = hosts_in(schedule, (1.0, 0.0))
    schedule.claim(schedule.pop(0.0), 0.0)
    schedule.offer(host, 0.0)
    schedule.taken_back(host, 0.0)
    assert schedule.pop(0.0) is host


def test_host_passes_through_its_states():
    schedule = Schedule()
    (host,) = hosts_in(schedule, (1.0, 2.0))
    assert host.state(1.0) is State.SNOOZED
    assert host.state(2.0) is State.READY
    start(schedule, 2.0)
    assert host.state(2.0) is State.IN_PROCESS
    schedule.released(host, 9.0, started=True)
    assert host.state(9.0) is State.READY
    schedule.hold(host, 20.0, 9.0)
    assert host.state(9.0) is State.SNOOZED
    schedule.rest(host, 9.0)
    assert host.state(30.0) is State.EXHAUSTED
    assert schedule.pop(30.0) is None
    assert schedule.next_at() is None


def test_outdated_entries_do_not_pile_up():
    schedule = Schedule()
    (host,) = hosts_in(schedule, (1.0, 0.0))
    for n in range(10_000):
        schedule.hold(host, float(n), 0.0)
    assert len(schedule._heap) < 2_000
    assert schedule.next_at() == 9_999.0


def full_group(slots):
    """A group with all slots taken by one host, and two hosts that wait for one."""
    schedule, group = Schedule(), Group(slots)
    big = Scheduled("big", delay_s=0, concurrency=slots, due=0.0)
    schedule.join(big, group)
    schedule.offer(big, 0.0)
    for _ in range(slots):
        assert start(schedule, 1.0) is big
    waiting = [Scheduled(name, delay_s=0, concurrency=1, due=0.5) for name in ("a", "b")]
    for host in waiting:
        schedule.join(host, group)
        schedule.offer(host, 0.0)
    assert schedule.pop(2.0) is None
    return schedule, group, big, waiting


def test_hosts_at_one_address_wait_for_its_slots_first_come_first_served():
    schedule, _, big, (a, b) = full_group(2)
    schedule.released(big, 2.0, started=True)
    assert start(schedule, 2.0) is a
    assert schedule.pop(2.0) is None
    schedule.released(a, 3.0, started=True)
    assert start(schedule, 3.0) is b


def test_host_that_moves_away_frees_as_many_slots_as_it_had_taken():
    schedule, _, big, (a, b) = full_group(2)
    schedule.join(big, None)
    assert [start(schedule, 2.0), start(schedule, 2.0)] == [a, b]


def test_more_slots_for_an_address_are_used_at_once():
    schedule, group, _, (a, b) = full_group(2)
    schedule.allow(group, 4)
    assert [start(schedule, 2.0), start(schedule, 2.0)] == [a, b]


def test_host_whose_turn_came_to_nothing_passes_its_slot_on():
    schedule, _, big, (a, b) = full_group(1)
    schedule.released(big, 2.0, started=True)
    assert schedule.pop(2.0) is a
    schedule.rest(a, 0.0)
    assert schedule.pop(2.0) is b
