"""What a sink promises: lines in, a file that may be cut at any committed position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sink(Protocol):
    """One output file, open for appending; or whatever else takes lines and can be cut to what it had before.

    All methods are called from the crawl's loop, never two at a time. Each checkpoint appends what there is, syncs, and
    then stores the position, so that a crash leaves at most what `open` cuts off.
    """

    async def open(self, position: int | None) -> None:
        """Create the file, or cut it to its committed length. None: nothing is committed, the file must not exist.

        Raises:
            ExportError: The file is missing or shorter than `position`, exists where it must not, or cannot be
                written.
        """
        ...

    async def append(self, lines: Sequence[bytes]) -> None:
        """Append a batch, each line without its newline, in one write.

        Raises:
            ExportError: The disk is full or the file went away.
        """
        ...

    async def sync(self, *, fsync: bool) -> int:
        """Flush, with `fsync` down to the disk, and return the length at which the file may be cut."""
        ...

    async def aclose(self) -> None:
        """Close without syncing, after `open`, unless that failed. Idempotent."""
        ...
