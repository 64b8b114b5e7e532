"""How is one target fuzzed, in a process of its own? ``python -m tests.fuzz.one NAME SECONDS FOLDER``.

By atheris if it is there: libFuzzer, guided by the coverage of this package alone, begins with the target's seeds and
with those of `tests.fuzz.corpus`, puts in the target's words, and keeps what goes wrong. FOLDER is its to fill.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

CASES = Path(__file__).with_name("cases")
_MAX_CPU_S = 4.0  # instrumented code is slower
_TIMEOUT_S = 60  # on a busy machine; what only takes long is found by the processor's time
_MEMORY_MIB = 2048


def main() -> None:
    """Fuzz; what goes wrong ends the process."""
    name, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    kept = CASES / name
    kept.mkdir(parents=True, exist_ok=True)
    if atheris is None:
        by_hypothesis(name, seconds)
    else:
        by_atheris(name, seconds, folder)


def by_atheris(name: str, seconds: int, folder: Path) -> None:
    """Fuzz by coverage."""
    with atheris.instrument_imports(include=["crawler"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.corpus import seeds_of
    from tests.fuzz.target import MAX_BYTES

    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for seed in seeds_of(target):
        (corpus / hashlib.sha256(seed).hexdigest()[:20]).write_bytes(seed[:MAX_BYTES])
    words = folder / "words"
    words.write_text("".join(map(dictionary_entry, filter(None, target.tokens))))
    options = {
        "max_total_time": seconds, "timeout": _TIMEOUT_S, "rss_limit_mb": _MEMORY_MIB, "max_len": MAX_BYTES,
        "dict": words, "artifact_prefix": f"{CASES / name}/", "print_final_stats": 1, "detect_leaks": 0,
    }  # fmt: skip

    def run(data: bytes) -> None:
        target.check(data, max_cpu_s=_MAX_CPU_S)

    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], run)
    atheris.Fuzz()


def dictionary_entry(token: bytes) -> str:
    """A line of libFuzzer's dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n'


def by_hypothesis(name: str, seconds: int) -> None:
    """Fuzz at random, over the same words and seeds."""
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.mixing import inputs
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    end = time.monotonic() + seconds
    runs = 0

    @settings(deadline=None, max_examples=1000, suppress_health_check=list(HealthCheck), database=None)
    @given(inputs(target))
    def batch(data: bytes) -> None:
        nonlocal runs, last
        runs, last = runs + 1, data
        target.check(data)

    last = b""
    try:
        while time.monotonic() < end:
            batch()
    except BaseException:
        (CASES / name / f"crash-{hashlib.sha256(last).hexdigest()[:20]}").write_bytes(last)
        raise
    finally:
        print(f"hypothesis: {runs} runs")


if __name__ == "__main__":
    main()
