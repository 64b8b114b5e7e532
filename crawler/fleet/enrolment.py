"""What does a worker know of its crawl before it begins?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.fleet.keys import Keys
    from crawler.fleet.orders import Joined
    from crawler.fleet.target import Target


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A worker's place in a crawl that others may have a part in."""

    id: int  #: the worker's number: never used again
    name: str
    joined: Joined
    keys: Keys  #: of the crawl's epoch
    target: Target  #: where its Redis is; holds the password
    root: Path  #: of the crawl on this machine: its workers' directories are below
    started_at: float  #: by the server's clock
    #: what a person is told before it begins, a line each
    news: tuple[str, ...] = field(default=())
    reads_seeds: bool = True  #: whether it would read the seed list, if nobody else does
