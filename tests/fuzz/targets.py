"""Which functions must take any bytes? All targets, in one table."""

from __future__ import annotations

from tests.fuzz.kept import KEPT
from tests.fuzz.served import SERVED
from tests.fuzz.written import WRITTEN

TARGETS = {target.name: target for target in (*SERVED, *WRITTEN, *KEPT)}
