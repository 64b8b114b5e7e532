"""Which files a crawl writes."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from crawler.claims import claim
from crawler.config import CrawlConfig, ExportConfig, ExtractConfig, RuleConfig
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError
from crawler.models import LINKS, OUTCOMES, PAGES, Restored
from crawler.outputs import open_sinks, output_files
from crawler.plan import Plan
from crawler.sinks import line_sinks

NOTHING = Restored()
RULES = (RuleConfig(name="product", fields={"sku": "b"}), RuleConfig(name="listing", follow=("a",)))


def plan_in(folder, *, resume=False, **export):
    extract = ExtractConfig(rules=RULES, python="shop.pages:offers")
    config = CrawlConfig(extract=extract, export=ExportConfig(**export))
    return Plan(config=config, directory=CrawlDirectory(folder), seeds=("a.test",), resume=resume)


async def appended(plan, restored=NOTHING, **lines):
    """Open all sinks, append, sync; their positions."""
    async with AsyncExitStack() as stack:
        sinks = await open_sinks(plan, output_files(plan), restored, stack)
        for name, line in lines.items():
            await sinks[name.replace("__", ".")].append([line])
        return {name: await sink.sync(fsync=False) for name, sink in sinks.items()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_rules_with_fields_and_a_function_have_files_that_are_written_before_pages():
    config = CrawlConfig(
        extract=ExtractConfig(rules=RULES, python="shop.pages:offers"), export=ExportConfig(links=True)
    )
    assert line_sinks(config) == ("product", "product.rejects", "listing.rejects", "offers", OUTCOMES, PAGES, LINKS)


async def test_a_file_of_rejects_is_made_when_there_are_any(tmp_path):
    plan = plan_in(tmp_path)
    positions = await appended(plan, product=b"{}")
    assert positions == {"product": 3, "product.rejects": 0, "listing.rejects": 0, "offers": 0, OUTCOMES: 0, PAGES: 0}
    assert names(tmp_path) == ["offers.jsonl", "outcomes.jsonl", "pages.jsonl", "product.jsonl"]
    plan = plan_in(tmp_path, resume=True)
    positions = await appended(plan, Restored(positions=positions), product__rejects=b"[]")
    assert positions["product.rejects"] == 3
    assert (tmp_path / "product.rejects.jsonl").read_bytes() == b"[]\n"


async def test_what_no_checkpoint_knew_is_cut_off_of_rejects_too(tmp_path):
    known = await appended(plan_in(tmp_path))
    await appended(plan_in(tmp_path, resume=True), Restored(positions=known), product__rejects=b"[]", product=b"{}")
    plan = plan_in(tmp_path, resume=True)
    assert await appended(plan, Restored(positions=known)) == known
    assert (tmp_path / "product.rejects.jsonl").read_bytes() == b""
    assert await appended(plan, Restored(positions=known), product__rejects=b"[]") == known | {"product.rejects": 3}


async def test_compressed_crawls_compress_what_is_scraped(tmp_path):
    await appended(plan_in(tmp_path, compress="gzip"), product__rejects=b"[]")
    assert "product.rejects.jsonl.gz" in names(tmp_path)
    assert "offers.jsonl.gz" in names(tmp_path)


async def test_a_directory_knows_the_files_of_its_rules(tmp_path):
    plan = plan_in(tmp_path)
    await appended(plan, product__rejects=b"[]")
    directory = plan.directory
    assert {path.name for path in directory.files()} >= {"product.jsonl", "product.rejects.jsonl", "offers.jsonl"}
    assert directory.owns(tmp_path / "product.jsonl")
    assert not directory.owns(tmp_path / "listing.jsonl")
    directory.discard()
    assert names(tmp_path) == []


def test_folders_of_bodies_and_of_the_archive_are_a_crawls_own(tmp_path):
    directory = plan_in(tmp_path, files=("*.pdf",), warc=True).directory
    assert directory.owns(tmp_path / "files.jsonl.gz")
    assert not directory.owns(tmp_path / "filed")
    for name in ("files", "warc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("")
        assert directory.owns(tmp_path / name / "x")
        assert tmp_path / name in directory.files()
        with pytest.raises(ConfigError, match=rf"{name}: is not a crawl's"), claim(directory):
            pass
        directory.discard()
        assert not (tmp_path / name).exists()
    assert not plan_in(tmp_path).directory.owns(tmp_path / "warc")


def test_a_foreign_file_that_a_rule_would_write_to_is_refused(tmp_path):
    (tmp_path / "product.jsonl").write_text("mine\n")
    with pytest.raises(ConfigError, match=r"product\.jsonl: is not a crawl's"), claim(plan_in(tmp_path).directory):
        pass
    assert (tmp_path / "product.jsonl").read_text() == "mine\n"


async def test_a_crawl_that_never_came_to_a_checkpoint_may_go_on_compressed_and_leaves_no_file_twice(tmp_path):
    await appended(plan_in(tmp_path))
    await appended(plan_in(tmp_path, resume=True, compress="gzip"))
    assert names(tmp_path) == ["offers.jsonl.gz", "outcomes.jsonl.gz", "pages.jsonl.gz", "product.jsonl.gz"]


async def test_what_is_not_empty_is_never_removed_for_its_other_spelling(tmp_path):
    (tmp_path / "pages.jsonl.zst").write_bytes(b"somebody's")
    await appended(plan_in(tmp_path))
    assert (tmp_path / "pages.jsonl.zst").read_bytes() == b"somebody's"
