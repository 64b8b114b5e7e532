"""Mining a crawl, from its files to the lines that come of them: by the command, with processes of its own."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import networkx
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from crawler.cli import run
from crawler.mining.files import RECORDS as FILES
from crawler.mining.words import terms
from tests.support.clock import FakeClock
from tests.support.frontiers import BESIDE_FILES
from tests.support.mined_crawl import make
from tests.support.small_crawl import End, SmallCrawl, failed, page_record, request, url_of
from tests.support.two_crawls import OneCrawl

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
PAGES = 1_200


@pytest.fixture(scope="module")
def mined(tmp_path_factory):
    """A crawl with things planted, mined: its folder, and what is planted."""
    folder = tmp_path_factory.mktemp("mined") / "crawl"
    planted = make(folder, PAGES, words=80, links=8, hosts=7)
    assert run(["mine", str(folder), "--jobs", "2", "-q"]) == 0
    return folder, planted


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_bytes().splitlines()]


def results(folder):
    return {name: (folder / f"{name}.jsonl").read_bytes() for name in FILES if (folder / f"{name}.jsonl").exists()}


@pytest.fixture
def copied(mined, tmp_path):
    """The same crawl, not mined."""
    folder = tmp_path / "copy"
    shutil.copytree(mined[0], folder, ignore=shutil.ignore_patterns(*(f"{name}.jsonl" for name in FILES), "mine.json"))
    return folder


def pairs(groups):
    return {(a, b) for group in groups for a in group for b in group if a < b}


def test_near_duplicates_are_those_planted(mined):
    folder, planted = mined
    found, truth = defaultdict(list), defaultdict(list)
    for row in rows(folder, "near_duplicates"):
        found[row["cluster"]].append(row["url"])
    for url, cluster in zip(planted.urls, planted.clusters, strict=True):
        truth[cluster].append(url)
    told, true = pairs(found.values()), pairs(truth.values())
    assert len(told & true) / len(told) >= 0.98
    assert len(told & true) / len(true) >= 0.95


def test_clusters_come_largest_first_with_the_page_that_stands_for_each(mined):
    before = None
    sizes = defaultdict(int)
    for row in (listed := rows(mined[0], "near_duplicates")):
        if row["cluster"] != before:
            assert row["url"] == row["cluster"]
            assert (row["similarity"], row["exact"]) == (1.0, True)
            before = row["cluster"]
        sizes[row["cluster"]] += 1
        assert 0 < row["similarity"] <= 1
    assert {row["cluster"]: row["size"] for row in listed} == sizes
    assert [*sizes.values()] == sorted(sizes.values(), reverse=True)


def test_ranks_are_those_of_networkx(mined):
    folder, planted = mined
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(PAGES))
    graph.add_edges_from(planted.edges.tolist())
    expected = networkx.pagerank(graph, alpha=0.85, tol=1e-12, max_iter=500)
    number = {url: place for place, url in enumerate(planted.urls)}
    listed = rows(folder, "ranks")
    assert len(listed) == PAGES
    assert [row["rank"] for row in listed] == sorted((row["rank"] for row in listed), reverse=True)
    for row in listed:
        page = number[row["url"]]
        assert row["rank"] == pytest.approx(expected[page], abs=1e-9)
        assert (row["in_links"], row["out_links"]) == (graph.in_degree(page), graph.out_degree(page))
        assert row["in_hosts"] == len({source % 7 for source in graph.predecessors(page)})


def test_hosts_are_ranked_by_hosts(mined):
    folder, planted = mined
    graph = networkx.DiGraph({(a % 7, b % 7) for a, b in planted.edges.tolist() if a % 7 != b % 7})
    expected = networkx.pagerank(graph, alpha=0.85, tol=1e-12)
    for row in rows(folder, "host_ranks"):
        host = int(row["host"].removeprefix("host-").removesuffix(".test"))
        assert row["rank"] == pytest.approx(expected[host], abs=1e-9)
        assert (row["in_hosts"], row["out_hosts"]) == (graph.in_degree(host), graph.out_degree(host))


def test_dead_links_have_the_pages_that_link_to_them(mined):
    folder, planted = mined
    listed = rows(folder, "dead_links")
    assert {row["url"]: row["in_links"] for row in listed} == {url: len(who) for url, who in planted.dead.items()}
    assert [row["in_links"] for row in listed] == sorted((row["in_links"] for row in listed), reverse=True)
    place = {url: number for number, url in enumerate(planted.urls)}
    for row in listed:
        sources = [place[source["url"]] for source in row["sources"]]
        assert sources == sorted(place[url] for url in planted.dead[row["url"]])[:10]
        assert {source["text"] for source in row["sources"]} == {f"to {row['url'][-3:]}"}
        assert (row["reason"], row["status"], row["gone"]) == ("http_404", 404, True)


def test_keywords_are_those_of_scikit_learn(mined):
    folder, _ = mined
    texts = [json.loads(line)["text"] for line in (folder / "pages.jsonl").read_bytes().splitlines()]
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True)
    weights = vectorizer.fit_transform(texts)
    names = vectorizer.get_feature_names_out()
    listed = rows(folder, "keywords")
    assert len(listed) == PAGES
    for place in range(0, PAGES, 37):
        row = weights[place]
        expected = dict(zip(names[row.indices], row.data, strict=True))
        found = {word["term"]: word["score"] for word in listed[place]["keywords"]}
        assert len(found) == 10
        assert found == pytest.approx({term: expected[term] for term in found}, abs=1e-9)
        assert min(found.values()) == pytest.approx(sorted(expected.values())[-10], abs=1e-9)


def test_hosts_have_keywords_and_languages(mined):
    folder, _ = mined
    hosts = rows(folder, "host_keywords")
    assert sorted(row["host"] for row in hosts) == [f"host-{number}.test" for number in range(7)]
    assert sum(row["pages"] for row in hosts) == PAGES
    assert all(len(row["keywords"]) == 10 for row in hosts)
    languages = rows(folder, "languages")
    assert sum(row["pages"] for row in languages) == PAGES
    assert {(row["lang_detected"], row["lang"]) for row in languages} == {("en", "en"), ("de", "en")}
    assert sum(row["pages"] for row in languages if row["lang_detected"] == "de") == PAGES // 3


def test_mine_json_adds_up(mined):
    folder, _ = mined
    told = json.loads((folder / "mine.json").read_bytes())
    assert (told["pages"], told["finished"]) == (PAGES, True)
    assert told["bytes_read"]["pages"] == (folder / "pages.jsonl").stat().st_size
    assert [step["name"] for step in told["steps"]] == ["read", "near", "keywords", "ranks", "dead", "languages"]
    written = {name: count for step in told["steps"] for name, count in step["rows"].items()}
    assert written == {name: len(rows(folder, name)) for name in FILES}
    assert all(step["seconds"] >= 0 and step["peak_bytes"] > 1 << 20 for step in told["steps"])
    assert not list(folder.glob("mine.crawl-new"))


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_do_not_depend_on_how_many_work(mined, copied, jobs):
    assert run(["mine", str(copied), "--jobs", str(jobs), "-q"]) == 0
    assert results(copied) == results(mined[0])


def test_compressed_records_give_the_same(mined, copied):
    lines = (copied / "pages.jsonl").read_bytes().splitlines(keepends=True)
    (copied / "pages.jsonl").unlink()
    with (copied / "pages.jsonl.gz").open("wb") as out:
        for start in range(0, len(lines), 50):
            out.write(gzip.compress(b"".join(lines[start : start + 50])))
    assert run(["mine", str(copied), "-q"]) == 0
    assert results(copied) == results(mined[0])


def test_links_of_their_own_file_give_the_same(mined, copied):
    with (copied / "links.jsonl").open("w") as out:
        for line in (copied / "pages.jsonl").read_bytes().splitlines():
            page = json.loads(line)
            for link in page["links"]:
                row = {"source": page["url"], "target": link["url"], "text": link["text"], "rel": link["rel"]}
                out.write(json.dumps(row) + "\n")
    assert run(["mine", str(copied), "-q", "--only", "ranks,dead"]) == 0
    made = results(copied)
    assert set(made) == {"ranks", "host_ranks", "dead_links"}
    assert made == {name: content for name, content in results(mined[0]).items() if name in made}


def test_only_what_is_asked_for_is_replaced(copied, capsys):
    assert run(["mine", str(copied), "--only", "languages,near"]) == 0
    assert set(results(copied)) == {"near_duplicates", "languages"}
    assert run(["mine", str(copied), "--only", "dead", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [step["name"] for step in told["steps"]] == ["read", "near", "dead", "languages"]
    assert set(results(copied)) == {"near_duplicates", "languages", "dead_links"}


def write_pages(folder: Path, records):
    folder.mkdir()

    (folder / "pages.jsonl").write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    (folder / "outcomes.jsonl").touch()


def test_crawl_without_texts_and_links_has_what_remains(tmp_path, capsys):
    folder = tmp_path / "crawl"
    prints = ["00ff00ff00ff00ff", "00ff00ff00ff00fe", "123456789abcdef0", None]
    records = [page_record(request(str(n)), None, text=None, fingerprint=bits) for n, bits in enumerate(prints)]
    write_pages(folder, records)
    (folder / "ranks.jsonl").write_text("of an earlier run\n")
    assert run(["mine", str(folder)]) == 0
    told = capsys.readouterr().err
    assert "keywords: not done: records have no text" in told
    assert "ranks: not done: links were not kept" in told
    assert "the crawl has not ended" in told
    assert set(results(folder)) == {"near_duplicates", "dead_links", "languages"}
    assert [row["url"] for row in rows(folder, "near_duplicates")] == ["http://a.test/0", "http://a.test/1"]


async def test_of_a_crawl_that_goes_on_only_what_is_committed_counts(tmp_path, capsys):
    folder = tmp_path / "crawl"
    crawl = SmallCrawl(folder, BESIDE_FILES["sqlite"](FakeClock(), folder), links=True)
    await crawl.crawl([End("a", links=("b", "gone")), End("b", links=("a",)), failed("gone", "http_404")])
    for name in ("pages", "links"):
        with crawl.files.paths[name].open("ab") as out:
            out.write(crawl.files.paths[name].read_bytes().replace(b"/a", b"/c"))
    assert run(["mine", str(folder)]) == 0
    assert "so this is of 2 pages, what it has committed" in capsys.readouterr().err
    assert {row["url"]: row["in_links"] for row in rows(folder, "ranks")} == {url_of("a"): 1, url_of("b"): 1}
    assert [row["sources"] for row in rows(folder, "dead_links")] == [[{"url": url_of("a"), "text": "gone"}]]


PAGE = '{"url":"%s","content_digest":null,"lang":null,"lang_detected":null,"word_count":1,"fingerprint":%s%s}'


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"url": 5}', "Expected `str`"),
        (b'{"url": "http://a.test/\xff"}', "can't decode"),
        ((PAGE % ("http://a.test/", "null", f',"x":{"[" * 100_000}{"]" * 100_000}')).encode(), "recursion"),
        ((PAGE % ("a.test", "null", "")).encode(), "$.url"),
        ((PAGE % ("http://a.test/", '"0xff"', "")).encode(), "$.fingerprint"),
    ],
)
def test_line_that_is_no_record_is_told_with_its_place(tmp_path, capsys, line, told, suffix):
    folder = tmp_path / "crawl"
    write_pages(folder, [page_record(request(str(n)), None) for n in range(3)])
    path = folder / "pages.jsonl"
    start = path.stat().st_size
    lines = path.read_bytes() + line + b"\n"
    path.unlink()
    (folder / f"pages.jsonl{suffix}").write_bytes(gzip.compress(lines) if suffix else lines)
    assert run(["mine", str(folder), "--only", "languages", "--jobs", "1"]) == 1
    place = "" if suffix else f"at byte {start:,}: "
    error = capsys.readouterr().err
    assert f"{path}{suffix}: {place}a line is no page record: " in error
    assert told in error
    assert "Traceback" not in error


def test_pages_that_are_lost_are_an_error_though_the_crawl_has_ended(tmp_path, capsys):
    crawl = OneCrawl(tmp_path / "crawl")
    for name in "ab":
        crawl.page(name)
    crawl.write()
    path = tmp_path / "crawl" / "pages.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    (path.parent / "pages.jsonl.gz").write_bytes(gzip.compress(b"".join(lines)))  # which may be shorter
    path.unlink()
    assert run(["mine", str(path.parent)]) == 0
    assert "not ended" not in capsys.readouterr().err
    (path.parent / "pages.jsonl.gz").unlink()
    path.write_bytes(lines[0])
    assert run(["mine", str(path.parent), "-q"]) == 1
    assert f"{path}: has {len(lines[0]):,} bytes, and crawl.db knows of " in capsys.readouterr().err


def test_empty_crawl_can_be_mined(tmp_path):
    folder = tmp_path / "crawl"
    write_pages(folder, [])
    assert run(["mine", str(folder), "-q"]) == 0
    assert all(content == b"" for content in results(folder).values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "nearly"], "expected some of near, keywords, ranks, dead, languages"),
        (["--only", ","], "--only: names nothing"),
    ],
)
def test_mistakes_are_told(copied, capsys, arguments, told):
    assert run(["mine", str(copied), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_folder_without_a_crawl_is_a_mistake(tmp_path, capsys):
    assert run(["mine", str(tmp_path)]) == 2
    assert "holds no crawl" in capsys.readouterr().err


def test_records_of_a_rule_are_never_replaced(copied, capsys):
    rule = "extract:\n  rules:\n    - name: keywords\n      fields: {name: h1}\n"
    (copied / "crawl.yaml").write_text(rule)
    (copied / "keywords.jsonl").write_text('{"name": "a record"}\n')
    assert run(["mine", str(copied), "-q"]) == 2
    assert "holds the records of a rule" in capsys.readouterr().err
    assert run(["mine", str(copied), "-q", "--only", "near,ranks,dead,languages"]) == 0
    assert (copied / "keywords.jsonl").read_text() == '{"name": "a record"}\n'


def test_missing_numpy_is_told_with_what_to_install(copied, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert run(["mine", str(copied), "-q"]) == 2
    assert "pip install 'crawler[mining]'" in capsys.readouterr().err


@contextmanager
def held(folder):
    """The command, which has made all files and has not put them in place before this is left."""
    os.mkfifo(folder / "mine.json")  # which it reads last of all, and waits to be told what it says
    command = [sys.executable, "-m", "crawler", "mine", str(folder), "--jobs", "2", "-q"]
    with subprocess.Popen(command) as process, (folder / "mine.json").open("wb"):
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_ends_it_and_leaves_nothing(copied, number):
    with held(copied) as process:
        assert list(copied.glob("mine.crawl-new/**/ranks.jsonl"))
        process.send_signal(number)
        assert process.wait() == 130
    assert results(copied) == {}
    assert not list(copied.glob("*.crawl-new"))


def test_kill_leaves_no_result_and_the_next_run_clears_up(mined, copied):
    with held(copied) as process:
        process.kill()
        process.wait()
    assert results(copied) == {}
    (copied / "mine.json").unlink()
    assert run(["mine", str(copied), "-q"]) == 0
    assert results(copied) == results(mined[0])
    assert not list(copied.glob("*.crawl-new"))


def test_a_second_one_is_refused_and_does_the_first_no_harm(mined, copied, capsys):
    with held(copied) as process:
        assert run(["mine", str(copied), "-q"]) == 1
    assert f"{copied}: another process mines this crawl" in capsys.readouterr().err
    assert process.returncode == 0
    assert results(copied) == results(mined[0])


def test_report_shows_what_was_found_and_escapes_it(tmp_path, capsys):
    folder = tmp_path / "crawl"
    evil = "<script>alert(1)</script> \u202eevil " + " ".join(f"word{n}" for n in range(40))
    records = [page_record(request(f"{n}?<b>"), ["1?<b>"], text=evil) for n in range(2)]
    write_pages(folder, records)
    assert run(["report", str(folder)]) == 0
    assert "near-duplicates" not in (folder / "report.html").read_text().lower()
    assert run(["mine", str(folder), "-q"]) == 0
    page = (folder / "report.html").read_text()
    for title in ("Near-duplicates", "Most linked to", "Keywords", "Languages by host"):
        assert f">{title}</h2>" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_lines_are_as_their_schema_says(mined, capsys):

    for name, kind in FILES.items():
        for line in (mined[0] / f"{name}.jsonl").read_bytes().splitlines()[:50]:
            assert msgspec.json.encode(msgspec.json.decode(line, type=kind)) == line
        assert run(["schema", name]) == 0
        properties = json.loads(capsys.readouterr().out)["$defs"][kind.__name__]["properties"]
        assert all(value.get("description") for value in properties.values())
