"""What stands on a terminal of which size, and what hostile words come to there."""

from __future__ import annotations

import re
import time

import pytest
from msgspec.structs import replace

from crawler.config import BudgetConfig
from crawler.eta import End, Estimate
from crawler.live.figures import bar, goal
from crawler.live.hosts import state
from crawler.live.look import Failure, Failures, Look
from crawler.live.view import view
from crawler.models import Outcome
from crawler.units import Duration, Size
from crawler.views import HostCondition, HostView, HostViews, MachineView
from tests.support.snapshots import EMPTY, SNAPSHOT

EVIL = "\x1b[2J[bold]\u202e漢字\x9b"
CONDITIONS = {HostCondition.PACING: 12, HostCondition.READY: 3}


def host(name, condition=HostCondition.READY, **fields):
    return HostView(host_key=name, condition=condition, **fields)


BUSIEST = (
    host("www.a-rather-long-host-name.of-some-shop.example.org:8080", requests=1_234, delay_s=1.0, latency_s=0.12),
    host("b.test", HostCondition.FETCHING, requests=900, in_flight=2, concurrency=4, latency_s=2.3),
    host("c.test", HostCondition.PACING, requests=800, wait_s=0.4, delay_s=1.0, why="1 s between requests"),
    *(host(f"d{number}.test", HostCondition.IDLE, requests=number) for number in range(7)),
)
SLOWEST = (
    host("e.test", HostCondition.BREAKER_OPEN, wait_s=300, why="it failed 10 times in a row"),
    host("b.test", HostCondition.BACKING_OFF, wait_s=60),
    host(f"f{EVIL}.test", HostCondition.BACKING_OFF, wait_s=60, why=f"it says {EVIL}"),
)
FAILURES = [Failure("http_404", 300, 0), Failure("timeout", 18, 3), Failure(f"http_{EVIL}", 3, 0), Failure("dns", 1, 1)]
LOOK = Look(
    snapshot=replace(SNAPSHOT, concurrency=200, parsing=12, uncommitted=340, retrying=3),
    left=Estimate(720.0, at_least=True),
    hosts=HostViews(busiest=BUSIEST, slowest=SLOWEST, conditions=CONDITIONS),
    machine=MachineView(memory_bytes=300_000_000, parsers_busy=0.63, cores_busy=1.4),
    failures=FAILURES,
    keys=True,
)


def looking(**fields):
    return Look(**{name: getattr(LOOK, name) for name in LOOK.__dataclass_fields__} | fields)


def shown(columns=80, rows=24, **fields):
    """The lines as they are read, without what is blank at their ends."""
    return [line.plain.rstrip() for line in view(looking(**fields), columns, rows)]


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 10, 11, 12, 14, 17, 24, 30, 60])
@pytest.mark.parametrize("columns", [1, 5, 20, 40, 80, 200])
@pytest.mark.parametrize("helps", [False, True])
def test_every_size_is_kept_within_and_shows_nothing_to_obey(columns, rows, helps):
    for fields in ({}, {"snapshot": EMPTY, "hosts": HostViews(), "failures": [], "left": None, "machine": None}):
        lines = view(looking(helps=helps, **fields), columns, rows)
        assert 0 < len(lines) < max(rows, 2)
        assert max(line.cell_len for line in lines) <= max(columns - 1, 1)
        assert "".join(line.plain for line in lines).isprintable()


def test_everything_has_its_place_on_a_usual_terminal():
    lines = shown()
    assert len(lines) == 23
    assert lines[0] == ""
    assert lines[1:8] == [
        "━━━━━━━━━━━━─  95 %  2,134 of 2,234 URLs known  over 12 min left, more is found",
        "so far    1,526 pages  12.3/s now  12.4/s mean  35.0 MiB  2 min 03 s",
        "requests  84 queued (3 to retry)  16 of 200 in flight  12 to parse",
        "ended     1,580 fetched  220 redirected  14 excluded  320 failed",
        "machine   parsers 63 % busy  1.4 cores  286.1 MiB memory",
        "hosts     12 pacing  3 ready",
        "busiest hosts      state                        in flight  answers in  requests",
    ]
    assert lines[10] == "c.test             pacing 0.4 s                    0 of 1                   800"
    assert re.fullmatch(
        r"e\.test +breaker open until \d\d:\d\d:\d\d +0 of 1 +0", lines[lines.index("slowest hosts") + 1]
    )
    assert lines[-4:-1] == [
        "failed    http_404  300          Not Found",
        "          timeout    18  +3      no complete answer within fetch.timeout",
        "          dns         1  +1      the host name does not resolve",
    ], "what grows comes before what does not"
    assert lines[-1] == "p pause  + more  - fewer  q quit  ? help"


@pytest.mark.parametrize("condition", HostCondition)
def test_whatever_a_host_does_is_shown(condition):
    hosts = HostViews(busiest=(host("a.test", condition, requests=1),), conditions={condition: 1})
    lines = shown(hosts=hosts)
    assert any(line.startswith(f"a.test         {condition}") for line in lines), lines
    assert f"hosts     1 {condition}" in lines


def test_host_is_shown_once():
    assert sum(line.startswith("b.test") for line in shown()) == 1


def test_ten_rows_have_the_bar_and_one_line():
    assert shown(80, 10)[1:] == [
        "━━━━━━━━━━━━─  95 %  2,134 of 2,234 URLs known  over 12 min left, more is found",
        "1,526 pages  12.3/s  84 queued (3 to retry)  16 in flight  321 failed  35.0 MiB",
    ]


