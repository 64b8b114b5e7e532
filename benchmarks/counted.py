"""How many instructions does one call take? What valgrind's callgrind counts between two marks.

Callgrind can be told to count only within one function, and to write down its count whenever that function is left.
The interpreter has one that does nothing but call, and that nothing else uses: `sys.call_tracing`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MARK = "_PyEval_CallTracing"
_TOTAL = re.compile(r"^totals: (\d+)", re.MULTILINE)


def call_counted(work: Callable[[], object]) -> None:
    """Call `work` between the marks. Without callgrind it is an ordinary call."""
    sys.call_tracing(work, ())


def run_counted(arguments: Sequence[str]) -> tuple[str, list[int]] | None:
    """Run Python with these arguments under callgrind.

    Returns:
        What it printed, and the instructions of each counted call, in order. None where there is no valgrind, or
        where it does not see the marks, as in an interpreter without symbols.
    """
    if shutil.which("valgrind") is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        counts = Path(name) / "counts"
        marks = [f"--toggle-collect={_MARK}", f"--dump-after={_MARK}"]
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", *marks, f"--callgrind-out-file={counts}"]
        # texts hash alike in each run, or dictionaries would take more steps in one than in another
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [*command, sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"under valgrind it ended with {done.returncode}:\n{done.stderr[-2000:]}")
        parts = sorted(counts.parent.glob("counts.*"), key=lambda part: int(part.suffix[1:]))
        found = [int(total[1]) for part in parts if (total := _TOTAL.search(part.read_text()))]
    return (done.stdout, found) if found else None
