"""Two generations of a crawl compared say what changes.jsonl says of them, and the report of the newer one shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.cli import run as command
from crawler.dataset.records import changes
from crawler.diff.record import DiffRecord
from tests.crawl.conftest import in_folder, options
from tests.support.changing import STYLES, ChangingWeb
from tests.support.changing_pages import RULES
from tests.support.server import Server
from tests.support.two_crawls import OneCrawl

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def test_generations_compared_say_what_the_changes_of_a_refresh_say(tmp_path, capfd):
    (tmp_path / "rules.yaml").write_text(RULES)
    run = in_folder(tmp_path)
    web = ChangingWeb(hosts=len(STYLES), pages_per_host=8)
    with Server(web) as server:
        assert run(*web.seeds(), "-c", "rules.yaml", *options(server)).code == 0
        web.move()
        web.plant(1, share=0.3, gone=0.1, new=0.1)
        web.change(0, 1, "boilerplate")
        ran = run("--refresh")
        assert ran.code == 0, ran.stderr
    rows = list(changes(ran.directory))
    found = {change: {row.url for row in rows if row.change == change} for change in ("new", "changed", "gone")}
    assert all(found.values())

    path = tmp_path / "diff.jsonl"
    _compare(tmp_path, "crawl@1", "crawl", "--to", str(path), capfd=capfd)
    records = [msgspec.json.decode(line, type=DiffRecord) for line in path.read_bytes().splitlines()]
    pages = [record for record in records if record.what == "page"]
    assert {record.url for record in pages if record.change == "added"} == found["new"]
    assert {record.url for record in pages if record.change == "removed"} == found["gone"]
    assert all(record.ended for record in pages if record.change == "removed")
    assert {record.url: record.fields for record in pages if record.change == "changed"} == {
        row.url: row.fields for row in rows if row.fields
    }
    items = {record.url for record in records if record.what == "item"}
    assert items == {row.url for row in rows if row.items}
    _compare(tmp_path, "crawl", "crawl@1", "--only", "pages", "--to", str(path), capfd=capfd)
    back = [msgspec.json.decode(line, type=DiffRecord) for line in path.read_bytes().splitlines()]
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [(record.url, turned[record.change]) for record in back] == [(one.url, one.change) for one in pages]

    section = LexborHTMLParser((ran.directory / "report.html").read_text("utf-8")).css_first("#changes")
    shown = {node.attributes["href"] for node in section.css("a.url")}
    assert shown >= found["new"] | found["changed"] | found["gone"]


_SIGNALLED = """
import os, sys
from crawler.cli import run
from crawler.diff.compare import Differences

def signalled(self):
    assert len(os.listdir()) == 3, "a draft beside both crawls"
    os.kill(os.getpid(), int(sys.argv[1]))
    yield from ()

Differences.__iter__ = signalled
sys.exit(run(["diff", "a", "b", "--to", "changed.jsonl"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_part_of_a_file(tmp_path, number):
    for side in "ab":
        OneCrawl(tmp_path / side).write()
    command = [sys.executable, "-c", _SIGNALLED, str(int(number))]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def _compare(folder, before, after, *more, capfd):
    assert command(["diff", str(folder / before), str(folder / after), *more]) == 0
    assert "Pages" in capfd.readouterr().err
