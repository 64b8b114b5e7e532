"""Has a crawl's work become dearer? Counts the instructions of fixed pieces of it, against the last line recorded.

    python -m benchmarks.guard [--check] [--threshold 2] [--ratio]

Prints each piece's instructions, with the change against the last line of benchmarks/history.jsonl that was counted
under the same Python version, and appends a line: date, commit, version, figures. With --check nothing is appended,
and the exit code is 1 if a piece has become dearer by more than the threshold, in percent.

The figures are machine-independent: what valgrind counts does not depend on how fast the machine is, or on what else
it does, and two runs differ by less than 0.5 %. Of two builds of the same Python they do differ; the reference,
which uses nothing of the crawler, tells: where it changed by more than the threshold, nothing is compared. Where
valgrind is missing (or with --ratio), processor time as a multiple of the reference's, in turns in one process, takes
the place of instructions; it is good to some 10 %, and the threshold is 15 % then.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.counted import run_counted

HISTORY = Path(__file__).with_name("history.jsonl")
ROOT = Path(__file__).parents[1]
REFERENCE = "reference"
INSTRUCTIONS, RATIO = "instructions", "ratio"
THRESHOLDS_PERCENT = {INSTRUCTIONS: 2.0, RATIO: 15.0}
FIXED_WORK = ("-m", "benchmarks.fixed_work")


@dataclass(frozen=True)
class Line:
    """One line of the history."""

    date: str
    commit: str  #: with + if files have changed since
    python: str  #: as ``CPython 3.11.7 x86_64``
    unit: str  #: of `figures`: instructions, or multiples of the reference's processor time
    figures: dict[str, float]  #: of one item, by the name of the piece


def measured(*, ratio: bool) -> Line:
    """What the pieces cost now."""
    counted = None if ratio else run_counted([*FIXED_WORK, "--counted"])
    if counted is not None:
        unit, (printed, totals) = INSTRUCTIONS, counted
        items: dict[str, int] = json.loads(printed)
        figures = {name: round(total / n, 1) for (name, n), total in zip(items.items(), totals, strict=True)}
    else:
        unit = RATIO
        done = subprocess.run([sys.executable, *FIXED_WORK], capture_output=True, text=True, check=True)
        figures = {name: round(value, 3) for name, value in json.loads(done.stdout).items()}
    version = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Line(date, commit(), version, unit, figures)


def commit() -> str:
    """The commit measured, or an empty text outside a repository."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def last_like(line: Line, history: Path) -> Line | None:
    """The last line that `line` compares with."""
    rows = [Line(**json.loads(row)) for row in history.read_text().splitlines()] if history.exists() else []
    return next((row for row in reversed(rows) if (row.python, row.unit) == (line.python, line.unit)), None)


def changes_percent(before: Line, now: Line, threshold_percent: float) -> dict[str, float]:
    """By how much each piece of both has become dearer; empty if the interpreter is another one."""
    figures = {
        name: 100 * (now.figures[name] / figure - 1) for name, figure in before.figures.items() if name in now.figures
    }
    return {} if abs(figures.get(REFERENCE, 0.0)) > threshold_percent else figures


def print_table(now: Line, before: Line | None, changes: dict[str, float]) -> None:
    print(f"{now.python}, {now.unit} an item, {now.commit}")
    for name, figure in now.figures.items():
        change = f"{changes[name]:+8.2f} %" if name in changes else ""
        print(f"  {name:28}{figure:14,.1f}{change}")
    if before is None:
        print(f"no line of {now.python} in {now.unit} to compare with")
    elif not changes:
        print(f"not comparable with {before.commit}: this build of Python is another one, the reference says")
    else:
        print(f"against {before.commit} of {before.date}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="append nothing, and exit with 1 if something is dearer")
    parser.add_argument("--threshold", type=float, help="percent that --check allows: 2, of ratios 15")
    parser.add_argument("--ratio", action="store_true", help="processor time against the reference's, without valgrind")
    arguments = parser.parse_args()
    now = measured(ratio=arguments.ratio)
    threshold = THRESHOLDS_PERCENT[now.unit] if arguments.threshold is None else arguments.threshold
    before = last_like(now, HISTORY)
    changes = {} if before is None else changes_percent(before, now, threshold)
    print_table(now, before, changes)
    if not arguments.check:
        with HISTORY.open("a") as history:
            history.write(json.dumps(asdict(now)) + "\n")
    elif dearer := [name for name, change in changes.items() if change > threshold]:
        raise SystemExit(f"dearer by more than {threshold:g} %: {', '.join(dearer)}")


if __name__ == "__main__":
    main()
