"""Pauses and rests that a host's answers earn it, against models said in the plainest way."""

from hypothesis import given
from hypothesis import strategies as st

from crawler.config import AdaptiveConfig, BreakerConfig
from crawler.politeness.breaker import Breaker, Effect
from crawler.politeness.throttle import MIN_BACKOFF_S, RECOVERY_ANSWERS, Throttle
from crawler.units import Duration, Number
from tests.support.hosts import Breakable, Paced

SECONDS = st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.5, 30.0, 100.0])
#: latency of an answer, None for none, and whether it speaks of strain
ANSWERS = st.lists(st.tuples(st.none() | st.floats(0.001, 50), st.booleans()), max_size=30)
MAX_DELAYS = st.sampled_from([0.2, 5.0, 60.0])


def throttle_of(max_delay_s, factor=2.0):
    return Throttle(AdaptiveConfig(factor=Number(factor), max_delay_s=Duration(max_delay_s)))


@given(asked=SECONDS, crawl=SECONDS, max_delay=MAX_DELAYS, answers=ANSWERS)
def test_no_answers_make_a_pause_shorter_than_promised_or_longer_than_the_cap(asked, crawl, max_delay, answers):
    host, throttle = Paced(asked, crawl), throttle_of(max_delay)
    promised = max(asked, crawl)
    for latency, strained in answers:
        throttle.learn(host, latency, strained=strained)
        assert promised <= throttle.delay_s(host) <= max(promised, max_delay)


@given(asked=SECONDS, max_delay=MAX_DELAYS, answers=ANSWERS)
def test_each_sign_of_strain_doubles_the_pause_up_to_the_cap(asked, max_delay, answers):
    host, throttle = Paced(asked), throttle_of(max_delay, factor=0.1)
    for latency, strained in answers:
        before = max(host.backoff_s, asked)
        throttle.learn(host, latency, strained=strained)
        if strained:
            assert host.backoff_s == min(max(2 * before, MIN_BACKOFF_S), max_delay)
        else:
            assert host.backoff_s < before or before == asked


@given(asked=SECONDS, crawl=SECONDS, max_delay=MAX_DELAYS, answers=ANSWERS, restarted=st.booleans())
def test_a_few_good_answers_in_a_row_undo_all_strain(asked, crawl, max_delay, answers, restarted):
    host, throttle = Paced(asked, crawl), throttle_of(max_delay)
    for latency, strained in answers:
        throttle.learn(host, latency, strained=strained)
    if restarted:
        host.recovery_s = 0.0  # which is not stored
    for _ in range(RECOVERY_ANSWERS):
        throttle.learn(host, None, strained=False)
    assert host.backoff_s == 0
    latency_part = min(2 * host.latency_s, max_delay) if asked else 0.0
    assert throttle.delay_s(host) == max(asked, crawl, latency_part)


@given(crawl=SECONDS, answers=ANSWERS)
def test_where_no_delay_is_asked_for_only_errors_count(crawl, answers):
    host, throttle = Paced(0.0, crawl), throttle_of(60.0)
    for latency, strained in answers:
        throttle.learn(host, latency, strained=strained)
        assert throttle.delay_s(host) == max(crawl, host.backoff_s)


@given(asked=SECONDS, latency=st.floats(0.001, 50))
def test_steady_latency_makes_the_pause_proportional_to_it(asked, latency):
    host, throttle = Paced(asked), throttle_of(60.0, factor=3.0)
    for _ in range(5):
        throttle.learn(host, latency, strained=False)
    expected = max(asked, min(3 * host.latency_s, 60.0)) if asked else 0.0
    assert throttle.delay_s(host) == expected
    assert abs(host.latency_s - latency) < 1e-9


@given(asked=SECONDS, answers=ANSWERS)
def test_switched_off_the_throttle_changes_no_pause(asked, answers):
    host, throttle = Paced(asked, backoff_s=7.0, latency_s=9.0), Throttle(None)
    for latency, strained in answers:
        assert throttle.learn(host, latency, strained=strained) == asked
    assert host.backoff_s == 7.0


class NaiveBreaker:
    """The four states, one word each."""

    def __init__(self, limit):
        self.limit, self.count, self.state = limit, 0, "closed"

    def after(self, is_trial, how):
        before = self.state
        if self.state == "closed":
            self.count = {"failed": self.count + 1, "answered": 0}.get(how, self.count)
            if self.count == self.limit:
                self.state = "open"
        elif is_trial:
            self.state = "retired" if how == "failed" else "closed"
            self.count = self.count if how == "failed" else 0
        return (before, self.state)


EFFECTS = {("closed", "open"): Effect.OPENED, ("open", "closed"): Effect.CLOSED, ("open", "retired"): Effect.RETIRED}


@given(
    limit=st.none() | st.integers(1, 4),
    stored=st.integers(0, 3),
    attempts=st.lists(st.tuples(st.booleans(), st.sampled_from(["failed", "answered", "neither"])), max_size=40),
)
def test_breaker_passes_through_the_states_of_a_naive_one(limit, stored, attempts):
    """Of each attempt: whether it is the one that tries the host, if any may; and how it went."""
    breaker = Breaker(BreakerConfig(failures=limit))
    host, naive = Breakable(failures=stored), NaiveBreaker(limit)  # as after a restart
    naive.count, naive.state = stored, "open" if limit is not None and stored >= limit else "closed"
    for number, (tries, how) in enumerate(attempts):
        assert breaker.is_open(host) == (naive.state == "open")
        is_trial = tries and naive.state == "open"
        host.trial = number if is_trial else host.trial
        before = host.failures
        effect = breaker.after(host, number, failed=how == "failed", answered=how == "answered")
        change = naive.after(is_trial, how)
        assert (effect in EFFECTS.values()) == (change in EFFECTS)
        assert effect is EFFECTS.get(change, Effect.COUNTED if host.failures != before else Effect.NONE)
        assert host.failures == naive.count
        assert host.trial is None or not is_trial
        if naive.state == "retired":
            break
