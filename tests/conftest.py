"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# An example's time says how busy the machine is, not whether the claim holds.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
