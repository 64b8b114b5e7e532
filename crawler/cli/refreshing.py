"""How does a crawl that is crawled again begin and end before a person's eyes? Its directories, and what is told of them.

What it is about is in `crawler.generations` and `crawler.refresh`, which a crawl of its own does not load.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from crawler.cli import typed_command
from crawler.cli.failing import quoted
from crawler.directory import State
from crawler.generations import Family, refuse_resume
from crawler.models import STOPPED
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.plan import Plan
    from crawler.running import Result


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a refresh came to."""

    base: str  #: the directory of the crawl, as typed
    left: int | None  #: pages of the generation before that it did not come to; None where not even all URLs
    number: int
    path: Path  #: where the generation lies
    older: Path | None = None  #: where the one before does, once this one is in force
    removed: tuple[Path, ...] = ()
    interrupted: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it can be put in force."""
        return self.left == 0

    def told(self) -> Iterator[str]:
        """What a person is told of it, in lines."""
        if self.older is not None:
            yield f"This is generation {self.number} now; the one before is {self.older}."
            if self.removed:
                yield f"Removed, as refresh.keep says: {', '.join(path.name for path in self.removed)}."
            return
        command = f"{typed_command()} crawl --refresh -d {quoted(self.base)}"
        if self.interrupted:
            yield f"{self.base} stays as it was until this is through: {command} goes on."
            return
        pages = f"{counted(self.left, 'page')} of it were" if self.left else "not all of its URLs were"
        yield (
            f"{self.base} stays as it was, as {pages} not come to before the budget was spent: {command} goes on, with "
            "a larger one."
        )


def check_alone(plan: Plan, *, fresh: bool) -> None:
    """Refuse to go on with a crawl that is a generation which is not in force, or whose next one is being made.

    Raises:
        ConfigError: It is.
        CrawlerError: A store cannot be read.
    """
    if plan.resume or (not fresh and plan.directory.state() is State.UNUSED):
        refuse_resume(plan.directory.path)


def all_aside(path: Path) -> Path:
    """Move a crawl aside with all its generations."""
    return Family(path).move_aside()


@contextmanager
def held(plan: Plan) -> Iterator[None]:
    """Keep everybody from the generation before while the next one is made; nothing for a crawl of its own.

    Raises:
        CrawlerError: Somebody has it.
    """
    if plan.generation is None:
        yield
        return
    from crawler.refresh.begin import base_held  # noqa: PLC0415 - only a refresh pays for it

    with base_held(plan.generation):
        yield


def concluded(plan: Plan, result: Result, *, quiet: bool) -> Ended | None:
    """What became of a refresh; None for a crawl of its own. One that a budget cut short goes on being made.

    Raises:
        CrawlerError: Its files cannot be read or written.
    """
    made = plan.generation
    if made is None:
        return None
    from crawler.refresh.publish import left_by  # noqa: PLC0415

    stopped_by = result.ending.stopped_by
    left = left_by(plan.directory, stopped_by)
    ended = Ended(
        base=str(made.base), left=left, number=made.number, path=plan.directory.path, interrupted=stopped_by == STOPPED
    )
    if not ended.is_whole:
        plan.directory.reopen()
    return ended


def published(plan: Plan, ended: Ended) -> Ended:
    """Put a generation in force that is whole.

    Raises:
        CrawlerError: It cannot be.
    """
    made = plan.generation
    if made is None:
        return ended
    from crawler.refresh.publish import publish  # noqa: PLC0415

    now = publish(plan.directory, made, plan.config.refresh.keep)
    return msgspec.structs.replace(ended, path=now.path, older=now.older, removed=now.removed)
