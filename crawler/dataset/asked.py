"""What did somebody mean who typed this, of a crawl whose URLs are all canonical?"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.dataset.facts import BadSeed
from crawler.dataset.records import seeds
from crawler.errors import CrawlerError, UrlError
from crawler.url import Url, canonicalize

if TYPE_CHECKING:
    from crawler.config import UrlsConfig
    from crawler.directory import CrawlDirectory

_USER = re.compile(r"[^/?#]*[@\\]")
"""What no host begins with, though a URL may: ``mailto:x@example.org``."""


def readings(asked: str, rules: UrlsConfig) -> list[Url]:
    """The canonical URLs that may be meant, the likelier one first: of a host, https before http.

    Raises:
        UrlError: It is neither a URL nor a host.
    """
    text = asked.strip()
    if "://" in text:
        return [canonicalize(text, rules)]
    if text and text[0] not in "/?#" and not _USER.match(text):
        with suppress(UrlError):  # which would name what nobody has typed
            return [canonicalize(f"{scheme}://{text}", rules) for scheme in ("https", "http")]
    raise UrlError(f"{text!r} is neither a URL nor a host")


def bad_seeds(files: CrawlDirectory, asked: str) -> tuple[BadSeed, ...]:
    """The bad seeds that were given just so."""
    if not files.seeds.exists():
        return ()
    try:
        return tuple(
            BadSeed(given=seed.given, place=seed.place, error=seed.error)
            for seed in seeds(files.path)
            if seed.error is not None and seed.given == asked.strip()
        )
    except CrawlerError:  # being written just now, or not this version's: it is beside the point
        return ()
