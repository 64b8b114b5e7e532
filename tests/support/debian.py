"""Where are the real sites? HTML documentation from Debian packages, unpacked by ``.ci/run`` under .cache/debian."""

from __future__ import annotations

from pathlib import Path

import pytest

UNPACKED = Path(__file__).resolve().parents[2] / ".cache" / "debian"
ROOTS = {
    "python3.11-doc": "usr/share/doc/python3.11/html",
    "sqlite3-doc": "usr/share/doc/sqlite3",
    "postgresql-doc-15": "usr/share/doc/postgresql-doc-15/html",
}


def site_root(package: str) -> Path:
    """The folder to serve for a package; skips the calling test where the package is not unpacked."""
    folder = UNPACKED / package
    if not (folder / ".complete").exists():
        pytest.skip(f"{package} is not unpacked: run .ci/run once (needs apt-get)")
    return folder / ROOTS[package]
