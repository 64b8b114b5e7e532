"""How do bodies that workers kept as files come along with their lines? Linked, each content once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from crawler.directory import bring_down
from crawler.errors import ExportError
from crawler.export.carried import link

if TYPE_CHECKING:
    from pathlib import Path

_OWN = re.compile(r"files/([0-9a-f]{2})/\1[0-9a-f]{62}(\.[a-z0-9]{1,8})?")


class _Named(msgspec.Struct):
    path: str


class Bodies:
    """Takes bodies over into a directory."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._folders: set[Path] = set()
        self._decode = msgspec.json.Decoder(_Named).decode
        #: some that are not there, and how many
        self.missing: list[str] = []

    def take(self, directory: Path, lines: bytes) -> None:
        """Take over the bodies that lines of files.jsonl name, from the directory of the worker that wrote them.

        Raises:
            ExportError: One cannot be taken over.
        """
        for line in lines.splitlines():
            name = self._name(line, directory)
            source, target = directory / name, self._into / name
            if target.parent not in self._folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._folders |= {target.parent, target.parent.parent, self._into}
            try:
                link(source, target)
            except FileNotFoundError:
                self.missing.append(name)
            except OSError as error:
                raise ExportError(f"{source}: cannot be taken over: {error.strerror}") from error

    def bring_down(self) -> None:
        """Bring the names to the disk."""
        for folder in self._folders:
            bring_down(folder)

    def _name(self, line: bytes, directory: Path) -> str:
        try:
            name = self._decode(line).path
        except (msgspec.DecodeError, UnicodeDecodeError):
            name = ""
        if not _OWN.fullmatch(name):
            raise ExportError(f"{directory}: files.jsonl names {name!r}, which is no body of a crawl's")
        return name
