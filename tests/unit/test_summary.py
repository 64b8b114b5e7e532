"""The account of a run that is over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from crawler.models import Outcome, Refusal
from crawler.seedlist import SeedTally
from crawler.stats import HostTally
from crawler.summary import summary
from tests.support.snapshots import EMPTY, SNAPSHOT

SEEDS = SeedTally(given=5, fetched=5)


FILES = ["pages.jsonl", "outcomes.jsonl", "seeds.jsonl", "summary.json", "crawl.db", "crawl.yaml", "crawl.log"]


def account(snapshot=SNAPSHOT, *, stopped_by=None, elapsed_s=123.4, seeds=SEEDS, **more):
    directory = Path("data/shop")
    more = {"files": FILES, **more}
    return summary(snapshot, stopped_by=stopped_by, directory=directory, elapsed_s=elapsed_s, seeds=seeds, **more)


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
    hosts = HostTally(given_up=3, set_aside=4, unresolved=5)
    text = account(replace(SNAPSHOT, reasons={**SNAPSHOT.reasons, **many}, hosts=hosts), seeds=seeds)
    tables = 0
    for section in text.split("\n\n")[1:-1]:
        total, *rows = [int(number.replace(",", "")) for number in re.findall(r"  +([\d,]+)(?:$|  )", section, re.M)]
        assert sum(rows) == total, section
        tables += 1
    assert tables == 8
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


@pytest.mark.parametrize("budget", ["pages", "bytes", "time"])
def test_crawl_at_a_budget_says_which_and_how_to_go_beyond_it(budget):
    text = account(stopped_by=f"budget.{budget}", resume="crawler crawl -d data/shop --resume")
    assert text.startswith(f"Crawl stopped by budget.{budget}: 1,526 pages in ")
    assert text.endswith(
        "\n\nWhat is left is kept. Go on beyond the budget with:\n"
        f"  crawler crawl -d data/shop --resume --set budget.{budget}=null"
    )


def test_crawl_whose_hosts_are_all_at_their_budget_says_so():
    text = account(stopped_by="budget.pages_per_host", resume="crawler crawl -d data/shop --resume")
    assert text.startswith("Crawl stopped by budget.pages_per_host:\n1,526 pages in 2 min 03 s (12.4 a second)\n")
    assert text.endswith(
        "\n\nWhat is left is kept: every host with URLs left is at its budget.pages_per_host.\n"
        "Go on beyond the budget with:\n"
        "  crawler crawl -d data/shop --resume --set budget.pages_per_host=null"
    )


def test_hosts_that_were_not_asked_for_everything_have_a_table():
    text = account(replace(SNAPSHOT, hosts=HostTally(given_up=2, unresolved=1)))
    table = next(section for section in text.split("\n\n") if section.startswith("Hosts"))
    assert [" ".join(line.split()) for line in table.splitlines()] == [
        "Hosts given up or set aside 3",
        "breaker 2 failed breaker.failures times in a row, and once more after a rest",
        "dns 1 the host name does not resolve",
    ]
    at_budget = " ".join(account(replace(SNAPSHOT, hosts=HostTally(set_aside=1_200))).split())
    assert "budget.pages_per_host 1,200 have so many pages; their other URLs stay pending" in at_budget
    assert "Hosts" not in account()


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("stopped_by", [None, "stop", "budget.pages", "budget.pages_per_host"])
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


def test_what_a_refresh_found_unchanged_is_told_by_how_that_was_found():
    outcomes = SNAPSHOT.outcomes | {Outcome.UNCHANGED: 30}
    reasons = {(Outcome.UNCHANGED, "not_modified"): 25, (Outcome.UNCHANGED, "not_due"): 5}
    told = summary(
        replace(SNAPSHOT, outcomes=outcomes, reasons=reasons),
        stopped_by=None,
        directory=Path("data/x"),
        elapsed_s=1.0,
        seeds=SeedTally(given=1, fetched=1),
    )
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "Unchanged 30" in lines
    assert any(line.startswith("not_modified 25 asked for what is new since") for line in lines)


def test_the_file_of_changes_is_no_rules():
    text = account(files=["changes.jsonl", "outcomes.jsonl"])
    assert "changes.jsonl   what became of each page since the generation before" in text
