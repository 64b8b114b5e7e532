"""Crawls that are retried or repaired, as their users do it."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import time
from itertools import product

import msgspec
import pytest

from crawler.cli import run
from crawler.clock import SystemClock
from crawler.dataset.lines import Lines
from crawler.frontier.sqlite import SqliteFrontier
from crawler.frontier.sqlite_schema import FORMAT
from tests.crawl.conftest import in_folder, options, start
from tests.support.server import Server
from tests.support.web import Reply, Web

pytestmark = pytest.mark.slow

WEB = Web(
    seed=11, hosts=2, pages_per_host=60, error_share=0.06, redirect_share=0.06, private_share=0.05, file_share=0.05
)
ANY = "scope.stay_on=any"
STORE = "crawl.db"
OF_TIME_AND_ORDER = ("fetched_at", "elapsed_s", "via", "depth", "seed", "at", "attempts", "redirected_from")
"""`seed` among them: both sites may be crawled from either seed."""


class Flaky:
    """A web of which some pages time out, or rather answer 503 too often, until they are `mended`."""

    def __init__(self, web, broken):
        self.web = web
        self.broken = broken
        self.mended = False

    def respond(self, host, path, visit=1):
        if not self.mended and path in self.broken:
            return Reply(self.broken[path])
        return self.web.respond(host, path, visit)


def lines(folder, name, suffix=""):
    return [msgspec.json.decode(line) for line in Lines(folder / f"{name}.jsonl{suffix}")]


def harvest(folder, suffix="", pages=None):
    """What a finished crawl has: its records without what depends on time and order. No URL may be there twice."""
    found = {}
    records = [msgspec.json.decode(line) for line in Lines(pages)] if pages else lines(folder, "pages", suffix)
    for record in [*records, *lines(folder, "outcomes", suffix)]:
        assert record["url"] not in found, f"{record['url']} stands twice"
        found[record["url"]] = {key: value for key, value in record.items() if key not in OF_TIME_AND_ORDER}
    return found


def assert_conserved(folder, found):
    """Files, summary and store agree, and nothing is left over."""
    summary = msgspec.json.decode((folder / "summary.json").read_bytes())
    assert summary["complete"]
    assert summary["pending"] == 0
    assert summary["admitted"] == len(found) == sum(summary["outcomes"].values())
    assert summary["pages"] == sum("outcome" not in record for record in found.values())
    reasons = {}
    for record in found.values():
        if record.get("reason"):
            ended = reasons.setdefault(record["outcome"], {})
            ended[record["reason"]] = ended.get(record["reason"], 0) + 1
    assert summary["reasons"] == reasons
    with sqlite3.connect(folder / STORE) as store:
        assert dict(store.execute("SELECT url, has_page FROM ledger")) == {
            url: int("outcome" not in record) for url, record in found.items()
        }
    store.close()
    assert not [path.name for path in folder.iterdir() if "crawl-new" in path.name or "rebuilding" in path.name]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished crawl for each way to compress, with links.jsonl, and its server."""
    folders = {}
    with Server(WEB) as server:
        for compress in ("none", "zstd"):
            folder = tmp_path_factory.mktemp(compress)
            more = (ANY, "export.links=true", f"export.compress={compress}", "checkpoint.every=20ms")
            ran = in_folder(folder)(*WEB.seeds(), *options(server, *more))
            assert ran.code == 0, ran.stderr
            folders[compress] = folder / "crawl"
        yield folders, server


@pytest.fixture
def damaged(whole, tmp_path):
    """A copy to spoil, and how to repair it."""

    def copied(compress="none"):
        shutil.copytree(whole[0][compress], tmp_path / "crawl")
        return tmp_path / "crawl"

    return copied


SUFFIXES = {"none": "", "zstd": ".zst"}


def spoil(path, how, drawn):
    """Of a repair that was killed, the file may be empty or not there."""
    data = bytearray(path.read_bytes() if path.exists() else b"")
    match how:
        case "deleted":
            path.unlink()
            return
        case "emptied":
            data.clear()
        case "shortened":
            del data[drawn.randrange(max(1, len(data))) :]
        case "overwritten":
            start = drawn.randrange(max(1, len(data)))
            data[start : start + 300] = drawn.randbytes(len(data[start : start + 300]))
        case "flipped":
            for _ in range(4):
                data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
    path.write_bytes(data)


# An empty file is the same compressed or not.
HOW = ["deleted", "emptied", "shortened", "overwritten"]


