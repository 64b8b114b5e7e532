"""Which generations of a crawl are there, and which is in force?

``DIR`` is the generation in force: the last one that came to its end. ``DIR@1``, ``DIR@2``, … are older ones, and the
one that is being made, which takes its place only once it is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A generation that is being made."""

    number: int  #: 2 or more
    base: Path  #: the directory of the one before, finished
    due: bool = False  #: whether only what is due is visited
