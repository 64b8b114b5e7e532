"""What a crawl is asked to do: one frozen section per stage, every key with its default.

Values here are already parsed and checked; `crawler.config_file` reads YAML into them and says where a
mistake stands. A field's YAML key is its name without the unit (``timeout_s`` is ``timeout``).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from crawler.units import Duration, Rate, Size

Count = Annotated[int, Meta(ge=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section."""


class ScopeConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which links may enter."""

    stay_on: Literal["host", "domain", "any"] = "host"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_depth: Annotated[int, Meta(ge=0)] | None = None


class UrlsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opt-in canonicalisation beyond the WHATWG URL standard."""

    sort_query: bool = False
    drop_params: tuple[str, ...] = ()


class BudgetConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to stop."""

    pages: Count | None = None


class Pace(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a host may be asked. What is None is inherited from the next less specific pattern."""

    delay_s: Duration | None = field(default=None, name="delay")
    rate_per_s: Rate | None = field(default=None, name="rate")
    concurrency: Count | None = None


class LimitsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much at once, and how fast, per host and in all."""

    concurrency: Count = 200
    memory_bytes: Size = field(default=Size(512 * 1024**2), name="memory")
    default: Pace = Pace(delay_s=Duration(1.0), concurrency=1)
    hosts: dict[str, Pace] = {}


class RobotsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Obedience to robots.txt (RFC 9309)."""

    obey: bool = True
    max_crawl_delay_s: Duration = field(default=Duration(60.0), name="max_crawl_delay")


class FetchConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one request is made."""

    user_agent: str = "crawler/0.1 (+https://example.org/contact-not-set)"
    timeout_s: Duration = field(default=Duration(30.0), name="timeout")
    connect_timeout_s: Duration = field(default=Duration(10.0), name="connect_timeout")
    #: bytes per second, averaged over any 10 s of a body; 0 turns it off
    min_speed: Size = Size(64)
    max_body_bytes: Size = field(default=Size(10 * 1024**2), name="max_body")
    headers: dict[str, str] = {}
    cookies: bool = False
    resolve: dict[str, str] = {}


class ParseConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parser pool."""

    backend: Literal["process", "thread", "inline"] = "process"
    workers: Count | Literal["auto"] = "auto"
    deadline_s: Duration = field(default=Duration(10.0), name="deadline")
    memory_bytes: Size = field(default=Size(1024**3), name="memory")


class ExtractConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a page record holds."""

    text: Literal["all", "none"] = "all"
    links: bool = True


class CheckpointConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often results become durable."""

    every_s: Duration = field(default=Duration(1.0), name="every")
    fsync: bool = True


class CrawlConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One crawl."""

    name: str = "crawl"
    seeds: tuple[str, ...] = ()
    scope: ScopeConfig = ScopeConfig()
    urls: UrlsConfig = UrlsConfig()
    budget: BudgetConfig = BudgetConfig()
    limits: LimitsConfig = LimitsConfig()
    robots: RobotsConfig = RobotsConfig()
    fetch: FetchConfig = FetchConfig()
    parse: ParseConfig = ParseConfig()
    extract: ExtractConfig = ExtractConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    frontier: Literal["memory"] = "memory"