@pytest.mark.parametrize(
    ("name", "compress", "how"),
    [
        *product(["pages", "outcomes", "links", STORE, "seeds.spool"], ["none"], HOW),
        *product(["pages", "outcomes", "links"], ["zstd"], [how for how in HOW if how != "emptied"]),
        *product([STORE, "seeds.spool"], ["zstd"], HOW[:1]),  # which are never compressed, but made of files that are
    ],
)
def test_a_repaired_crawl_ends_as_one_that_was_never_damaged(whole, damaged, crawler, name, compress, how):
    folder = damaged(compress)
    suffix = SUFFIXES[compress]
    path = folder / name if "." in name else folder / f"{name}.jsonl{suffix}"
    spoil(path, how, random.Random(f"{name} {compress} {how}"))
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    found = harvest(folder, suffix)
    assert found == harvest(whole[0][compress], suffix)
    assert_conserved(folder, found)
    links = sorted((line["source"], line["target"]) for line in lines(folder, "links", suffix))
    assert links == sorted((url, link["url"]) for url, page in found.items() for link in page.get("links") or ())
    assert (folder / "seeds.jsonl").read_bytes() == (whole[0][compress] / "seeds.jsonl").read_bytes()
    again = crawler("--repair")
    assert again.code == 0
    assert "nothing is wrong with the files of this crawl" in again.stderr


@pytest.mark.parametrize("number", range(6))
def test_several_files_may_be_damaged_at_once(whole, damaged, crawler, number):
    drawn = random.Random(number)
    folder = damaged()
    names = ["pages.jsonl", "outcomes.jsonl", "links.jsonl", STORE, "seeds.spool"]
    for name in drawn.sample(names, drawn.randint(2, 4)):
        spoil(folder / name, drawn.choice(["deleted", "shortened", "overwritten"]), drawn)
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    found = harvest(folder)
    assert found == harvest(whole[0]["none"])
    assert_conserved(folder, found)


@pytest.mark.parametrize("how", ["emptied", "another's"])
def test_a_store_that_knows_nothing_is_refused_and_then_rebuilt(whole, damaged, crawler, how):
    folder = damaged()
    (folder / STORE).unlink()
    if how == "emptied":
        (folder / STORE).touch()
    else:
        asyncio.run(make_store(folder / STORE))
    refused = crawler("--resume")
    assert refused.code == 1
    assert "--repair" in refused.stderr
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    assert harvest(folder) == harvest(whole[0]["none"])


async def make_store(path):
    frontier = SqliteFrontier(path, SystemClock())
    await frontier.open()
    await frontier.aclose()


@pytest.mark.parametrize("option", ["--repair", "--retry-failed"])
def test_nothing_is_mended_or_tried_again_where_no_crawl_is(crawler, tmp_path, option):
    ran = crawler("http://a.test/", option, directory="typo")
    assert ran.code == 2
    assert "holds no crawl" in ran.stderr
    assert not (tmp_path / "typo").exists()


def test_flipped_bits_cost_no_url(whole, damaged, crawler):
    """What a flipped bit says otherwise, without saying nonsense, nobody can know."""
    expected = harvest(whole[0]["none"])
    drawn = random.Random(7)
    folder = damaged()
    for name in ("pages.jsonl", "outcomes.jsonl", STORE):
        spoil(folder / name, "flipped", drawn)
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    assert harvest(folder).keys() >= expected.keys()


def test_what_is_not_repaired_is_refused_and_says_how(damaged, capsys):
    folder = damaged()
    for name in ("pages.jsonl", "outcomes.jsonl", "links.jsonl", STORE, "seeds.spool"):
        for how in ("deleted", "emptied", "shortened"):
            whole = (folder / name).read_bytes()
            spoil(folder / name, how, random.Random(1))
            before = {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}
            assert run(["crawl", "-d", str(folder), "--resume"]) == 1, (name, how)
            said = capsys.readouterr().err
            assert name in said
            assert "--repair" in said
            assert {path.name: path.read_bytes() for path in folder.glob("*.jsonl")} == before
            (folder / name).write_bytes(whole)


def test_a_store_of_a_newer_format_is_not_repaired(damaged, crawler):
    folder = damaged()
    with sqlite3.connect(folder / STORE) as store:
        store.execute("UPDATE meta SET value = ? WHERE name = 'format'", (FORMAT + 1,))
    store.close()
    before = (folder / STORE).read_bytes()
    ran = crawler("--repair")
    assert ran.code == 1
    assert f"format {FORMAT + 1}" in ran.stderr
    assert (folder / STORE).read_bytes() == before


