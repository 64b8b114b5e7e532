"""What has changed since the last committed checkpoint?"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


MOST_LATER = 256
"""How many of what may be stored later goes with a checkpoint: so what that costs is bounded."""


class Unsaved(Generic[K, V]):
    """Changed things by their key, until a checkpoint that holds them is committed."""

    def __init__(self) -> None:
        self._changed: dict[K, V] = {}
        self._committing: dict[K, V] = {}
        #: what has changed and may be stored by a later checkpoint, longest ago first; anybody may add to it
        self.later: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._changed or key in self._committing or key in self.later

    def mark(self, key: K, value: V) -> None:
        """It has changed, to `value`."""
        self._changed[key] = value

    def hasten(self, key: K) -> None:
        """What may be stored later is to go with the next checkpoint."""
        if key in self.later:
            self._changed[key] = self.later.pop(key)

    def forget(self, belongs: Callable[[K], bool]) -> None:
        """These are not to be stored any more."""
        for things in (self._changed, self._committing, self.later):
            for key in [key for key in things if belongs(key)]:
                del things[key]

    def take(self, *, everything: bool = False) -> Collection[V]:
        """All that changed since the checkpoint that was last reported committed, and of what may be stored later the
        first `MOST_LATER`, or `everything`."""
        for key in list(self.later if everything else islice(self.later, MOST_LATER)):
            self.hasten(key)
        self._committing |= self._changed
        self._changed = {}
        return self._committing.values()

    def committed(self) -> None:
        """The last `take` is safe."""
        self._committing = {}
