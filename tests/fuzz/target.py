"""What is a target of fuzzing?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CPU_S = 1.0
"""For any input of `MAX_BYTES`; instrumented code is given more."""

MAX_BYTES = 4096
"""Of an input: quadratic work shows in `tests.unit.test_fuzz_linear`, endless work here."""


class SlowError(AssertionError):
    """An input took too long."""


class Target(NamedTuple):
    """A function that takes any bytes, and must not raise: errors that are documented end in it."""

    name: str
    run: Callable[[bytes], None]
    #: words of the format, parted by spaces; ``\\0`` in one stands for a space
    words: str
    #: whole inputs to begin with
    seeds: tuple[bytes, ...] = ()
    #: how many inputs hypothesis makes for the tests
    examples: int = 100

    @property
    def tokens(self) -> list[bytes]:
        """Its words, as bytes of an input: Latin-1 where that has them, so that some are no UTF-8."""
        words = [word.replace("\\0", " ").replace("\\n", "\n") for word in self.words.split(" ")]
        return [word.encode("latin-1" if max(word, default="") < "\u0100" else "utf-8") for word in words]

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
