"""What a crawl is asked to do: one frozen section per stage, every key with its default.

Values here are already parsed; `crawler.config.file` reads YAML into them and says where a mistake stands,
`crawler.config.rules` holds what a type cannot say, `crawler.config.schema` publishes both as JSON Schema.
A field's YAML key is its name without the unit (``timeout_s`` is ``timeout``); its description documents the key.
The sections that politeness, the fetcher and extraction read are in `manners`, `fetching` and `extracting`, what is
known of traps in `trapping`, the words of scraping rules in `scraping`, what a refresh goes by in `refreshing`, how
workers share a crawl in `fleet`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from crawler.config.base import Count, Section, dotted_key
from crawler.config.extracting import ExportConfig, ExtractConfig, FeaturesConfig
from crawler.config.fetching import ENVIRONMENT, NO_CONTACT, FetchConfig, HostFetchConfig
from crawler.config.fleet import FleetConfig
from crawler.config.manners import (
    BUILT_IN_PACE,
    AdaptiveConfig,
    BreakerConfig,
    BudgetConfig,
    LimitsConfig,
    Manners,
    Pace,
    PerAddressConfig,
    RobotsConfig,
    SitemapsConfig,
)
from crawler.config.refreshing import RefreshConfig
from crawler.config.scraping import FieldConfig, FollowConfig, MatchConfig, RuleConfig, SkipConfig
from crawler.config.trapping import TrapsConfig
from crawler.units import Duration, Size

__all__ = [
    "BUILT_IN_PACE",
    "ENVIRONMENT",
    "NO_CONTACT",
    "AdaptiveConfig",
    "BreakerConfig",
    "BudgetConfig",
    "CheckpointConfig",
    "Count",
    "CrawlConfig",
    "ExportConfig",
    "ExtractConfig",
    "FeaturesConfig",
    "FetchConfig",
    "FieldConfig",
    "FleetConfig",
    "FollowConfig",
    "HostFetchConfig",
    "LimitsConfig",
    "LogConfig",
    "Manners",
    "MatchConfig",
    "Pace",
    "ParseConfig",
    "PerAddressConfig",
    "RefreshConfig",
    "RobotsConfig",
    "RuleConfig",
    "ScopeConfig",
    "Section",
    "SitemapsConfig",
    "SkipConfig",
    "TrapsConfig",
    "UrlsConfig",
    "dotted_key",
]


class ScopeConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which links may enter."""

    stay_on: Annotated[
        Literal["host", "domain", "any"],
        Meta(description="Follow links to the host of their own seed, to its registrable domain, or anywhere."),
    ] = "host"
    include: Annotated[
        tuple[str, ...],
        Meta(description="Globs (* and ?) on the whole URL, or /RE2/. If there are any, a URL must match one."),
    ] = ()
    exclude: Annotated[
        tuple[str, ...], Meta(description="Globs or /RE2/ as in include; what matches one is kept out.")
    ] = ()
    max_depth: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Link hops from a seed; 0 fetches the seeds only.")
    ] = None


class UrlsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opt-in canonicalisation beyond the WHATWG URL standard."""

    sort_query: Annotated[
        bool, Meta(description="Sort query parameters by name. Merges URLs that some sites keep apart.")
    ] = False
    drop_params: Annotated[
        tuple[str, ...], Meta(description="Query parameters to remove from every URL: names or globs such as utm_*.")
    ] = ()


class ParseConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parser pool."""

    backend: Annotated[
        Literal["process", "thread", "inline"],
        Meta(description="Where pages are parsed. Only process contains crashes, hangs and memory."),
    ] = "process"
    workers: Annotated[Count | Literal["auto"], Meta(description="Parsers at once; auto is one per core.")] = "auto"
    deadline_s: Annotated[Duration, Meta(description="For one page; a longer one fails with parse_deadline.")] = field(
        default=Duration(10.0), name="deadline"
    )
    memory_bytes: Annotated[Size, Meta(description="For one worker; a page that takes more fails alone.")] = field(
        default=Size(1024**3), name="memory"
    )


class CheckpointConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often results become durable."""

    every_s: Annotated[Duration, Meta(description="Longest time between commits: what a crash may cost.")] = field(
        default=Duration(1.0), name="every"
    )
    fsync: Annotated[
        bool, Meta(description="Force every commit to the disk. Without it a power cut, but not a kill, may lose some.")
    ] = True


class LogConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log of a crawl that the command line runs: crawl.log."""

    format: Annotated[
        Literal["text", "json"], Meta(description="Lines of text, or a JSON object a line (crawler schema log).")
    ] = "text"
    max_file_bytes: Annotated[
        Size | None,
        Meta(description="A log that has grown to this becomes crawl.log.1, and a new one is begun; null: never."),
    ] = field(default=Size(10 * 1024**2), name="max_file")
    keep: Annotated[
        Annotated[int, Meta(ge=0, le=99)], Meta(description="How many of those are kept: crawl.log.1 is the newest.")
    ] = 5


class CrawlConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One crawl."""

    name: Annotated[str, Meta(description="Names the crawl and its folder: letters, digits, '.', '_' and '-'.")] = (
        "crawl"
    )
    seeds: Annotated[
        tuple[str, ...], Meta(description="Where to start: URLs, hosts, sitemap:URL, or files of them beside this one.")
    ] = ()
    scope: ScopeConfig = ScopeConfig()
    urls: UrlsConfig = UrlsConfig()
    budget: BudgetConfig = BudgetConfig()
    limits: LimitsConfig = LimitsConfig()
    robots: RobotsConfig = RobotsConfig()
    sitemaps: SitemapsConfig = SitemapsConfig()
    breaker: BreakerConfig = BreakerConfig()
    traps: TrapsConfig = TrapsConfig()
    fetch: FetchConfig = FetchConfig()
    parse: ParseConfig = ParseConfig()
    extract: ExtractConfig = ExtractConfig()
    export: ExportConfig = ExportConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    refresh: RefreshConfig = RefreshConfig()
    log: LogConfig = LogConfig()
    order: Annotated[
        Literal["breadth", "depth"],
        Meta(
            description="Which URLs of a host come first: those fewest links away from a seed, or most. Those that a "
            "sitemap calls important come before either."
        ),
    ] = "breadth"
    frontier: Annotated[
        str,
        Meta(
            description="Where what is left to fetch is kept: sqlite, in crawl.db, so that the crawl can be resumed; "
            "memory; or redis://HOST:PORT/0, which any number of workers share.",
            extra_json_schema={"pattern": "^(sqlite|memory|rediss?://.+)$"},
        ),
    ] = "sqlite"
    fleet: FleetConfig = FleetConfig()

    @property
    def manners(self) -> Manners:
        """What politeness goes by."""
        return Manners(
            limits=self.limits, robots=self.robots, sitemaps=self.sitemaps, breaker=self.breaker, budget=self.budget
        )
