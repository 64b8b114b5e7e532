"""How are the bodies of answers stored as files, each content once, with a line for each answer?

A body goes to ``files/ab/abcd….pdf``, named by the SHA-256 of its content after content decoding, and its answer to
files.jsonl, which is a file of lines like any other. What a crash leaves of bodies that no committed line names is
removed when the sink is opened: lines are written before the bodies they name, so whatever body is there beyond the
committed position has its line there as well. (After a power cut a line may be lost whose body is not: such a body
stays, and is overwritten if it comes again.)

In a refresh, the line of an answer that has not changed comes as it was, and the body it names is linked from the
generation before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from crawler.archive.entry import decode
from crawler.clock import rfc3339
from crawler.directory import bring_down
from crawler.errors import ExportError
from crawler.export.carried import link
from crawler.export.extensions import extension
from crawler.export.jsonl import JsonlSink
from crawler.export.packing import PACKINGS, UNPACK_ERRORS
from crawler.extract.content import ContentError, decode_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.archive.entry import Entry
    from crawler.export.packing import Compress

log = logging.getLogger(__name__)

FOLDER = "files"
_OWN = re.compile(FOLDER + r"/([0-9a-f]{2})/\1[0-9a-f]{62}(\.[a-z0-9]{1,8})?")
_PIECE_BYTES = 256 << 10
_THREADS = min(4, os.cpu_count() or 1)


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose body was stored."""

    url: Annotated[str, Meta(description="the canonical URL")]
    fetched_at: Annotated[str, Meta(description="when it was asked for: RFC 3339, UTC, milliseconds")]
    status: Annotated[int, Meta(description="status of the answer")]
    content_type: Annotated[str | None, Meta(description="the Content-Type header, as received; null if there is none")]
    bytes: Annotated[int, Meta(description="length of the stored body, after content decoding")]
    content_digest: Annotated[str, Meta(description="sha256: and the hex digest of the stored body")]
    path: Annotated[
        str, Meta(description="where it is, below the crawl's directory; answers with one content share it")
    ]
    depth: Annotated[int, Meta(description="link hops from the seed; redirects add none")]
    via: Annotated[str | None, Meta(description="URL of the page on which it was first found; null for a seed")]
    seed: Annotated[str, Meta(description="the seed it comes from, as given")]
    truncated: Annotated[
        tuple[str, ...],
        Meta(
            description="body: it ended early, or was longer than fetch.max_body; content_encoding: it could not be "
            "decoded, and is stored as it came"
        ),
    ]


class Body(NamedTuple):
    """A body, where it goes, and its line."""

    path: str
    content: bytes | None  #: None if it is the one that the generation before has
    line: bytes


