"""What may a crawl ask of a server, and how much in all? The sections that politeness reads."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from crawler.config.base import Count, Section
from crawler.units import Duration, Number, Rate, Size


class BudgetConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to stop. What is left stays pending, and a resume with a larger budget goes on."""

    pages: Annotated[Count | None, Meta(description="Stop after this many pages.")] = None
    pages_per_host: Annotated[
        Count | None,
        Meta(description="Set a host aside after this many of its pages; the crawl goes on with the others."),
    ] = None
    bytes: Annotated[
        Size | None, Meta(description="Stop after so much was received: bodies as they come over the wire.")
    ] = None
    time_s: Annotated[Duration | None, Meta(description="Stop after so long, the time of all runs together.")] = field(
        default=None, name="time"
    )


class Pace(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a host may be asked. What is None is inherited from the next less specific pattern."""

    delay_s: Annotated[
        Duration | None, Meta(description="Least time between the starts of two requests to one host. Not with rate.")
    ] = field(default=None, name="delay")
    rate_per_s: Annotated[
        Rate | None, Meta(description="Most requests to one host per time: 5/s is a delay of 200ms. Not with delay.")
    ] = field(default=None, name="rate")
    concurrency: Annotated[Count | None, Meta(description="Most requests in flight to one host.")] = None
    jitter_s: Annotated[
        Duration | None,
        Meta(description="Each pause is lengthened by a random time of up to this, so that there is no rhythm."),
    ] = field(default=None, name="jitter")


BUILT_IN_PACE = Pace(delay_s=Duration(1.0), concurrency=1, jitter_s=Duration(0.0))
"""What applies where neither a pattern nor ``limits.default`` says anything."""


class PerAddressConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much at once for all hosts at one network address."""

    concurrency: Annotated[
        Count,
        Meta(
            description="Most requests in flight to one address, all names on it together. A host's own concurrency "
            "counts instead where it is larger."
        ),
    ] = 8


class AdaptiveConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Going slower than asked where a host is slow or failing, never faster."""

    factor: Annotated[
        Number,
        Meta(
            description="The pause between request starts is at least this many times as long as the host takes to "
            "answer. Not where the delay is 0."
        ),
    ] = Number(2.0)
    max_delay_s: Annotated[
        Duration, Meta(description="No pause is made longer than this for being slow or failing.")
    ] = field(default=Duration(60.0), name="max_delay")


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
    per_address: PerAddressConfig = PerAddressConfig()
    adaptive: Annotated[
        bool | AdaptiveConfig,
        Meta(
            description="Go slower, never faster, where a host answers slowly or with errors: true, false, or a map of "
            "factor and max_delay."
        ),
    ] = True
    hosts: Annotated[
        dict[str, Pace],
        Meta(
            description="Paces by host: example.org, *.example.org, 192.0.2.1, [::1], each with :port if need be. "
            "The most specific pattern wins, key by key."
        ),
    ] = field(default_factory=dict)


class RobotsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Obedience to robots.txt (RFC 9309), and to what pages say to robots."""

    obey: Annotated[bool, Meta(description="Ask for robots.txt and request nothing it disallows.")] = True
    max_crawl_delay_s: Annotated[
        Duration, Meta(description="A longer Crawl-delay in robots.txt is cut to this; 0 ignores Crawl-delay.")
    ] = field(default=Duration(60.0), name="max_crawl_delay")
    noindex: Annotated[
        bool,
        Meta(description="Keep no record of a page whose robots meta element or X-Robots-Tag says noindex."),
    ] = True
    nofollow: Annotated[
        bool, Meta(description="Follow no link of a page whose robots meta element or X-Robots-Tag says nofollow.")
    ] = True
    skip_rel: Annotated[
        tuple[Literal["nofollow", "ugc", "sponsored"], ...],
        Meta(description="Follow no link that has one of these in its rel attribute."),
    ] = ("nofollow",)


class SitemapsConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sitemaps beside those among the seeds."""

    follow: Annotated[
        bool, Meta(description="Take in the sitemaps that robots.txt names, as far as the scope admits their URLs.")
    ] = False


class BreakerConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a host that keeps failing is left alone."""

    failures: Annotated[
        Count | None,
        Meta(description="After this many failures in a row, each the host's own, it rests. null: never."),
    ] = 10
    rest_s: Annotated[
        Duration,
        Meta(description="How long it rests. One request then tries it: if it fails too, its URLs are given up."),
    ] = field(default=Duration(300.0), name="rest")


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """All that politeness goes by; no section of its own."""

    limits: LimitsConfig = LimitsConfig()
    robots: RobotsConfig = RobotsConfig()
    sitemaps: SitemapsConfig = SitemapsConfig()
    breaker: BreakerConfig = BreakerConfig()
    budget: BudgetConfig = BudgetConfig()
