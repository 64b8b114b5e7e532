"""Which files does `crawler mine` write, and what does a line of each hold?

The structs here are the published schema: keys in this order, absent values null, never missing. What stands first in
a file matters most, so its first lines are what a person wants to see of it. `MINE` says of what all of them were made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from crawler.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

NEAR: Final = "near_duplicates"
KEYWORDS: Final = "keywords"
HOST_KEYWORDS: Final = "host_keywords"
RANKS: Final = "ranks"
HOST_RANKS: Final = "host_ranks"
DEAD: Final = "dead_links"
LANGUAGES: Final = "languages"
MINE: Final = "mine.json"

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "near": (NEAR,),
    "keywords": (KEYWORDS, HOST_KEYWORDS),
    "ranks": (RANKS, HOST_RANKS),
    "dead": (DEAD,),
    "languages": (LANGUAGES,),
}
"""What may be asked for, and the files it gives."""


class NearDuplicate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A page that says nearly the same as others. The largest clusters come first, each with all its pages."""

    url: Annotated[str, Meta(description="URL of the page")]
    cluster: Annotated[str, Meta(description="URL of the page that stands for the cluster, itself one of its pages")]
    size: Annotated[int, Meta(description="pages in the cluster, 2 or more")]
    similarity: Annotated[
        float,
        Meta(
            description="how much of their words and pairs of words in a row the page and the one that stands "
            "for its cluster have in common, as estimated from sketches: 0 to 1"
        ),
    ]
    exact: Annotated[bool, Meta(description="whether both have the same text, or the same bytes")]


class Keyword(msgspec.Struct, frozen=True, gc=False):
    """A term that tells a text from the others of the crawl."""

    term: Annotated[str, Meta(description="a word in lower case, or two characters of a script without spaces")]
    score: Annotated[float, Meta(description="its TF-IDF weight, in a vector of length 1 (L2): 0 to 1")]


class PageKeywords(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a page is about, told by its words. Pages stand in the order of the crawl."""

    url: Annotated[str, Meta(description="URL of the page")]
    keywords: Annotated[tuple[Keyword, ...], Meta(description="the highest score first")]


class HostKeywords(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a host is about. Hosts with the most pages come first."""

    host: Annotated[str, Meta(description="host name, with its port unless that is the usual one")]
    pages: Annotated[int, Meta(description="pages of it")]
    keywords: Annotated[tuple[Keyword, ...], Meta(description="the highest score first")]


class Rank(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much a page is linked to. The most important come first; all ranks together are 1."""

    url: Annotated[str, Meta(description="URL of the page")]
    rank: Annotated[float, Meta(description="PageRank among the pages of the crawl")]
    in_links: Annotated[
        int, Meta(description="other pages that link to it, or to a URL that redirects to it, without nofollow")
    ]
    in_hosts: Annotated[int, Meta(description="hosts of these pages")]
    in_nofollow: Annotated[int, Meta(description="pages whose only links to it are nofollow, ugc or sponsored")]
    out_links: Annotated[int, Meta(description="other pages of the crawl it links to without nofollow")]


class HostRank(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much a host is linked to from other hosts. The most important come first; all ranks together are 1."""

    host: Annotated[str, Meta(description="host name, with its port unless that is the usual one")]
    rank: Annotated[float, Meta(description="PageRank among the hosts, a link between two hosts counted once")]
    pages: Annotated[int, Meta(description="pages of it")]
    in_hosts: Annotated[int, Meta(description="other hosts that link to a page of it without nofollow")]
    out_hosts: Annotated[int, Meta(description="other hosts whose pages it links to without nofollow")]


class Source(msgspec.Struct, frozen=True, gc=False):
    """A page with a link."""

    url: Annotated[str, Meta(description="URL of the page")]
    text: Annotated[
        str | None, Meta(description="what its link is called; null where links were not kept and it was found there")
    ]


class DeadLink(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A URL that could not be fetched, and who links to it. Those that most pages link to come first."""

    url: Annotated[str, Meta(description="the URL that failed")]
    outcome: Annotated[Outcome, Meta(description="failed")]
    reason: Annotated[str | None, Meta(description="why: http_404, dns, timeout, …")]
    status: Annotated[int | None, Meta(description="status of the last answer; null if there was none")]
    gone: Annotated[
        bool,
        Meta(description="whether it is not there (404, 410, no such host, …), not only out of reach for a while"),
    ]
    in_links: Annotated[int, Meta(description="pages that link to it, or to a URL that redirects to it")]
    sources: Annotated[tuple[Source, ...], Meta(description="some of these pages: at most 10, in order of the crawl")]


class Language(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Pages of one host in one language. Hosts with the most pages come first."""

    host: Annotated[str, Meta(description="host name, with its port unless that is the usual one")]
    lang_detected: Annotated[str | None, Meta(description="language the main text is in, as it reads")]
    lang: Annotated[str | None, Meta(description="language the page says it is in: the first part of its lang tag")]
    pages: Annotated[int, Meta(description="how many pages")]
    words: Annotated[int, Meta(description="their words: word_count of the records, added up")]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the work."""

    name: Annotated[str, Meta(description="read, or what was asked for: near, keywords, ranks, dead, languages")]
    rows: Annotated[dict[str, int], Meta(description="lines written, by file")] = {}
    counts: Annotated[dict[str, int], Meta(description="what was counted on the way")] = {}
    made_at: Annotated[str, Meta(description="when it was finished: RFC 3339, UTC")] = ""
    pages: Annotated[int, Meta(description="page records it was made of")] = 0
    seconds: Annotated[float, Meta(description="how long it took")] = 0.0
    peak_bytes: Annotated[
        int, Meta(description="most memory that each of the processes had held by then, added up")
    ] = 0
    skipped: Annotated[str | None, Meta(description="why it was not done; null if it was")] = None


class Mined(msgspec.Struct, frozen=True, kw_only=True):
    """The content of mine.json: of what the other files were made, and how, when that was last done."""

    version: Annotated[str, Meta(description="of crawler")]
    made_at: Annotated[str, Meta(description="when it was finished: RFC 3339, UTC")]
    finished: Annotated[bool, Meta(description="whether the crawl had ended; else what it had committed by then")]
    pages: Annotated[int, Meta(description="page records read")]
    bytes_read: Annotated[dict[str, int], Meta(description="up to which byte each file was read")]
    parameters: Annotated[dict[str, int | float], Meta(description="what the results depend on besides")]
    seconds: Annotated[float, Meta(description="how long all of it took")]
    steps: Annotated[
        tuple[Step, ...], Meta(description="in this order; those that were not asked for last are of an earlier run")
    ]


RECORDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    NEAR: NearDuplicate,
    KEYWORDS: PageKeywords,
    HOST_KEYWORDS: HostKeywords,
    RANKS: Rank,
    HOST_RANKS: HostRank,
    DEAD: DeadLink,
    LANGUAGES: Language,
}
"""File -> what a line of it is, in the order in which they are told of."""
