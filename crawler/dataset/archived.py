"""Which WARC files is somebody speaking of, and up to where do they count?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.archive.captures import Source
from crawler.archive.places import archive_files, archive_name, place_of
from crawler.dataset.ledger import KnownUrls
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError
from crawler.sinks import WARC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAMED = re.compile(r".*\.warc(\.gz)?", re.IGNORECASE)


def sources(asked: Sequence[Path]) -> list[Source]:
    """The files meant by `asked`: crawl directories with an archive, folders of WARC files, or files.

    Of a crawl's archive what its store calls committed: the rest belongs to URLs that have not ended.

    Raises:
        ConfigError: There is no such thing, or no archive in it.
        CrawlerError: The store cannot be read.
    """
    return [source for path in asked for source in _of(path)]


def _of(path: Path) -> list[Source]:
    if path.is_file():
        return [Source(path)]
    if not path.is_dir():
        raise ConfigError(f"{path}: no such file or directory; expected a crawl's directory, or WARC files")
    if (folder := path / WARC).is_dir():
        return _of_crawl(path, folder)
    if found := sorted(file for file in path.iterdir() if _NAMED.fullmatch(file.name) and file.is_file()):
        return [Source(file) for file in found]
    hint = "; crawl with export.warc: true to have one" if CrawlDirectory(path).config.exists() else ""
    raise ConfigError(f"{path}: holds no WARC archive{hint}")


def _of_crawl(directory: Path, folder: Path) -> list[Source]:
    name = archive_name(folder)
    if name is None:
        raise ConfigError(f"{folder}: holds no archive of one crawl; name its files")
    files = archive_files(folder, name)
    store = CrawlDirectory(directory).store
    if not store.exists():  # frontier: memory
        return [Source(path) for _, path in files]
    with KnownUrls(store) as known:
        number, length = place_of(known.position(WARC))
    return [Source(path, length if at == number else None) for at, path in files if at <= number]
