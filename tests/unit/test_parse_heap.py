"""A page of megabytes leaves a worker as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import crawler
from crawler.parse.server import KEEP_HEAP

WORK = """
import sys
from crawler.models import Response
from crawler.parse.heap import frugal
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
pins = []
def page(request, response):
    pieces = [bytes(50_000) for _ in range(2_000)]
    pins.append(bytes(50_000))  # at the heap's top, so that it cannot simply shrink
work = frugal(page) if sys.argv[1] == "frugal" else page
before = resident()
work(None, Response(url="http://a.test/", status=200, body=bytes(1_000_000)))
print((resident() - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells, and only glibc can")
def test_memory_that_a_huge_page_has_freed_is_given_back():
    def left(how):
        environment = os.environ | KEEP_HEAP | {"PYTHONPATH": str(Path(crawler.__file__).parents[1])}
        command = [sys.executable, "-c", WORK, how]
        return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert left("wasteful") > 80
    assert left("frugal") < 10
