"""The comparison of ways to crawl: all get the same pages, and what is written of it can be read."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import backends
from benchmarks.backend_server import Server
from benchmarks.backends import BEGIN, BUSY, END, PAUSES_S, WAYS, Comparison, Figures, markdown, write
from benchmarks.bars import Panel, bars

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
FOUND = [
    Comparison(kind, pause_s, {way: Figures(100.0 * place, 1.5, 64.0) for place, way in enumerate(WAYS, 1)})
    for kind in ("cheap pages", "dear pages")
    for pause_s in PAUSES_S
]


@pytest.fixture
def site(tmp_path):
    """Seven pages in a ring, each with a link to a file that is not there and to one that is no page."""
    folder = tmp_path / "site"
    folder.mkdir()
    for number in range(7):
        links = f'<a href="{(number + 1) % 7}.html">next</a><a href="gone.html">gone</a><a href="a.txt">text</a>'
        (folder / f"{number}.html").write_text(f"<!doctype html><title>Page {number}</title>{links}")
    (folder / "a.txt").write_text("no page")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("way", ["asyncio", "threads", "processes"])
def test_every_script_gets_each_page_once(way, site, tmp_path):
    if way != "asyncio":
        pytest.importorskip("requests")
    with Server(site, 0.0) as server:
        arguments = [way, f"{server.base}/0.html", "100", str(tmp_path / "out"), "lean", "3"]
        subprocess.run([sys.executable, "-m", "benchmarks.backend_scripts", *arguments], cwd=ROOT, check=True)
    titles = [json.loads(line)["title"] for line in (tmp_path / "out").read_bytes().splitlines()]
    assert sorted(titles) == [f"Page {number}" for number in range(7)]
    assert server.first_at > 0


@pytest.mark.slow
def test_a_script_stops_after_as_many_pages_as_were_asked_for(site, tmp_path):
    with Server(site, 0.0) as server:
        arguments = ["asyncio", f"{server.base}/0.html", "4", str(tmp_path / "out"), "full", "3"]
        subprocess.run([sys.executable, "-m", "benchmarks.backend_scripts", *arguments], cwd=ROOT, check=True)
    assert len((tmp_path / "out").read_bytes().splitlines()) == 4


def test_the_server_answers_with_files_and_with_404(site):
    with Server(site, 0.001) as server:
        with urllib.request.urlopen(f"{server.base}/1.html") as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert answer.read() == (site / "1.html").read_bytes()
        with pytest.raises(urllib.error.HTTPError, match="404") as error:
            urllib.request.urlopen(f"{server.base}/gone.html")
        error.value.close()


def test_a_table_has_a_row_a_way_and_a_column_a_server():
    cheap, dear = markdown(FOUND).strip().split("\n\n")
    assert len(cheap.splitlines()) == len(dear.splitlines()) == 2 + len(WAYS)
    assert cheap.splitlines()[0].count("server answers") == len(PAUSES_S)
    assert "| asyncio with aiohttp | **400** · 1.50 · 64 |" in dear


def test_figures_are_put_between_their_marks_in_the_document(tmp_path, monkeypatch):
    document, picture = tmp_path / "backends.md", tmp_path / "backends.svg"
    document.write_text(f"Before.\n{BEGIN}old\n{END}\nAfter.\n")
    monkeypatch.setattr(backends, "DOCUMENT", document)
    monkeypatch.setattr(backends, "PICTURE", picture)
    write(FOUND, is_busy=True)
    assert BUSY in document.read_text()
    assert "on a busy machine" in picture.read_text()
    write(FOUND, is_busy=False)
    text = document.read_text()
    assert text.startswith(f"Before.\n{BEGIN}| cheap pages |")
    assert text.endswith(f"{END}\nAfter.\n")
    assert "old" not in text
    assert BUSY not in text
    assert "busy" not in picture.read_text()
    assert ElementTree.fromstring(picture.read_text()).tag == f"{SVG}svg"


def test_bars_are_to_the_scale_of_their_panel_and_told_in_words():
    panels = [Panel("cheap", "fast", [("ours & more", 50.0), ("other", 100.0)]), Panel("cheap", "slow", [("ours", 1)])]
    root = ElementTree.fromstring(bars("Which is faster?", panels, columns=2, own="ours"))
    rows = [one for one in root.iter(f"{SVG}rect") if one.get("class") in {"own", "other"}]
    assert [one.get("class") for one in rows] == ["own", "other", "own"]
    assert float(rows[1].get("width")) == pytest.approx(2 * float(rows[0].get("width")))
    assert float(rows[2].get("width")) == pytest.approx(float(rows[1].get("width")))
    assert root.find(f"{SVG}title").text == "Which is faster?"
    assert "cheap, fast: ours & more 50, other 100." in root.find(f"{SVG}desc").text
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


def test_the_picture_in_the_docs_is_well_formed():
    assert ElementTree.fromstring((ROOT / "docs/backends.svg").read_text()).find(f"{SVG}desc").text
