"""The frontier backends under test. One joins all suites by a line in `BACKENDS`."""

from __future__ import annotations

from crawler.frontier.memory import MemoryFrontier, MemoryStore


def memory(clock, folder):
    store = MemoryStore()
    return lambda: MemoryFrontier(clock, store)


#: (clock, empty folder) -> a function that makes a frontier on one store, another each time, as after a crash
BACKENDS = {"memory": memory}
