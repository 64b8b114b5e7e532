"""The words for what a host does, and those who show them."""

from __future__ import annotations

import pytest

from crawler.views import HostCondition


def test_the_live_view_has_a_style_for_each_condition():
    styles = pytest.importorskip("crawler.live.styles", reason="there is no live view yet")
    assert set(styles.CONDITIONS) == set(HostCondition)
