from __future__ import annotations

import io
import os
import pty
import re
import termios
from pathlib import Path

import pytest
from msgspec.structs import replace

from crawler.models import Outcome, Refusal
from crawler.progress import ProgressLine, duration, printable, size, summary
from crawler.seedlist import SeedTally
from crawler.stats import Snapshot
from tests.support.clock import FakeClock

SNAPSHOT = Snapshot(
    elapsed_s=123.4,
    pages=1_526,
    pages_per_s=12.34,
    mean_pages_per_s=12.4,
    attempts=2_123,
    snoozes=3,
    wire_bytes=36_700_160,
    admitted=2_234,
    queued=100,
    waiting=84,
    in_flight=16,
    retrying=0,
    failed=321,
    outcomes={
        Outcome.FETCHED: 1_580,
        Outcome.REDIRECTED: 220,
        Outcome.UNCHANGED: 0,
        Outcome.EXCLUDED: 14,
        Outcome.FAILED: 320,
    },
    reasons={
        (Outcome.FAILED, "http_404"): 300,
        (Outcome.FETCHED, "not_html"): 54,
        (Outcome.REDIRECTED, "out_of_scope"): 50,
        (Outcome.FAILED, "timeout"): 18,
        (Outcome.EXCLUDED, "robots"): 14,
        (Outcome.FAILED, "http_799"): 2,
    },
    refusals={
        "scope.stay_on: host": Refusal(rule="scope.stay_on: host", count=41_234, examples=("https://b.test/",)),
        "scope.exclude: */logout*": Refusal(rule="scope.exclude: */logout*", count=12),
    },
)
EMPTY = Snapshot(
    elapsed_s=0.4,
    pages=0,
    pages_per_s=0.0,
    mean_pages_per_s=0.0,
    attempts=1,
    snoozes=0,
    wire_bytes=0,
    admitted=0,
    queued=0,
    waiting=0,
    in_flight=0,
    retrying=0,
    failed=0,
    outcomes=dict.fromkeys(Outcome, 0),
    reasons={},
    refusals={},
)


LINE = "1,526 pages  12.3/s  84 queued  16 in flight  321 failed  35.0 MiB  2 min 03 s"
ERASE_BELOW = "\x1b[J"
SEEDS = SeedTally(given=5, fetched=5)


FILES = ["pages.jsonl", "outcomes.jsonl", "seeds.jsonl", "summary.json", "crawl.db", "crawl.yaml", "crawl.log"]


def account(snapshot=SNAPSHOT, *, stopped_by=None, elapsed_s=123.4, seeds=SEEDS, **more):
    directory = Path("data/shop")
    more = {"files": FILES, **more}
    return summary(snapshot, stopped_by=stopped_by, directory=directory, elapsed_s=elapsed_s, seeds=seeds, **more)


class Screen:
    """A pseudo-terminal `columns` wide and what was written to it."""

    def __init__(self, columns):
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")
        self.resize(columns)

    def resize(self, columns):
        termios.tcsetwinsize(self._ours, (24, columns))

    def written(self):
        try:
            return os.read(self._ours, 65_536).decode()
        except BlockingIOError:
            return ""

    def close(self):
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def screen():
    screen = Screen(100)
    yield screen
    screen.close()


# --- the line ----------------------------------------------------------------------------------------------------


