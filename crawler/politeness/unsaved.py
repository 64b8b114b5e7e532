"""What has changed since the last committed checkpoint?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Unsaved(Generic[K, V]):
    """Changed things by their key, until a checkpoint that holds them is committed."""

    def __init__(self) -> None:
        self._changed: dict[K, V] = {}
        self._committing: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._changed or key in self._committing

    def mark(self, key: K, value: V) -> None:
        """It has changed, to `value`."""
        self._changed[key] = value

    def take(self) -> Collection[V]:
        """All that changed since the checkpoint that was last reported committed."""
        self._committing |= self._changed
        self._changed = {}
        return self._committing.values()

    def committed(self) -> None:
        """The last `take` is safe."""
        self._committing = {}
