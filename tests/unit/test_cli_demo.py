"""What `crawler demo` says at its end can be typed as it stands."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from crawler.cli.demo import try_next
from crawler.directory import CrawlDirectory


def lines(path="data/demo"):
    first, *rest = try_next(CrawlDirectory(Path(path))).splitlines()
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
        for line, what in zip(lines(path), ["one page", "what is", "your own", "a crawl of"], strict=True)
    }
    assert len(starts) == 1


def test_paths_are_quoted_as_a_shell_needs_it():
    assert shlex.split(lines("my shop")[0])[2] == "my shop/pages.jsonl"


@pytest.mark.usefixtures("executable")
def test_command_on_the_path_is_called_by_its_name():
    assert lines()[2].startswith("crawler init ")


def test_command_that_is_not_on_the_path_is_called_as_it_was(executable, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "argv", [str(executable), "demo"])
    assert lines()[2].startswith(f"{executable} init ")
    monkeypatch.setattr(sys, "argv", ["/somewhere/crawler/__main__.py", "demo"])
    assert lines()[2].startswith(f"{sys.executable} -m crawler init ")
