"""Crawls as their users run them: the command in a process of its own, against a server on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest


@dataclass(frozen=True)
class Ran:
    """A finished command, and the crawl directory it may have left."""

    code: int
    stdout: bytes
    stderr: str
    directory: Path

    def lines(self, name):
        """The records of one of its JSONL files."""
        return [msgspec.json.decode(line) for line in (self.directory / name).read_bytes().splitlines()]

    @property
    def pages(self):
        return self.lines("pages.jsonl")

    @property
    def outcomes(self):
        return self.lines("outcomes.jsonl")

    @property
    def seeds(self):
        return self.lines("seeds.jsonl")

    def endings(self):
        """URL -> (outcome, reason), from both files; fails if a URL stands in them twice."""
        ended = {page["url"]: ("fetched", None) for page in self.pages}
        assert len(ended) == len(self.pages), "a page stands twice in pages.jsonl"
        for line in self.outcomes:
            assert line["url"] not in ended, f"{line['url']} has two ends"
            ended[line["url"]] = (line["outcome"], line["reason"])
        return ended


COMMAND = (sys.executable, "-m", "crawler")


def environment():
    """This environment, able to import the package from any working directory."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "PYTHONWARNINGS": "error"}


def in_folder(folder):
    """A function that runs `crawler crawl ARGUMENTS` in `folder`; `-d crawl` unless told otherwise."""

    def run(*arguments, command="crawl", stdin=b"", directory="crawl"):
        where = ["-d", directory] if command == "crawl" and directory else []
        done = subprocess.run(
            [*COMMAND, command, *map(str, arguments), *where],
            input=stdin,
            capture_output=True,
            cwd=folder,
            env=environment(),
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode(), folder / (directory or "crawl"))

    return run


@pytest.fixture
def crawler(tmp_path):
    """Run `crawler crawl ARGUMENTS` in an empty folder."""
    return in_folder(tmp_path)


def start(folder, *arguments, **keywords):
    """`crawler crawl` in the background, with pipes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0} | keywords
    return subprocess.Popen([*COMMAND, "crawl", *arguments], cwd=folder, env=environment(), **pipes)


def options(server, *more):
    """Options for a crawl of a loopback server at full speed, errors or not."""
    settings = [
        f'fetch.resolve={{"*.test": "127.0.0.1:{server.port}"}}',
        "limits.default.concurrency=8",
        "limits.per_address.concurrency=64",
        "limits.adaptive=false",
        *more,
    ]
    return ["--delay", "0", *(f"--set={setting}" for setting in settings)]


@pytest.fixture
def fast():
    """`options`, for tests that take it as a fixture."""
    return options
