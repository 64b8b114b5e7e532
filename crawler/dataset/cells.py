"""How does a record become a row of CSV (RFC 4180) in which a spreadsheet finds nothing to run?

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return is a formula to some spreadsheet, which
may call programs and send what stands beside it to somebody; so are these after blanks, and their full-width forms.
What a page says is text: such a cell gets a ``'`` before it, as OWASP recommends ("CSV Injection"), which spreadsheets
take for "this is text". Numbers stay numbers, ``-5`` and ``+3.2`` among them. Names of columns are cells, too.

A spreadsheet may take another character for the one between cells, as those do by themselves where numbers have a
comma, and then quotes within a row are none to it either. So what follows a semicolon, a tab or a line's end is
looked at as if it were a cell of its own.

Text stands as it is, null is empty, lists and objects are JSON, and numbers have every digit they came with.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from crawler.dataset.fields import BAD_LINES, fields_of
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_COLUMNS: Final = 16_384
"""As of the spreadsheets that have most. A function of the user's may name fields by what pages say."""

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:[.,][0-9]+)*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_OPENINGS: Final = frozenset("=+-@")
_OPENING_BLANKS: Final = frozenset("\t\r")
_PART: Final = re.compile(r'([;\t\r\n]"*)([^;\t\r\n]+)')
"""What another reader of the row may take for a cell; one of nothing but quotes and a formula is that formula."""
_UNSEEN: Final = ("Cc", "Cf", "Zl", "Zp", "Zs")
_SPECIAL: Final = re.compile('[",\r\n]').search
_QUOTE, _QUOTES = '"', '""'
_NULL: Final = b"null"
_decode_text = msgspec.json.Decoder(str).decode


class Columns(NamedTuple):
    """What all rows of a file have."""

    names: tuple[str, ...]  #: in the order in which records have them first
    records: int  #: how many were looked at


def columns_of(lines: Iterable[bytes], path: Path) -> Columns:
    """The fields of all records of a file.

    Args:
        lines: All of it, without their newlines.
        path: What it is called in messages.

    Raises:
        CrawlerError: A line is no record, or there are more fields than a table can have.
    """
    names: dict[str, None] = {}
    records = 0
    for records, line in enumerate(lines, 1):
        try:
            found = fields_of(line)
            if b"\\ud" in line.lower():
                for value in found.values():  # half a character is fit for JSON within a cell, and for no text
                    _ = bytes(value)[:1] == b'"' and _decode_text(value)
        except BAD_LINES as error:
            raise CrawlerError(f"{path}:{records}: not a record: {error}") from error
        if found.keys() - names.keys():
            names.update(dict.fromkeys(found))
        if len(names) > MAX_COLUMNS:
            raise CrawlerError(f"{path}: its records have over {MAX_COLUMNS:,} different fields, too many for a table")
    return Columns(tuple(names), records)


class Rows:
    """Makes rows.

    Args:
        names: Of the columns.
        raw_cells: Leave cells as they are, formulas or not.
    """

    def __init__(self, names: Sequence[str], *, raw_cells: bool = False) -> None:
        self._names = names
        self._raw = raw_cells

    def header(self) -> bytes:
        """The row of the columns' names, without its line feed."""
        return self._row([self._text(name) for name in self._names])

    def rows(self, lines: Iterable[bytes]) -> list[bytes]:
        """A row for each record, without its line feed."""
        return [self._of(fields_of(line)) for line in lines]

    def _of(self, record: Mapping[str, msgspec.Raw]) -> bytes:
        return self._row([self._cell(bytes(record.get(name, _NULL))) for name in self._names])

    def _cell(self, value: bytes) -> str:
        if value == _NULL:  # as most are
            return ""
        return self._text(_decode_text(value)) if value[:1] == b'"' else self._json(value.decode())

    def _text(self, text: str) -> str:
        if self._raw:
            return text
        first = "'" if is_formula(text) else ""
        return first + _PART.sub(lambda part: f"{part[1]}'{part[2]}" if is_formula(part[2]) else part[0], text)

    def _json(self, text: str) -> str:
        """The same, escaped in JSON's own way, which changes nothing of what it means."""
        if ";" not in text or self._raw:
            return text
        return _PART.sub(lambda part: part[1] + _escaped(part[2]) if is_formula(part[2]) else part[0], text)

    def _row(self, cells: Sequence[str]) -> bytes:
        if len(cells) == 1 and not cells[0]:
            return b'""\r'  # which is no empty line
        shown = [f'"{cell.replace(_QUOTE, _QUOTES)}"' if _SPECIAL(cell) else cell for cell in cells]
        return f"{','.join(shown)}\r".encode()


def _escaped(formula: str) -> str:
    """Part of a text in JSON, so that what would make it a formula is not seen."""
    first = next(c for c in formula if unicodedata.category(c) not in _UNSEEN)
    return formula.replace(first, f"\\u{ord(first):04x}", 1)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take a cell with this text for something to be run."""
    if text[:1].isalnum() and text[:1].isascii():
        return False  # as nearly all are
    if text[:1] in _OPENING_BLANKS:
        return True
    first = next((c for c in text if unicodedata.category(c) not in _UNSEEN), "")
    return unicodedata.normalize("NFKC", first) in _OPENINGS and not _NUMBER.fullmatch(text)
