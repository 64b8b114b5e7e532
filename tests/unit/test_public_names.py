"""The names that the package gives to programs."""

from __future__ import annotations

import re
from pathlib import Path

import crawler

DOCUMENT = (Path(__file__).parents[2] / "docs/embedding.md").read_text()


def test_each_public_name_can_be_had_and_says_what_it_is():
    assert sorted(crawler.__all__) == crawler.__all__
    assert set(crawler._HOMES) == set(crawler.__all__)
    for name in crawler.__all__:
        assert getattr(crawler, name).__doc__, name


def test_the_page_about_embedding_names_them_all_and_no_others():
    table = DOCUMENT.partition("## All names")[2]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == crawler.__all__