def test_tiny_terminal_shows_what_fits_and_cuts_no_number_unseen():
    assert shown(10, 3) == ["95 %", "12.3/s"]
    assert shown(5, 2) == ["1,5…"]


def test_narrow_terminal_keeps_hosts_with_what_they_do():
    lines = shown(40, 24)
    assert "www.a-rather-…  ready" in lines
    assert lines[-1] == "p pause  + more  - fewer  q quit"


def test_wide_terminal_tells_why_hosts_wait():
    assert any(line.endswith("  it failed 10 times in a row") for line in shown(200, 40))


def test_words_from_elsewhere_are_neither_obeyed_nor_taken_for_markup():
    lines = "\n".join(shown(200, 60))
    assert r"f\x1b[2J[bold]\u202e漢字\x9b.test" in lines
    assert r"it says \x1b[2J[bold]\u202e漢字\x9b" in lines
    assert r"http_\x1b[2J[bold]" in lines


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"left": None}, "2,134 of 2,234 URLs known"),
        ({"left": None, "budget": BudgetConfig(pages=5_000)}, "1,526 of 5,000 pages"),
        ({"left": Estimate(9, by=End.PAGES), "budget": BudgetConfig(pages=2_000)}, "1,526 of 2,000 pages"),
        ({"left": Estimate(9), "budget": BudgetConfig(pages=2_000)}, "2,134 of 2,234 URLs known"),
        ({"left": Estimate(9, by=End.BYTES), "budget": BudgetConfig(bytes=Size(2**30))}, "35.0 MiB of 1.0 GiB"),
        ({"left": Estimate(9, by=End.TIME), "budget": BudgetConfig(time_s=Duration(3600))}, "2 min 03 s of 1 h 00 min"),
    ],
)
def test_bar_measures_what_comes_first(fields, words):
    assert goal(looking(**fields)).words == words


def test_bar_tells_of_sitemaps_that_make_up_what_is_known():
    snapshot = replace(SNAPSHOT, reasons={(Outcome.FETCHED, "sitemap"): 3})
    assert goal(looking(snapshot=snapshot)).words == "2,134 of 2,234 URLs known, 3 sitemaps read"


def test_bar_says_what_an_estimate_goes_by():
    said = {
        Estimate(720): "~12 min left, an estimate",
        Estimate(720, at_least=True): "over 12 min left, more is found",
        Estimate(720, by=End.TIME): "~12 min left to budget.time",
    }
    for left, words in said.items():
        assert bar(looking(left=left), 100, ascii_only=False).plain.endswith(f"  {words}")


def test_bar_is_full_only_at_the_end_and_plain_where_the_terminal_knows_no_more():
    assert "99 %" in bar(looking(snapshot=replace(SNAPSHOT, queued=1)), 100, ascii_only=True).plain
    assert bar(looking(snapshot=replace(SNAPSHOT, queued=0)), 40, ascii_only=True).plain.startswith("########")
    assert bar(LOOK, 100, ascii_only=True).plain.split("  ")[0].strip("#.") == ""


def test_pause_stop_and_what_a_key_did_are_told():
    paused = shown(snapshot=replace(SNAPSHOT, paused=True))
    assert paused[1].startswith(" PAUSED ")
    assert paused[-1] == "r resume  + more  - fewer  q quit  ? help"
    stopping = shown(stopping=True)
    assert stopping[1].startswith(" STOPPING ")
    assert stopping[-1] == "Requests in flight have 10 s to finish. Ctrl-C does not wait."
    assert shown(notice="At most 9 in flight.")[-1] == "At most 9 in flight."
    assert shown(keys=False)[-1] == "Ctrl-C stops, and --resume goes on."


def test_help_tells_what_keys_do_in_place_of_hosts():
    lines = shown(helps=True, most=1_000)
    assert "+ -     more or fewer requests in flight, all hosts together (at most 1,000)" in lines
    assert "busiest" not in "".join(lines)


def test_host_says_until_when_it_rests_and_how_long_it_still_waits():
    wall = time.mktime((2026, 11, 27, 14, 0, 0, 0, 0, -1))
    resting = host("a.test", HostCondition.BACKING_OFF, wait_s=200.0)
    assert state(resting, 8.0, wall) == "backing off until 14:03:12"
    assert state(replace(resting, wait_s=200_000.0), 0.0, wall) == "backing off until Nov 29 21:33"
    pacing = host("a.test", HostCondition.PACING, wait_s=0.5)
    assert state(pacing, 0.1, wall) == "pacing 0.4 s"
    assert state(pacing, 9.0, wall) == "pacing 0.0 s"
    assert state(host("a.test", HostCondition.SET_ASIDE), 0.0, wall) == "set aside"


def failing(elapsed_s, **reasons):
    return replace(EMPTY, elapsed_s=elapsed_s, reasons={(Outcome.FAILED, why): n for why, n in reasons.items()})


def test_failures_grow_for_ten_seconds():
    failures = Failures()
    assert failures.after(failing(1.0, dns=2)) == [Failure("dns", 2, 2)], "those of the first seconds are new"
    for second in range(2, 11):
        failures.after(failing(float(second), dns=2))
    assert failures.after(failing(12.0, dns=2)) == [Failure("dns", 2, 0)]
    assert failures.after(failing(14.0, dns=5, tls=1)) == [Failure("dns", 5, 3), Failure("tls", 1, 1)]


def test_failures_of_an_earlier_run_are_not_new():
    assert Failures().after(failing(1_000.0, dns=2)) == [Failure("dns", 2, 0)]


def test_only_failures_are_told_as_such():
    assert Failures().after(replace(EMPTY, reasons={(Outcome.EXCLUDED, "robots"): 5})) == []
