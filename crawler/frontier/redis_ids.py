"""Which partition, which lease of it and which of its URLs does `Request.id` name?

A number of 63 bits: what comes back after its partition was lost, and perhaps had anew, is told from what is out now.
"""

from __future__ import annotations

_NUMBER_BITS, _EPOCH_BITS = 32, 15
_PARTITION_SHIFT = _NUMBER_BITS + _EPOCH_BITS
_NUMBER_MASK = (1 << _NUMBER_BITS) - 1
_EPOCHS = (1 << _EPOCH_BITS) - 1


def first_id(partition: int, lease: int) -> int:
    """What the ids of a partition's URLs are above, by their numbers.

    Args:
        lease: Which lease of it this worker has, from 1.
    """
    return partition << _PARTITION_SHIFT | (1 + (lease - 1) % _EPOCHS) << _NUMBER_BITS


def partition_of_id(number: int) -> int:
    """The partition of an id's URL."""
    return number >> _PARTITION_SHIFT


def number_of_id(number: int) -> int:
    """An id's URL in its partition."""
    return number & _NUMBER_MASK


def is_of_a_lease(number: int) -> bool:
    """Whether it ever was given to a URL."""
    return bool(number >> _NUMBER_BITS & _EPOCHS)
