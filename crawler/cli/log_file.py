"""How is a crawl's log kept in files that do not grow for ever?

`crawl.log` is appended to. Once it is full it becomes `crawl.log.1`, that `crawl.log.2` and so on, and the oldest of
those that are to be kept goes. Files are renamed, never copied or cut, so a process that reads one reads it to its end.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.cli.out import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO
    from pathlib import Path


class LogFile(logging.Handler):
    """A log file that, once it cannot be written, says so once and is left alone: a crawl outlives its log.

    One whose last line a crash has torn, or whose lines are of the other format, is not gone on with in its middle:
    the line is ended, or the file set aside as if it were full.

    Args:
        path: Of the file that is written.
        older: Where it goes once it is full, the newest first.
        keep: How many of those are kept.
        most_bytes: When it is full; None: never.
        as_json: Whether each line is a JSON object.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(
        self, path: Path, *, older: Sequence[Path], keep: int, most_bytes: int | None, as_json: bool = False
    ) -> None:
        super().__init__()
        self._path = path
        self._older = older
        self._keep = keep
        self._most_bytes = most_bytes
        self._file: FileIO | None = None
        first, last = _ends(path)
        if first and (first == b"{") is not as_json:
            self._set_aside()
        self._open()
        if self._size and last != b"\n":
            self._write(b"\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and bring it to the system."""
        if self._file is None:
            return
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            if self._most_bytes is not None and self._size and self._size + len(line) > self._most_bytes:
                self._file.close()
                self._set_aside()
                self._open()
            self._write(line)
        except Exception:  # noqa: BLE001  (whatever it is: `handleError` tells it)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  (logging's name)
        """End the log."""
        error = sys.exc_info()[1]
        self._close()
        with suppress(OSError):  # nobody is there any more to be told, and the thread has other logs to write
            tell(f"crawler: {self._path}: cannot be written, the log ends here: {error}", err=True)

    def close(self) -> None:
        """End it; nothing more is written."""
        self._close()
        super().close()

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _write(self, data: bytes) -> None:
        while data and self._file is not None:
            written = self._file.write(data)
            self._size += written
            data = data[written:]

    def _set_aside(self) -> None:
        """Make room for a new file under the name."""
        for place in range(len(self._older) - 1, self._keep - 1, -1):
            self._older[place].unlink(missing_ok=True)  # of a run that kept more
        kept = [self._path, *self._older[: self._keep]]
        kept[-1].unlink(missing_ok=True)
        for now, then in zip(kept[-2::-1], kept[:0:-1], strict=True):
            if now.exists():
                now.rename(then)


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first byte of a file and its last; empty where there is none."""
    try:
        with path.open("rb") as file:
            first = file.read(1)
            if first:
                file.seek(-1, 2)
            return first, file.read(1)
    except FileNotFoundError:
        return b"", b""