def test_the_damaged_store_is_kept(damaged, crawler):
    folder = damaged()
    (folder / STORE).write_bytes(b"not a database")
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    (aside,) = folder.glob("crawl.db.damaged-*")
    assert aside.read_bytes() == b"not a database"
    assert f"crawl.db was damaged (file is not a database): moved to {aside.name}, rebuilt from" in ran.stderr


@pytest.mark.parametrize("name", ["out.jsonl", "crawl/crawl.db"])
def test_records_that_go_to_a_file_of_their_own_are_repaired_there(crawler, tmp_path, name):
    with Server(WEB) as server:
        assert crawler(*WEB.seeds(), *options(server, ANY), "-o", "out.jsonl").code == 0
        expected = harvest(tmp_path / "crawl", pages=tmp_path / "out.jsonl")
        asked = len(server.log.hits)
        spoil(tmp_path / name, "shortened", random.Random(name))
        if name == "out.jsonl":
            assert crawler("--repair").code == 2  # it would take all page records for lost
        ran = crawler("--repair", "-o", "out.jsonl")
        assert ran.code == 0, ran.stderr
        assert harvest(tmp_path / "crawl", pages=tmp_path / "out.jsonl") == expected
        if name != "out.jsonl":
            assert len(server.log.hits) == asked


def test_a_store_that_is_rebuilt_without_the_page_records_says_what_that_costs(crawler, damaged):
    folder = damaged()
    (folder / STORE).unlink()
    (folder / "pages.jsonl").unlink()
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    assert "crawl.db was missing, rebuilt from 0 page records and" in ran.stderr
    assert "all pages are fetched again" in ran.stderr


def test_a_configuration_that_does_not_fit_is_refused_before_anything_is_rebuilt(crawler, damaged):
    folder = damaged()
    (folder / STORE).unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = crawler("--repair", "--set=extract.links=false")
    assert ran.code == 2
    assert "extract.links" in ran.stderr
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {**after, "crawl.log": b""} == {**before, "crawl.log": b""}


BROKEN = {"/pages/3": 410, "/pages/4": 411, "/pages/7": 403}


def test_what_failed_is_tried_again_and_nothing_else(crawler, tmp_path):
    web = Flaky(Web(seed=3, pages_per_host=30, degree=3), BROKEN)
    with Server(web) as server:
        settings = options(server, "fetch.timeout=2s")
        first = crawler(*web.web.seeds(), *settings)
        failed = {line["url"]: line["reason"] for line in first.outcomes}
        assert sorted(failed.values()) == ["http_403", "http_410", "http_411"]
        web.mended = True
        asked = server.log.counts()
        nothing = crawler("--retry-failed", "--where", "reason=dns")
        assert "nothing that failed matches --where reason=dns" in nothing.stderr
        assert server.log.counts() == asked
        some = crawler("--retry-failed", "--where", "status=41?")
        assert some.code == 0, some.stderr
        assert "2 URLs that failed are tried again: 1 http_410, 1 http_411" in some.stderr
        assert [line["reason"] for line in some.outcomes] == ["http_403"]
        rest = crawler("--retry-failed")
        assert "1 URL that failed is tried again: 1 http_403" in rest.stderr
        found = harvest(tmp_path / "crawl")
        assert {url: record.get("outcome", "fetched") for url, record in found.items()} == dict.fromkeys(
            web.web.expected(), "fetched"
        )
        assert_conserved(tmp_path / "crawl", found)
        counts = server.log.counts()
        assert {url for url in counts if counts[url] > asked.get(url, 0)} >= set(failed)
        assert all(counts[url] == asked[url] for url in found if url not in failed and url in asked)


@pytest.mark.parametrize("option", ["--retry-failed", "--repair"])
def test_killed_at_any_moment_it_goes_on(whole, damaged, tmp_path, crawler, option):
    """By the clock, as no step of it can be seen from outside; each step is tried in the unit tests."""
    folder = damaged()
    expected = harvest(whole[0]["none"])
    drawn = random.Random(option)
    for number in range(6):
        if option == "--repair" and number % 2 == 0:
            spoil(folder / STORE, "overwritten", drawn)
            spoil(folder / "pages.jsonl", "shortened", drawn)
        process = start(tmp_path, "-d", "crawl", option)
        time.sleep(drawn.uniform(0.15, 0.9))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    ran = crawler("--repair")
    assert ran.code == 0, ran.stderr
    found = harvest(folder)
    assert found == expected
    assert_conserved(folder, found)
