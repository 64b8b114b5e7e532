"""Which WARC files is somebody speaking of, up to where do they count, and which of their answers?"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

from crawler.archive.captures import Source
from crawler.archive.places import all_files, archive_name, place_of, stale_answers
from crawler.dataset.ledger import KnownUrls
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError
from crawler.models import Outcome
from crawler.sinks import WARC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.archive.captures import Capture, Captures
    from crawler.dataset.ledger import Known

OUT_OF_DATE = "answer to an earlier generation, out of date"
_CLOCK_S = 1.0
_LOOKED_UP, _LOOKED_UP_BYTES = 1_000, 8 << 20
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
    files = all_files(folder)
    store = CrawlDirectory(directory).store
    if not store.exists():  # frontier: memory
        return [Source(file.path) for file in files]
    with KnownUrls(store) as known:
        number, length = place_of(known.position(WARC))
    stale = {file: (frozenset(one.answers), one.files[0]) for one in stale_answers(folder) for file in one.files}
    found = []
    for file in files:
        answers, part = stale.get(file.path.name, (frozenset(), ""))
        if file.name != name:
            found.append(Source(file.path, carried_to=store, stale=answers, part=part))
        elif file.number <= number:
            end = length if file.number == number else None
            found.append(Source(file.path, end, stale=answers, part=part))
    return found


class Current:
    """Of the answers that `captures` reads, those that hold for the crawls they are read for. Iterate over it once.

    What a file from an earlier generation holds is out of date where the URL was answered anew since, or is no more:
    it counts where the crawl says that the URL has not changed. That is looked up some answers at a time.
    """

    def __init__(self, captures: Captures, sources: Sequence[Source]) -> None:
        self._captures = captures
        self._sources = sources
        #: as of `Captures`
        self.passed_over = captures.passed_over
        self.torn = captures.torn

    def __iter__(self) -> Iterator[Capture]:
        """Each answer; errors as for `Captures`, and for `KnownUrls`."""
        with ExitStack() as stack:
            stores: dict[Path, KnownUrls] = {}
            for some in batches(self._captures, answers=_LOOKED_UP, size=_LOOKED_UP_BYTES):
                asked = [(capture, self._sources[capture.source].carried_to) for capture in some]
                for path in {path for _, path in asked if path} - stores.keys():
                    stores[path] = stack.enter_context(KnownUrls(path))
                ends = {path: _ends(known, asked, path) for path, known in stores.items()}
                for capture, store in asked:
                    if store is None or _holds(capture, ends[store].get(capture.request.url)):
                        yield capture
                    else:
                        self.passed_over[OUT_OF_DATE] += 1


def _ends(known: KnownUrls, asked: Iterable[tuple[Capture, Path | None]], store: Path) -> dict[str, Known]:
    """How the URLs of answers have ended that were carried to a store, as it says."""
    return known.find({capture.request.url for capture, path in asked if path == store})


def _holds(capture: Capture, end: Known | None) -> bool:
    """Whether an answer is still what a URL is like: it has not changed, or ended then and there (after a repair)."""
    response = capture.response
    if end is None or end.at is None:
        return False
    return end.outcome == Outcome.UNCHANGED or end.at <= response.fetched_at + response.elapsed_s + _CLOCK_S


def batches(captures: Iterable[Capture], *, answers: int, size: int) -> Iterator[list[Capture]]:
    """Some answers at a time: so many at most, and as many as have so many bytes."""
    batch: list[Capture] = []
    held = 0
    for capture in captures:
        batch.append(capture)
        held += len(capture.response.body)
        if len(batch) >= answers or held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
