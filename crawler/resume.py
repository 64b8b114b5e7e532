"""What may be different when a crawl goes on, and what is stored for that?

The first checkpoint of every run stores the configuration in force and where page records go; a resume compares them
with what is asked for now. How fast, how politely and how far to crawl may change freely, seeds may be added, the scope
may become another; what tells URLs apart, or what a record contains, may not: half of the output would mean something
else than the other half. Secrets are not stored, so whether they changed is not known (`crawler.config.secrets`).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.config import dotted_key
from crawler.config.file import as_written, loads, to_plain
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from crawler.config import CrawlConfig

# The names of what checkpoints store
CONFIG = "config"  #: YAML
OUTPUT = "output"  #: where page records go: a path; empty for the crawl's directory
COOKIES = "cookies"  #: JSON of `fetch.cookies`: the jars
SEEDS = "seeds"  #: `seedlist.Place`
GENERATION = "generation"  #: `generations.Told`; a first generation has none
REFRESH = "refresh"  #: `refresh.seeding.Place`
STDOUT = "stdout"  #: how far a stream of pages.jsonl has got

FIXED = ("frontier", "urls", "extract", "export")
"""Sections of the configuration that may not change."""

_FREE = frozenset(("export.report",))
"""Keys of them that may."""

_PACKING = frozenset(("export.compress",))
"""Keys of them that say nothing of what is in a record."""

OWN = (
    *("name", "seeds", "frontier", "log", "parse", "checkpoint", "refresh", "fleet.name", "fleet.allow"),
    *("limits.concurrency", "limits.memory", "export.report"),
)
"""What begins so is the affair of each machine that has a part in a crawl: what it has of memory and cores, where its
files and the Redis are."""

_NOTES = {
    "scope": "URLs known and out of it are refused; links into it are found from here on",
}


class Change(msgspec.Struct, frozen=True):
    """A key that has another value than before."""

    key: str  #: dotted
    before: str
    now: str
    note: str = ""  #: what follows from it, if that is not plain

    def __str__(self) -> str:
        return f"{self.key}: {self.before} -> {self.now}" + (f" ({self.note})" if self.note else "")


def stored_config(blobs: Mapping[str, bytes]) -> CrawlConfig | None:
    """The configuration a crawl was last run with; None if it never came to its first checkpoint."""
    text = blobs.get(CONFIG)
    return loads(text.decode(), "the crawl's stored configuration").config if text else None


def changes(before: CrawlConfig, now: CrawlConfig) -> list[Change]:
    """What is different now, but for seeds and name.

    Raises:
        ConfigError: Something that may not change has.
    """
    old, new = (dict(_flat(to_plain(as_written(config)))) for config in (before, now))
    found = []
    for key in sorted(old.keys() | new.keys()):
        section = _section(key)
        if section in ("seeds", "name") or old.get(key) == new.get(key):
            continue
        was, is_now = _shown(old.get(key)), _shown(new.get(key))
        if section in FIXED and key not in _FREE:
            raise ConfigError(
                f"{key}: is {is_now} now, and this crawl was begun with {was}: that cannot change at a resume; "
                f"--set {shlex.quote(f'{key}={_yaml(old.get(key))}')} goes on as before, --fresh crawls anew"
            )
        found.append(Change(key, was, is_now, _NOTES.get(section, "")))
    return found


def disagreements(crawl: CrawlConfig, joining: CrawlConfig) -> list[Change]:
    """What a worker would have otherwise than a crawl that others have a part in, and may not: all but what is a
    machine's own affair (`OWN`), and the seeds, which one of them reads."""
    old, new = (
        {key: _unplaced(key, value) for key, value in _flat(to_plain(as_written(config)))}
        for config in (crawl, joining)
    )
    return [
        Change(key, _shown(old.get(key)), _shown(new.get(key)))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and not key.startswith(OWN)
    ]


def other_seeds(crawl: CrawlConfig, asked: CrawlConfig) -> list[str]:
    """Which seeds a crawl that workers share was not begun with; the same file may lie elsewhere on each machine."""
    known = {_file_name(seed) for seed in crawl.seeds}
    return [seed for seed in asked.seeds if _file_name(seed) not in known]


def altered(before: CrawlConfig, now: CrawlConfig) -> list[str]:
    """What is different now that makes other records of the same pages, or other files beside them: dotted keys."""
    old, new = (dict(_flat(to_plain(as_written(config)))) for config in (before, now))
    return [
        key
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and _section(key) in FIXED and key not in _FREE | _PACKING
    ]


def check_output(blobs: Mapping[str, bytes], pages: Path | None) -> None:
    """Refuse to write page records elsewhere than before.

    Raises:
        ConfigError: The crawl was begun with another file for them.
    """
    if CONFIG not in blobs:
        return
    before = blobs.get(OUTPUT, b"").decode(errors="surrogateescape")
    now = "" if pages is None else str(pages.resolve())
    if before != now:
        asked = f"-o {before}" if before else "no -o FILE"
        raise ConfigError(f"page records of this crawl go elsewhere: it was begun with {asked}; resume it with that")


def output_blob(pages: Path | None) -> bytes:
    """Where page records go, for `check_output`."""
    return b"" if pages is None else str(pages.resolve()).encode(errors="surrogateescape")


def _flat(plain: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in plain.items():
        key = dotted_key(above, name)
        if isinstance(value, dict):
            yield from _flat(value, key)
        elif value is not None and value not in ((), []):  # as good as not there
            yield key, value


def _unplaced(key: str, value: object) -> object:
    """The value of a key as far as it has to be the same on all machines: a file of the user's own may be in another
    folder, and what follows the product's name in the user agent may say which machine it is."""
    if key == "fetch.user_agent" and isinstance(value, str):
        return value.partition("/")[0]
    names_file = key == "extract.python" or key.endswith(".cookies")
    return value.rpartition("/")[2] if names_file and isinstance(value, str) else value


def _file_name(seed: str) -> str:
    return seed if "://" in seed else seed.rpartition("/")[2]


def _section(key: str) -> str:
    return key.split(".", 1)[0].split("[", 1)[0]


def _shown(value: object) -> str:
    return "none" if value is None else _yaml(value)


def _yaml(value: object) -> str:
    return msgspec.json.encode(value).decode().strip('"')
