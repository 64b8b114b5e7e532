"""What stands in a file of seeds? Its lines or rows, streamed; what they mean is left to `seeds`.

By its name a file is ``.jsonl`` (an object a line), ``.csv`` (a row each, under a header) or a text (a seed a line).
Files are UTF-8, with or without byte order mark; lines end with LF, CRLF or CR; blank ones are skipped; ``.gz`` may
follow any name. A bad line is a `Row` with an `error`, and reading goes on; only a file whose first bytes say that it
holds no such text at all is refused.
"""

from __future__ import annotations

import csv
import gzip
import os
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import msgspec

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_LINE_BYTES = 64 * 1024
"""A longer line is reported and skipped, so that no file can fill the memory."""

MAX_NESTING = 100
"""Deeper JSON is a bad line: it would be read again, and written, where less of the stack is free."""

_SHOWN_CHARS = 200
_LINE_ENDS = (b"\n", b"\r")
_NO_TEXT = {
    b"\x1f\x8b": "gzip; expected a name that ends in .gz",
    b"\x28\xb5\x2f\xfd": "zstd; expected it unpacked, or packed by gzip and named .gz",
    b"PK\x03\x04": "a zip archive or a workbook; expected a .txt, .csv or .jsonl file",
    b"\xff\xfe": "UTF-16; expected UTF-8: save it as that, or use iconv",
    b"\xfe\xff": "UTF-16; expected UTF-8: save it as that, or use iconv",
}
"""How files begin that are often taken for a list, and what they are. None of it begins a line of UTF-8 text."""


class Row(NamedTuple):
    """A line or row that is not blank."""

    #: the seed as written; of a bad row what there is, cut
    text: str
    #: ``seeds.txt:12``
    place: str
    error: str | None = None
    #: its other fields
    metadata: dict[str, object] | None = None


