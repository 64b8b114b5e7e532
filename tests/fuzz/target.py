"""What is a target of fuzzing?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent

MAX_CPU_S = 1.0
"""For any input of `MAX_BYTES`; instrumented code is given more."""

MAX_BYTES = 4096
"""Of an input: quadratic work shows in tests/unit/test_fuzz_linear.py, endless work here."""

EXAMPLES = 100
"""How many inputs hypothesis makes for a target in the tests."""


class SlowError(AssertionError):
    """An input took too long."""


class Target(NamedTuple):
    """A function that takes any bytes, and must not raise: errors that are documented end in it."""

    name: str
    run: Callable[[bytes], None]

    @property
    def tokens(self) -> list[bytes]:
        """Words of its format: a line each of words/NAME.txt, with the escapes of Python's bytes."""
        lines = (FOLDER / "words" / f"{self.name}.txt").read_text("ascii").splitlines()
        return [line.encode().decode("unicode_escape").encode("latin-1") for line in lines]

    @property
    def seeds(self) -> list[bytes]:
        """Whole inputs to begin with: the files of seeds/NAME."""
        return [path.read_bytes() for path in sorted((FOLDER / "seeds" / self.name).glob("*"))]

    def check(self, data: bytes, *, max_cpu_s: float = MAX_CPU_S) -> None:
        """Run it.

        Raises:
            SlowError: It took more of the processor's time.
        """
        began = time.process_time()
        self.run(data)
        spent = time.process_time() - began
        if spent > max_cpu_s:
            raise SlowError(f"{self.name}: {spent:.2f} s for {len(data)} bytes: {data[:80]!r}")
