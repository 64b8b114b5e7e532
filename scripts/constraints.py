"""Which exact files may `make` install? Writes constraints.txt: names, versions and hashes of wheels.

Resolves the project's requirements (build, runtime, dev) once, then asks pip which wheel it would take for every
Python version and platform below. Any configuration of pip is set aside, so the hashes are the public index's.

    python scripts/constraints.py            the newest versions the requirements allow
    python scripts/constraints.py --keep     the versions of the present constraints.txt, hashes anew
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")
#: Oldest and newest C library of each Linux, since pip prefers the newest tag a machine knows; macOS tags expand by
#: themselves.
PLATFORMS = {
    f"{age} glibc {machine}": tuple(f"{tag}_{machine}" for tag in tags)
    for machine in ("x86_64", "aarch64")
    for age, tags in {
        "new": ("manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux2014"),
        "old": ("manylinux2014",),
    }.items()
} | {"macOS arm64": ("macosx_15_0_arm64",), "macOS x86_64": ("macosx_15_0_x86_64",)}
HEADER = """\
# What `make` installs, each file pinned by its hash. Written by scripts/constraints.py.
# Wheels for CPython 3.11 to 3.13 on Linux (glibc; x86_64, aarch64) and macOS.
"""


def main() -> None:
    """Resolve, collect, write."""
    pins = kept_versions() if "--keep" in sys.argv[1:] else resolved_versions(requirements())
    hashes: dict[str, set[str]] = defaultdict(set)
    for python in PYTHONS:
        for name, tags in PLATFORMS.items():
            for package, digest in wheel_hashes(pins, python, tags, f"CPython {python}, {name}").items():
                hashes[package].add(digest)
    CONSTRAINTS.write_text(HEADER + "".join(entry(name, pins[name], hashes[name]) for name in sorted(pins)))


def requirements() -> list[str]:
    """Every requirement pyproject.toml states: of the build, the program and its tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build = [*project["build-system"]["requires"], "editables"]  # hatchling wants it for an editable install
    return [*build, *project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]


def kept_versions() -> dict[str, str]:
    """Package -> version of the constraints.txt at hand."""
    return dict(re.findall(r"^(\S+)==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE))


def resolved_versions(wanted: list[str]) -> dict[str, str]:
    """Package -> version as pip resolves them for this interpreter: run it on the oldest supported one."""
    report = json.loads(pip_report("--ignore-installed", *wanted).stdout)
    return {normalised(item["metadata"]["name"]): item["metadata"]["version"] for item in report["install"]}


def wheel_hashes(pins: dict[str, str], python: str, tags: tuple[str, ...], label: str) -> dict[str, str]:
    """Package -> sha256 of the wheel pip would take there; packages without one are named and left out."""
    left = dict(pins)
    where = [part for tag in tags for part in ("--platform", tag)]
    while True:
        done = pip_report(
            *("--ignore-installed", "--no-deps", "--only-binary", ":all:", "--python-version", python, *where),
            *("--target", "unused", *(f"{name}=={version}" for name, version in left.items())),
        )
        if done.returncode == 0:
            return {
                normalised(item["metadata"]["name"]): item["download_info"]["archive_info"]["hashes"]["sha256"]
                for item in json.loads(done.stdout)["install"]
            }
        missing = re.search(r"No matching distribution found for (\S+)==", done.stderr)
        if missing is None:
            raise SystemExit(done.stderr)
        sys.stderr.write(f"{label}: no wheel of {missing[1]}\n")
        del left[missing[1]]


def pip_report(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What pip would install, as its JSON report, with nothing but the public index and the machine's certificates."""
    kept = {"PIP_CERT", "PIP_DEFAULT_TIMEOUT"}
    environment = {key: value for key, value in os.environ.items() if key in kept or not key.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", *arguments],
        env=environment | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def normalised(name: str) -> str:
    """A package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entry(name: str, version: str, digests: set[str]) -> str:
    """The lines of one package."""
    if not digests:
        raise SystemExit(f"{name} {version} has no wheel for any platform")
    return f"{name}=={version}" + "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(digests)) + "\n"


if __name__ == "__main__":
    main()
