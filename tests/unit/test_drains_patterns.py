"""Every regular expression of ours that servers' and pages' words meet takes time by their length, whatever they are.

Users' patterns are RE2 and cannot do otherwise. Ours are Python's, so each is tried on texts made of what it is made
of: its own characters, repeated, alone and in pairs, with an end that cannot match.
"""

import importlib
import pkgutil
import re
import signal
from pathlib import Path

import pytest

import crawler

CHARS = 20_000
CPU_S = 1.0
"""For one text. Time that grows with the square takes more: each of 20,000 starts would look at 10,000 characters."""


def patterns():
    found = {}

    def collect(where, value, depth=0):
        if isinstance(value, re.Pattern):
            found.setdefault((value.pattern, value.flags), (where, value))
        elif depth < 3 and isinstance(value, list | tuple | set | frozenset | dict):
            for item in value.values() if isinstance(value, dict) else value:
                collect(where, item, depth + 1)

    for module in pkgutil.walk_packages(crawler.__path__, "crawler."):
        if module.name.startswith(("crawler.extract", "crawler.fetch", "crawler.politeness", "crawler.url")):
            for name, value in list(vars(importlib.import_module(module.name)).items()):
                collect(f"{module.name.removeprefix('crawler.')}:{name}", value)
    return dict(found.values())


PATTERNS = patterns()
CUT = frozenset(("extract.byline:_AFTER_NAME",))
"""Searched for in texts whose white space is collapsed."""


def is_searched_for(where):
    """Whether it may begin anywhere in a text, not at its start alone."""
    module, _, name = where.rpartition(":")
    source = Path(importlib.import_module(f"crawler.{module}").__file__).read_text()
    uses = re.findall(rf"\b{re.escape(name)}\.(\w+)\(", source)
    return where not in CUT and (not uses or not {"match", "fullmatch"}.issuperset(uses))


def texts(pattern):
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    marks = [mark for mark in dict.fromkeys(re.sub(r"\\[sdwSDWbBAZ]|[\w()?+^$|]", "", source)) if ord(mark) < 256][:6]
    units = [" ", "a", "0", "A", *marks, *(f"{mark}a" for mark in marks), *(f"{mark} " for mark in marks), "0,", "a "]
    for unit in dict.fromkeys(units):
        yield (unit * CHARS)[:CHARS] + "\x01"


def test_all_are_found():
    assert len(PATTERNS) > 100
    assert {"extract.json_ld:_COMMENTS", "extract.charset:_ATTRIBUTE", "url:_IRREGULAR_ESCAPE"} <= PATTERNS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("where", PATTERNS)
def test_time_is_linear(where):
    pattern = PATTERNS[where]

    def too_slow(*_):
        raise AssertionError(f"{where} takes over {CPU_S} s")

    before = signal.signal(signal.SIGPROF, too_slow)
    try:
        for text in texts(pattern):
            given = text.encode("latin-1") if isinstance(pattern.pattern, bytes) else text
            signal.setitimer(signal.ITIMER_PROF, CPU_S)
            pattern.fullmatch(given)
            for _ in pattern.finditer(given) if is_searched_for(where) else ():
                pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
