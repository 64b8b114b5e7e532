"""All faults."""

from __future__ import annotations

from tests.support.faults.heads import HEADS

FAULTS = (*HEADS,)

assert len({fault.name for fault in FAULTS}) == len(FAULTS), "two faults of one name"
