"""Which number does a host have, of a million of them?

Built as `seen`: a fingerprint of the name chooses one of 256 shards, each an open-addressing table, here with the
numbers in an array beside it: 16 to 22 bytes a host. The odds that two names share a fingerprint, n²/2⁶⁵, are 3e-8
among a million; one of the two hosts would then be taken for the other.
"""

from __future__ import annotations

from array import array

_SHIFT = 64 - 8
_FIRST_SLOTS = 8
_LOAD = 0.75
_GROWTH = 1.3
_SPREAD = 1.1  # of the expected items some shards get that much more than others


class HostTable:
    """A growing map of unsigned 64-bit integers, none of them 0, to positive 32-bit ones. Nothing is ever removed.

    Args:
        expected: How many will be added soon; room is made for them at once.
    """

    def __init__(self, expected: int = 0) -> None:
        slots = max(_FIRST_SLOTS, int(expected / 256 / _LOAD * _SPREAD))
        self._keys = [array("Q", bytes(8 * slots)) for _ in range(256)]
        self._numbers = [array("I", bytes(4 * slots)) for _ in range(256)]
        self._held = [0] * 256
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, fingerprint: int) -> int:
        """The number added under a fingerprint; 0 if there is none."""
        shard = fingerprint >> _SHIFT
        return self._numbers[shard][_slot(self._keys[shard], fingerprint)]

    def add(self, fingerprint: int, number: int) -> None:
        """Remember a number under a fingerprint that has none."""
        shard = fingerprint >> _SHIFT
        keys = self._keys[shard]
        if self._held[shard] >= len(keys) * _LOAD:
            self._grow(shard)
            keys = self._keys[shard]
        slot = fingerprint % len(keys)
        while keys[slot]:
            slot -= 1
        keys[slot] = fingerprint
        self._numbers[shard][slot] = number
        self._held[shard] += 1
        self._count += 1

    def _grow(self, shard: int) -> None:
        slots = int(len(self._keys[shard]) * _GROWTH) + 2
        keys, numbers = array("Q", bytes(8 * slots)), array("I", bytes(4 * slots))
        for fingerprint, number in zip(self._keys[shard], self._numbers[shard], strict=True):
            if fingerprint:
                slot = _slot(keys, fingerprint)
                keys[slot] = fingerprint
                numbers[slot] = number
        self._keys[shard], self._numbers[shard] = keys, numbers


def _slot(keys: array[int], fingerprint: int) -> int:
    """Where a fingerprint is, or would be."""
    slot = fingerprint % len(keys)
    held = keys[slot]
    while held and held != fingerprint:
        slot -= 1  # below 0 it wraps: -1 is the last slot
        held = keys[slot]
    return slot
