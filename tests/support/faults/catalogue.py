"""All faults."""

from __future__ import annotations

from tests.support.faults.bodies import BODIES
from tests.support.faults.chunking import CHUNKING
from tests.support.faults.headers import HEADERS
from tests.support.faults.heads import HEADS

FAULTS = (*HEADS, *HEADERS, *BODIES, *CHUNKING)

assert len({fault.name for fault in FAULTS}) == len(FAULTS), "two faults of one name"
