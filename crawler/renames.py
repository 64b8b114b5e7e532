"""How is an output file exchanged for another version of it, in one step with the store?

The new version is written beside it as a `Draft`. The transaction that makes it the true one also stores, under
`RENAMES`, that it has to take the file's place; then it takes it. Whoever opens the crawl next finishes what was
begun: `complete_renames`. So at any moment the files, once renames that are due are done, are what the store says.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.directory import bring_down
from crawler.errors import ExportError
from crawler.models import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.models import Restored

RENAMES = "renames"
"""The name of the blob that says which files have to be exchanged."""

DRAFT_SUFFIX = ".crawl-new"
"""Of a file of ours wherever it lies, `-o FILE` included; so nobody else's should be called so."""


@dataclass(frozen=True, kw_only=True)
class OutputFiles:
    """Where the records of one crawl go."""

    folder: Path  #: the crawl's directory
    paths: Mapping[str, Path]  #: by sink name
    sink: Callable[[Path], Sink]  #: writes to a file as the crawl does

    def hold_anything(self) -> bool:
        """Whether there is a line in any of them."""
        return any(path.exists() and path.stat().st_size for path in self.paths.values())

    def draft(self, name: str) -> Draft:
        """A new version of one of them, not begun."""
        return Draft(self.paths[name], self.sink)


class Draft:
    """A new version of the file at `path`."""

    def __init__(self, path: Path, sink: Callable[[Path], Sink]) -> None:
        self.path = _draft_path(path)
        self._sink = sink(self.path)

    async def begin(self) -> None:
        """Create it, empty; one that was left behind is overwritten."""
        await asyncio.to_thread(self.path.unlink, missing_ok=True)
        await self._sink.open(None)

    async def append(self, lines: Sequence[bytes]) -> None:
        """Add lines, each without its newline."""
        await self._sink.append(lines)

    async def finish(self) -> int:
        """Bring it to the disk and close it; its length."""
        length = await self._sink.sync(fsync=True)
        await self._sink.aclose()
        return length

    async def discard(self) -> None:
        """Close and remove it."""
        await self._sink.aclose()
        await asyncio.to_thread(self.path.unlink, missing_ok=True)


def renames_blob(files: OutputFiles, names: Iterable[str]) -> bytes:
    """What to store under `RENAMES` for the drafts of these sinks; empty for none."""
    folder = files.folder.resolve()
    paths = [files.paths[name].resolve() for name in names]
    return b"\0".join(os.fsencode(path.relative_to(folder) if path.parent == folder else path) for path in paths)


async def complete_renames(frontier: Frontier, restored: Restored, files: OutputFiles) -> Restored:
    """Finish the renames that are due, and forget them; remove drafts that never came to that.

    Call it when a crawl has been opened, before its files are looked at.

    Raises:
        ExportError: A file cannot be renamed.
        FrontierError: The store cannot be written.
    """
    due = restored.blobs.get(RENAMES)
    if due:
        paths = [files.folder / os.fsdecode(name) for name in due.split(b"\0")]
        await asyncio.to_thread(_exchange, paths)
        await frontier.commit(Checkpoint(blobs={RENAMES: b""}))
        blobs = {name: blob for name, blob in restored.blobs.items() if name != RENAMES}
        restored = msgspec.structs.replace(restored, blobs=blobs)
    await asyncio.to_thread(remove_drafts, files)
    return restored


def remove_drafts(files: OutputFiles) -> None:
    """Remove the drafts that were left behind; none may be due."""
    for path in files.paths.values():
        with suppress(OSError):
            _draft_path(path).unlink(missing_ok=True)


def _exchange(paths: Sequence[Path]) -> None:
    """Put drafts in the place of these files. One that is not there took it before."""
    for path in map(Path.resolve, paths):
        try:
            with suppress(FileNotFoundError):
                _draft_path(path).replace(path)
            bring_down(path.parent)
        except OSError as error:
            raise ExportError(f"{path}: cannot be replaced by its new version: {error.strerror or error}") from error


def _draft_path(path: Path) -> Path:
    path = path.resolve()  # beside the file itself, where there is a link to it
    return path.with_name(path.name + DRAFT_SUFFIX)
