"""Certificates are read by the first connection that needs them, and not before."""

import socket
import ssl

import pytest

from crawler.fetch.certificates import certificates_later


def wrap_bio(context):
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")


def wrap_socket(context):
    with socket.socket() as plain, context.wrap_socket(plain, server_hostname="a.test"):
        pass


def certificates(context):
    return context.cert_store_stats()["x509"]


@pytest.mark.parametrize("use", [wrap_bio, wrap_socket])
def test_certificates_are_read_by_the_first_use(use):
    known = certificates(ssl.create_default_context())
    with certificates_later():
        context, other = ssl.create_default_context(), ssl.create_default_context()
    assert certificates(context) == 0
    use(context)
    use(context)
    assert certificates(context) == known
    assert certificates(other) == 0


def test_contexts_made_afterwards_are_as_ever():
    known = certificates(ssl.create_default_context())
    with certificates_later():
        pass
    assert certificates(ssl.create_default_context()) == known
    assert "set_default_verify_paths" not in vars(ssl.SSLContext)
