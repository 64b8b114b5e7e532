"""What does a foreign error mean? One table from exception classes to reasons of `reasons.REASONS`.

Classes stand by name, so that this module imports no client library; the most specific class of an error that
the table knows decides. Whether a failure is tried again is left to `politeness.retry`.
"""

from __future__ import annotations

import ssl

from crawler.errors import CrawlerError, FetchError
from crawler.shortage import shortage

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
    "gaierror": "dns",
    "OSError": "reset",
    "ValueError": "protocol",
}
"""Class name -> reason."""

MAX_DETAIL_CHARS = 300
"""Error texts quote what a server sent, which may be long; of the connection is told beyond that."""


def fetch_error(error: BaseException, *, reused: bool | None = None) -> CrawlerError:
    """`error` in our words: a `FetchError` with a reason from the table and its own text as detail, or, where this
    machine is at its end rather than a URL, an error that ends the crawl.

    Args:
        error: A foreign error, or a `FetchError`, which keeps its reason.
        reused: Whether it came to pass on a connection used before, which the detail then tells; None before there
            was any connection.

    Raises:
        KeyError: For an error of no class in the table, which is a bug of ours.
    """
    if isinstance(error, OSError) and (machines := shortage(error)) is not None:
        return machines
    connection = "" if reused is None else f" (on a {'reused' if reused else 'new'} connection)"
    if isinstance(error, FetchError):
        return FetchError(error.reason, error.detail[:MAX_DETAIL_CHARS] + connection)
    reason = next(
        (REASON_BY_CLASS[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in REASON_BY_CLASS), None
    )
    if reason is None:
        raise KeyError(type(error).__name__) from error
    text = _of_tls(error) or f"{type(error).__name__}: {' '.join(str(error).split())}"
    return FetchError(reason, text[:MAX_DETAIL_CHARS] + connection)


def _of_tls(error: BaseException) -> str | None:
    """What was wrong with TLS, in OpenSSL's words without its file names: ``certificate has expired``."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if not isinstance(inner, ssl.SSLError):
        return None
    reason = getattr(inner, "verify_message", None) or getattr(inner, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else None
