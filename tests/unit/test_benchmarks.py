"""What the comparison of crawlers counts, and how it judges them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.crawl import OURS, Round, is_faultless, judged, path_of, remarks, standings
from benchmarks.durability import CRAWLS, ratio
from benchmarks.limits import Limits, extracted, parse_s
from benchmarks.peers import PEERS, Peer, in_file, in_log, is_html
from benchmarks.processes import Usage, pss_bytes, rss_bytes, run
from benchmarks.workloads import page_html, walked
from tests.support.nginx import Hit

USAGE = Usage(
    exit_code=0,
    began_at=100.0,
    ended_at=104.0,
    main_cpu_s=1.0,
    tree_cpu_s=2.0,
    peak_rss_bytes=3 << 20,
    peak_pss_bytes=2 << 20,
)


def site(folder, **pages):
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html)
    return folder


def test_census_finds_each_linked_page_once_and_no_other(tmp_path):
    root = site(
        tmp_path,
        index="<a href=a.html>a</a><a href='a.html#part'>a</a><a href='http://elsewhere/b.html'>b</a><a name=x>x</a>",
        a="<a href=/index.html>back</a><a href='http://[bad'>bad</a><a href=''>itself</a>",
        b="nobody links here",
    )
    found = walked(root, "/index.html")
    assert set(found.sizes) == {"/index.html", "/a.html"}
    assert (found.links, found.broken, found.other) == (6, 0, 0)


def test_census_tells_broken_links_and_other_files_from_pages(tmp_path):
    (tmp_path / "notes.txt").write_text("text")
    found = walked(site(tmp_path, index="<a href=notes.txt>t</a><a href=gone.html>g</a>"), "/index.html")
    assert (len(found.sizes), found.broken, found.other) == (1, 1, 1)


def test_census_goes_into_folders_as_nginx_redirects(tmp_path):
    (tmp_path / "sub").mkdir()
    site(tmp_path / "sub", index="<a href=c.html>c</a>", c="<base href='/sub/x/'><a href=../c.html>c</a>")
    assert set(walked(site(tmp_path, index="<a href=sub>sub</a>"), "/index.html").sizes) == {
        "/index.html",
        "/sub/",
        "/sub/c.html",
    }


def test_pages_spelled_in_two_ways_are_one():
    base = "http://127.0.0.1:1"
    assert path_of(f"{base}/a%7Eb.html#c", base) == path_of(f"{base}/a~b.html", base) == "/a~b.html"


def test_a_round_tells_missed_repeated_and_extra_pages():
    one = judged(["/a", "/a", "/c"], ["/a", "/b"], USAGE, 102.0)
    assert (one.pages, one.missed, one.repeated, one.extra) == (2, 1, 1, 1)
    assert (one.pages_per_s, one.first_request_s, one.main_ms, one.all_ms) == (1.0, 2.0, 500.0, 1000.0)
    assert (one.rss_mib, one.pss_mib) == (3.0, 2.0)


def test_a_crawl_without_records_is_judged_too():
    assert judged([], ["/a"], USAGE, 102.0).missed == 1


def test_the_worst_round_marks_a_row():
    peer = Peer("x", list, lambda *_: [], lambda *_: [], "Go")
    rounds = [Round(5, missed, 0, 0, 1, 1, 1, 1, 1, 1) for missed in (0, 1_000)]
    assert remarks(peer, rounds) == "Go; missed 1,000"


def test_a_page_missed_or_repeated_is_a_fault_of_ours_alone():
    whole, lacking = (Round(5, missed, 0, 0, 1, 1, 1, 1, 1, 1) for missed in (0, 1))
    assert is_faultless({OURS[0]: [whole], PEERS[0]: [lacking]}, OURS)
    assert not is_faultless({OURS[0]: [whole, lacking]}, OURS)


def test_durability_is_the_ratio_of_both_frontiers():
    sqlite, memory = ([Round(5, 0, 0, 0, speed, 1, 1, 1, 1, 1)] for speed in (90.0, 100.0))
    assert ratio(dict(zip(CRAWLS, (sqlite, memory), strict=True))) == 0.9


def test_ours_is_put_beside_the_best_peer_and_the_best_framework():
    frameworks = [peer for peer in PEERS if peer.framework]
    native = next(peer for peer in PEERS if not peer.framework)
    speeds = {OURS[0]: 100.0, OURS[1]: 500.0, native: 50.0, frameworks[0]: 20.0, frameworks[1]: 10.0}
    told = standings(speeds)
    assert told == [
        f"ours / best of the others ({native.name}): 2.00",
        f"ours / best Python framework ({frameworks[0].name}): 5.00",
    ]
    assert standings({native: 1.0}) == []


def test_names_of_crawlers_are_distinct():
    names = [peer.name for peer in (*OURS, *PEERS)]
    assert len(names) == len(set(names))


def test_records_of_a_crawl_that_was_ended_count_as_far_as_they_are_whole(tmp_path):
    assert in_file(tmp_path, ()) == []
    (tmp_path / "pages.jsonl").write_text('{"url": "/a"}\n{"url": "/b"}\n{"ur')
    assert in_file(tmp_path, ()) == ["/a", "/b"]


def test_a_log_gives_html_answered_with_200(tmp_path):
    hits = [Hit(0, 0, status, 1, path) for status, path in ((200, "/a.html"), (404, "/b.html"), (200, "/c.css"))]
    assert in_log(tmp_path, hits) == ["/a.html"]
    assert is_html("/sub/?x=1")


def test_limits_are_what_all_cores_could_do():
    assert Limits(get_s=0.001, parse_s=0.002, server_s=0.001).pages_per_s == os.cpu_count() / 0.004


def test_pages_are_parsed_for_the_limits_in_a_process_of_its_own(tmp_path):
    (tmp_path / "0.html").write_text(page_html(0))
    assert parse_s(tmp_path, ["/0.html"]) > 0


def test_the_reference_extraction_takes_all_that_is_asked_for():
    record, links = extracted("/0/0.html", page_html(0).encode())
    assert record["h1"] == [record["title"]]
    assert record["description"] == f"About {record['title']}."
    assert record["n_links"] == len(links) == 20
    assert record["word_count"] == 2 + 125 + 40
    assert all(link.startswith("http://127.0.0.1/") for link in links)


def test_memory_shared_between_processes_is_not_counted_whole():
    assert 0 < pss_bytes(os.getpid()) <= rss_bytes(os.getpid()) * 1.1
    assert pss_bytes(2**22 + 1) == 0


def test_a_program_that_does_not_end_is_ended():
    usage = run([sys.executable, "-c", "import signal; signal.pause()"], limit_s=0.2)
    assert usage.cut_short
    assert usage.exit_code < 0
    assert not run([sys.executable, "-c", ""]).cut_short


def test_an_interrupted_measurement_leaves_no_process_behind(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    opened = []
    real = subprocess.Popen
    monkeypatch.setattr(
        "benchmarks.processes.subprocess.Popen", lambda *a, **k: opened.append(real(*a, **k)) or opened[-1]
    )
    monkeypatch.setattr("benchmarks.processes.os.waitid", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", "import signal; signal.pause()"])
    assert opened[0].wait(10) < 0
