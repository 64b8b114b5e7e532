"""What are all workers of a crawl told, and what is there to know of it before one joins?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config.manners import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNING, DONE, STOPPED, RETIRED = "running", "done", "stopped", "retired"
"""What a crawl is. A retired one has been replaced by another epoch, or is being forgotten."""


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl that a worker has joined, or begun."""

    id: str  #: random: what tells it from others of the same name
    key: int  #: of its fingerprints
    epoch: int  #: from 1
    partitions: int
    config: str  #: as whoever began it gave it
    is_first: bool  #: whether that was this one
    orders: Orders


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What all workers are told."""

    version: int = 0  #: grows with each change
    run: int = 1
    state: str = RUNNING
    why: str = ""  #: what stopped it: a budget, or who
    paused_by: str = ""  #: empty: it is not paused
    #: pattern of hosts -> its pace, besides the configuration's
    limits: dict[str, Pace] = {}
    is_seeded: bool = False  #: whether all seeds are in
    seed_row: int = 0  #: how many rows of the list are
    started_at: float = 0.0
    state_at: float = 0.0  #: since when it is what it is


class Seeding(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads the seeds."""

    is_mine: bool
    row: int  #: from which to go on
    is_over: bool
    seed_list: str  #: what the list is, as whoever read it last said
    free_in_s: float  #: if it is not ours: when it may be


def orders_of(fields: Mapping[str, bytes], limits: Mapping[str, bytes]) -> Orders:
    """What is stored of them: fields of the crawl, and patterns with their paces."""
    texts = {name: fields.get(name, b"").decode() for name in ("state", "why", "paused_by")}
    return Orders(
        version=int(fields["version"]),
        run=int(fields["run"]),
        **texts,
        limits={pattern: _pace(pace) for pattern, pace in limits.items()},
        is_seeded=fields.get("seeded") == b"1",
        seed_row=int(fields.get("seed_row", 0)),
        started_at=int(fields["started_ms"]) / 1000,
        state_at=int(fields["state_ms"]) / 1000,
    )


def _pace(told: bytes) -> Pace:
    return msgspec.json.decode(told, type=Pace, dec_hook=lambda unit, value: unit(value))