def file_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, in the form that its name says.

    Raises:
        ConfigError: While iterating: it cannot be read to its end, is no UTF-8 text by its first bytes, or is a CSV
            file without a ``url`` column.
    """
    kind = path.name.lower().removesuffix(".gz")
    name = as_utf8(str(path))
    if kind.endswith(".csv"):
        return _csv_rows(path, name)
    return _line_rows(path, name, _json_row if kind.endswith(".jsonl") else _text_row)


def stream_rows(source: Path | BinaryIO, name: str) -> Iterator[Row]:
    """The lines of a stream, which is left open, or of a file in its stead; errors as of `file_rows`."""
    return _line_rows(source, name, _text_row)


def shown(text: str) -> str:
    """`text` for a message, cut if it is long."""
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def as_utf8(text: str) -> str:
    """`text` as UTF-8 can carry it: what Python made of other bytes in an argument or file name is escaped."""
    try:
        return os.fsencode(text).decode(errors="backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return text.encode(errors="backslashreplace").decode()


def _line_rows(source: Path | BinaryIO, name: str, read: Callable[[str, str], Row | None]) -> Iterator[Row]:
    """What `read` makes of each line that is not blank, given its text and place."""
    with _opened(source, name) as file:
        for line in _lines(file, name):
            text = line.text.strip()
            if line.error:
                yield line._replace(text=text)
            elif text and (row := read(text, line.place)):
                yield row


def _text_row(text: str, place: str) -> Row | None:
    return None if text[0] == "#" else Row(text, place)


def _json_row(text: str, place: str) -> Row:
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Row(shown(text), place, f"not JSON: {error}")
    if not isinstance(fields, dict) or not isinstance(fields.get("url"), str):
        return Row(shown(text), place, "expected a JSON object with a string called url")
    if text.count("[") + text.count("{") > MAX_NESTING and _is_deeper(fields, MAX_NESTING):
        return Row(shown(text), place, f"nested more than {MAX_NESTING} deep")
    return Row(fields.pop("url").strip(), place, metadata=fields)


def _is_deeper(value: object, most: int) -> bool:
    """Whether lists and objects stand more than `most` deep within each other."""
    level: list[object] = [value]
    for _ in range(most + 1):
        parts = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for part in parts for inner in part]
    return bool(level)


def _csv_rows(path: Path, name: str) -> Iterator[Row]:
    with _opened(path, name) as file:
        bad_lines: list[Row] = []
        at_end: list[bool] = []
        rows = csv.reader(_csv_text(_lines(file, name), bad_lines, at_end))
        header: list[str] | None = None
        while True:
            place = f"{name}:{rows.line_num + 1}"
            try:
                fields = next(rows, None)
            except csv.Error as error:  # such as a quote that is never closed; the next line is a new row
                yield Row("", place, f"not CSV: {error}; skipped up to line {rows.line_num}")
                continue
            if fields is None or (at_end and not fields):
                return
            if at_end:
                text = shown(",".join(fields))
                yield Row(text, place, f"a quote that is never closed; skipped up to line {rows.line_num - 1}")
                return
            if bad_lines:
                yield bad_lines[0]._replace(text=bad_lines[0].text.strip())
                bad_lines.clear()
            elif header is None:
                header = fields
                column = _url_column(header, name)
            elif fields:
                yield _csv_row(fields, header, column, place)


def _csv_text(lines: Iterator[Row], bad_lines: list[Row], at_end: list[bool]) -> Iterator[str]:
    """The lines for the CSV reader, and an empty one. `at_end` is filled when that is asked for: nothing is left then,
    or the reader is still within quotes, and would take all it has got since for the last field.

    A bad line is put into `bad_lines` and read as empty, so that rows keep count.
    """
    for line in lines:
        if line.error:
            bad_lines.append(line)
        yield "\n" if line.error else line.text
    at_end.append(True)
    yield "\n"


def _url_column(header: list[str], name: str) -> int:
    names = [column.strip().lower() for column in header]
    if "url" not in names:
        has = f"its header is {shown(','.join(header))!r}"
        raise ConfigError(f"seed file {name!r} has no column called url; {has}: call the one with the URLs so")
    return names.index("url")


def _csv_row(fields: list[str], header: list[str], column: int, place: str) -> Row:
    if len(fields) != len(header):
        error = f"{len(fields)} fields where the header has {len(header)}; a URL with a comma must be quoted"
        return Row(shown(",".join(fields)), place, error)
    metadata: dict[str, object] = dict(zip(header, fields, strict=True))
    del metadata[header[column]]
    return Row(fields[column].strip(), place, metadata=metadata)


def _lines(file: BinaryIO, name: str) -> Iterator[Row]:
    """All lines with their line ends, decoded; cut or escaped where there is an error."""
    for number, line in enumerate(_raw_lines(file, name), 1):
        place = f"{name}:{number}"
        if len(line) >= MAX_LINE_BYTES and len(line.rstrip(b"\r\n")) >= MAX_LINE_BYTES:
            yield Row(shown(line.decode(errors="replace")), place, f"longer than {MAX_LINE_BYTES} bytes")
            continue
        try:
            yield Row(line.decode(), place)
        except UnicodeDecodeError as error:
            yield Row(shown(line.decode(errors="backslashreplace")), place, f"not UTF-8 ({error.reason})")


def _raw_lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    """All lines with their line ends; of a line that is too long `MAX_LINE_BYTES` or a little more.

    Raises:
        ConfigError: The first bytes say that there are none.
    """
    rest = b""
    is_first = True
    while piece := file.readline(MAX_LINE_BYTES):
        line = _start(piece, name) if is_first else piece
        is_first = False
        if not rest and line.endswith(b"\n") and line.find(b"\r", 0, -2) < 0:  # as nearly all
            yield line
            continue
        *lines, rest = (rest + line).splitlines(keepends=True) or [b""]  # of a byte order mark alone
        yield from lines
        if rest.endswith(b"\n"):
            yield rest
            rest = b""
        elif len(rest) >= MAX_LINE_BYTES and not rest.endswith(b"\r"):  # of which an LF may still be the next byte
            yield rest
            rest = _after_line_end(file)
    yield from rest.splitlines(keepends=True)


def _start(line: bytes, name: str) -> bytes:
    """The first line without a byte order mark."""
    for start, what in _NO_TEXT.items():
        if line.startswith(start):
            raise ConfigError(f"seed file {name!r} cannot be read: it is {what}")
    return line.removeprefix(b"\xef\xbb\xbf")


def _after_line_end(file: BinaryIO) -> bytes:
    """Skip the rest of a line; what has been read of the next ones."""
    while piece := file.readline(MAX_LINE_BYTES):
        ends = [piece.find(end) for end in _LINE_ENDS if end in piece]
        if ends:
            end = min(ends)
            is_cr = piece[end : end + 1] == b"\r"
            rest = piece[end + 1 :] or (file.read(1) if is_cr else b"")
            return rest.removeprefix(b"\n") if is_cr else rest
    return b""


@contextmanager
def _opened(source: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    """`source` as a stream of decompressed bytes; closed at the end if opened here.

    Raises:
        ConfigError: It cannot be opened, or not read to its end.
    """
    try:
        if not isinstance(source, Path):
            yield source
            return
        with gzip.open(source) if source.suffix.lower() == ".gz" else source.open("rb") as file:
            yield cast("BinaryIO", file)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"seed file {name!r} cannot be read: {error}") from error
