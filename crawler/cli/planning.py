"""What do the options ask for? From the command line to a plan."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.config.file import load, loads
from crawler.directory import CrawlDirectory, State
from crawler.enrolling import refuse_alone
from crawler.errors import ConfigError
from crawler.export.packing import suffix
from crawler.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

STDIN = STDOUT = "-"


def plan_of(
    seeds: Sequence[str],
    config_path: Path | None,
    directory: str | None,
    overrides: Sequence[str | tuple[str, str]],
    output: str | None = None,
    *,
    resume: bool = False,
) -> Plan:
    """What the options ask for.

    Raises:
        ConfigError: They cannot be meant.
    """
    if resume and not (seeds or config_path or directory):
        raise ConfigError("nothing to resume: name the crawl's directory (-d DIR)")
    bare_name = _name(seeds[0]) if seeds else "crawl"
    stored = None
    if resume and not config_path:
        lying = CrawlDirectory(_directory(directory, bare_name))
        from crawler.reopen import load_stored  # noqa: PLC0415  (a new crawl has no use for all that this imports)

        stored = load_stored(lying, overrides)
    loaded = stored or (load(config_path, overrides) if config_path else loads("", "defaults", overrides))
    config = loaded.config
    reads_stdin = STDIN in (seeds or (() if stored else config.seeds))
    if reads_stdin and sys.stdin is None:
        raise ConfigError("the seed list '-' needs standard input, and it is closed")
    if output == STDOUT and sys.stdout is None:
        raise ConfigError("-o - needs standard output, and it is closed")
    if not (stored or config_path or directory):
        config = msgspec.structs.replace(config, name=bare_name)
    plan = Plan(
        config=config,
        directory=lying if stored else CrawlDirectory(_directory(directory, config.name)),
        seeds=tuple(seeds),
        folder=loaded.folder if config_path else None,
        stdin=_own_stdin() if reads_stdin else None,
        is_stored=stored is not None,
        pages=Path(output) if output and output != STDOUT else None,
        resume=resume,
    )
    if not plan.has_seeds():
        raise ConfigError(_nothing_to_crawl(plan, config_path))
    if seeds or not resume or plan.directory.state() is State.UNUSED:
        _check_items(plan, config_path)
    return plan


def refresh_plan_of(
    seeds: Sequence[str],
    config_path: Path | None,
    directory: str | None,
    overrides: Sequence[str | tuple[str, str]],
    *,
    due: bool,
) -> Plan:
    """What the options ask for, of a finished crawl: its next generation, which may have been begun.

    Raises:
        ConfigError: They cannot be meant, or there is nothing to refresh.
        CrawlerError: What lies there cannot be read.
    """
    from crawler.refresh.begin import next_generation, stored_of  # noqa: PLC0415 - only a refresh pays for it

    if not (directory or config_path):
        raise ConfigError("nothing to refresh: name the crawl's directory (-d DIR)")
    if STDIN in seeds:
        raise ConfigError("--refresh takes no seeds from standard input ('-'): name a file, or give them one by one")
    loaded = load(config_path, overrides) if config_path else None
    if loaded:
        refuse_alone(loaded.config, refresh=True)
    path = _directory(directory, loaded.config.name if loaded else "")
    generation, made = next_generation(path, due=due)
    config = (loaded or stored_of(generation, made, overrides)).config
    plan = Plan(
        config=config,
        directory=CrawlDirectory(made),
        seeds=tuple(seeds),
        folder=loaded.folder if loaded else None,
        is_stored=loaded is None,
        resume=True,
        generation=generation,
    )
    refuse_alone(config, refresh=True)
    if config.frontier == "memory":
        raise ConfigError("frontier: memory keeps nothing that a refresh could go by: expected sqlite")
    if seeds:
        _check_items(plan, config_path)
    return plan


def _nothing_to_crawl(plan: Plan, config_path: Path | None) -> str:
    if plan.resume:
        return f"{plan.directory.path}: holds no crawl to go on with; give a SEED to begin one, or name another -d DIR"
    if config_path:
        return f"{config_path}: has no seeds: add `seeds: [example.org]`, or give a SEED (a URL, a host, a file, or -)"
    return "nothing to crawl: give a SEED (a URL, a host, a file, or -), or `seeds:` in a -c FILE"


def _check_items(plan: Plan, config_path: Path | None) -> None:
    """Tell a mistake in an item before anything else is looked at, and where it stands."""
    try:
        plan.read_seeds()
    except ConfigError as error:
        if plan.seeds or config_path is None:
            raise
        raise ConfigError(f"{config_path}: seeds: {error}") from error


def _own_stdin() -> BinaryIO:
    """Standard input through an object of our own: a thread that waits in `sys.stdin` would abort the process's end."""
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb")


def check_output(plan: Plan, *, fresh: bool) -> None:
    """Refuse a file for the page records that cannot be written, or is not to be.

    Raises:
        ConfigError: It exists (and `fresh` does not move it aside), has no folder, or is the crawl's own.
    """
    path = plan.pages
    if path is None:
        return
    if plan.directory.owns(path):
        raise ConfigError(f"-o {path}: is a file of the crawl directory itself; leave -o out, or name another file")
    compress = plan.config.export.compress
    if path.suffix != suffix(compress) and {path.suffix, suffix(compress)} & {".gz", ".zst"}:
        named = suffix(compress) or "neither .gz nor .zst"
        raise ConfigError(f"-o {path}: export.compress is {compress}; expected a name that ends with {named}")
    if not path.parent.is_dir():
        raise ConfigError(f"-o {path}: there is no folder {path.parent}")
    if plan.resume and plan.directory.state() is not State.UNUSED:
        return
    if path.is_dir() or (path.exists() and not fresh):
        raise ConfigError(f"-o {path}: exists already; remove it, or --fresh moves it aside")


def _directory(given: str | None, name: str) -> Path:
    if given is None:
        return Path("data") / name
    if not given:
        raise ConfigError("-d: an empty name; expected a directory")
    path = given.replace("{date}", datetime.now(UTC).date().isoformat())
    if "{" in path or "}" in path:
        raise ConfigError(f"-d {given}: expected no braces but {{date}}")
    return Path(path)


def _name(seed: str) -> str:
    """A folder name for a crawl that has no configuration: its first seed's host, or file name."""
    if seed == STDIN:
        return "stdin"
    bare = seed.split("://", 1)[-1]
    name = Path(bare).stem if Path(seed).exists() else bare.split("/", 1)[0].rsplit("@", 1)[-1]
    safe = "".join(c if c.isalnum() or c in "-._" else "-" for c in name).strip("-.")
    return safe[:80] or "crawl"
