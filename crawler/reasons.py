"""Why does a URL end as it does? The one list of reasons an outcome may carry."""

from __future__ import annotations

PRIVATE_ADDRESS = "private_address"
SAME_CONTENT = "same_content"

REASONS: dict[str, str] = {
    # FETCHED
    "not_html": "a 2xx answer that is not HTML",
    "sitemap": "a sitemap, whose entries were taken in",
    "empty": "a 2xx answer without a body that the status allows (204, 205)",
    # UNCHANGED
    "not_modified": "asked for what is new since the last visit, the server answered 304",
    SAME_CONTENT: "the body is, byte for byte, that of the last visit",
    "not_due": "not asked for: it has hardly changed since the last visit, going by how it did before",
    "lastmod": "not asked for: a sitemap says that it has not changed since the last visit",
    # REDIRECTED
    "out_of_scope": "the redirect's target is outside the scope",
    # EXCLUDED
    "robots": "robots.txt disallows it",
    "robots_unreachable": "robots.txt could not be had or read, which disallows all",
    "noindex": "the page itself asks not to be indexed, in a robots meta element or X-Robots-Tag",
    "breaker": "its host failed breaker.failures times in a row, and once more after a rest",
    "scope_narrowed": "the scope was narrowed, at a resume, after it had been admitted",
    PRIVATE_ADDRESS: "not at a public address, and neither its seed nor fetch.allow_addresses leads there",
    "trap": "its host makes up pages without end, it seems: the summary says by what",
    "seed_out_of_scope": "a seed that include, exclude or the scheme keeps out",
    # FAILED
    "timeout": "no complete answer within fetch.timeout",
    "too_slow": "the body came slower than fetch.min_speed",
    "dns": "the host name does not resolve",
    "connect": "no connection: refused, unreachable, reset before the request, or none within fetch.connect_timeout",
    "proxy": "the proxy could not be reached, or did not let the request through",
    "tls": "TLS failed: the handshake, the check of the certificate, or what was sent under it",
    "reset": "the connection broke before the answer was complete",
    "protocol": "the answer is not HTTP, or breaks its rules",
    "incomplete": "the body ended before its announced length",
    "too_large": "the body, raw or decoded, is larger than fetch.max_body",
    "bomb": "the body inflates to more than fetch.max_ratio times its size, and over 1 MiB",
    "bad_encoding": "the Content-Encoding is unknown or its data corrupt",
    "bad_redirect": "a redirect that browsers do not follow: to nowhere, to two places, or to what is no web page",
    "redirect_loop": "a redirect to a URL of its own chain, or the 21st hop",
    "bad_sitemap": "neither a sitemap nor a feed, or broken from its beginning",
    "parse_deadline": "parsing took longer than parse.deadline",
    "parse_memory": "parsing took more memory than parse.memory, or gave more records than fit",
    "parser_crashed": "the parser process died on this page",
    "parse_error": "the parser raised an unexpected error",
    "crashed_crawler": "the crawl itself died three times while this URL was in hand, the last time it alone",
    "http_NNN": "the final status, when it is neither 2xx nor a redirect: http_404, http_503, …",
}
"""Every reason an outcome may carry, and what it means."""

_ALIVE = frozenset(("http_401", "http_402", "http_403", "http_407", "http_408", "http_425", "http_429"))
"""4xx that say the URL is there, and not for us, or not now."""
_GONE = frozenset(("dns", "bad_redirect", "redirect_loop"))


def is_gone(reason: str | None) -> bool:
    """Whether a URL that failed for this reason is not there, rather than out of reach for a while."""
    return reason is not None and (reason in _GONE or (reason.startswith("http_4") and reason not in _ALIVE))
