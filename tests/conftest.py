"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# An example's time says how busy the machine is, not whether the claim holds.
settings.register_profile("any machine", deadline=None)
# The same examples each time, for CI: whether a change is good must not hang on what is drawn. `make test` on anybody's
# own machine, and `make fuzz`, look further with each run.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("any machine")
