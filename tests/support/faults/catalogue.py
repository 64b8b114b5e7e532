"""All faults."""

from __future__ import annotations

from tests.support.faults.bodies import BODIES
from tests.support.faults.chunking import CHUNKING
from tests.support.faults.codings import CODINGS
from tests.support.faults.headers import HEADERS
from tests.support.faults.heads import HEADS
from tests.support.faults.redirects import REDIRECTS
from tests.support.faults.robots import ROBOTS
from tests.support.faults.tls import TLS

FAULTS = (*HEADS, *HEADERS, *BODIES, *CHUNKING, *CODINGS, *REDIRECTS, *ROBOTS, *TLS)

assert len({fault.name for fault in FAULTS}) == len(FAULTS), "two faults of one name"
