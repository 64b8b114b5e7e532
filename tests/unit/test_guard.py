"""The guard against regressions: what it compares, what it lets pass, and whether it counts alike each time."""

import json
import shutil
from dataclasses import asdict, replace

import pytest

from benchmarks import guard
from benchmarks.counted import call_counted, run_counted
from benchmarks.fixed_work import works
from benchmarks.guard import INSTRUCTIONS, RATIO, Line, changes_percent, last_like

LINE = Line("2026-11-27", "abc1234", "CPython 3.11.7 x86_64", INSTRUCTIONS, {"reference": 1000.0, "page": 5000.0})


def dearer(line, **figures):
    return replace(line, figures={**line.figures, **figures})


@pytest.fixture
def history(tmp_path, monkeypatch):
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps(asdict(LINE)) + "\n")
    monkeypatch.setattr(guard, "HISTORY", path)
    return path


def run(monkeypatch, now, *arguments):
    monkeypatch.setattr("sys.argv", ["guard", *arguments])
    monkeypatch.setattr(guard, "measured", lambda *, ratio: now)
    guard.main()


def test_a_line_compares_with_the_last_of_its_python_and_its_unit(tmp_path):
    lines = [
        LINE,
        replace(LINE, commit="later"),
        replace(LINE, commit="ratio", unit=RATIO),
        replace(LINE, commit="newer", python="CPython 3.12.1 x86_64"),
    ]
    history = tmp_path / "history.jsonl"
    history.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    assert last_like(LINE, history).commit == "later"
    assert last_like(lines[3], history).commit == "newer"
    assert last_like(replace(LINE, python="CPython 3.13.0 x86_64"), history) is None
    assert last_like(LINE, tmp_path / "none.jsonl") is None


def test_changes_are_of_the_pieces_both_lines_have():
    now = replace(LINE, figures={"reference": 1001.0, "page": 5500.0, "new": 1.0})
    assert changes_percent(LINE, now, 2.0) == pytest.approx({"reference": 0.1, "page": 10.0})


def test_nothing_compares_where_the_reference_tells_of_another_interpreter():
    assert changes_percent(LINE, dearer(LINE, reference=1100.0), 2.0) == {}


def test_check_fails_above_the_threshold_and_appends_nothing(monkeypatch, history, capsys):
    before = history.read_text()
    with pytest.raises(SystemExit, match="dearer by more than 2 %: page"):
        run(monkeypatch, dearer(LINE, page=5101.0), "--check")
    run(monkeypatch, dearer(LINE, page=5099.0), "--check")
    run(monkeypatch, dearer(LINE, page=5101.0), "--check", "--threshold", "5")
    run(monkeypatch, dearer(LINE, page=2000.0), "--check")
    assert history.read_text() == before
    assert "+1.98 %" in capsys.readouterr().out


def test_without_check_a_line_is_appended_whatever_it_says(monkeypatch, history):
    now = dearer(LINE, page=9000.0)
    run(monkeypatch, now)
    assert [json.loads(line) for line in history.read_text().splitlines()] == [asdict(LINE), asdict(now)]


def test_the_recorded_history_can_be_read():
    for line in guard.HISTORY.read_text().splitlines():
        assert Line(**json.loads(line)).figures["reference"] > 0


async def test_every_piece_of_work_can_be_done_again():
    async with works() as pieces:
        assert len({piece.name for piece in pieces}) == len(pieces)
        for piece in pieces:
            piece.run()
            piece.run()


def test_what_a_counted_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        call_counted(lambda: 1 / 0)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_valgrind_counts_each_call_by_itself():
    counts = run_counted(["-c", COUNTED])
    if counts is None:
        pytest.skip("this interpreter has no symbols")
    printed, (small, again, large) = counts
    assert printed == "done\n"
    assert again == pytest.approx(small, rel=0.01)
    assert large > 5 * small


COUNTED = """
import sys
for n in (1_000, 1_000, 10_000):
    sys.call_tracing(sum, (range(n),))
print("done")
"""
