"""How is DuckDB asked, so that it stays within its memory, reads nothing but its tables, and its errors are ours?

Installed with ``pip install 'crawler[data]'``, and imported here alone, when something is asked of it.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from crawler.errors import ConfigError, CrawlerError
from crawler.tables.spool import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MEMORY_BYTES: Final = 512 << 20
"""What DuckDB may use before it goes to the disk; more where a single record is very long."""

_LONGEST_IN_MEMORY = 24
_MAX_THREADS = 4
_MACHINES = ("OutOfMemoryException", "IOException", "InternalException", "FatalException", "ResourceInUseException")
"""Errors that are not about the SQL."""
_NAMES = ("BinderException", "CatalogException")
"""Those about tables and columns."""

_GUESS = re.compile(r"\nDid you mean .*")
_PLACE = re.compile(r"\n\s*LINE \d+:.*", re.DOTALL)


def duckdb() -> Any:  # noqa: ANN401  (the module, which may not be there)
    """The module.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import duckdb as module  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise ConfigError(f"tables need DuckDB ({error}): pip install 'crawler[data]'") from error
    return module


def opened(folder: Path, longest: int = 0) -> Any:  # noqa: ANN401
    """A connection to a database in memory, which holds no tables yet.

    Args:
        folder: Where it puts what memory has no room for.
        longest: Bytes of the longest record that it will meet.
    """
    settings = {
        "memory_limit": f"{max(MEMORY_BYTES, longest * _LONGEST_IN_MEMORY)}B",
        "temp_directory": str(folder),
        "threads": min(_MAX_THREADS, os.cpu_count() or 1),
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb().connect(":memory:", config=settings)
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET python_enable_replacements = false")  # a table is not a variable of ours
    return connection


def closed_off(connection: Any, paths: Iterable[Path]) -> None:  # noqa: ANN401
    """From here on it opens no files but these, no network, and no other database; nor can that be undone."""
    names = ", ".join(literal(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{names}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def one_select(sql: str, told: str) -> str:
    """`sql`, if it is one statement that only reads.

    Args:
        sql: As somebody wrote it.
        told: How an error calls it.

    Raises:
        ConfigError: It is not.
    """
    module = duckdb()
    with explained(told):
        statements = module.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != module.StatementType.SELECT:
        raise ConfigError(f"{told}: expected one SELECT; nothing else is run on a crawl")
    query: str = statements[0].query
    return query.rstrip().removesuffix(";")


@contextmanager
def explained(told: str, hint: Callable[[], str] = str) -> Iterator[None]:
    """Raise DuckDB's errors as ours.

    Args:
        told: What was asked, for messages.
        hint: What is said after errors about names in the SQL, worked out then.

    Raises:
        ConfigError: The SQL cannot be meant.
        CrawlerError: It cannot be done: no room, or records that are damaged.
    """
    module = duckdb()
    try:
        yield
    except module.Error as error:
        message = _PLACE.sub("", str(error)).strip()
        if "Interrupted" in message or type(error).__name__ == "InterruptException":
            raise KeyboardInterrupt from error
        if is_about_records(error):
            raise RecordsError(f"{told}: {message}") from error
        if type(error).__name__ in _MACHINES:
            raise CrawlerError(f"{told}: {message}") from error
        if type(error).__name__ == "CatalogException":
            message = _GUESS.sub("", message)  # it knows few of our tables
        what_there_is = hint() if type(error).__name__ in _NAMES else ""
        raise ConfigError(f"{told}: {message}{what_there_is}") from error
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


class RecordsError(CrawlerError):
    """A file of records, read as it is, holds what DuckDB does not read."""


def is_about_records(error: Exception) -> bool:
    """Whether DuckDB's own reader failed at a line of a file."""
    text = str(error)
    return "maximum_object_size" in text or ("in file " in text and "JSON" in text)
