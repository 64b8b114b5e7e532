"""How rules fare, and what is told of it."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest

from crawler import rule_health
from crawler.config import MatchConfig, RuleConfig
from crawler.directory import CrawlDirectory, Summary
from crawler.models import Fill, Page
from crawler.rule_fall import FALLEN_PAGES, LEARNT_PAGES, Fall
from crawler.rule_health import HostFill, RuleHealth, RuleSummary, worst_host
from crawler.rule_history import crawl_before, worse
from crawler.rule_states import OTHER_HOSTS, recounted, tallied
from crawler.seedlist import SeedTally
from crawler.stats import Stats
from crawler.summary import summary
from crawler.summary_rules import fallen_told, percent, rules_told
from tests.support.clock import FakeClock
from tests.support.snapshots import SNAPSHOT

SEEDS = SeedTally(given=5, fetched=5)
RULES = (
    RuleConfig(name="product", match=MatchConfig(url=("*/p/*",)), fields={"price": ".price", "sku": ".sku"}),
    RuleConfig(name="listing", follow=("a",)),
)


def fill(records=1, rejects=0, rule="product", **filled):
    return [Fill(rule=rule, records=records, rejects=rejects, filled=filled)]


def healthy():
    health = RuleHealth(RULES)
    for _ in range(30):
        health.saw("a.test", fill(price=1, sku=1))
        health.saw("shop.test", fill(price=1))
    health.saw("a.test", fill(2, 1, price=3))
    return health


def test_shares_are_of_records_and_rejects_by_field_and_host():
    told = healthy().account()
    assert list(told) == ["product"]
    product = told["product"]
    assert (product.pages, product.records, product.rejects) == (61, 62, 1)
    assert product.fill == {"price": 1.0, "sku": round(30 / 63, 4)}
    assert product.hosts["shop.test"] == HostFill(pages=30, records=30, fill={"price": 1.0, "sku": 0.0})
    assert product.hosts["a.test"].rejects == 1


def test_a_rule_that_matched_nothing_is_told_of_too():
    assert RuleHealth(RULES).account() == {"product": RuleSummary()}


def test_its_state_is_all_it_knows():
    health, resumed = healthy(), RuleHealth(RULES)
    resumed.restore(health.state())
    assert resumed.account() == health.account()
    assert resumed.state() == health.state()
    for one in (health, resumed):
        one.saw("a.test", fill(price=1, rule="product"))
    assert resumed.account() == health.account()
    assert resumed.state() == health.state()


def test_nothing_seen_is_no_state():
    health = RuleHealth(RULES)
    health.restore(b"")
    assert health.state() == b""


def test_hosts_beyond_the_limit_are_counted_together(monkeypatch):
    monkeypatch.setattr(rule_health, "MAX_CELLS", 30)
    health = RuleHealth(RULES)
    for number in range(100):
        health.saw(f"h{number}.test", fill(price=1))
    product = health.account()["product"]
    assert product.records == 100
    assert product.fill["price"] == 1.0
    assert product.hosts[OTHER_HOSTS].records > 80
    assert len(health.state()) < 5_000


@pytest.mark.slow
def test_its_state_stays_small_whatever_hosts_there_are():
    health = RuleHealth(RULES)
    for number in range(3_000):
        health.saw(f"some-shop-number-{number}.example.test", fill(price=1))
    assert len(health.state()) < 150_000


def test_a_reported_field_that_is_not_configured_is_counted():
    health = RuleHealth(())
    health.saw("a.test", fill(rule="offers", title=1))
    assert health.account()["offers"].fill == {"title": 1.0}


def watched(shares):
    fall = Fall()
    for number, share in enumerate(shares):
        if fallen := fall.saw(share):
            return number, fallen
    return None


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.3, 0.6, 0.85, 0.95, 0.99, 1.0])
def test_what_does_not_change_is_not_told_of(rate):
    draw = random.Random(f"steady {rate}")
    alarms = sum(watched(float(draw.random() < rate) for _ in range(1_000)) is not None for _ in range(200))
    assert alarms == 0  # 200,000 pages


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "within"), [(1.0, 0.0, 25), (0.98, 0.2, 60), (0.9, 0.3, 80), (0.6, 0.0, 90)]
)
def test_what_falls_is_told_of_within_some_pages(before, after, within):
    draw = random.Random(f"fall {before}")
    for _ in range(100):
        shares = [float(draw.random() < before) for _ in range(400)]
        shares += [float(draw.random() < after) for _ in range(within)]
        number, fallen = watched(shares)
        assert number >= 400
        assert fallen.pages_now >= FALLEN_PAGES
        assert fallen.now < 0.75 * fallen.before


def test_a_short_series_of_bad_pages_is_no_fall():
    assert watched([1.0] * 500 + [0.0] * 10 + [1.0] * 500) is None


def test_nothing_falls_before_there_is_a_history():
    assert watched([1.0] * 20 + [0.0] * (LEARNT_PAGES - 20)) is None
    assert watched([1.0] * 10 + [0.0] * 300) is None


def test_a_fall_goes_on_from_its_state():
    shares = [1.0] * 100 + [0.0, 0.5] * 30
    whole, parts = Fall(), Fall()
    for share in shares:
        one, other = whole.saw(share), parts.saw(share)
        parts = Fall.restored(parts.state())
        assert one == other
    assert whole.state() == parts.state()


def test_a_fall_is_logged_once_for_its_rule_field_and_host(caplog):
    health = RuleHealth(RULES)
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            health.saw("shop.test", fill(price=1, sku=1))
            health.saw("other.test", fill(price=1, sku=1))
        for _ in range(100):
            health.saw("shop.test", fill(price=1))
            health.saw("other.test", fill(price=1, sku=1))
    (record,) = caplog.records
    assert (record.levelname, record.host) == ("WARNING", "shop.test")
    (told,) = health.fallen
    assert told == (
        "product.sku is filled on 0.0% of the last 20 pages of shop.test, and was on 100.0% of 100 before: "
        "the site may have changed"
    )


def test_there_is_an_end_of_warnings(caplog, monkeypatch):
    monkeypatch.setattr(rule_health, "MAX_TOLD", 3)
    health = RuleHealth(RULES)
    for filled in [{"price": 1, "sku": 1}] * 100 + [{}] * 30:
        for number in range(5):
            health.saw(f"h{number}.test", fill(**filled))
    assert len(health.fallen) == 3
    assert len(caplog.records) == 4


def test_a_rule_that_finds_nothing_any_more_is_told_of():
    health = RuleHealth(RULES)
    for records in [1] * 100 + [0] * 30:
        health.saw("shop.test", fill(records))
    assert health.fallen[0].startswith("product finds anything on 0.0% of the last 20 pages of shop.test")


def test_a_rule_for_every_page_need_not_find_anything_on_most():
    health = RuleHealth((RuleConfig(name="product", fields={"price": ".price"}),))
    for records in [1] * 100 + [0] * 300:
        health.saw("shop.test", fill(records, price=records))
    assert health.fallen == []


def test_stats_count_empty_shells_and_hand_on_how_rules_fared():
    health = RuleHealth(RULES)
    stats = Stats(FakeClock(), health)
    stats.parsed("a.test", Page(needs_js=True, fills=tuple(fill(price=1))))
    stats.parsed("a.test", Page())
    assert stats.counters()["needs_js"] == 1
    assert health.account()["product"].records == 1
    resumed = Stats(FakeClock())
    resumed.restore(stats.counters())
    assert resumed.counters()["needs_js"] == 1


def ended(folder, at="2026-11-20T08:00:00Z", name="shop", **rules):
    folder.mkdir()
    nothing = {"admitted": 0, "pending": 0, "outcomes": {}, "reasons": {}, "refusals": {}, "seeds": {}}
    CrawlDirectory(folder).write_summary(
        Summary(
            **nothing,
            complete=True,
            stopped_by=None,
            started_at=at,
            ended_at=at,
            pages=0,
            wire_bytes=0,
            elapsed_s=1.0,
            name=name,
            rules=rules,
        )
    )


def told(pages, price, sku=1.0, records=None):
    return RuleSummary(pages=pages, records=pages if records is None else records, fill={"price": price, "sku": sku})


def test_the_crawl_before_is_the_last_of_its_name_beside_it(tmp_path):
    ended(tmp_path / "shop-1", "2026-11-19T08:00:00Z", product=told(100, 1.0))
    ended(tmp_path / "shop-2", "2026-11-20T08:00:00Z", product=told(100, 0.5))
    ended(tmp_path / "other", "2026-11-21T08:00:00Z", name="other", product=told(1, 0.5))
    ended(tmp_path / "no-rules", "2026-11-21T08:00:00Z")
    ended(tmp_path / "shop", "2026-11-22T08:00:00Z", product=told(1, 0.5))
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "summary.json").write_text("{}")
    (tmp_path / "file").write_text("")
    assert crawl_before(tmp_path / "shop", "shop").path.name == "shop-2"
    assert crawl_before(tmp_path / "nowhere" / "shop", "shop") is None


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (told(200, 0.3), "product.price is filled in 30.0% of records, and was in 99.0% "),
        (RuleSummary(), "product matched no page, and 200 "),
        (told(200, 0.0, records=0), "product found nothing on 200 pages, and 200 records "),
    ],
)
def test_what_is_found_less_than_in_the_crawl_before_is_told(tmp_path, now, line):
    ended(tmp_path / "shop.before", product=told(200, 0.99), gone=told(200, 1.0))
    earlier = crawl_before(tmp_path / "shop", "shop")
    first = next(iter(worse({"product": now, "new": told(200, 0.1)}, earlier)))
    assert first.startswith(line)
    assert first.endswith("in shop.before, which ended 2026-11-20T08:00:00Z")


@pytest.mark.parametrize(("before", "now"), [(told(200, 0.99), told(200, 0.85)), (told(5, 1.0), told(200, 0.1))])
def test_what_may_be_chance_is_not_told(tmp_path, before, now):
    ended(tmp_path / "shop.before", product=before)
    assert list(worse({"product": now}, crawl_before(tmp_path / "shop", "shop"))) == []


def test_the_summary_tells_what_is_filled_and_where_it_is_filled_least():
    rule = RuleSummary(
        pages=1_204,
        records=1_204,
        rejects=3,
        fill={"name": 1.0, "price": 0.9998, "sku": 0.41},
        hosts={
            "big.example": HostFill(records=900, fill={"price": 1.0, "sku": 0.6}),
            "shop.example": HostFill(records=304, fill={"price": 1.0, "sku": 0.12}),
            "tiny.example": HostFill(records=3, fill={}),
        },
    )
    assert worst_host(rule, "sku") == ("shop.example", 0.12)
    assert rules_told({"product": rule, "none": RuleSummary()}) == (
        "Rule product: 1,204 records, 3 rejects\n"
        "  price   99.9 %\n"
        "  sku     41.0 %  (shop.example 12.0 %)\n"
        "  other fields always filled\n"
        "Rule none: 0 records, 0 rejects: no page matched it"
    )
    text = summary(
        SNAPSHOT,
        stopped_by=None,
        directory=Path("data/shop"),
        elapsed_s=1.0,
        seeds=SEEDS,
        files=["product.jsonl", "product.rejects.jsonl.gz", "offers.jsonl"],
        rules={"product": rule},
        fallen=["product.sku is filled less \x1b"],
    )
    assert "Rules find less than before:\n  product.sku is filled less \\x1b\n" in text
    rows = dict(line.split(maxsplit=1) for line in text.splitlines() if ".jsonl" in line)
    assert rows == {
        "product.jsonl": "1,204 records of rule product",
        "product.rejects.jsonl.gz": "3 rejects of rule product, and why",
        "offers.jsonl": "records of rule offers",
    }


def test_many_fields_and_findings_are_told_in_short():
    rule = RuleSummary(pages=1, records=9, fill={f"f{n}": n / 100 for n in range(40)})
    assert len(rules_told({f"r{n}": rule for n in range(30)}).splitlines()) == 20 * 14 + 1
    assert fallen_told([]) == ""
    assert fallen_told(["x"] * 30).endswith("and 20 more, in crawl.log")


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100.0 %"), (0.99999, "99.9 %"), (0.0, "0.0 %"), (0.00001, "0.1 %"), (0.41, "41.0 %")]
)
def test_only_all_is_a_hundred_percent_and_only_none_is_zero(share, text):
    assert percent(share) == text


def test_states_of_a_crawl_of_which_only_files_are_known():
    health = RuleHealth(RULES)
    health.restore(recounted({"product": 7}, {"product": 2}))
    product = health.account()["product"]
    assert (product.records, product.rejects, product.fill) == (7, 2, {})


def test_a_crawl_of_which_only_files_are_known_is_not_said_to_match_no_page(tmp_path):
    health = RuleHealth(RULES)
    health.restore(recounted({"product": 70}, {"product": 2}))
    ended(tmp_path / "shop.before", product=told(200, 0.99))
    assert list(worse(health.account(), crawl_before(tmp_path / "shop", "shop"))) == []


def test_records_carried_over_count_as_records_and_say_nothing_of_fields():
    health = RuleHealth([RuleConfig(name="offer", fields={"price": ".price"})])
    health.saw("a.test", [Fill(rule="offer", records=2, rejects=0, filled={"price": 1})])
    health.state()
    health.saw("a.test", [Fill(rule="offer", records=5, rejects=0, filled={})])  # of the checkpoint after this
    stored = health.carried({"offer": 7, "offer.rejects": 1, "pages": 9})
    told = tallied(stored)["offer"]
    assert (told.records, told.rejects, told.items, told.pages) == (9, 1, 2, 1)
    assert (health.account()["offer"].records, tallied(health.state())["offer"].records) == (14, 14)
    again = RuleHealth([RuleConfig(name="offer", fields={"price": ".price"})])
    again.restore(stored)
    assert tallied(again.carried({"offer": 1}))["offer"].records == 10
