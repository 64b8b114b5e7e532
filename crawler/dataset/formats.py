"""Which files can records be exported to? Each kind by the end of its name, with what its lines are made by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.cells import Rows, columns_of
from crawler.errors import ConfigError
from crawler.export.packing import PACKINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from crawler.export.packing import Packing

JSONL = ".jsonl"
CSV = ".csv"
PARQUET = (".parquet",)
SQLITE = (".sqlite", ".db")


class Encoding(NamedTuple):
    """How the records of one file are written to another."""

    #: lines that come before all records, without their newlines
    head: list[bytes]
    #: records as JSON -> lines
    encode: Callable[[list[bytes]], list[bytes]]
    #: how many records it is for, as others may have been added since; None for any number
    records: int | None = None


class Format(NamedTuple):
    """A kind of file."""

    kind: str  #: `JSONL` or `CSV`
    packing: Packing

    @property
    def suffix(self) -> str:
        """What names of such files end with."""
        return self.kind + self.packing.suffix

    def rows(self, names: Sequence[str], *, raw_cells: bool = False) -> Encoding:
        """For records with these fields, which need not be looked at.

        Raises:
            ConfigError: `raw_cells` of what has no cells.
        """
        self.check(raw_cells=raw_cells)
        if self.kind == CSV:
            rows = Rows(names, raw_cells=raw_cells)
            return Encoding([rows.header()], rows.rows)
        return Encoding([], lambda lines: lines)

    def check(self, *, raw_cells: bool) -> None:
        """Refuse what cannot be asked of this format.

        Raises:
            ConfigError: `raw_cells` of what has no cells.
        """
        if raw_cells and self.kind != CSV:
            raise ConfigError(f"--raw-cells: is for {CSV}; a {self.suffix} file has no cells")

    def encoding(self, records: Iterable[bytes], source: Path, *, raw_cells: bool = False) -> Encoding:
        """For the records of the file `source`, which are looked at where that is needed.

        Raises:
            ConfigError: `raw_cells` of what has no cells.
            CrawlerError: They cannot be read, or one is no record.
        """
        if self.kind == CSV:
            columns = columns_of(records, source)
            encoding = self.rows(columns.names, raw_cells=raw_cells)
            return Encoding(encoding.head if columns.names else [], encoding.encode, columns.records)
        return self.rows((), raw_cells=raw_cells)


FORMATS = tuple(Format(kind, packing) for kind in (JSONL, CSV) for packing in PACKINGS.values())


def is_table(path: Path) -> bool:
    """Whether `path` names a file of tables, which is written by way of a database."""
    return path.name.endswith((*PARQUET, *SQLITE))


def holds_tables(path: Path) -> bool:
    """Whether `path` names a file of several tables."""
    return path.name.endswith(SQLITE)


def stem_of(path: Path) -> str:
    """The name of a file that can be written, without what says its format."""
    ends = sorted((*(one.suffix for one in FORMATS), *PARQUET, *SQLITE), key=len, reverse=True)
    return path.name.removesuffix(next((end for end in ends if path.name.endswith(end)), ""))


def format_of(path: Path) -> Format:
    """The kind of file that `path` names.

    Raises:
        ConfigError: None.
    """
    found = next((one for one in FORMATS if path.name.endswith(one.suffix)), None)
    if found is None:
        ends = ", ".join((*(one.suffix for one in FORMATS), *PARQUET, *SQLITE))
        raise ConfigError(f"--to {path}: expected a name that ends with {ends}, or - for standard output")
    return found
