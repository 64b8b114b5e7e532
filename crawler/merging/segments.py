"""Which directories are those of the workers of a shared crawl, and of which crawl are they?

``DIR/fleet.json`` says that DIR is a shared crawl's, and where that is coordinated. Each start of a worker has a
directory of its own, ``DIR/workers/ID-NAME``, which is written once and never gone on with: an ordinary crawl's, but
that it has no store; its ``worker.json`` says whose it is. On another machine, DIR has that machine's workers.
"""

from __future__ import annotations

import re
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from xxhash import xxh3_64_hexdigest

from crawler.directory import write_whole
from crawler.errors import ConfigError, CrawlerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT: Final = 1
FLEET: Final = "fleet.json"
WORKER: Final = "worker.json"
WORKERS: Final = "workers"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME = 60  # characters


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """A shared crawl: the content of fleet.json."""

    format: int = FORMAT
    name: Annotated[str, Meta(description="of the crawl's configuration")]
    crawl: Annotated[str, Meta(description="which crawl it is: `crawl_id`")]
    url: Annotated[str, Meta(description="of the server, without a password")]
    prefix: Annotated[str, Meta(description="what its keys begin with")]
    partitions: Annotated[int, Meta(description="how many its hosts are divided into")]


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a worker: the content of worker.json."""

    format: int = FORMAT
    id: Annotated[int, Meta(description="its number in the crawl, from 1; never used again")]
    name: Annotated[str, Meta(description="of its machine and process, for people")]
    crawl: Annotated[str, Meta(description="which crawl it is: `crawl_id`")]
    url: Annotated[str, Meta(description="of the server, without a password")]
    prefix: Annotated[str, Meta(description="what the crawl's keys begin with")]
    started_at: Annotated[float, Meta(description="by the server's clock: seconds since 1970, UTC")] = 0.0
    version: Annotated[str, Meta(description="of this package")] = ""


class Segment(NamedTuple):
    """A worker's directory."""

    path: Path
    worker: Worker


def crawl_id(prefix: str, key: int) -> str:
    """Which crawl it is: the same for all its workers, and another for every other one.

    Args:
        prefix: What its keys begin with, its epoch included.
        key: Of its fingerprints, which is random. It cannot be told from the result.
    """
    return xxh3_64_hexdigest(f"{prefix} {key:x}".encode())


def worker_directory(directory: Path, number: int, name: str) -> Path:
    """Where the files of a worker go; what a file system may not take of its name is left out."""
    safe = _UNSAFE.sub("-", name)[:_MAX_NAME].strip("-.") or "worker"
    return directory / WORKERS / f"{number}-{safe}"


def write_fleet(directory: Path, fleet: Fleet) -> None:
    """Mark a directory as that of a shared crawl; whole or not at all, though several workers may do so at once.

    Raises:
        CrawlerError: It cannot be written.
    """
    path, draft = directory / FLEET, directory / f"{FLEET}.{token_hex(4)}"
    write_whole(draft, _indented(fleet))
    try:
        draft.replace(path)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be written: {error.strerror}") from error


def write_worker(directory: Path, worker: Worker) -> None:
    """Say whose directory it is; whole or not at all.

    Raises:
        CrawlerError: It cannot be written.
    """
    write_whole(directory / WORKER, _indented(worker))


def read_fleet(directory: Path) -> Fleet | None:
    """What shared crawl a directory is of; None if it is none's.

    Raises:
        CrawlerError: fleet.json cannot be read, is none of ours, or of a newer version.
    """
    return _read(directory / FLEET, Fleet)


def segments(directory: Path) -> list[Segment]:
    """The directories of workers in that of a shared crawl, or that of one worker itself, by number.

    Raises:
        CrawlerError: One cannot be read, or is of a newer version.
    """
    worker = _read(directory / WORKER, Worker)
    if worker is not None:
        return [Segment(directory, worker)]
    folder = directory / WORKERS
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise CrawlerError(f"{folder}: cannot be read: {error.strerror}") from error
    found = [Segment(path, worker) for path in paths if (worker := _read(path / WORKER, Worker)) is not None]
    return sorted(found, key=lambda segment: segment.worker.id)


def refuse_strangers(found: Sequence[Segment], crawl: str) -> None:
    """Refuse directories of another crawl, and two of one worker.

    Raises:
        ConfigError: There is one.
    """
    by_id: dict[int, Segment] = {}
    for segment in found:
        worker = segment.worker
        if worker.crawl != crawl:
            raise ConfigError(
                f"{segment.path}: is of another crawl ({worker.prefix} {worker.crawl}), expected one of {crawl}"
            )
        other = by_id.setdefault(worker.id, segment)
        if other.path.resolve() != segment.path.resolve():
            raise ConfigError(f"{segment.path}: is worker {worker.id}'s, and so is {other.path}; give one of them")


_T = TypeVar("_T", Fleet, Worker)


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        told = msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CrawlerError(f"{path}: is none of a shared crawl's: {error}") from error
    if told.format > FORMAT:
        raise CrawlerError(f"{path}: has format {told.format}, and this version of crawler reads up to {FORMAT}")
    return told


def _indented(told: Any) -> bytes:  # noqa: ANN401
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
