"""What does one line of a crawl's log say?

An event is a fixed text with what it is about beside it, so that lines can be sought by either. A line of text and a
JSON object hold the same; nothing from a page can break out of its line, or be obeyed by a terminal.
"""

from __future__ import annotations

import logging
from contextlib import suppress

import msgspec

from crawler.cli.out import safe_json
from crawler.clock import rfc3339
from crawler.url import Url, host_key
from crawler.wording import printable

FIELDS = ("url", "host", "attempt", "wait_s", "why")
"""What events carry beside their text (`extra`), in the order shown."""


class LogLine(msgspec.Struct, kw_only=True, frozen=True):
    """One line of crawl.log where `log.format` is json. Every line has every key."""

    #: RFC 3339, UTC, with milliseconds
    at: str
    #: DEBUG, INFO, WARNING or ERROR
    level: str
    #: of the configuration
    crawl: str
    #: as in runs.jsonl, from 1 on
    run: int
    #: what happened, in words that are the same each time
    event: str
    url: str | None
    #: the host of `url` where the event names no other; host name, with its port if that is not the usual one
    host: str | None
    #: of how many at `url` this one is, from 1 on
    attempt: int | None
    #: for how long `host` is asked for nothing, in seconds
    wait_s: float | None
    #: what there is to say beside that, in words
    why: str | None
    #: which part of the program says so: the name of a Python module
    logger: str
    #: Python's traceback, where the program itself is at fault
    trace: str | None


def line_of(record: logging.LogRecord, crawl: str, run: int) -> LogLine:
    """What a line says of an event, given the crawl's name and the number of its run."""
    values = {name: getattr(record, name, None) for name in FIELDS}
    if values["host"] is None and values["url"] is not None:
        with suppress(IndexError):  # no URL of ours
            values["host"] = host_key(Url(values["url"]))
    return LogLine(
        at=rfc3339(record.created),
        level=record.levelname,
        crawl=crawl,
        run=run,
        event=record.getMessage(),
        logger=record.name,
        trace=logging.Formatter().formatException(record.exc_info) if record.exc_info else None,
        **values,
    )


class TextLines(logging.Formatter):
    """``2026-11-27T22:57:00.125Z INFO [shops] event url=… host=… why=…``; a traceback follows, indented."""

    def __init__(self, crawl: str, run: int) -> None:
        super().__init__()
        self._about = crawl, run

    def format(self, record: logging.LogRecord) -> str:
        """One event; no line end at its end."""
        line = line_of(record, *self._about)
        values = ((name, getattr(line, name)) for name in FIELDS)
        told = " ".join(f"{name}={value}" for name, value in values if value is not None)
        text = f"{line.at} {line.level} {printable(f'[{line.crawl}] {line.event} {told}'.rstrip())}"
        below = (line.trace or "").splitlines()
        return "\n".join((text, *(f"    {printable(part)}" for part in below)))


class JsonLines(logging.Formatter):
    """A `LogLine` as a JSON object."""

    def __init__(self, crawl: str, run: int) -> None:
        super().__init__()
        self._about = crawl, run

    def format(self, record: logging.LogRecord) -> str:
        """One event; no line end at its end."""
        line = line_of(record, *self._about)
        texts = {name: _utf8(value) for name, value in msgspec.structs.asdict(line).items() if isinstance(value, str)}
        data = msgspec.json.encode(msgspec.structs.replace(line, **texts))
        return (data if data.isascii() and b"\x7f" not in data else safe_json(data)).decode()


def _utf8(text: str) -> str:
    """What UTF-8 has no bytes for, escaped: bytes of a file's name that are no text."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
