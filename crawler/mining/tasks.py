"""What is a worker asked to do, and what does it answer? Values that go through a pipe as lines of JSON."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Whole lines of a file."""

    number: int  #: in the order of the file, from 0
    path: str
    start: int = 0
    end: int | None = None
    is_spooled: bool = False  #: whether the file holds this part alone, and goes away once it is done
    of: str = ""  #: the file that it comes from, where that is another

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are not those of the lines in the crawl's file."""
        return self.is_spooled or self.path.endswith((".gz", ".zst"))


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work on one part. What it gives lies in files of `folder`, named after the part."""

    what: str  #: a name of `work.WORK`
    folder: str
    part: Part
    wants: tuple[str, ...] = ()  #: of `files.STEPS`
    numbers: dict[str, float] = {}
    hosts: tuple[str, ...] = ()  #: those of the part, by the numbers they have in it


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How a piece of work ended."""

    part: int
    counts: dict[str, int] = {}
    hosts: tuple[str, ...] = ()  #: those of the part, by the numbers they have in it
    peak_bytes: int = 0  #: most memory the worker has held so far
    error: str | None = None
    is_ours: bool = False  #: whether `error` is meant for people
