"""How is one request made? The sections that the fetcher reads."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from crawler.config.base import Section
from crawler.units import Duration, Number, Size

NO_CONTACT = "contact-not-set"
"""What a User-Agent holds that tells nobody whom to write to."""

Proxies = Annotated[
    str | tuple[str, ...] | None,
    Meta(
        description="A proxy such as http://user:${PASSWORD}@proxy.example.org:3128, or a list of them, each host "
        "keeping to one; environment takes them from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, and direct is "
        "none, for some hosts where others have one."
    ),
]

ENVIRONMENT = "environment"
"""What ``fetch.proxy`` says to honour the environment."""

DIRECT = "direct"
"""What it says to go without, where a less specific one would not."""


class HostFetchConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent to the hosts of one pattern, and to no other; null is what a less specific pattern says."""

    headers: Annotated[
        dict[str, str],
        Meta(
            description="Header fields beside those of fetch.headers and of less specific patterns, or instead of one "
            "of the same name. ${NAME} as in fetch.headers."
        ),
    ] = field(default_factory=dict)
    auth: Annotated[
        str | None,
        Meta(description="user:password for HTTP basic authentication (RFC 7617). ${NAME} as in fetch.headers."),
    ] = None
    cookies: Annotated[
        str | None,
        Meta(
            description="A cookies.txt file (Netscape format), found beside this one, whose cookies are sent and, in "
            "memory and over a resume, kept up with what the server sets. The file itself is never written."
        ),
    ] = None
    verify: Annotated[
        bool | None,
        Meta(
            description="Whether its TLS certificate is checked; it is by default. false is told at each crawl's "
            "beginning and in its summary, and is refused for a pattern that covers everybody's hosts (*.com)."
        ),
    ] = None
    proxy: Proxies = None


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
        Size,
        Meta(description="A larger body, raw or decoded, fails its URL with too_large; a larger sitemap is cut to it."),
    ] = field(default=Size(10 * 1024**2), name="max_body")
    max_ratio: Annotated[
        Number | None,
        Meta(
            description="How many times as large as on the wire a body may become by decompression. One that is more, "
            "and over 1 MiB, fails its URL with bomb; a sitemap is cut to it. null or 0: any."
        ),
    ] = Number(250)
    contact: Annotated[
        str | None, Meta(description="An e-mail address for the From header, which is not sent without one.")
    ] = field(default=None, name="from")
    headers: Annotated[
        dict[str, str],
        Meta(
            description="Header fields sent with every request. ${NAME} stands for an environment variable, $${ for "
            "a ${ that is meant so; a secret that is written out is never stored, and a resume then needs -c FILE."
        ),
    ] = field(default_factory=dict)
    cookies: Annotated[bool, Meta(description="Keep cookies and send them back, each to where it came from.")] = False
    proxy: Proxies = None
    resolve: Annotated[
        dict[str, str],
        Meta(
            description="Addresses instead of DNS: a host name or *.domain, and an IP address with or without :port. "
            "The port is connected to whatever the URL says."
        ),
    ] = field(default_factory=dict)
    allow_addresses: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses and networks, such as 10.0.0.0/8 or ::1, that links found and redirects may lead to "
            "though they are not of the public internet. Seeds, resolve and proxy need no leave."
        ),
    ] = ()
    hosts: Annotated[
        dict[str, HostFetchConfig],
        Meta(
            description="What is sent to some hosts only, by patterns as in limits.hosts, key by key. What is secret "
            "goes over https, and over http only where the seed was given as http://."
        ),
    ] = field(default_factory=dict)

    @property
    def unverified(self) -> tuple[str, ...]:
        """The host patterns whose certificates are not checked."""
        return tuple(pattern for pattern, host in self.hosts.items() if host.verify is False)
