"""What would a crawl have written under other rules? Extracts again what an archive holds, without fetching.

    reader thread: WARC files -> answers -> batches    [bounded queue, in order]    -> parser pool
    batches in order, once parsed -> files of records

The order of the archive is kept, so the same archive and configuration give the same files. How each URL ends is
decided as in a crawl: what gives no page record has its line in outcomes.jsonl. Answers that are not parsed end as the
archive says they did, those of others' archives as they would after their last attempt. Of a URL that failed and was
tried again later, the answer it failed with does not count, even if it would give a page now: so what is written of
these comes at the end. Where an archive of ours holds several answers of a URL for another reason, its last counts
(`crawler.dataset.answers`).

Where new files go while they are not whole is `Draft`'s to say; what has changed, `compare`'s.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.dataset.answers import Answers
from crawler.dataset.archived import batches
from crawler.dataset.failed import Ended, Failures
from crawler.errors import first_error
from crawler.export.outcomes import outcome_line
from crawler.models import OUTCOMES, Finished, Kind, Outcome, Page
from crawler.parse.base import Job
from crawler.politeness.retry import Finish, Redirect, after, after_parse
from crawler.sinks import is_late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crawler.archive.captures import Capture, Captures
    from crawler.dataset.archived import Current
    from crawler.export.base import Sink
    from crawler.models import ParseFailure
    from crawler.parse.base import Parser

BATCH_ANSWERS = 16
BATCH_BYTES = 1 << 20
_BATCHES_AHEAD = 4  # beyond what the pool has at once
_WRITE_BYTES = 1 << 20
_LAST_ATTEMPT = 1_000_000
_SUPERSEDED = "answer of a URL that was fetched again later"


class Reparsed(msgspec.Struct, kw_only=True):
    """How it went."""

    answers: int = 0
    #: sink -> records written
    records: Counter[str] = msgspec.field(default_factory=Counter)
    #: ``excluded: noindex``, … -> URLs without a page record
    endings: Counter[str] = msgspec.field(default_factory=Counter)
    #: why -> WARC records that gave nothing to extract
    passed_over: dict[str, int] = msgspec.field(default_factory=dict)
    #: files that end in the middle of a record, and the byte at which it begins
    torn: list[str] = msgspec.field(default_factory=list)


class _Batch(NamedTuple):
    captures: Sequence[Capture]
    parsed: asyncio.Task[list[Page | ParseFailure]]


class Output:
    """New files of records.

    Args:
        sink: Makes the sink of a name; not open.
        names: Those whose files are to be there though they may stay empty.
    """

    def __init__(self, sink: Callable[[str], Sink], names: Iterable[str]) -> None:
        self._make = sink
        self._names = [name for name in names if not is_late(name)]
        self._sinks: dict[str, Sink] = {}
        self._lines: dict[str, list[bytes]] = {}
        self._size = 0

    async def open(self) -> None:
        """Make the files."""
        for name in self._names:
            await self._sink(name)

    async def add(self, name: str, line: bytes) -> None:
        """Add one or more lines."""
        self._lines.setdefault(name, []).append(line)
        self._size += len(line)
        if self._size >= _WRITE_BYTES:
            await self._flush()

    async def finish(self) -> None:
        """All is on the disk on return."""
        await self._flush()
        for sink in self._sinks.values():
            await sink.sync(fsync=True)

    async def aclose(self) -> None:
        """Close all files."""
        for sink in self._sinks.values():
            await sink.aclose()

    async def _flush(self) -> None:
        lines, self._lines, self._size = self._lines, {}, 0
        for name, some in lines.items():
            await (await self._sink(name)).append(some)

    async def _sink(self, name: str) -> Sink:
        if name not in self._sinks:
            sink = self._make(name)
            await sink.open(None)
            self._sinks[name] = sink
        return self._sinks[name]


async def reparse(parser: Parser, captures: Callable[[], Captures | Current], output: Callable[[], Output]) -> Reparsed:
    """Extract again.

    Args:
        parser: Started; its settings say what records hold.
        captures: What to extract; asked for again if it has to be read twice.
        output: Where to, not open; what an earlier one has written is gone. Called as often.

    Raises:
        CrawlerError: A WARC file is damaged, the disk is full, or the parser pool failed.
    """
    with closing(Answers()) as answers:
        done = await _reading(parser, captures(), output(), answers, is_second=False)
        if answers.repeated:
            done = await _reading(parser, captures(), output(), answers, is_second=True)
    return done


async def _reading(
    parser: Parser, captures: Captures | Current, output: Output, answers: Answers, *, is_second: bool
) -> Reparsed:
    async with aclosing(output):
        await output.open()
        wanted = _latest(captures, answers) if is_second else captures
        done = await _extracted(parser, wanted, output, None if is_second else answers)
    done.passed_over = dict(captures.passed_over)
    done.torn = [f"{path}: byte {start:,}" for path, start in captures.torn]
    return done


def _latest(captures: Captures | Current, answers: Answers) -> Iterator[Capture]:
    for capture in captures:
        if capture.outcome is None or answers.is_last(capture.request.url):
            yield capture
        else:
            captures.passed_over[_SUPERSEDED] += 1


async def _extracted(parser: Parser, captures: Iterable[Capture], output: Output, answers: Answers | None) -> Reparsed:
    done = Reparsed()
    queue: asyncio.Queue[_Batch | None] = asyncio.Queue(parser.lanes + _BATCHES_AHEAD)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_read(captures, parser, queue, group))
            with closing(Failures()) as failures:
                while (batch := await queue.get()) is not None:
                    await _book(batch, output, failures, done, answers)
                for ended in failures.left():
                    await _write(ended, output, done)
    except* Exception as errors:
        raise first_error(errors) from errors
    await output.finish()
    return done


async def _read(
    captures: Iterable[Capture], parser: Parser, queue: asyncio.Queue[_Batch | None], group: asyncio.TaskGroup
) -> None:
    found = batches(captures, answers=BATCH_ANSWERS, size=BATCH_BYTES)
    while (batch := await asyncio.to_thread(next, found, None)) is not None:
        jobs = [Job(request=got.request, response=got.response) for got in batch if _is_parsed(got)]
        await queue.put(_Batch(batch, group.create_task(parser.parse(jobs))))
    await queue.put(None)


def _is_parsed(capture: Capture) -> bool:
    return 200 <= capture.response.status < 300 and capture.request.kind is not Kind.ROBOTS


async def _book(batch: _Batch, output: Output, failures: Failures, done: Reparsed, answers: Answers | None) -> None:
    """Write what a batch has given, in its order."""
    results = iter(await batch.parsed)
    for capture in batch.captures:
        done.answers += 1
        had_failed = failures.forget(capture.request.url)
        if answers is not None and capture.outcome is not None:
            answers.repeated |= not (answers.count(capture.request.url) or had_failed)
        finish = _end(capture)
        records: tuple[tuple[str, bytes], ...] = ()
        if finish is None:
            result = next(results)
            finish = after_parse(capture.response, result)
            records = result.records if isinstance(result, Page) else ()
        ending = ""
        if not finish.has_page:
            ending = ": ".join(filter(None, (finish.outcome, finish.reason)))
            records = (*records, (OUTCOMES, outcome_line(_finished(capture, finish))))
        ended = Ended(ending, records)
        if Outcome.FAILED in (finish.outcome, capture.outcome):
            failures.add(capture.request.url, ended)
        else:
            await _write(ended, output, done)


async def _write(ended: Ended, output: Output, done: Reparsed) -> None:
    for name, lines in ended.records:
        await output.add(name, lines)
        if name != OUTCOMES:  # which `endings` counts
            done.records[name] += lines.count(b"\n") + 1
    if ended.ending:
        done.endings[ended.ending] += 1


def _end(capture: Capture) -> Finish | None:
    """How the URL of an answer that is not parsed ends; None for one that is."""
    if _is_parsed(capture):
        return None
    status = capture.response.status
    if capture.outcome is not None:
        return Finish(capture.outcome, capture.reason, status, capture.target)
    request = msgspec.structs.replace(capture.request, attempt=_LAST_ATTEMPT)
    match after(request, capture.response, now=0.0, wall=0.0):
        case Redirect(request=target):
            return Finish(Outcome.REDIRECTED, None, status, target.url)
        case Finish() as finish:
            return finish
        case _:
            return Finish(Outcome.FAILED, f"http_{status}", status)


def _finished(capture: Capture, finish: Finish) -> Finished:
    response = capture.response
    return Finished(
        request=capture.request,
        outcome=finish.outcome,
        reason=finish.reason,
        status=finish.status,
        target=finish.target,
        at=response.fetched_at + response.elapsed_s,
        has_page=finish.has_page,
    )
