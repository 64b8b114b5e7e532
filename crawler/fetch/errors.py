"""What does a foreign error mean? One table from exception classes to reasons of `models.REASONS`.

Classes stand by name, so that this module imports no client library; the most specific class of an error that
the table knows decides. Whether a failure is tried again is left to `politeness.retry`.
"""

from __future__ import annotations

from crawler.errors import FetchError

REASON_BY_CLASS: dict[str, str] = {
    # aiohttp: no connection came about
    "ClientConnectorDNSError": "dns",
    "ClientConnectorCertificateError": "tls",
    "ClientSSLError": "tls",
    "ServerFingerprintMismatch": "tls",
    "ClientConnectorError": "connect",
    # aiohttp: the connection broke, or what came over it is not HTTP
    "ClientPayloadError": "incomplete",
    "HttpProcessingError": "protocol",
    "InvalidURL": "protocol",
    "ClientError": "reset",
    # Python's own
    "SSLError": "tls",
    "TimeoutError": "timeout",
    "OSError": "reset",
    "ValueError": "protocol",
}
"""Class name -> reason."""

MAX_DETAIL_CHARS = 300
"""Error texts quote what a server sent, which may be long."""


def fetch_error(error: BaseException) -> FetchError:
    """`error` in our words: a reason from the table, and its own text as detail.

    Raises:
        KeyError: For an error of no class in the table, which is a bug of ours.
    """
    reason = next(
        (REASON_BY_CLASS[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in REASON_BY_CLASS), None
    )
    if reason is None:
        raise KeyError(type(error).__name__) from error
    text = " ".join(str(error).split())
    return FetchError(reason, f"{type(error).__name__}: {text}"[:MAX_DETAIL_CHARS])