def test_terminal_line_is_rewritten_in_place(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    assert screen.written() == f"\r{LINE}{ERASE_BELOW}"
    clock.advance(progress.interval_s)
    progress.show(EMPTY)
    assert screen.written() == f"\r0 pages  0.0/s  0 queued  0 in flight  0 failed  0 B  0.4 s{ERASE_BELOW}"


def test_line_tells_what_waits_to_be_retried(screen, clock):
    ProgressLine(screen.stream, clock).show(replace(SNAPSHOT, retrying=3))
    assert "  84 queued (3 to retry)  16 in flight  " in screen.written()


@pytest.mark.parametrize("columns", [79, 40, 20, 10, 2])
def test_terminal_line_never_reaches_the_last_column(screen, clock, columns):
    screen.resize(columns)
    ProgressLine(screen.stream, clock).show(SNAPSHOT)
    assert 0 < len(screen.written().removeprefix("\r").removesuffix(ERASE_BELOW)) < columns


def test_narrow_terminal_shows_the_most_important_numbers_whole(screen, clock):
    screen.resize(40)
    ProgressLine(screen.stream, clock).show(SNAPSHOT)
    assert screen.written() == f"\r1,526 pages  12.3/s  84 queued{ERASE_BELOW}"


def test_closing_wipes_the_live_line_once(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    screen.written()
    progress.close()
    progress.close()
    assert screen.written() == f"\r{ERASE_BELOW}"


def test_terminal_line_is_not_rewritten_before_its_time(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    screen.written()
    clock.advance(progress.interval_s / 2)
    progress.show(SNAPSHOT)
    assert screen.written() == ""


def test_file_gets_a_plain_line_every_ten_seconds_and_no_control_characters(clock):
    stream = io.StringIO()
    progress = ProgressLine(stream, clock)
    for _ in range(250):
        progress.show(SNAPSHOT)
        clock.advance(0.1)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines == [LINE] * 2
    assert stream.getvalue().replace("\n", "").isprintable()


def test_interval_can_be_chosen(clock):
    stream = io.StringIO()
    progress = ProgressLine(stream, clock, interval_s=1.0)
    clock.advance(1.0)
    progress.show(SNAPSHOT)
    assert stream.getvalue().count("\n") == 1


# --- the summary -------------------------------------------------------------------------------------------------


def test_summary_reads_as_published():
    assert account(stopped_by="budget.pages", resume="crawler crawl -d data/shop --resume") == (
        "Crawl stopped by budget.pages: 1,526 pages in 2 min 03 s (12.4 a second)\n"
        "35.0 MiB in 2,123 answers\n"
        "\n"
        "Admitted URLs                2,234\n"
        "  fetched                    1,580\n"
        "  redirected                   220\n"
        "  excluded                      14\n"
        "  failed                       320\n"
        "  pending                      100  not fetched yet\n"
        "\n"
        "Failed                         320\n"
        "  http_404                     300  Not Found\n"
        "  timeout                       18  no complete answer within fetch.timeout\n"
        "  http_799                       2\n"
        "\n"
        "Excluded                        14\n"
        "  robots                        14  robots.txt disallows it\n"
        "\n"
        "Redirected                     220\n"
        "  out_of_scope                  50  the redirect's target is outside the scope\n"
        "  to a URL in scope            170\n"
        "\n"
        "Fetched                      1,580\n"
        "  not_html                      54  a 2xx answer that is not HTML\n"
        "  with a page record         1,526\n"
        "\n"
        "Links kept out by scope     41,246\n"
        "  scope.stay_on: host       41,234  such as https://b.test/\n"
        "  scope.exclude: */logout*      12\n"
        "\n"
        "Files in data/shop\n"
        "  pages.jsonl     1,526 page records\n"
        "  outcomes.jsonl  how every other URL ended, and why\n"
        "  seeds.jsonl     what became of each seed\n"
        "  summary.json    these numbers\n"
        "  crawl.db        every URL, for `crawler why` and SQL\n"
        "  crawl.yaml      the configuration that applied\n"
        "  crawl.log       what went on, by time\n"
        "\n"
        "What is left is kept. Go on beyond the budget with:\n"
        "  crawler crawl -d data/shop --resume --set budget.pages=null"
    )


def test_empty_crawl_has_a_summary_of_zeros_without_empty_tables():
    text = account(EMPTY, elapsed_s=0.4)
    assert text.startswith("Crawl complete: 0 pages in 0.4 s (0.0 a second)\n0 B in 1 answer\n")
    assert re.findall(r"^[A-Z]\w+", text, re.MULTILINE) == ["Crawl", "Admitted", "Files"]


def test_rows_of_every_table_add_up_to_the_number_beside_its_title():
    many = {(Outcome.FAILED, f"http_{400 + n}"): 20 - n for n in range(15)}
    seeds = SeedTally(given=9, bad=2, fetched=3, bad_examples=("list.txt:3 no url",))
    text = account(replace(SNAPSHOT, reasons={**SNAPSHOT.reasons, **many}), seeds=seeds)
    tables = 0
    for section in text.split("\n\n")[1:-1]:
        total, *rows = [int(number.replace(",", "")) for number in re.findall(r"  +([\d,]+)(?:$|  )", section, re.M)]
        assert sum(rows) == total, section
        tables += 1
    assert tables == 7
    assert "for other reasons" in text


def test_numbers_stand_under_one_another():
    tables = "\n".join(account().split("\n\n")[1:-1])
    ends = {len(re.match(r".*?  +[\d,]+(?=$|  )", line)[0]) for line in tables.splitlines()}
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("stopped_by", "start"),
    [(None, "Crawl complete:"), ("stop", "Crawl interrupted:"), ("budget.pages", "Crawl stopped by budget.pages:")],
)
def test_summary_begins_with_how_the_run_ended(stopped_by, start):
    assert account(stopped_by=stopped_by).startswith(start)


def test_interrupted_crawl_says_how_to_go_on_or_that_it_cannot():
    text = account(stopped_by="stop", resume="crawler crawl -d data/shop --resume")
    assert text.endswith("\n\nNothing is lost. Go on with:\n  crawler crawl -d data/shop --resume")
    assert "--fresh" in account(stopped_by="stop")
    assert "--resume" not in account(stopped_by="stop")
    assert "--resume" not in account()


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("stopped_by", [None, "stop", "budget.pages"])
def test_headline_fits_eighty_columns(stopped_by, resumed):
    many = replace(SNAPSHOT, pages=12_345_678, attempts=12_345_678, elapsed_s=86_000.0)
    headline = account(many, stopped_by=stopped_by, elapsed_s=85_000.0 if resumed else 86_000.0).split("\n\n")[0]
    assert max(map(len, headline.splitlines())) <= 80


def test_headline_divides_by_the_time_it_shows():
    assert account(elapsed_s=200.0).startswith("Crawl complete: 1,526 pages in 3 min 20 s (7.6 a second)\n")


def test_resumed_run_tells_the_time_of_all_and_its_own():
    headline = account(elapsed_s=12).split("\n\n")[0]
    assert headline == (
        "Crawl complete: 1,526 pages in 2 min 03 s (12.4 a second)\n35.0 MiB in 2,123 answers, 12 s of it in this run"
    )


def test_seeds_that_were_not_all_fetched_have_a_table():
    seeds = SeedTally(given=5, bad=2, fetched=2, bad_examples=("mix.txt:3 bad \x1b url", "mix.txt:4 -"))
    assert [" ".join(line.split()) for line in account(seeds=seeds).split("\n\n")[1].splitlines()] == [
        "Seeds 5",
        "fetched 2",
        r"bad 2 such as mix.txt:3 bad \x1b url",
        "other 1",
    ]
    assert "Seeds" not in account()


def test_crawl_without_any_fetched_seed_says_so_first():
    nothing = SeedTally(given=3)
    text = account(seeds=nothing)
    assert text.startswith("No seed could be fetched: ")
    assert [" ".join(line.split()) for line in text.split("\n\n")[1].splitlines()] == [
        "Seeds 3",
        "fetched 0",
        "other 3",
    ]
    assert account(seeds=nothing, stopped_by="stop").startswith("Crawl interrupted: ")


def test_page_records_written_elsewhere_are_found():
    assert "1,526 page records in /tmp/out.jsonl\n" in account(pages=Path("/tmp/out.jsonl"))


def test_nothing_from_a_page_reaches_the_terminal_as_a_control_character():
    evil = "https://b.test/\x1b]0;owned\x07\x9b31m\u202e\r\n"
    refusals = {"r\x1b[2J": Refusal(rule="r\x1b[2J", count=1, examples=(evil,))}
    text = account(replace(SNAPSHOT, refusals=refusals))
    assert all(line.isprintable() for line in text.split("\n"))
    assert r"https://b.test/\x1b]0;owned\x07\x9b31m\u202e\r\n" in text


def test_long_rules_and_examples_are_cut():
    long = "x" * 1_000
    text = account(replace(SNAPSHOT, refusals={long: Refusal(rule=long, count=1, examples=(long,))}))
    assert max(map(len, text.splitlines())) < 200


# --- words and numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.6, "1 min 00 s"),
        (123.4, "2 min 03 s"),
        (3_599.7, "1 h 00 min"),
        (86_400 * 3 + 4 * 3_600, "3 d 04 h"),
    ],
)
def test_duration_is_told_in_two_units(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_536, "1.5 KiB"),
        (1_023_999, "1.0 MiB"),
        (36_700_160, "35.0 MiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_size_is_told_in_the_unit_that_fits(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\tb", r"a\tb"),
        ("zwölf 東京", "zwölf 東京"),
        ("\u202eab", r"\u202eab"),
        ("\ud800", r"\ud800"),
    ],
)
def test_printable_escapes_what_a_terminal_obeys_and_nothing_else(text, shown):
    assert printable(text) == shown


def test_printable_cuts_with_an_ellipsis():
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"
