"""The table of foreign errors."""

from __future__ import annotations

import builtins
import errno
import socket
import ssl

import aiohttp
import aiohttp.http_exceptions
import pytest
from aiohttp.client_reqrep import ConnectionKey

from crawler.errors import CrawlerError, FetchError
from crawler.fetch.errors import MAX_DETAIL_CHARS, REASON_BY_CLASS, fetch_error
from crawler.reasons import REASONS
from tests.support.faults.certificates import AUTHORITY, context


def test_every_class_of_the_table_exists_and_every_reason_is_documented():
    for name, reason in REASON_BY_CLASS.items():
        homes = (aiohttp, aiohttp.http_exceptions, ssl, socket, builtins)
        assert any(hasattr(home, name) for home in homes), name
        assert reason in REASONS


def test_most_specific_class_decides():
    assert fetch_error(TimeoutError(110, "timed out")).reason == "timeout"
    assert fetch_error(OSError(32, "broken pipe")).reason == "reset"
    assert fetch_error(socket.gaierror(socket.EAI_NONAME, "x.test: unknown")).reason == "dns"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
@pytest.mark.parametrize("connecting", [False, True])
def test_no_more_open_files_is_the_failure_of_no_url(number, connecting):
    error = OSError(number, "too many open files")
    if connecting:
        key = ConnectionKey("h", 80, False, True, None, None, None, None)
        error = aiohttp.ClientConnectorError(key, error)
    ours = fetch_error(error, reused=False)
    assert isinstance(ours, CrawlerError)
    assert not isinstance(ours, FetchError)


@pytest.mark.parametrize("error", [OSError(errno.EPIPE, "broken pipe"), FetchError("reset", "broken pipe")])
@pytest.mark.parametrize(
    ("reused", "told"), [(None, ""), (False, " (on a new connection)"), (True, " (on a reused connection)")]
)
def test_detail_tells_on_which_kind_of_connection(error, reused, told):
    ours = fetch_error(error, reused=reused)
    assert ours.reason == "reset"
    assert ours.detail.endswith("broken pipe" + told)


@pytest.mark.parametrize("name", ["expired", "stranger"])
def test_detail_of_a_bad_certificate_says_what_is_bad_and_no_more(name):
    told = {"expired": "certificate has expired", "stranger": "unable to get local issuer certificate"}[name]
    key = ConnectionKey("h", 443, True, True, None, None, None, None)
    client, server = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cafile=AUTHORITY)
    asking = trusting.wrap_bio(client, server, server_hostname="a.fault.test")
    answering = context(name).wrap_bio(server, client, server_side=True)
    for side in (asking, answering):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLError) as caught:
        asking.do_handshake()
    error = fetch_error(aiohttp.ClientConnectorCertificateError(key, caught.value), reused=False)
    assert (error.reason, error.detail) == ("tls", f"{told} (on a new connection)")


def test_detail_of_a_tls_failure_is_openssls_reason_in_words():
    wrong = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    wrong.reason = "WRONG_VERSION_NUMBER"
    key = ConnectionKey("h", 443, True, True, None, None, None, None)
    assert fetch_error(aiohttp.ClientConnectorSSLError(key, wrong)).detail == "wrong version number"
    assert "no reason" in fetch_error(ssl.SSLError("no reason")).detail


def test_detail_of_a_hostile_message_stays_short_and_on_one_line():
    error = fetch_error(ValueError("a\r\n" * 1000))
    assert len(error.detail) <= MAX_DETAIL_CHARS
    assert "\n" not in error.detail


def test_unknown_error_is_not_given_a_reason():
    with pytest.raises(KeyError):
        fetch_error(ZeroDivisionError())
