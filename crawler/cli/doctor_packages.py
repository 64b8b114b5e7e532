"""Are Python and the packages that a crawl needs there, in versions that will do, and do their compiled parts work?"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Final

from crawler.cli.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLDEST_PYTHON: Final = (3, 11)
OLDEST_SQLITE: Final = (3, 35)
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_BOUND: Final = re.compile(r"(>=|<|==)\s*([0-9][0-9.]*)")
_FOR_DEVELOPERS: Final = ("dev", "test")
_TEXT: Final = b"a page, a page, a page"


def findings() -> Iterator[Finding]:
    """What there is to say of each."""
    yield _python()
    try:
        required = metadata.requires("crawler") or []
        extras = metadata.metadata("crawler").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "warning",
            "packages",
            "crawler is not installed, so what it needs is not known",
            "pip install . in its folder, or make demo",
        )
    else:
        yield from _packages(required)
        yield from _extras(required, extras)
    yield from _compiled()
    yield _sqlite()


def _python() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    found = f"{platform.python_version()}, {platform.python_implementation()}, {bits} bit, {sys.executable}"
    if sys.version_info < OLDEST_PYTHON or platform.python_implementation() != "CPython":
        return Finding("failed", "Python", found, "install CPython 3.11, 3.12 or 3.13")
    return Finding("ok", "Python", found)


def _packages(required: list[str]) -> Iterator[Finding]:
    """Those needed in any case."""
    have: list[str] = []
    for line in required:
        if "extra ==" in line or not _applies(line):
            continue
        name, version = _name(line), installed(_name(line))
        wanted = line.partition(";")[0].removeprefix(name).strip()
        if version is None:
            yield Finding("failed", name, "is not installed", f"pip install '{name}{wanted}'")
        elif not satisfies(version, wanted):
            yield Finding("failed", name, f"{version}, where {wanted} is needed", f"pip install '{name}{wanted}'")
        else:
            have.append(f"{name} {version}")
    yield Finding("ok", "packages", ", ".join(have))


def _extras(required: list[str], extras: list[str]) -> Iterator[Finding]:
    """What may be installed besides; nobody has to."""
    for extra in extras:
        names = [_name(line) for line in required if f'extra == "{extra}"' in line.replace("'", '"')]
        missing = [name for name in names if installed(name) is None]
        if missing and extra not in _FOR_DEVELOPERS:
            how = f"pip install 'crawler[{extra}]', if you want what it is for"
            yield Finding("ok", f"extra {extra}", f"without {', '.join(missing)}", how)
        elif names and not missing:
            yield Finding("ok", f"extra {extra}", "complete")


def _compiled() -> Iterator[Finding]:
    """Those parts that a machine may have in the wrong build: each does a little of what it is for."""
    works: list[str] = []
    for name, probe in _PROBES.items():
        try:
            good = probe()
        except Exception as error:  # noqa: BLE001 - whatever a broken build does, it is for the table to say
            yield _broken(name, f"{type(error).__name__}: {error}")
            continue
        if good:
            works.append(name)
        else:
            yield _broken(name, "gives a wrong result")
    yield Finding("ok", "compiled", f"{', '.join(works)}: each did its work")


def _broken(name: str, why: str) -> Finding:
    return Finding("failed", name, why, f"pip install --force-reinstall --no-cache-dir {name}")


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Finding("failed", "SQLite", sqlite3.sqlite_version, "3.35 or later is needed: use a newer Python build")
    return Finding("ok", "SQLite", sqlite3.sqlite_version)


def installed(name: str) -> str | None:
    """The version of a package; None if it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version is within bounds such as ``>=3.14,<3.15``. What is no number in it does not count."""
    have = _numbers(version)
    for sign, bound in _BOUND.findall(wanted):
        limit = _numbers(bound)
        if (sign == ">=" and have < limit) or (sign == "<" and have >= limit) or (sign == "==" and have != limit):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"[0-9]+", version.partition("+")[0])[:4]]
    while numbers and numbers[-1] == 0:  # 2.0 is 2
        numbers.pop()
    return tuple(numbers)


def _name(line: str) -> str:
    found = _NAME.match(line)
    return found.group() if found else line


def _applies(line: str) -> bool:
    """Whether a requirement is for this Python and system; of markers those that this package has are known."""
    marker = line.partition(";")[2].strip().replace("'", '"')
    if "python_version" in marker:
        bound = _BOUND.search(marker.replace('"', ""))
        return bound is None or satisfies(platform.python_version(), bound.group())
    return "win32" not in marker or sys.platform != "win32"


def _uvloop() -> bool:
    import asyncio  # noqa: PLC0415 - other commands need none of this

    import uvloop  # noqa: PLC0415

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.sleep(0, result=True))


def _selectolax() -> bool:
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415

    node = LexborHTMLParser("<p class=a>x").css_first("p.a")
    return node is not None and node.text() == "x"


def _re2() -> bool:
    import re2  # noqa: PLC0415

    return bool(re2.search("pa(g)e", "a page"))


def _brotli() -> bool:
    import brotli  # noqa: PLC0415

    return bool(brotli.decompress(brotli.compress(_TEXT)) == _TEXT)


def _zstd() -> bool:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    return bool(zstd.decompress(zstd.compress(_TEXT)) == _TEXT)


def _xxhash() -> bool:
    import xxhash  # noqa: PLC0415

    return xxhash.xxh3_64_intdigest(b"") == 0x2D06800538D394C2


def _can_ada() -> bool:
    import can_ada  # noqa: PLC0415

    return str(can_ada.parse("HTTP://Example.org:80/a/../b")) == "http://example.org/b"


def _msgspec() -> bool:
    import msgspec  # noqa: PLC0415

    return bool(msgspec.json.decode(b'{"a": [1]}') == {"a": [1]})


def _yaml() -> bool:
    import yaml  # noqa: PLC0415

    return bool(yaml.CSafeLoader("a: [1]").get_single_data() == {"a": [1]})


_PROBES: Final[dict[str, Callable[[], bool]]] = {
    "uvloop": _uvloop,
    "selectolax": _selectolax,
    "google-re2": _re2,
    "brotli": _brotli,
    "zstd": _zstd,
    "xxhash": _xxhash,
    "can-ada": _can_ada,
    "msgspec": _msgspec,
    "PyYAML": _yaml,
}
"""By what pip calls it, or nearly."""