class FilesSink:
    """Stores bodies below a crawl's directory. Calls must not overlap; errors as `JsonlSink`'s.

    Args:
        path: Of the file of lines.
        directory: The crawl's, in which bodies have a folder of their own.
        compress: How the lines are packed.
        most_bytes: A body may be this long after content decoding; the rest is cut off.
        earlier: The directory of the generation before, if there is one.
    """

    def __init__(
        self,
        path: Path,
        directory: Path,
        compress: Compress = "none",
        *,
        most_bytes: int,
        earlier: Path | None = None,
    ) -> None:
        self._path = path
        self._directory = directory
        self._earlier = earlier
        self._compress: Compress = compress
        self._most_bytes = most_bytes
        self._lines = JsonlSink(path, compress)
        #: written and perhaps not on the disk yet: bodies, then the folders that were made for them
        self._bodies: set[Path] = set()
        self._folders: set[Path] = set()
        self._torn = False

    async def open(self, position: int | None) -> None:
        """See `Sink.open`. Removes the bodies that only lines beyond `position` name."""
        left: set[str] = set()
        if position is not None:
            with self._errors_named("read"):
                left = await asyncio.to_thread(self._left_over, position)
        await self._lines.open(position)
        if left:
            with self._errors_named("remove bodies"):
                await asyncio.to_thread(self._remove, left)

    async def append(self, lines: Sequence[bytes]) -> None:
        """See `Sink.append`; a line is an encoded `Entry`, or one of files.jsonl. After an error no more are taken."""
        if self._torn:
            raise ExportError(f"{self._path}: an earlier write did not finish")
        if not lines:
            return
        self._torn = True
        shares = [share for at in range(_THREADS) if (share := lines[at::_THREADS])]
        made = await asyncio.gather(*(asyncio.to_thread(self._made, share) for share in shares))
        bodies = [share[row] for row in range(len(made[0])) for share in made if row < len(share)]
        await self._lines.append([body.line for body in bodies])
        with self._errors_named("store a body"):
            await asyncio.to_thread(self._store, bodies)
        self._torn = False

    async def sync(self, *, fsync: bool) -> int:
        """See `Sink.sync`; bodies are on the disk before their lines are."""
        if fsync and self._bodies:
            with self._errors_named("sync a body"):
                await asyncio.to_thread(self._bring_down)
        self._bodies.clear()
        self._folders.clear()
        return await self._lines.sync(fsync=fsync)

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        await self._lines.aclose()

    def _made(self, lines: Sequence[bytes]) -> list[Body]:
        return [_carried(line) if line.startswith(b"{") else body_of(decode(line), self._most_bytes) for line in lines]

    def _store(self, bodies: Sequence[Body]) -> None:
        """Write what is not there yet. What is there may be a crash's, and is looked at."""
        for body in bodies:
            path = self._directory / body.path
            if path in self._bodies:
                continue
            for folder in (path.parent.parent, path.parent):
                if not folder.is_dir():
                    folder.mkdir()
                    self._folders |= {folder, folder.parent}
            if body.content is None:
                if not self._link(body.path):
                    continue
                self._folders.add(path.parent)
            elif not (path.exists() and path.read_bytes() == body.content):
                path.write_bytes(body.content)
                self._folders.add(path.parent)
            self._bodies.add(path)

    def _link(self, name: str) -> bool:
        """Let the body be there that the generation before has; False if it has none (any more), as here then."""
        source, target = (self._earlier or self._directory) / name, self._directory / name
        try:
            if target.exists() and not target.samefile(source) and target.read_bytes() != source.read_bytes():
                target.unlink()  # a crash's
            link(source, target)
        except FileNotFoundError:
            log.warning("a body is not there any more", extra={"why": f"{self._earlier}: {name}"})
            return False
        return True

    def _bring_down(self) -> None:
        for path in (*self._bodies, *self._folders):
            bring_down(path)

    def _left_over(self, position: int) -> set[str]:
        """Paths of ours that lines beyond `position` name, and none before it."""
        if not self._path.exists():
            return set()
        left = set(_paths(self._path, self._compress, position, None))
        if left:
            left.difference_update(_paths(self._path, self._compress, 0, position))
        return left

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._directory / name
            if not path.is_symlink():
                path.unlink(missing_ok=True)

    @contextmanager
    def _errors_named(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self._directory / FOLDER
            raise ExportError(f"{where}: cannot {doing}: {error.strerror or error}") from error


_ENCODER = msgspec.json.Encoder()


def body_of(entry: Entry, most_bytes: int) -> Body:
    """What is stored of an answer."""
    request, response = entry.request, entry.response
    truncated = ["body"] if response.is_cut else []
    codings = ", ".join(response.values(b"content-encoding"))
    try:
        content, is_short = decode_content(response.body, codings, most_bytes, cut=True)
    except ContentError:
        content, is_short = response.body, False
        truncated.append("content_encoding")
    if is_short and not truncated:
        truncated.append("body")
    digest = hashlib.sha256(content).hexdigest()
    content_type = response.header(b"content-type")
    path = f"{FOLDER}/{digest[:2]}/{digest}{extension(content_type, response.url)}"
    record = FileRecord(
        url=response.url,
        fetched_at=rfc3339(response.fetched_at),
        status=response.status,
        content_type=content_type,
        bytes=len(content),
        content_digest=f"sha256:{digest}",
        path=path,
        depth=request.depth,
        via=request.via,
        seed=request.seed,
        truncated=tuple(truncated),
    )
    return Body(path, content, _ENCODER.encode(record))


class _Named(msgspec.Struct):
    path: str


def _carried(line: bytes) -> Body:
    """A line of the generation before."""
    name = msgspec.json.decode(line, type=_Named).path
    if not _OWN.fullmatch(name):
        raise ExportError(f"files.jsonl: {name!r} is no body of a crawl's: expected files/ab/abcd….pdf")
    return Body(name, None, line)


def _paths(path: Path, compress: Compress, start: int, end: int | None) -> Iterator[str]:
    """The paths of ours that whole lines of `path` name, up to where it is torn."""
    decoder = msgspec.json.Decoder(_Named)
    for line in _whole_lines(path, compress, start, end):
        with suppress(msgspec.DecodeError):
            name = decoder.decode(line).path
            if _OWN.fullmatch(name):
                yield name


def _whole_lines(path: Path, compress: Compress, start: int, end: int | None) -> Iterator[bytes]:
    begun = b""
    for piece in _unpacked(path, compress, start, end):
        *lines, begun = (begun + piece).split(b"\n")
        yield from lines


def _unpacked(path: Path, compress: Compress, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of `path`, unpacked, up to where it is torn."""
    new = PACKINGS[compress].unpacker
    with path.open("rb") as file:
        file.seek(start)
        unpacker = new() if new else None
        at = start
        while data := file.read(_PIECE_BYTES if end is None else min(_PIECE_BYTES, end - at)):
            at += len(data)
            if unpacker is None or new is None:
                yield data
                continue
            while data or not unpacker.needs_input:
                try:
                    yield unpacker.decompress(data, _PIECE_BYTES)
                except UNPACK_ERRORS:
                    return
                data = b""
                if unpacker.eof:
                    data, unpacker = unpacker.unused_data, new()
