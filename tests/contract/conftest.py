"""A frontier of every backend, for the tests of `crawler.frontier.base`."""

from __future__ import annotations

import pytest

from tests.support.clock import FakeClock
from tests.support.frontiers import BACKENDS


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
async def frontier_factory(request, clock, tmp_path):
    """Makes a frontier, and others on the same store."""
    make = request.param(clock, tmp_path)
    made = []

    def remembered(**options):
        made.append(make(**options))
        return made[-1]

    yield remembered
    for frontier in made:
        await frontier.aclose()


@pytest.fixture
async def frontier(frontier_factory):
    frontier = frontier_factory()
    await frontier.open()
    return frontier
