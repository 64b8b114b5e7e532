"""What is known of a host that has been asked?"""

from __future__ import annotations

import msgspec

from crawler.models import HostKey, Request, Robots


class RobotsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the robots.txt of one origin says, or why it says nothing."""

    origin: str
    robots: Robots = Robots()
    #: why all is disallowed, as a reason of `reasons.REASONS` with or without details; None where it is not
    closed: str | None = None
    #: where there is no file, so that all is allowed, why so: a reason, or ``robots.obey: false``
    missing: str | None = None
    #: from the request head to the last byte of the answer; 0 without one
    elapsed_s: float = 0.0


class SitemapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a host's sitemaps, indexes of sitemaps included."""

    #: named by robots.txt, seeds or an index that was read
    known: int = 0
    read: int = 0
    #: asked for, and no sitemap
    failed: int = 0
    #: the first of them, with the reason
    failures: tuple[tuple[str, str], ...] = ()
    #: URLs in those read, once for each time they stand there
    urls: int = 0
    #: and those that the scope keeps out, which are not among `urls`
    refused: int = 0
    #: some of `urls`, from all over the sitemaps
    sample: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """How many were not asked for."""
        return self.known - self.read - self.failed


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one host said."""

    host_key: HostKey
    #: its seeds in scope
    seeds: tuple[Request, ...]
    #: those that may be fetched
    allowed: tuple[Request, ...] = ()
    #: why it could not be asked: its name does not resolve; None if it could be
    unresolved: str | None = None
    #: the one tried first first; empty where they are not ours to know
    addresses: tuple[str, ...] = ()
    #: by origin of its seeds
    robots: tuple[RobotsFacts, ...] = ()
    sitemaps: SitemapFacts = SitemapFacts()

    @property
    def crawl_delay_s(self) -> float:
        """The longest pause that its robots.txt asks for; 0 if none."""
        return max((facts.robots.crawl_delay_s or 0.0 for facts in self.robots), default=0.0)

    @property
    def answer_s(self) -> float:
        """How long it took to answer at most; 0 if unknown."""
        return max((facts.elapsed_s for facts in self.robots), default=0.0)
