"""Times as records show them."""

from __future__ import annotations

import pytest

from crawler.clock import rfc3339


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.9996, "2023-11-14T22:13:20.999Z"),
        (4_102_444_800.0, "2100-01-01T00:00:00.000Z"),
    ],
)
def test_timestamp_is_rfc_3339_in_utc_cut_to_milliseconds(at, text):
    assert rfc3339(at) == text
