"""Durations, sizes and rates as people write them: ``500ms``, ``10MiB``, ``5/s``."""

from __future__ import annotations


class Duration(float):
    """Seconds. Written ``500ms``, ``2s``, ``1.5m``, ``1h``, ``1d``."""


class Size(int):
    """Bytes. Written ``512``, ``64KiB``, ``10MiB``, ``1GiB``, or with powers of ten ``10MB``."""


class Rate(float):
    """Events per second. Written ``5/s``, ``30/min``, ``100/h``."""
