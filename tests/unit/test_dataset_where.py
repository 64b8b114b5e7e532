import time

import pytest

from crawler.dataset.where import Where, where_of
from crawler.errors import ConfigError
from crawler.export.outcomes import OutcomeRecord
from crawler.models import Outcome

URL = "http://shop.example.org:8080/a|b?page=2"


def record(**fields):
    defaults = {
        "url": URL,
        "outcome": Outcome.FAILED,
        "reason": "http_503",
        "status": 503,
        "target": None,
        "attempts": 3,
        "depth": 2,
        "via": "http://shop.example.org:8080/",
        "seed": "my shop",
        "at": "2026-11-25T08:00:00.000Z",
    }
    return OutcomeRecord(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        ("", True),
        ("  ", True),
        ("reason=http_503", True),
        ("reason=http_50", False),
        ("reason=timeout|http_5??", True),
        ("reason!=timeout|http_5??", False),
        ("reason=HTTP_503", False),
        ("status=5??", True),
        ("status=503 and host=*.example.org:8080", True),
        ("status=503 host=*.example.org", False),
        ("status=404 host=*", False),
        ("url=*page=2", True),
        ("url=http://shop.example.org:8080/a?b*", True),
        ("url=shop*", False),
        ("depth=1|2", True),
        ("depth=", False),
        ("attempts!=3", False),
        ("via=*/", True),
        ("via=", False),
        ("via!=", True),
        ("seed='my shop'", True),
        ('seed="my sh*"', True),
        ("outcome=failed", True),
        ("outcome=excluded", False),
    ],
)
def test_all_conditions_must_hold_on_whole_values(text, admitted):
    assert where_of(text).admits(record()) is admitted


def test_what_has_no_value_is_matched_by_nothing_at_all():
    bare = record(status=None, via=None)
    assert where_of("status= via=").admits(bare)
    assert where_of("status=*").admits(bare)
    assert not where_of("status=?*").admits(bare)
    assert not where_of("status!=").admits(bare)


@pytest.mark.parametrize(
    ("outcome", "reason", "may"),
    [
        (Outcome.FAILED, "http_404", True),
        (Outcome.FAILED, "timeout", True),
        (Outcome.EXCLUDED, "robots_unreachable", True),
        (Outcome.EXCLUDED, "private_address", True),
        (Outcome.EXCLUDED, "breaker", True),
        (Outcome.EXCLUDED, "robots", False),
        (Outcome.EXCLUDED, "scope_narrowed", False),
        (Outcome.FETCHED, "not_html", False),
        (Outcome.REDIRECTED, None, False),
        (Outcome.UNCHANGED, None, False),
    ],
)
def test_only_what_a_retry_may_mend_is_meant_whatever_is_asked(outcome, reason, may):
    ended = record(outcome=outcome, reason=reason)
    assert where_of("").admits(ended) is may
    assert where_of("url=*").admits(ended) is may
    assert where_of(f"outcome={outcome}").admits(ended) is may


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("timeout", "'timeout': expected KEY=PATTERN or KEY!=PATTERN (did you mean reason=timeout?)"),
        ("http_503", "did you mean reason=http_503?"),
        ("reason=x or host=y", "'or': expected KEY=PATTERN or KEY!=PATTERN"),
        ("resaon=timeout", "unknown key 'resaon' (did you mean reason?)"),
        ("Status=503", "unknown key 'Status' (did you mean status?)"),
        ("size=3", "unknown key 'size' (expected one of outcome, reason, status, url, host,"),
        ("=timeout", "unknown key ''"),
        ("and reason=x", "'and': expected KEY=PATTERN"),
        ("reason=x and", "ends with 'and', expected a condition"),
        ("reason=x and and host=y", "'and': expected KEY=PATTERN"),
        ("seed='my", "No closing quotation; expected KEY=PATTERN"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(text, told):
    with pytest.raises(ConfigError) as refused:
        where_of(text)
    assert str(refused.value).startswith("--where")
    assert told in str(refused.value)


def test_conditions_are_shown_as_they_may_be_typed():
    where = where_of("reason=timeout  and  seed='my shop' depth!=0")
    assert where_of(str(where)) == where
    assert str(where_of("reason=timeout depth=1")) == "reason=timeout depth=1"
    assert where_of("") == Where()


def test_no_pattern_takes_more_than_linear_time():
    where = where_of("url=" + "*a" * 200)
    started = time.perf_counter()
    assert not where.admits(record(url="http://x.test/" + "a" * 15_000 + "b"))
    assert time.perf_counter() - started < 0.5
