"""A mistake in the traps section is told with its key and what was expected."""

from __future__ import annotations

import pytest

from crawler.config.file import loads
from crawler.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("traps: {copies: 0}", "traps.copies"),
        ("traps: {new_share: 2}", "expected a share, at most 1"),
        ("traps: {allow: ['*/calendar/*', '/[/']}", "traps.allow[1]"),
        ("traps: {allow: [calendar]}", "did you mean *calendar*?"),
        ("traps: {detekt: false}", "detect"),
        ("traps: {slow: fast}", "traps.slow"),
    ],
)
def test_mistakes_are_told(text, told):
    with pytest.raises(ConfigError, match=r"crawl.yaml:1") as caught:
        loads(text, "crawl.yaml")
    assert told in str(caught.value)


def test_all_thresholds_can_be_set():
    text = (
        "traps: {detect: false, copies: 3, pages: 9, new_share: 0.5, slow: 2s, depth: 5, allow: ['*/cal/*', '/x=1/']}"
    )
    traps = loads(text, "crawl.yaml").config.traps
    assert (traps.detect, traps.copies, traps.pages, traps.new_share, traps.slow_s, traps.depth) == (
        False,
        3,
        9,
        0.5,
        2.0,
        5,
    )
