"""The rules of config/rules do on real pages what their comments say."""

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

from crawler.config.file import load, loads
from crawler.extract.rules import RuleSet
from tests.support.corpora import corpus
from tests.support.rules import page, resolving

COOKBOOK = Path(__file__).resolve().parents[2] / "config" / "rules"
PAGES = "maintext/wcxb-dev"


@cache
def rules_of(name):
    return RuleSet(load(COOKBOOK / f"{name}.yaml", or_rules=True).config.extract.rules)


def scraped(name, page_id):
    folder = corpus(PAGES)
    with (folder / "truth.jsonl").open() as lines:
        url = next(row["url"] for row in map(json.loads, lines) if row["id"] == f"wcxb-dev/{page_id}")
    html = gzip.decompress((folder / f"{page_id}.html.gz").read_bytes()).decode(errors="replace")
    return rules_of(name).scrape(page(html, url=url), resolving(url))


def records_of(name, page_id, rule):
    found = scraped(name, page_id)
    assert not found.rejects
    return [record for by, record in found.records if by == rule]


def shortened(record):
    """The record with long texts cut, to be compared with literals."""
    return {key: value[:40] if isinstance(value, str) else value for key, value in record.items()}


@pytest.mark.parametrize("name", ["shop", "news", "docs"])
def test_configuration_may_name_the_file(name, tmp_path):
    named = tmp_path / "crawl.yaml"
    named.write_text(f"extract:\n  rules: {COOKBOOK / name}.yaml\n")
    assert load(named).config.extract.rules == load(COOKBOOK / f"{name}.yaml", or_rules=True).config.extract.rules
    assert not loads("{}", "crawl.yaml").config.extract.rules


PRODUCTS = {
    "2981": {
        "name": "iFixit Essential Electronics Toolkit",
        "sku": "145348",
        "brand": "iFixit",
        "price": "29.95",
        "currency": "USD",
        "availability": "InStock",
        "rating": 4.9,
        "image": "https://cdn.shopify.com/s/files/1/0045/4",
    },
    "3026": {
        "name": "Audeze LCD-2 Classic Headphones",
        "sku": "100-LC-1017-00",
        "brand": "Audeze",
        "price": "799.0",
        "currency": "USD",
        "availability": "BackOrder",
        "rating": 4.3,
        "image": "https://headphones.com/cdn/shop/products",
    },
    "0616": {
        "name": "Ceramic mug, earthy pottery mug handmade",
        "sku": "615442107",
        "brand": "IngridDebardCeramics",
        "price": "60.00",
        "currency": "USD",
        "availability": "InStock",
        "rating": 4.9,
        "image": "https://i.etsystatic.com/14166744/r/il/c",
    },
    "0582": {
        "name": "Men's Quarter Socks",
        "sku": "A-E-A-101Q62-SOLI-01P-WHITE-L-2024",
        "brand": "Bombas",
        "price": "17.0",
        "currency": "EUR",
        "availability": "InStock",
        "rating": None,
        "image": "https://images.ctfassets.net/09hbx69ra4p",
    },
}


@pytest.mark.parametrize("page_id", PRODUCTS)
def test_shop_rules_read_a_product_page(page_id):
    (record,) = records_of("shop", page_id, "products")
    assert shortened(record) == PRODUCTS[page_id]


def test_shop_rules_read_a_listing_and_follow_its_products():
    found = scraped("shop", "4139")
    records = [record for _, record in found.records]
    assert (len(records), len(found.rejects)) == (20, 0)
    assert {key: value for key, value in records[0].items() if key not in ("name", "url")} == {
        "price": "173.00",
        "old_price": "349.99",
        "can_be_bought": True,
    }
    assert records[0]["name"].startswith("The Honour of Staunton (HOS) Series Weighted Chess Pieces")
    assert [one.href for one in found.follow or ()] == [record["url"] for record in records]


STORIES = {
    "0401": {
        "headline": "The Best Film of 2025, According to Rott",
        "authors": ["Jack Beresford"],
        "published": "2025-12-19T04:34:28-05:00",
        "modified": "2025-12-19T04:34:47-05:00",
        "section": None,
        "summary": "The best reviewed movie of 2025, accordi",
        "body": "Senior Life and Trends Reporter\n\nThe bes",
        "slug": "the-best-film-of-2025-according-to-rotte",
    },
    "0090": {
        "headline": "The top 10 insurance companies in the US",
        "authors": ["Ramon Berenguer"],
        "published": "2025-12-11T22:03:31Z",
        "modified": "2025-12-11T22:03:31Z",
        "section": None,
        "summary": "See which insurance companies lead the U",
        "body": None,
        "slug": "the-top-10-insurance-companies-in-the-us",
    },
    "0174": {
        "headline": "Tutoring was supposed to save American k",
        "authors": ["Jill Barshay"],
        "published": "2025-08-25T10:00:00Z",
        "modified": "2025-08-29T11:57:53Z",
        "section": None,
        "summary": "Logistics made it difficult to deliver t",
        "body": "Rigorous research rarely shows that any ",
        "slug": "proof-points-tutoring-effectiveness",
    },
}


@pytest.mark.parametrize("page_id", STORIES)
def test_news_rules_read_a_story(page_id):
    (record,) = records_of("news", page_id, "stories")
    assert shortened(record) == STORIES[page_id]
    assert scraped("news", page_id).follow == []


def test_news_rules_read_a_section_and_follow_its_stories():
    records = records_of("news", "2970", "teasers")
    assert len(records) == 77
    assert records[0] == {
        "headline": "A roadmap for AI, if anyone will listen",
        "url": "https://techcrunch.com/2026/03/07/a-roadmap-for-ai-if-anyone-will-listen/",
        "section": "AI",
        "authors": ["Connie Loizos"],
        "published": "2026-03-07",
    }
    followed = scraped("news", "2970").follow or ()
    assert {record["url"] for record in records} == {one.href for one in followed}
    assert {one.priority for one in followed} == {20}


def test_documentation_rules_read_a_chapter():
    (record,) = records_of("docs", "2994", "chapters")
    assert record["title"] == "json — JSON encoder and decoder"
    assert record["sections"][:2] == ["Basic Usage", "Encoders and Decoders"]
    assert record["next"] == "https://docs.python.org/3/library/mailbox.html"
    assert record["version"] == "3"
    assert record["n_examples"] == len(record["examples"]) == 15
    assert record["examples"][1].startswith("```python3\n>>> import json\n>>> json.dumps([1, 2, 3, {'4': 5, '6': 7}]")
    assert record["markdown"].startswith("# `json` — JSON encoder and decoder\n\n**Source code:** [Lib/json/")
    assert "\n## Encoders and Decoders\n" in record["markdown"]
    assert f"\n{record['examples'][1]}\n" in record["markdown"]


def test_documentation_rules_give_a_record_for_each_function():
    records = records_of("docs", "2994", "functions")
    assert [record["id"] for record in records] == ["json.dump", "json.dumps", "json.load", "json.loads"]
    load_ = records[2]
    assert load_["signature"].startswith("json.load(fp, *, cls=None, object_hook=None,")
    assert load_["parameters"][:2] == [{"name": "fp", "default": None}, {"name": "cls", "default": "None"}]
    assert load_["summary"] == "Deserialize fp to a Python object using the JSON-to-Python conversion table."
    assert (load_["name"], load_["module"], load_["is_coroutine"]) == ("load", "json", False)
