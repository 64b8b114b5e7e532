"""What of the detector survives a crash? What is stopped, the evidence, and what it takes to go on stopping it.

What is merely learnt is forgotten, and learnt again: pages, not verdicts.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from crawler.traps.group import MAX_FAMILY_CONTENTS, Group
from crawler.traps.shapes import Family, Kind, family, part_names
from crawler.traps.site import Site
from crawler.traps.verdict import Verdict
from crawler.url import Url, host, registrable_domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import TrapsConfig

TRAPS = "traps"
"""The name of the blob in which checkpoints keep it."""
VERSION = 1
_MAX_REPEATS, _MAX_WORN = 4_000, 200  # of one site: 40 KB
_MAX_REPEATS_IN_ALL, _MAX_SITES = 20_000, 200


class StoredSite(msgspec.Struct, kw_only=True, array_like=True):
    """A site with something stopped."""

    name: str
    stopped: list[str]
    ids: list[str]
    #: of the newest repeats: the hash of the URL, and in which way
    repeats: dict[int, int]
    #: contents that make an exact repeat
    worn: list[int]
    #: (kind, pattern, contents that make a loose repeat)
    families: list[tuple[str, str, list[int]]]


class Stored(msgspec.Struct, kw_only=True):
    """The blob."""

    version: int = VERSION
    #: with what `Site.refused` calls each
    verdicts: list[tuple[str, Verdict]] = []
    sites: list[StoredSite] = []


def stored_site(site: Site, most: int) -> StoredSite:
    """What must be kept of `site`, with so many repeats at most."""
    return StoredSite(
        name=site.name,
        stopped=sorted(site.stopped),
        ids=sorted(site.ids.stopped),
        repeats=dict(islice(site.repeats.items(), max(0, len(site.repeats) - most), None)),
        worn=sorted(islice(site.whole.worn, _MAX_WORN)),
        families=[
            (of.kind.value, of.pattern, sorted(islice(group.worn, _MAX_WORN)))
            for of, group in site.groups.items()
            if of.pattern in site.stopped
        ],
    )


def restored_site(stored: StoredSite, config: TrapsConfig) -> Site:
    """The site again, watched."""
    site = Site(stored.name, config)
    site.watched = True
    site.stopped = set(stored.stopped)
    site.ids.stopped = set(stored.ids)
    site.repeats = dict(stored.repeats)
    site.whole.worn = set(stored.worn)
    site.whole.contents = dict.fromkeys(stored.worn, config.copies)
    for kind, pattern, worn in stored.families:
        group = site.groups[Family(Kind(kind), pattern)] = Group(MAX_FAMILY_CONTENTS)
        group.worn = set(worn)
        group.contents = dict.fromkeys(worn, config.copies)
    return site


def decoded(state: bytes) -> Stored:
    """What a blob says; nothing, if it is empty or of another version."""
    if not state:
        return Stored()
    try:
        stored = msgspec.msgpack.decode(state, type=Stored)
    except (msgspec.DecodeError, UnicodeDecodeError):  # of another version, or damaged: what it knew is learnt again
        return Stored()
    return stored if stored.version == VERSION else Stored()


def encoded(verdicts: Sequence[tuple[str, Verdict]], sites: Sequence[Site]) -> bytes:
    """The blob: under 400 KB, however many sites there are."""
    most = min(_MAX_REPEATS, _MAX_REPEATS_IN_ALL // max(1, len(sites)))
    kept = [stored_site(site, most) for site in sites[-_MAX_SITES:]]
    return msgspec.msgpack.encode(Stored(verdicts=list(verdicts), sites=kept))


def verdicts_on(state: bytes, url: Url, config: TrapsConfig) -> tuple[Verdict, ...]:
    """The verdicts that a URL which was excluded may have been excluded for: those on its family or part, else all.

    Args:
        state: The blob.
        url: The URL.
        config: The thresholds.
    """
    site = registrable_domain(host(url))
    of, names = family(url, config.depth), part_names(url)
    on_site = [(what, verdict) for what, verdict in decoded(state).verdicts if verdict.site == site]
    pattern = of.pattern if of is not None else None
    close = [v for what, v in on_site if what == pattern or (v.kind is Kind.SESSION and what in names)]
    return tuple(close or [verdict for _, verdict in on_site])
