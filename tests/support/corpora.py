"""Where are the third-party test data? Beside the checkout, and not on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


def corpus(name: str) -> Path:
    """The path of a file or folder of the test data; skips the calling test where it is absent."""
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"no test data at ../shared/corpora/{name}")
    return path
