"""What a crawl is asked to do: one frozen section per stage, every key with its default.

Values here are already parsed; `crawler.config.file` reads YAML into them and says where a mistake stands,
`crawler.config.rules` holds what a type cannot say, `crawler.config.schema` publishes both as JSON Schema.
A field's YAML key is its name without the unit (``timeout_s`` is ``timeout``); its description documents the key.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from crawler.units import Duration, Rate, Size

Count = Annotated[int, Meta(ge=1)]
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def dotted_key(section: str, name: str) -> str:
    """The key of `name` in `section`: ``limits.default``, or ``limits.hosts["*.example.org"]`` as dots would mislead.

    Errors name keys so, and ``--set`` takes them so. `section` is empty for the whole configuration.
    """
    if not _PLAIN_KEY.fullmatch(name):
        return f'{section}["{name}"]'
    return f"{section}.{name}" if section else name


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section."""


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


class BudgetConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to stop."""

    pages: Annotated[Count | None, Meta(description="Stop after this many pages; what is left stays pending.")] = None


class Pace(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a host may be asked. What is None is inherited from the next less specific pattern."""

    delay_s: Annotated[
        Duration | None, Meta(description="Least time between the starts of two requests to one host. Not with rate.")
    ] = field(default=None, name="delay")
    rate_per_s: Annotated[
        Rate | None, Meta(description="Most requests to one host per time: 5/s is a delay of 200ms. Not with delay.")
    ] = field(default=None, name="rate")
    concurrency: Annotated[Count | None, Meta(description="Most requests in flight to one host.")] = None


BUILT_IN_PACE = Pace(delay_s=Duration(1.0), concurrency=1)
"""What applies where neither a pattern nor ``limits.default`` says anything."""


class LimitsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much at once, and how fast, per host and in all."""

    concurrency: Annotated[Count, Meta(description="Most requests in flight, all hosts together.")] = 200
    memory_bytes: Annotated[
        Size,
        Meta(
            description="Half of it for bodies fetched and not yet parsed, a quarter for records that wait for a "
            "checkpoint, a quarter for those being written. Bodies in flight come on top, see `crawler check`."
        ),
    ] = field(default=Size(512 * 1024**2), name="memory")
    default: Annotated[Pace, Meta(description="The pace of every host that no pattern says more about.")] = (
        BUILT_IN_PACE
    )
    hosts: Annotated[
        dict[str, Pace],
        Meta(
            description="Paces by host: example.org, *.example.org, 192.0.2.1, [::1], each with :port if need be. "
            "The most specific pattern wins, key by key."
        ),
    ] = {}


class RobotsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Obedience to robots.txt (RFC 9309)."""

    obey: Annotated[bool, Meta(description="Ask for robots.txt and request nothing it disallows.")] = True
    max_crawl_delay_s: Annotated[
        Duration, Meta(description="A longer Crawl-delay in robots.txt is cut to this; 0 ignores Crawl-delay.")
    ] = field(default=Duration(60.0), name="max_crawl_delay")


NO_CONTACT = "contact-not-set"
"""What a User-Agent holds that tells nobody whom to write to."""


class FetchConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one request is made."""

    user_agent: Annotated[
        str, Meta(description="The User-Agent header. Its first word is the name looked up in robots.txt.")
    ] = f"crawler/0.1 (+https://example.org/{NO_CONTACT})"
    timeout_s: Annotated[Duration, Meta(description="For one whole answer, connecting included.")] = field(
        default=Duration(30.0), name="timeout"
    )
    connect_timeout_s: Annotated[
        Duration,
        Meta(description="For DNS, TCP and TLS together; no connection within it fails the attempt with connect."),
    ] = field(default=Duration(10.0), name="connect_timeout")
    min_speed: Annotated[
        Size, Meta(description="Bytes a second, averaged over any 10 s of a body; 0 turns this off.")
    ] = Size(64)
    max_body_bytes: Annotated[
        Size, Meta(description="A larger body, raw or decoded, fails its URL with too_large.")
    ] = field(default=Size(10 * 1024**2), name="max_body")
    headers: Annotated[dict[str, str], Meta(description="Header fields sent with every request.")] = {}
    cookies: Annotated[bool, Meta(description="Keep cookies and send them back.")] = False
    resolve: Annotated[
        dict[str, str],
        Meta(
            description="Addresses instead of DNS: a host name or *.domain, and an IP address with or without :port. "
            "The port is connected to whatever the URL says."
        ),
    ] = {}


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


class ExtractConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a page record holds."""

    text: Annotated[Literal["all", "none"], Meta(description="The page's visible text, or none of it.")] = "all"
    links: Annotated[bool, Meta(description="List the page's links in its record. They are followed either way.")] = (
        True
    )


class ExportConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written beside the records, and how."""

    compress: Annotated[
        Literal["none", "gzip", "zstd"],
        Meta(description="How pages, outcomes and links are compressed: pages.jsonl.gz, .zst. Readable while written."),
    ] = "none"
    links: Annotated[
        bool, Meta(description="Write links.jsonl: a line for each link of each page, followed or not.")
    ] = False


class CheckpointConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often results become durable."""

    every_s: Annotated[Duration, Meta(description="Longest time between commits: what a crash may cost.")] = field(
        default=Duration(1.0), name="every"
    )
    fsync: Annotated[
        bool, Meta(description="Force every commit to the disk. Without it a power cut, but not a kill, may lose some.")
    ] = True


class CrawlConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One crawl."""

    name: Annotated[str, Meta(description="Names the crawl and its folder: letters, digits, '.', '_' and '-'.")] = (
        "crawl"
    )
    seeds: Annotated[
        tuple[str, ...], Meta(description="Where to start: URLs, hosts, or files of them beside this one.")
    ] = ()
    scope: ScopeConfig = ScopeConfig()
    urls: UrlsConfig = UrlsConfig()
    budget: BudgetConfig = BudgetConfig()
    limits: LimitsConfig = LimitsConfig()
    robots: RobotsConfig = RobotsConfig()
    fetch: FetchConfig = FetchConfig()
    parse: ParseConfig = ParseConfig()
    extract: ExtractConfig = ExtractConfig()
    export: ExportConfig = ExportConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    frontier: Annotated[
        Literal["sqlite", "memory"],
        Meta(
            description="Where what is left to fetch is kept: in crawl.db, so that the crawl can be resumed, or in "
            "memory."
        ),
    ] = "sqlite"
