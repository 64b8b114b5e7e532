"""The table of foreign errors."""

from __future__ import annotations

import builtins
import ssl

import aiohttp
import aiohttp.http_exceptions
import pytest

from crawler.fetch.errors import MAX_DETAIL_CHARS, REASON_BY_CLASS, fetch_error
from crawler.models import REASONS


def test_every_class_of_the_table_exists_and_every_reason_is_documented():
    for name, reason in REASON_BY_CLASS.items():
        homes = (aiohttp, aiohttp.http_exceptions, ssl, builtins)
        assert any(hasattr(home, name) for home in homes), name
        assert reason in REASONS


def test_most_specific_class_decides():
    assert fetch_error(TimeoutError(110, "timed out")).reason == "timeout"
    assert fetch_error(OSError(32, "broken pipe")).reason == "reset"


def test_detail_of_a_hostile_message_stays_short_and_on_one_line():
    error = fetch_error(ValueError("a\r\n" * 1000))
    assert len(error.detail) <= MAX_DETAIL_CHARS
    assert "\n" not in error.detail


def test_unknown_error_is_not_given_a_reason():
    with pytest.raises(KeyError):
        fetch_error(ZeroDivisionError())
