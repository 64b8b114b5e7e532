"""Hosts as the throttle and the breaker see them: what these read and write, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Paced:
    """What the throttle goes by."""

    asked_delay_s: float
    crawl_delay_s: float = 0.0
    latency_s: float = 0.0
    backoff_s: float = 0.0
    recovery_s: float = 0.0


@dataclass
class Breakable:
    """What the breaker goes by."""

    failures: int = 0
    trial: int | None = None
