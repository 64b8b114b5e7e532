"""The catalogue of faults is one that a crawl can be measured by."""

import re

import pytest

from crawler.models import Outcome
from crawler.reasons import REASONS
from tests.support.faults.catalogue import FAULTS

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def test_it_has_at_least_as_many_faults_as_were_asked_for():
    assert len(FAULTS) >= 150


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_a_host_name_of_its_own_a_documented_end_and_a_reason_for_that(fault):
    assert LABEL.fullmatch(fault.name)
    assert fault.because
    ends = [(fault.ends, fault.reason)] + ([fault.leads_to[1:]] if fault.leads_to else [])
    for outcome, reason in ends:
        assert outcome in {each.value for each in Outcome}
        assert reason is None or reason in REASONS or re.fullmatch(r"http_\d{3}", reason)
