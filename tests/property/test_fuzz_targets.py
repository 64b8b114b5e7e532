"""Whatever bytes come in, nothing goes wrong but what is documented, and no input takes a second."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mixing import inputs
from tests.fuzz.target import EXAMPLES
from tests.fuzz.targets import TARGETS

CASES = Path(__file__).resolve().parents[1] / "fuzz" / "cases"


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_any_bytes_are_taken_as_documented(target):
    @settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def check(data):
        target.check(data)

    check()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_seed_is_taken_as_documented(target):
    for data in (b"", *target.seeds, *target.tokens):
        target.check(data)


@pytest.mark.parametrize(
    "case",
    sorted(path for path in CASES.glob("*/*") if path.is_file()),
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_what_once_went_wrong_is_mended(case):
    TARGETS[case.parent.name].check(case.read_bytes())


def test_every_case_has_its_target():
    assert {path.name for path in CASES.iterdir() if path.is_dir()} <= set(TARGETS)
