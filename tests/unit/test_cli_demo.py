"""What `crawler demo` scrapes of its shop, and that what it says at its end can be typed as it stands."""

from __future__ import annotations

import shlex
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from crawler.cli.demo import PRODUCT, try_next
from crawler.config.file import loads
from crawler.demo import shop
from crawler.demo.blog import POSTS
from crawler.demo.catalogue import CATEGORIES
from crawler.directory import CrawlDirectory
from crawler.extract.rules import RuleSet
from tests.support.rules import page, resolving

BUNDLED = files("crawler.demo").joinpath("crawl.yaml").read_text(encoding="utf-8")
RULES = RuleSet(loads(BUNDLED, "crawl.yaml").config.extract.rules)


def scraped(path):
    """What the bundled rules make of one page of the shop: (rule, fields)."""
    url = f"http://shop.test{path}"
    found = RULES.scrape(page(shop.find_page(path), url=url), resolving(url))
    assert not found.rejects
    return [(rule, {key: value for key, value in record.items() if key[0] != "_"}) for rule, record in found.records]


def lines(path="data/demo"):
    first, *rest = try_next(CrawlDirectory(Path(path)), "http://127.0.0.1:1/products/lamp").splitlines()
    assert first == "Try next:"
    return [line.strip() for line in rest]


@pytest.fixture
def executable(tmp_path, monkeypatch):
    """An executable called crawler in a folder that is on the PATH."""
    path = tmp_path / "crawler"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


@pytest.mark.parametrize("path", ["x", "data/demo", "a/very/long/way/down/to/the/place/of/this/crawl"])
def test_explanations_stand_under_one_another(path):
    starts = {
        line.index(what)
        for line, what in zip(
            lines(path), ["one page", "what is", "what rule", "how it", "your own", "a crawl of"], strict=True
        )
    }
    assert len(starts) == 1


def test_paths_are_quoted_as_a_shell_needs_it():
    assert shlex.split(lines("my shop")[0])[2] == "my shop/pages.jsonl"
    assert "export 'my shop' products  " in lines("my shop")[2]
    assert "try 'my shop/http://127.0.0.1:1/products/lamp'  " in lines("my shop")[3]


@pytest.mark.usefixtures("executable")
def test_command_on_the_path_is_called_by_its_name():
    assert lines()[4].startswith("crawler init ")


def test_command_that_is_not_on_the_path_is_called_as_it_was(executable, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "argv", [str(executable), "demo"])
    assert lines()[4].startswith(f"{executable} init ")
    monkeypatch.setattr(sys, "argv", ["/somewhere/crawler/__main__.py", "demo"])
    assert lines()[4].startswith(f"{sys.executable} -m crawler init ")


def test_every_product_of_the_shop_is_a_record():
    goods = [(category, product) for category, (_, products) in CATEGORIES.items() for product in products]
    assert f"/products/{goods[0][1].slug}" == PRODUCT
    for category, product in goods:
        assert scraped(f"/products/{product.slug}") == [
            (
                "products",
                {
                    "name": product.name,
                    "price": f"{product.price_cents / 100:.2f}",
                    "currency": "EUR",
                    "sku": product.slug,
                    "in_stock": product.in_stock,
                    "category": CATEGORIES[category][0],
                    "description": product.description,
                    "image": f"http://shop.test/images/{product.slug}.svg",
                },
            )
        ]


def test_every_post_of_the_journal_is_a_record():
    for post in POSTS:
        [(rule, record)] = scraped(f"/journal/{post.slug}")
        assert (rule, record["title"], record["author"]) == ("journal", post.title, post.author)
        assert record["published"] == post.date
        assert record["mentions"] == [f"http://shop.test/products/{slug}" for slug in post.mentions]
        assert record["text"].endswith(" ".join(post.paragraphs[-1].split()))


@pytest.mark.parametrize("path", ["/", "/category/pens", "/journal", "/journal?page=2", "/guides/paper-weights"])
def test_no_other_page_is(path):
    assert scraped(path) == []
