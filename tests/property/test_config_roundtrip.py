"""What is printed reads back equal: units, and whole configurations."""

from __future__ import annotations

import contextlib
import string

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config import (
    AdaptiveConfig,
    BreakerConfig,
    BudgetConfig,
    CrawlConfig,
    FetchConfig,
    HostFetchConfig,
    LimitsConfig,
    Pace,
    RobotsConfig,
    ScopeConfig,
)
from crawler.config.file import as_written, dump, loads
from crawler.config.secrets import masked
from crawler.errors import ConfigError
from crawler.politeness.limits import LimitTable
from crawler.units import Duration, Number, Rate, Size
from crawler.url import is_public_suffix

quantities = st.floats(min_value=0, max_value=1e12, allow_nan=False)
sizes = st.integers(0, 2**60)


@given(quantities)
def test_a_printed_duration_reads_back_equal(seconds):
    assert Duration.parse(str(Duration(seconds))) == seconds


@given(quantities)
def test_a_printed_rate_reads_back_equal(per_s):
    assert Rate.parse(str(Rate(per_s))) == per_s


@given(st.integers(0, 10**6), st.sampled_from(list(Rate.PERIODS)))
def test_a_rate_in_whole_events_prints_in_whole_events(events, period):
    assert "." not in str(Rate.parse(f"{events}/{period}"))


@given(quantities)
def test_a_printed_number_reads_back_equal(number):
    assert Number.parse(str(Number(number))) == number


@given(sizes)
def test_a_printed_size_reads_back_equal(count):
    assert Size.parse(str(Size(count))) == count


hosts = st.from_regex(r"(\*\.)?[a-z]{1,8}(\.(no|on|test|e1|null))?(:8[1-9])?", fullmatch=True)
printable = st.text(string.ascii_letters + string.digits + " :#&*!|>'\"%@`{}[],-?~$", min_size=1, max_size=20)
header_values = printable.map(str.strip).filter(lambda text: text and "${" not in text)
durations = st.builds(Duration, quantities)
jitters = st.none() | durations
pauses = st.one_of(
    st.builds(Pace, delay_s=st.none() | durations, concurrency=st.none() | st.integers(1, 99), jitter_s=jitters),
    st.builds(Pace, rate_per_s=st.builds(Rate, st.floats(min_value=1e-6, max_value=1e6)), jitter_s=jitters),
)
owned = hosts.filter(lambda pattern: not is_public_suffix(pattern.removeprefix("*.").partition(":")[0]))
positive = st.floats(min_value=1e-3, max_value=1e12)
headers = st.dictionaries(st.from_regex(r"X-[a-z]{1,5}", fullmatch=True), header_values, max_size=3)
proxies = st.none() | st.sampled_from(["environment", "direct", "http://u:${P}@p.test:1", (), ("https://p.test",)])
configs = st.builds(
    CrawlConfig,
    name=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
    | st.sampled_from(["no", "012", "1e3", "null"]),
    seeds=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")))).map(tuple),
    scope=st.builds(ScopeConfig, include=st.lists(printable.map("*{}".format)).map(tuple)),
    budget=st.builds(
        BudgetConfig,
        pages=st.none() | st.integers(1, 10**15),
        bytes=st.none() | st.builds(Size, st.integers(1, 2**60)),
        time_s=st.none() | st.builds(Duration, positive),
    ),
    limits=st.builds(
        LimitsConfig,
        default=pauses,
        hosts=st.dictionaries(hosts, pauses, max_size=3),
        adaptive=st.booleans()
        | st.builds(AdaptiveConfig, factor=st.builds(Number, quantities), max_delay_s=st.builds(Duration, positive)),
    ),
    robots=st.builds(
        RobotsConfig, skip_rel=st.lists(st.sampled_from(["nofollow", "ugc", "sponsored"]), unique=True).map(tuple)
    ),
    breaker=st.builds(BreakerConfig, failures=st.none() | st.integers(1, 99), rest_s=st.builds(Duration, positive)),
    fetch=st.builds(
        FetchConfig,
        user_agent=header_values,
        contact=st.sampled_from([None, "a@b.test"]),
        headers=headers,
        proxy=proxies,
        hosts=st.dictionaries(
            owned,  # as verify: false is refused for a pattern that covers everybody's
            st.builds(
                HostFetchConfig,
                headers=headers,
                auth=st.sampled_from([None, "u:${P}", "u:hush"]),
                cookies=st.none() | printable,
                verify=st.sampled_from([None, True, False]),
                proxy=proxies,
            ),
            max_size=3,
        ),
    ),
    order=st.sampled_from(["breadth", "depth"]),
)


@pytest.mark.slow
@settings(max_examples=60)
@given(configs)
def test_a_dumped_configuration_loads_back_with_the_same_meaning(config):
    loaded = loads(dump(config), "dump").config
    given, read = config.limits, loaded.limits
    for host_key in ("other.test", *(pattern.replace("*", "www") for pattern in given.hosts)):
        assert pace_of(read, host_key) == pace_of(given, host_key)
    limits = msgspec.structs.replace(read, default=given.default)
    assert msgspec.structs.replace(loaded, limits=limits) == masked(config)
    assert as_written(loaded) == loaded == as_written(config)


def pace_of(limits, host_key):
    resolved = LimitTable(limits).resolve(host_key)
    return resolved.delay_s, resolved.concurrency, resolved.jitter_s


@given(
    st.text() | st.text(alphabet="{}[]:,-&*!<|>'\"#%@ \n\tan01~?"),
    st.lists(st.text(alphabet="a.=[]\"'{}&*1"), max_size=2),
)
def test_loading_any_text_raises_nothing_but_a_config_error(text, overrides):
    with contextlib.suppress(ConfigError):
        loads(text, "any", overrides)
