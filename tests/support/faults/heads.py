"""What can be wrong before the body: nothing at all, half a head, a head that is odd, or none."""

from __future__ import annotations

from tests.support.faults.fault import Fault, Silence, html, ok

HEADS = (
    Fault(
        name="accepts-and-never-answers",
        steps=(Silence(),),
        ends="failed",
        reason="timeout",
        because="browsers and curl wait, and give up",
        attempts=3,
    ),
    Fault(
        name="lower-case-status-line",
        steps=(ok(html("shown"), status=b"http/1.1 200 ok"),),
        text="shown",
        because="Chromium compares HTTP/ without regard to case",
    ),
)
