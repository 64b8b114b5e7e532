"""How long can everything be fuzzed without going wrong? ``make fuzz``, or ``python -m tests.fuzz [TARGET…]``.

Each target runs in a process of its own for FUZZ_SECONDS (20), guided by coverage where atheris is installed, by
hypothesis elsewhere. What goes wrong is kept in tests/fuzz/cases/TARGET, where a test runs it again; exit code 1.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).with_name("cases")
_COUNTS = re.compile(r"stat::number_of_executed_units: +(\d+)")
_COVERAGE = re.compile(r"#\d+.*?cov: (\d+) ft: \d+ corp: (\d+)/")


def main() -> int:
    """Fuzz the targets named, or all."""
    names = sys.argv[1:] or list(TARGETS)
    unknown = sorted(set(names) - set(TARGETS))
    if unknown:
        print(f"no such target: {', '.join(unknown)}; expected some of {', '.join(TARGETS)}")
        return 2
    seconds = int(os.environ.get("FUZZ_SECONDS", "20"))
    failed = False
    if find_spec("atheris") is None:
        print("atheris is not installed (it has wheels for Linux on x86_64 alone): hypothesis in its place", flush=True)
    for name in names:
        failed |= not fuzzed(name, seconds)
    return 1 if failed else 0


def fuzzed(name: str, seconds: int) -> bool:
    """Fuzz one target and say how it went, and what was kept; whether nothing went wrong."""
    folder = CASES / name
    before = set(folder.glob("*"))
    with TemporaryDirectory(prefix="fuzz-") as corpus:
        command = [sys.executable, "-m", "tests.fuzz.one", name, str(seconds), corpus]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    new = sorted(set(folder.glob("*")) - before)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    print(f"{name:12} {told(done.stderr, done.stdout)}, {len(new)} crashes", flush=True)
    if done.returncode or new:
        print("\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-400:] if is_telling(line)))
    for path in new:
        print(f"    kept {path.relative_to(ROOT)}", flush=True)
    return not done.returncode and not new


def told(report: str, said: str) -> str:
    """Of libFuzzer's report, or what `tests.fuzz.one` said itself."""
    executed, covered = _COUNTS.search(report), _COVERAGE.findall(report)
    if executed is None and not covered:
        return said.splitlines()[0] if said.startswith("hypothesis") else "no report"
    coverage, corpus = covered[-1] if covered else ("?", "?")
    runs = executed[1] if executed else re.findall(r"^#(\d+)", report, re.MULTILINE)[-1]
    return f"{runs} runs, coverage {coverage}, corpus {corpus}"


def is_telling(line: str) -> bool:
    """Whether a line is not one of libFuzzer's about its progress."""
    return bool(line.strip()) and re.match(r"#\d+|INFO|stat::|Recommended|###|\"", line) is None


if __name__ == "__main__":
    sys.exit(main())
