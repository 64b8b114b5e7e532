"""Where does a crawl start? Reads a seed list, streamed: a file may hold millions of seeds.

Each item of the list is one of

- ``scheme://…``: a URL.
- ``-``: standard input, read like a ``.txt`` file.
- an existing path: a file, by its name
    - ``.jsonl``: an object a line; its field ``url`` is the seed, the others are its metadata.
    - ``.csv``: a header row, of which one column is called ``url`` in any letter case; the others are metadata.
    - ``.yaml``, ``.yml``: refused, as it must be a configuration.
    - any other: a seed a line; lines that begin with ``#`` are comments (elsewhere it is part of a URL).
- anything else: a host with or without port and path, tried as https (``example.org:8080/a``).

Files are UTF-8, with or without byte order mark, with LF or CRLF; blank lines are skipped; ``.gz`` may follow any name.
What stands in a file is a URL or a host, never another file. A bad line becomes a `Seed` with an `error`, and reading
goes on; an item that names no readable file is a `ConfigError`. Which seeds are in scope or repeated is left to others.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import shlex
import zlib
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import msgspec

from crawler.errors import ConfigError, UrlError
from crawler.models import Request, Url
from crawler.url import STANDARD, canonicalize, host, host_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crawler.config import UrlsConfig

MAX_LINE_BYTES = 64 * 1024
"""A longer line is reported and skipped, so that no file can fill the memory."""

_SHOWN_CHARS = 200
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SITEMAP = "sitemap:"
_FILE_NAME = re.compile(r"\.(?:txt|csv|jsonl)(?:\.gz)?$", re.IGNORECASE)
_CONFIG_NAME = re.compile(r"\.ya?ml$", re.IGNORECASE)
_PATH_START = re.compile(r"[./~]|[^.:\[]*/")


class Seed(msgspec.Struct, frozen=True, kw_only=True, tag="seed"):
    """One line of the seed list, good (`url`) or bad (`error`)."""

    #: as written, bytes that are not UTF-8 escaped (``\\xff``); a line that is too long is cut and ends in an ellipsis
    given: str
    url: Url | None = None
    #: what is wrong with it
    error: str | None = None
    #: the other fields of its JSONL object or CSV row
    metadata: dict[str, object] = {}
    #: ``seeds.txt:12``, ``<stdin>:3`` or ``argument 1``
    place: str


def read_seeds(
    items: Sequence[str], *, rules: UrlsConfig = STANDARD, stdin: Path | BinaryIO | None = None, first: int = 1
) -> Iterator[Seed]:
    """All seeds of `items`, in order.

    Args:
        items: As on the command line.
        rules: How their URLs are made canonical.
        stdin: What ``-`` reads: a stream, read once and left open, or a file that holds what came in.
        first: The number of the first item, for the places of seeds.

    Raises:
        ConfigError: At once for an item that names no file or is not supported; while iterating for a file that
            cannot be read to its end or is a CSV file without a ``url`` column.
    """
    return chain.from_iterable(
        [_item_seeds(item.strip(), f"argument {number}", rules, stdin) for number, item in enumerate(items, first)]
    )


def single_seed(item: str, *, rules: UrlsConfig = STANDARD) -> Seed:
    """The seed that `item` is: a URL or a host, never a list of them.

    Raises:
        ConfigError: It is anything else.
    """
    item, place = item.strip(), "argument 1"
    if item == "-" or _seed_file(item, place):
        raise ConfigError(f"{item!r} is a list of seeds; expected one URL or host")
    seed = _seed(item, place, rules)
    if seed.url is None:
        raise ConfigError(f"{seed.error}; expected one URL or host")
    return seed


def seed_request(seed: Seed) -> Request:
    """The request a good seed starts with.

    Raises:
        UrlError: If the seed is a bad one.
    """
    if seed.url is None:
        raise UrlError(f"{seed.place}: {seed.error}")
    return Request(url=seed.url, host_key=host_key(seed.url), scope_host=host(seed.url), seed=seed.given)


def _item_seeds(item: str, place: str, rules: UrlsConfig, stdin: Path | BinaryIO | None) -> Iterable[Seed]:
    """The seeds of one item; files are opened when iteration reaches them."""
    if item == "-":
        if stdin is None:
            raise ConfigError("the seed list '-' needs standard input, and there is none")
        return _line_seeds(stdin, "<stdin>", rules, _text_seed)
    path = _seed_file(item, place)
    return _file_seeds(path, rules) if path else [_seed(item, place, rules)]


def _seed_file(item: str, place: str) -> Path | None:
    """The file that an item names, None for what must be a URL or a host; a `ConfigError` if it can be neither."""
    if not item:
        raise ConfigError(f"{place} is an empty seed; expected a URL, a host or a file")
    if item.startswith(_SITEMAP):
        raise ConfigError(f"seed {item!r}: sitemaps are not supported as seeds yet; expected a URL, a host or a file")
    if _SCHEME.match(item):
        return None
    for_a_url = f"for a URL write https://{item.lstrip('./')}"
    if _CONFIG_NAME.search(item):
        raise ConfigError(f"{item} is a configuration: crawler crawl -c {shlex.quote(item)}; {for_a_url}")
    path = Path(item)
    with suppress(OSError):  # no permission to look, or longer than a path may be
        if path.is_dir():
            raise ConfigError(f"seed {item!r} is a directory; expected a file, or the host: https://{item.strip('./')}")
        if path.exists():
            return path
    if _FILE_NAME.search(item) or "\\" in item or (_PATH_START.match(item) and not item.startswith("localhost/")):
        raise ConfigError(f"seed file {item!r} does not exist; {for_a_url}")
    return None


def _file_seeds(path: Path, rules: UrlsConfig) -> Iterator[Seed]:
    kind = path.name.lower().removesuffix(".gz")
    name = _utf8(str(path))
    if kind.endswith(".csv"):
        return _csv_seeds(path, name, rules)
    return _line_seeds(path, name, rules, _json_seed if kind.endswith(".jsonl") else _text_seed)


def _line_seeds(
    source: Path | BinaryIO, name: str, rules: UrlsConfig, read: Callable[[str, str, UrlsConfig], Seed | None]
) -> Iterator[Seed]:
    """What `read` makes of each line that is not blank, given its text and place."""
    with _opened(source, name) as file:
        for line in _lines(file, name):
            text = line.text.strip()
            if line.error:
                yield Seed(given=text, error=line.error, place=line.place)
            elif text and (seed := read(text, line.place, rules)):
                yield seed


def _text_seed(text: str, place: str, rules: UrlsConfig) -> Seed | None:
    return None if text[0] == "#" else _seed(text, place, rules)


def _json_seed(text: str, place: str, rules: UrlsConfig) -> Seed:
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Seed(given=_cut(text), error=f"not JSON: {error}", place=place)
    if not isinstance(row, dict) or not isinstance(row.get("url"), str):
        return Seed(given=_cut(text), error="expected a JSON object with a string called url", place=place)
    return _seed(row.pop("url").strip(), place, rules, row)


def _csv_seeds(path: Path, name: str, rules: UrlsConfig) -> Iterator[Seed]:
    with _opened(path, name) as file:
        bad_lines: list[_Line] = []
        rows = csv.reader(_csv_text(_lines(file, name), bad_lines))
        header: list[str] | None = None
        while True:
            place = f"{name}:{rows.line_num + 1}"
            try:
                row = next(rows, None)
            except csv.Error as error:  # such as a quote that is never closed; the next line is a new row
                yield Seed(given="", error=f"not CSV: {error}; skipped up to line {rows.line_num}", place=place)
                continue
            if row is None:
                return
            if bad_lines:
                yield Seed(given=bad_lines[0].text.strip(), error=bad_lines[0].error, place=bad_lines[0].place)
                bad_lines.clear()
            elif header is None:
                header = row
                column = _url_column(header, name)
            elif row:
                yield _csv_seed(row, header, column, place, rules)


def _csv_text(lines: Iterator[_Line], bad_lines: list[_Line]) -> Iterator[str]:
    """The lines for the CSV reader; a bad one is put into `bad_lines` and read as empty, so that rows keep count."""
    for line in lines:
        if line.error:
            bad_lines.append(line)
        yield "\n" if line.error else line.text


def _url_column(header: list[str], name: str) -> int:
    names = [column.strip().lower() for column in header]
    if "url" not in names:
        raise ConfigError(f"seed file {name!r} has no column called url; its header is {_cut(','.join(header))!r}")
    return names.index("url")


def _csv_seed(row: list[str], header: list[str], column: int, place: str, rules: UrlsConfig) -> Seed:
    if len(row) != len(header):
        error = f"{len(row)} fields where the header has {len(header)}; a URL with a comma must be quoted"
        return Seed(given=_cut(",".join(row)), error=error, place=place)
    metadata: dict[str, object] = dict(zip(header, row, strict=True))
    del metadata[header[column]]
    return _seed(row[column].strip(), place, rules, metadata)


def _seed(given: str, place: str, rules: UrlsConfig, metadata: dict[str, object] | None = None) -> Seed:
    try:
        return Seed(given=_utf8(given), url=_url(given, rules), metadata=metadata or {}, place=place)
    except UrlError as error:
        return Seed(given=_utf8(given), error=str(error), metadata=metadata or {}, place=place)


def _url(given: str, rules: UrlsConfig) -> Url:
    """Of a URL, or of a host tried as https."""
    if _SCHEME.match(given):
        return canonicalize(given, rules)
    if given.startswith(_SITEMAP):
        raise UrlError(f"{given!r}: sitemaps are not supported as seeds yet")
    if not set(re.split("[/?#]", given, maxsplit=1)[0]) & set("@\\"):
        with suppress(UrlError):  # which would name what nobody has written
            return canonicalize(f"https://{given}", rules)
    raise UrlError(f"{_cut(given)!r} is neither a URL nor a host")


class _Line(NamedTuple):
    text: str
    place: str
    error: str | None = None


def _lines(file: BinaryIO, name: str) -> Iterator[_Line]:
    """All lines with their line ends, decoded; cut or escaped where there is an error."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        place = f"{name}:{number}"
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            yield _Line(_cut(line.decode(errors="replace")), place, f"longer than {MAX_LINE_BYTES} bytes")
            while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            continue
        try:
            yield _Line(line.decode(), place)
        except UnicodeDecodeError as error:
            yield _Line(_cut(line.decode(errors="backslashreplace")), place, f"not UTF-8 ({error.reason})")


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


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _utf8(text: str) -> str:
    """`text` as UTF-8 can carry it: what Python made of other bytes in an argument or file name is escaped."""
    try:
        return os.fsencode(text).decode(errors="backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return text.encode(errors="backslashreplace").decode()
