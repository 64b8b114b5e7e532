"""How pauses grow with a host's latency and errors, and shrink again."""

from crawler.config import AdaptiveConfig
from crawler.politeness.throttle import MIN_BACKOFF_S, RECOVERY_ANSWERS, Throttle
from crawler.units import Duration, Number
from tests.support.hosts import Paced

STANDARD = Throttle(AdaptiveConfig())


def after(host, *answers, throttle=STANDARD):
    """The pause after some answers: each a latency in seconds, or ``"strained"``."""
    for answer in answers:
        strained = answer == "strained"
        pause = throttle.learn(host, None if strained else answer, strained=strained)
        assert pause == throttle.delay_s(host)
    return throttle.delay_s(host)


def test_quick_host_is_asked_as_fast_as_configured():
    assert after(Paced(1.0), *[0.1] * 20) == 1.0


def test_slow_host_is_given_twice_the_time_it_takes():
    assert after(Paced(1.0), *[3.0] * 20) == 6.0


def test_factor_and_cap_of_the_latency_part_are_the_configurations():
    throttle = Throttle(AdaptiveConfig(factor=Number(5.0), max_delay_s=Duration(12)))
    assert after(Paced(1.0), 2.0, throttle=throttle) == 10.0
    assert after(Paced(1.0), 30.0, throttle=throttle) == 12.0


def test_one_slow_answer_among_quick_ones_counts_an_eighth():
    host = Paced(1.0)
    assert after(host, *[0.5] * 10, 8.5) == 2 * (0.5 + 8.0 / 8)
    assert after(host, *[0.5] * 40) < 1.05


def test_slow_host_without_a_delay_is_not_slowed_down():
    assert after(Paced(0.0), *[9.0] * 5) == 0.0


def test_how_long_a_host_takes_is_known_where_nothing_follows_from_it():
    host = Paced(1.0)
    assert after(host, 4.0, throttle=Throttle(None)) == 1.0
    assert host.latency_s == 4.0  # people are shown it


def test_errors_double_the_pause():
    host = Paced(1.0)
    assert [after(host, "strained") for _ in range(4)] == [2.0, 4.0, 8.0, 16.0]


def test_first_error_of_a_host_without_a_delay_earns_a_pause_all_the_same():
    host = Paced(0.0)
    assert [after(host, "strained") for _ in range(3)] == [MIN_BACKOFF_S, 2 * MIN_BACKOFF_S, 4 * MIN_BACKOFF_S]


def test_back_off_starts_from_the_crawl_delay():
    assert after(Paced(1.0, crawl_delay_s=10.0), "strained") == 20.0


def test_pause_never_grows_beyond_its_cap_nor_below_what_was_promised():
    assert after(Paced(1.0), *["strained"] * 10) == 60.0
    assert after(Paced(100.0), *["strained"] * 10) == 100.0


def test_good_answers_shorten_the_pause_step_by_step():
    host = Paced(1.0)
    after(host, "strained", "strained")
    assert [after(host, 0.1) for _ in range(7)] == [3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 1.0]


def test_longest_pause_is_gone_after_ten_good_answers_even_after_a_restart():
    for host in (Paced(0.0), Paced(0.0, backoff_s=60.0)):
        after(host, *["strained"] * 10 if not host.backoff_s else ())
        pauses = [after(host, 0.1) for _ in range(RECOVERY_ANSWERS)]
        assert pauses == sorted(pauses, reverse=True)
        assert pauses[-2] > 0
        assert pauses[-1] == 0.0


def test_switched_off_neither_latency_nor_errors_count():
    assert after(Paced(1.0), 9.0, "strained", throttle=Throttle(None)) == 1.0
