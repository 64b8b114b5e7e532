"""Who may crawl in a directory that may have generations? Loaded by every crawl, so it loads nothing itself."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from crawler.claims import claim
from crawler.directory import State
from crawler.errors import ConfigError, DamagedStoreError
from crawler.generations import NUMBERED, Family, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.plan import Plan


@contextmanager
def claimed(plan: Plan, *, fresh: bool) -> Iterator[Path | None]:
    """Hold the directory of a plan, and of a refresh that of the generation before; yields where older ones went.

    Raises:
        CrawlerError: One is in use.
        ConfigError: It holds what must not be gone on with, or not so.
    """
    with ExitStack() as stack:
        if plan.generation is not None:
            from crawler.refresh.begin import base_held  # noqa: PLC0415 - only a refresh pays for it

            stack.enter_context(base_held(plan.generation))
        elif plan.resume or (not fresh and plan.directory.state() is State.UNUSED):
            refuse_resume(plan.directory.path)
        yield stack.enter_context(claim(plan.directory, fresh=fresh, resume=plan.resume, aside=_all_aside))


def _all_aside(path: Path) -> Path:
    """Move a crawl aside with all its generations."""
    return Family(path).move_aside()


def refuse_resume(path: Path) -> None:
    """Refuse to go on with a crawl by itself that is a generation which is not in force, or whose next one is made.

    Raises:
        ConfigError: It is.
        CrawlerError: A store cannot be read.
    """
    named = NUMBERED.fullmatch(path.resolve().name)
    told = None
    with suppress(DamagedStoreError):  # which a repair is to mend
        told = told_by(path) if named else None
    if named and told is not None and told.number == int(named[2]):
        raise ConfigError(
            f"{path}: is generation {told.number} of {named[1]}, which --refresh makes or has made: "
            f"--refresh -d {path.with_name(named[1])} goes on with it"
        )
    family = Family(path)
    if family.half_published() is not None:
        raise ConfigError(f"{path}: its newest generation was being put in force: --refresh -d {path} goes on")
    made = family.being_made()
    if made is not None:
        raise ConfigError(
            f"{path}: its next generation is being made in {made}: --refresh goes on with that; remove {made.name} to "
            "go on with this one instead"
        )
