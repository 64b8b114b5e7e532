"""How do faults end, in short: shown or refused?"""

from __future__ import annotations

from tests.support.faults.fault import Fault, Step, html

SHOWN = html("shown")
"""The page that is in most faults."""

_ATTEMPTS = {"timeout": 3, "reset": 3, "incomplete": 3}


def shown(name: str, *steps: Step, because: str, text: str | None = "shown", reason: str | None = None) -> Fault:
    """What a browser shows."""
    return Fault(name=name, steps=steps, text=text, reason=reason, attempts=1, because=because)


def refused(name: str, *steps: Step, because: str, reason: str = "protocol") -> Fault:
    """What is no page, and is asked for again where that may help."""
    attempts = _ATTEMPTS.get(reason, 1)
    return Fault(name=name, steps=steps, ends="failed", reason=reason, attempts=attempts, because=because)
