"""What a person is told of traps."""

from __future__ import annotations

from crawler.summary_traps import traps_told
from crawler.traps.shapes import Kind
from crawler.traps.verdict import Counted, Verdict, evidence


def verdict(n=1, **more):
    told = {"site": "a.test", "pattern": f"a.test/{n}", "kind": Kind.SAME_PAGE, "evidence": "so it is"}
    return Verdict(**told | more)


def test_nothing_is_told_where_nothing_was_stopped():
    assert traps_told([]) == ""


def test_each_trap_is_told_with_its_evidence_and_an_example():
    text = traps_told([verdict(excluded=1_234, examples=("http://a.test/x", "http://a.test/y"))])
    assert text.splitlines()[1:] == [
        "  same page a.test/1: 1,234 URLs excluded",
        "    so it is",
        "    such as http://a.test/y",
    ]


def test_what_pages_say_cannot_reach_the_terminal_as_it_is():
    assert "\x1b" not in traps_told([verdict(pattern="a.test/\x1b[2J", examples=("http://a.test/\x1b",))])


def test_many_traps_are_told_in_part():
    lines = traps_told([verdict(n) for n in range(13)]).splitlines()
    assert lines[-1].strip() == "3 others in summary.json"


def test_evidence_has_the_counts():
    counted = Counted(repeats=1_100, fresh=2, contents=3)
    assert evidence(Kind.CALENDAR, counted).startswith("1,100 pages found on repeats say the same but for numbers")
    assert "3 contents again and again; 2 found there" in evidence(Kind.CALENDAR, counted)
    assert evidence(Kind.SESSION, counted).startswith("1,100 pages said the same under another value of it, 2 did not")
