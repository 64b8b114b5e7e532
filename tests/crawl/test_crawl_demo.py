"""`crawler demo` leaves records to look at, and what it says to try next works when its shop has closed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.crawl.conftest import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def test_what_the_demo_says_to_try_next_shows_what_it_found(crawler, tmp_path):
    ran = crawler("-d", "my demo", command="demo")
    assert ran.code == 0
    assert "Rule products: 40 records, 0 rejects" in ran.stderr
    _, _, said = ran.stderr.partition("Try next:\n")
    page, outcomes, export, tried = (_printed(line, tmp_path) for line in _shell_lines(said)[:4])
    assert json.loads(page)["title"] == "Stationery - Alder & Reed"
    assert len(outcomes.splitlines()) == 4
    assert len({json.loads(line)["sku"] for line in export.splitlines()}) == 40
    assert "rule products: 1 item, 1 record, 0 rejects" in tried


def _shell_lines(said):
    """The commands, without their explanations, which start in one column."""
    lines = said.splitlines()
    column = lines[0].index("one page record")
    return [line[:column].strip() for line in lines]


def _printed(command, folder):
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
