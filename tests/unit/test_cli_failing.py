"""What is typed to go on means the crawl's own directory, whatever it is called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from crawler.cli.failing import resume_command
from crawler.config import CrawlConfig
from crawler.directory import CrawlDirectory
from crawler.plan import Plan


@pytest.mark.parametrize(
    "name",
    [b"crawl", b"two words", b"it's", b"cr\xc3\xa5 \xe6\x97\xa5", b"cr\xe9\xff", b"line\nbreak", b"\x1b[31m'\\x"],
)
def test_the_way_on_names_any_directory_as_a_shell_reads_it(name):
    told = resume_command(Plan(config=CrawlConfig(), directory=CrawlDirectory(Path(os.fsdecode(name)))))
    assert told.isprintable()
    _, _, words = told.partition(" crawl -d ")
    read = subprocess.run(["bash", "-c", f"printf %s {words}"], capture_output=True, check=True)
    assert read.stdout == name + b"--resume"
