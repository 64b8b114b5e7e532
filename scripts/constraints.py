"""Which exact files may `make` install? Writes constraints.txt and constraints-test.txt: names, versions and hashes.

Resolves the project's requirements (build, runtime, dev) once, and what tests need besides with these given; then asks
pip which wheel it would take for every Python version and platform below. Any configuration of pip is set aside, so the
hashes are the public index's.

    python scripts/constraints.py            the newest versions the requirements allow
    python scripts/constraints.py --keep     the versions of the present files, where they have one; hashes anew
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
FOR_TESTS = ROOT / "constraints-test.txt"
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

TEST_HEADER = """\
# What `make unit` installs beside constraints.txt, for tests of pages and how-tos. Written by scripts/constraints.py.
"""


def main() -> None:
    """Resolve, collect, write."""
    keep = "--keep" in sys.argv[1:]
    pins = resolved_versions(requirements(), kept_versions(CONSTRAINTS) if keep else {})
    write(CONSTRAINTS, HEADER, pins)
    besides = resolved_versions(extra("test"), (kept_versions(FOR_TESTS) if keep else {}) | pins)
    write(FOR_TESTS, TEST_HEADER, {name: version for name, version in besides.items() if name not in pins})


def requirements() -> list[str]:
    """Every requirement pyproject.toml states of the build, the program and work on it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build = [*project["build-system"]["requires"], "editables"]  # hatchling wants it for an editable install
    return [*build, *project["project"]["dependencies"], *extra("dev")]


def extra(name: str) -> list[str]:
    """The requirements of one extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["optional-dependencies"][name])


def kept_versions(path: Path) -> dict[str, str]:
    """Package -> version of a file at hand; none if it is not."""
    text = path.read_text() if path.exists() else ""
    return dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))


def resolved_versions(wanted: list[str], given: dict[str, str]) -> dict[str, str]:
    """Package -> version as pip resolves them for this interpreter: run it on the oldest supported one."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in given.items())
        file.flush()
        report = json.loads(pip_report("--ignore-installed", "--constraint", file.name, *wanted).stdout)
    return {normalised(item["metadata"]["name"]): item["metadata"]["version"] for item in report["install"]}


def write(path: Path, header: str, pins: dict[str, str]) -> None:
    """Write the versions with the hashes of their wheels for every platform."""
    hashes: dict[str, set[str]] = defaultdict(set)
    for python in PYTHONS:
        for name, tags in PLATFORMS.items():
            for package, digest in wheel_hashes(pins, python, tags, f"CPython {python}, {name}").items():
                hashes[package].add(digest)
    path.write_text(header + "".join(entry(name, pins[name], hashes[name]) for name in sorted(pins)))


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
