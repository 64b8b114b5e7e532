"""Ten times as much of what repeats takes about ten times as long, whatever it is that repeats."""

from __future__ import annotations

import time

import pytest

from tests.fuzz.targets import TARGETS

_SMALL, _LARGE = 700, 7000
_MOST = 30
_BELOW_S = 0.05  # too short a time to compare
_COMPILING = {"expression", "rules", "transform"}  # a user's own patterns, which RE2 compiles within limits of its own
MEASURED = [target for name, target in TARGETS.items() if name not in _COMPILING]


def spent(target, data):
    began = time.process_time()
    target.run(data)
    return time.process_time() - began


@pytest.mark.slow
@pytest.mark.parametrize("target", MEASURED, ids=lambda target: target.name)
def test_time_grows_no_faster_than_the_input(target):
    slow = []
    begins = {seed[: seed.find(b"\n") + 1] for seed in target.seeds} | {b""}
    for begin in sorted(begins):
        for token in filter(None, target.tokens):
            large = begin + token * (_LARGE // len(token))
            took = spent(target, large)
            if took < _BELOW_S:
                continue
            small = begin + token * (_SMALL // len(token))
            before = min(spent(target, small) for _ in range(3))
            took = min(took, spent(target, large))
            if took > _MOST * max(before, _BELOW_S / _MOST):
                slow.append((begin, token, round(before, 4), round(took, 4)))
    assert not slow
