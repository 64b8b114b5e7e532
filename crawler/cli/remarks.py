"""What follows from a valid configuration without being written in it?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crawler.config import BUILT_IN_PACE, NO_CONTACT
from crawler.config.secrets import LEFT_OUT, gaps, is_secret, masked, referring_headers
from crawler.errors import ConfigError
from crawler.fetch.cookies_txt import read_cookies
from crawler.gate import shares_of
from crawler.units import Size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.config import CrawlConfig


def contact_remarks(config: CrawlConfig) -> Iterator[str]:
    """That nobody is told whom to write to, if so."""
    if NO_CONTACT in config.fetch.user_agent:
        yield (
            f"fetch.user_agent: {config.fetch.user_agent} names no contact: a polite crawler says whom a site's owner "
            "can write to, such as shopbot/1.0 (+https://example.org/shopbot)"
        )


def unsafe_remarks(config: CrawlConfig) -> Iterator[str]:
    """What is told whatever else is not: that anybody on the way could answer for a host, or secrets go to all."""
    for pattern in config.fetch.unverified:
        yield (
            f'warning: fetch.hosts["{pattern}"].verify: false: certificates of {pattern} are not checked, so whoever '
            "is on the way can read what is sent there, passwords and cookies too, and answer in its place"
        )
    referring = referring_headers(config.fetch)
    if to_all := ", ".join(name for name in config.fetch.headers if is_secret(name) or name.lower() in referring):
        yield (
            f"warning: fetch.headers: {to_all} is sent to every host that is asked, wherever links and redirects lead; "
            "fetch.hosts: {HOST: {headers: …}} sends it to one"
        )


def remarks(config: CrawlConfig, folder: Path) -> Iterator[str]:
    """All there is to say, a line each; `folder` is what the configuration's files are found in."""
    yield from unsafe_remarks(config)
    yield from contact_remarks(config)
    if masked(config) != config:
        yield f"{LEFT_OUT} stands for a secret, never shown or stored: ${{NAME}} takes one from the environment"
    for gap in (*gaps(config.fetch, os.environ), *_bad_cookies(config, folder)):
        yield f"{gap}; a crawl would not begin"
    overshoot = Size(config.limits.concurrency * config.fetch.max_body_bytes)
    shares = shares_of(config.limits.memory_bytes)
    yield (
        f"memory: of limits.memory ({config.limits.memory_bytes}), {Size(shares.bodies)} are for bodies fetched and "
        f"not yet parsed, {Size(shares.results)} for records that wait for a checkpoint and as much for those being "
        f"written; as a started fetch always finishes, bodies may take up to limits.concurrency x fetch.max_body = "
        f"{config.limits.concurrency} x {config.fetch.max_body_bytes} = {overshoot} more"
    )
    yield from _manners(config)
    for network in config.fetch.allow_addresses:
        if network.endswith("/0"):
            yield (
                f"fetch.allow_addresses: {network} lets every page have this machine ask those beside it; a network or "
                "address of those that are meant is enough"
            )
    if config.frontier == "memory":
        yield "frontier: memory keeps the queue in memory: the crawl cannot be resumed, and grows with its URLs"
    if config.parse.backend != "process":
        yield (
            f"parse.backend: {config.parse.backend} does not contain crashes, endless pages or memory: one bad page "
            "can end the crawl, and parse.deadline and parse.memory are not enforced; process does and is the default"
        )


def _manners(config: CrawlConfig) -> Iterator[str]:
    """Where it is less polite than it could be."""
    if not config.robots.obey:
        yield "robots.obey: false asks hosts for more than they allow: robots.txt is neither requested nor heeded"
    default = config.limits.default
    if default.delay_s is not None and not default.delay_s:
        at_once = default.concurrency or BUILT_IN_PACE.concurrency
        yield (
            f"limits.default.delay: 0s asks every host that limits.hosts does not name as fast as it answers, "
            f"{at_once} at once: right for servers of your own, and too much for many others"
        )
    if config.breaker.failures is None:
        yield "breaker.failures: null asks a host that is down for every one of its URLs, again and again"


def _bad_cookies(config: CrawlConfig, folder: Path) -> Iterator[str]:
    for name in dict.fromkeys(host.cookies for host in config.fetch.hosts.values() if host.cookies):
        try:
            read_cookies(folder / name)
        except ConfigError as error:
            yield str(error)
